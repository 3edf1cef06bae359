#include "harness/load/tables.hpp"

/// The table of payloads/1 (docs/dut-format.md).
namespace assay {

namespace {

constexpr std::string_view kPayloadsTag[] = {"payloads/1"};
constexpr std::string_view kBytesForms[] = {"hex", "text"};

constinit const Shape kTagWord{.form = Form::word, .words = kPayloadsTag};
constinit const Shape kIdentifierText{.form = Form::text, .syntax = &kIdentifier};
constinit const Shape kPort{.form = Form::integer, .least = 1, .most = 65535};
constinit const Shape kPorts{.form = Form::list, .item = &kPort};
constinit const Shape kLength{.form = Form::integer, .least = 1, .most = 1400};
constinit const Shape kOffset{.form = Form::integer, .least = 0, .most = 1400};
constinit const Shape kHex{.form = Form::text, .syntax = &kHexText};
constinit const Shape kPattern{.form = Form::text, .syntax = &kPatternText};

constinit const Key kRequestKeys[] = {
    {"hex", &kHex, false, "", "The bytes in hexadecimal, spaces for reading", "\"0a ff 00\""},
    {"text", &kSentence, false, "", "The bytes as text; escapes of double quotes count", "\"OPTIONS * SIP/2.0\\r\\n\""},
};
constinit const Table kRequestTable{"a request", "The bytes of the datagram, in one of two forms", kRequestKeys,
                                    kBytesForms};
constinit const Shape kRequest{.form = Form::mapping, .table = &kRequestTable};

constinit const Key kAnswerKeys[] = {
    {"hex", &kPattern, false, "", "The first bytes; a dot is a half byte that may be anything", "\"41 53 8. ..\""},
    {"text", &kSentence, false, "", "The first bytes as text", "SIP/2.0"},
};
constinit const Table kAnswerTable{"an answer", "How a reply of this protocol begins", kAnswerKeys, kBytesForms};
constinit const Shape kAnswer{.form = Form::mapping, .table = &kAnswerTable};
constinit const Shape kAnswers{.form = Form::list, .item = &kAnswer};

constinit const Key kPayloadKeys[] = {
    {"id", &kIdentifierText, true, "", "Name of the request, once in a file", "snmp-v2c-get"},
    {"protocol", &kNameText, true, "", "What answers it", "snmp"},
    {"source", &kSentence, true, "", "The document that defines it, and what the request does to the device",
     "RFC 3416; reads one value"},
    {"ports", &kPorts, true, "", "Ports that are asked", "[161]"},
    {"request", &kRequest, true, "", "The datagram", "{hex: \"30 29\"}"},
    {"answers", &kAnswers, true, "", "Beginnings of replies, any of them; other replies are no answer of this protocol",
     "[{hex: \"30 .. 02 01 01\"}]"},
    {"pad_to", &kLength, false, "", "Length up to which zeros follow the request, for a protocol that wants large ones",
     "1200"},
    {"from_port", &kPort, false, "", "Port that it is sent from, where the protocol fixes where answers go", "68"},
    {"address_at", &kOffset, false, "", "Offset at which the IPv4 address of the sender is written into the request",
     "12"},
};
constinit const Table kPayloadTable{"a payload", "One request and how its answers begin", kPayloadKeys};
constinit const Shape kPayload{.form = Form::mapping, .table = &kPayloadTable};
constinit const Shape kPayloadItems{.form = Form::list, .item = &kPayload};

constinit const Key kPayloadsKeys[] = {
    {"assay", &kTagWord, true, "", "Kind and version of this file", "payloads/1"},
    {"id", &kIdentifierText, true, "", "The name that a probe's `payloads` parameter uses", "udp-payloads"},
    {"title", &kSentence, true, "", "What is in it", "Requests that UDP services answer"},
    {"source", &kSentence, true, "", "Where it comes from", "Own making after the RFCs, 2026"},
    {"payloads", &kPayloadItems, true, "", "The requests",
     "[{id: echo, protocol: echo, source: RFC 862, ports: [7], request: {text: hi}, answers: [{text: hi}]}]"},
};

}  // namespace

constinit const Table kPayloadsTable{"the payload list", "Requests that UDP services answer", kPayloadsKeys};

}  // namespace assay
