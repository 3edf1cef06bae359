#include "harness/load/tables.hpp"

/// The table of known-keys/1 (docs/dut-format.md).
namespace assay {

namespace {

constexpr std::string_view kKnownKeysTag[] = {"known-keys/1"};
constexpr std::string_view kForms[] = {"spki", "ssh"};
constexpr std::string_view kConfidences[] = {"computed", "reported"};

constinit const Shape kTagWord{.form = Form::word, .words = kKnownKeysTag};
constinit const Shape kIdentifierText{.form = Form::text, .syntax = &kIdentifier};
constinit const Shape kFormWord{.form = Form::word, .words = kForms};
constinit const Shape kConfidence{.form = Form::word, .words = kConfidences};
constinit const Shape kDigest{.form = Form::text, .syntax = &kHexText};  // and stricter in load_known_keys.cpp
constinit const Shape kDigests{.form = Form::list, .item = &kDigest};

constinit const Key kKnownKeyKeys[] = {
    {"where", &kSentence, true, "", "File, product or list that has the private half",
     "/usr/share/doc/openvpn/examples/sample-keys/server.key"},
    {"source", &kSentence, true, "", "Package or document, with its version", "\"Debian 12, openvpn 2.6.3-1\""},
    {"confidence", &kConfidence, true, "",
     "Whether the digest was computed from the private key in that place, or comes from somebody who reports it",
     "computed"},
    {"form", &kFormWord, true, "",
     "What the digests are of: the SubjectPublicKeyInfo of X.509, or the public key as SSH sends it", "spki"},
    {"kind", &kText, false, "", "Kind and length of the key", "RSA 2048"},
    {"digests", &kDigests, true, "", "SHA-256 in hexadecimal, or its first 16 digits and more", "[0123456789abcdef]"},
};
constinit const Table kKnownKeyTable{"a known key", "Keys of one place", kKnownKeyKeys};
constinit const Shape kKnownKey{.form = Form::mapping, .table = &kKnownKeyTable};
constinit const Shape kKnownKeyList{.form = Form::list, .item = &kKnownKey};

constinit const Key kKnownKeysKeys[] = {
    {"assay", &kTagWord, true, "", "Kind and version of this file", "known-keys/1"},
    {"id", &kIdentifierText, true, "", "Name of the list", "shipped-examples"},
    {"title", &kSentence, true, "", "What is in it", "Private keys that packages ship as examples"},
    {"source", &kSentence, true, "", "Where it comes from", "Own compilation, 2026"},
    {"keys", &kKnownKeyList, true, "", "The keys",
     "[{where: a page, source: its address, confidence: reported, form: ssh, digests: [0123456789abcdef]}]"},
};

}  // namespace

constinit const Table kKnownKeysTable{"the known keys", "Public keys whose private half others hold too",
                                      kKnownKeysKeys};

}  // namespace assay
