#include "harness/load/tables.hpp"

/// The tables of `messages` and `brokers` in dut/1 (docs/dut-format.md).
namespace assay {

namespace {

constexpr std::string_view kMethodWords[] = {"GET", "POST", "PUT", "DELETE"};
constexpr std::string_view kProtocolWords[] = {"coap", "mqtt"};
constexpr std::string_view kSecurityWords[] = {"none", "psk", "tls"};

constinit const Shape kMethodWord{.form = Form::word, .words = kMethodWords};
constinit const Shape kProtocolWord{.form = Form::word, .words = kProtocolWords};
constinit const Shape kSecurityWord{.form = Form::word, .words = kSecurityWords};
constinit const Shape kEndpointItem{.form = Form::text, .syntax = &kEndpointText};
constinit const Shape kWithin{.form = Form::text, .syntax = &kDuration};

constinit const Key kMessageKeys[] = {
    {"method", &kMethodWord, false, "POST", "Of CoAP: method of the request", "PUT"},
    {"path", &kSentence, false, "", "Of CoAP: where the request goes, with its query; filled in as `body` is",
     "/password"},
    {"topic", &kSentence, false, "", "Of MQTT: where it is published; filled in as `body` is", "hub/password"},
    {"body", &kText, false, "",
     "Payload: JSON, or any text; {username}, {password}, {old}, {login} (the password that the account has now) and "
     "{value} are filled in, in JSON within its texts",
     "'{\"old\": \"{old}\", \"new\": \"{password}\"}'"},
    {"answer", &kSentence, false, "", "Of MQTT: filter of the topics that an answer comes at; none: nothing is awaited",
     "hub/password/result"},
    {"expect", &kSentence, false, "2.xx",
     "Of CoAP the code that says yes, such as 2.04; of MQTT what stands in an answer that does", "2.04"},
    {"exec", &kText, false, "",
     "Command line in the place of a message, run by /bin/sh in the DUT file's folder with ASSAY_USERNAME, "
     "ASSAY_PASSWORD and ASSAY_OLD",
     "./set-password.sh"},
    {"prompt", &kText, false, "",
     "A sentence for the person at the bench in the place of a message, filled in as `body` is",
     "Set the password of {username} to {password}"},
    {"within", &kWithin, false, "30s", "Time that command or person may take", "2min"},
};
constinit const Table kMessageTable{
    "a message", "One message of CoAP or MQTT, or what is done at the bench in its place", kMessageKeys};
constinit const Shape kMessage{.form = Form::mapping, .table = &kMessageTable};

constinit const Key kSettingKeys[] = {
    {"method", &kMethodWord, false, "POST", "Of CoAP: method of the request", "PUT"},
    {"path", &kSentence, false, "", "Of CoAP: where the request goes, as in a message", "/name"},
    {"topic", &kSentence, false, "", "Of MQTT: where it is published, as in a message", "hub/name/set"},
    {"body", &kText, true, "",
     "Payload; {value} is the new value, a word of random letters. With {password} here, in `path` or in `read` it is "
     "the messages that carry the login, and {login} stands for it in `change_password`",
     "'{value}'"},
    {"answer", &kSentence, false, "", "Of MQTT: filter of the topics that an answer comes at", "hub/name/result"},
    {"expect", &kSentence, false, "2.xx", "What says yes, as in a message", "2.04"},
    {"read", &kSentence, true, "",
     "What shows the value to whoever has the login: of CoAP a path that is read by GET, filled in too; of MQTT a "
     "topic with a retained message",
     "/name"},
    {"value", &kText, true, "", "Value that is left behind in the end", "Hub 2"},
};
constinit const Table kSettingTable{"a setting of messages",
                                    "A harmless setting that needs a login, by which is seen whether one was taken",
                                    kSettingKeys};
constinit const Shape kSetting{.form = Form::mapping, .table = &kSettingTable};

constinit const Key kInterfaceKeys[] = {
    {"port", &kEndpointItem, true, "", "Where the interface is: of CoAP a UDP port, of MQTT a TCP port", "udp/5683"},
    {"protocol", &kProtocolWord, true, "", "What it speaks", "coap"},
    {"security", &kSecurityWord, false, "none",
     "psk: CoAP inside DTLS or MQTT inside TLS, the account is identity and key; tls: MQTT inside TLS", "psk"},
    {"set_up_as", &kSentence, false, "whoever comes by",
     "Role of the account that sends `set_up`, such as one whose secret stands on the label", "label"},
    {"set_up", &kMessage, false, "",
     "Sets the first password, {password}, of a device in factory state; {username} is the first account's",
     "{path: /setup, body: '{\"password\": \"{password}\"}'}"},
    {"change_password", &kMessage, false, "", "Changes the password of the account whose login goes along",
     "{topic: hub/password, body: '{\"old\": \"{old}\", \"new\": \"{password}\"}'}"},
    {"setting", &kSetting, true, "", "A setting that may be changed and changed back: what a login is good for",
     "{method: PUT, path: /name, body: '{value}', read: /name, value: Hub 2}"},
};

constinit const Key kBrokerKeys[] = {
    {"port", &kEndpointItem, true, "", "Where the broker is", "tcp/1883"},
    {"client_id", &kSentence, false, "of chance",
     "Id of the client that it takes; {random} is 12 letters of chance, {username} the name of the login. Without "
     "either of them it is the same for all logins, and whoever has it is sent away by one that is taken",
     "'hub-{random}'"},
    {"account", &kSentence, false, "", "Role of an account of `accounts` that logs in here", "admin"},
};

}  // namespace

constinit const Table kBrokerTable{"a broker", "What an MQTT broker of the device wants of a client", kBrokerKeys};
constinit const Table kMessageInterfaceTable{"an interface of messages", "How one interface of CoAP or MQTT is used",
                                             kInterfaceKeys};

}  // namespace assay
