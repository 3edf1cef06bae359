#include "harness/load/tables.hpp"

/// The table of policy/1 (docs/plan-format.md).
namespace assay {

namespace {

constexpr std::string_view kPolicyTag[] = {"policy/1"};
constexpr std::string_view kProtocolWords[] = {"tls", "ssh"};
constexpr std::string_view kGradeWords[] = {"recommended", "allowed", "transitional", "forbidden"};
constexpr std::string_view kUnlistedWords[] = {"forbidden", "doubt", "silent"};
constexpr std::string_view kNeedsWords[] = {"encrypt_then_mac", "extended_master_secret", "secure_renegotiation"};
constexpr std::string_view kCategoryWords[] = {"version",     "kex",   "host_key", "cipher",    "mac",
                                               "compression", "suite", "group",    "signature", "key_size"};

constinit const Shape kTagWord{.form = Form::word, .words = kPolicyTag};
constinit const Shape kIdentifierText{.form = Form::text, .syntax = &kIdentifier};
constinit const Shape kProtocol{.form = Form::word, .words = kProtocolWords};
constinit const Shape kGrade{.form = Form::word, .words = kGradeWords};
constinit const Shape kUnlisted{.form = Form::word, .words = kUnlistedWords};
constinit const Shape kDateText{.form = Form::text, .syntax = &kEndDate};
constinit const Shape kNeeds{.form = Form::word, .words = kNeedsWords};
constinit const Shape kYear{.form = Form::integer, .least = 1990, .most = 2199};
constinit const Shape kBits{.form = Form::integer, .least = 1, .most = 65536};
constinit const Shape kSeveralNames{.form = Form::list, .item = &kSentence};
constinit const Shape kOneOrMoreNames{.form = Form::text, .other = &kSeveralNames};

constinit const Key kEntryKeys[] = {
    {"name", &kOneOrMoreNames, true, "", "Algorithm as the protocol spells it, or a list; a `*` at the end: any rest",
     "curve25519-sha256"},
    {"grade", &kGrade, true, "", "What the catalogue says of it", "recommended"},
    {"until", &kYear, false, "", "Last year in which that holds; afterwards it counts as expired", "2031"},
    {"bits", &kBits, false, "", "In `key_size`, and required there: the least length of a key of this kind", "3072"},
    {"note", &kText, false, "", "Under which condition, or why", "where forward secrecy is not possible"},
    {"needs", &kNeeds, false, "", "Look of the probe `tls` that the entry rests on: without it a person decides",
     "encrypt_then_mac"},
    {"strength", &kStrength, false, "",
     "How sure we are of this entry, where it rests on something else than the file: what an unconfirmed one rules out "
     "is for a person to decide",
     "unconfirmed"},
};
constinit const Table kEntryTable{"a policy entry", "Algorithms that the catalogue speaks of alike", kEntryKeys};
constinit const Shape kEntry{.form = Form::mapping, .table = &kEntryTable};
constinit const Shape kEntries{.form = Form::list, .item = &kEntry};
constinit const Shape kLists{.form = Form::map, .words = kCategoryWords, .item = &kEntries};

constinit const Key kPolicyKeys[] = {
    {"assay", &kTagWord, true, "", "Kind and version of this file", "policy/1"},
    {"id", &kIdentifierText, true, "", "The name that plans and methods use in `policies`", "bsi-tr-02102-4"},
    {"protocol", &kProtocol, true, "", "What it is about", "ssh"},
    {"title", &kSentence, true, "", "Name of the catalogue, as findings print it", "BSI TR-02102-4"},
    {"version", &kSentence, true, "", "Its version, as findings print it", "\"2025-01\""},
    {"date", &kDateText, true, "", "Date of that version, or `undated`", "\"2025-01-31\""},
    {"source", &kSentence, true, "", "How its content came here: read, or second hand from where",
     "BSI TR-02102-4, read in a copy"},
    {"strength", &kStrength, true, "",
     "How sure we are that these are the catalogue's lists: what unconfirmed ones rule out is for a person to decide",
     "derived"},
    {"unlisted", &kUnlisted, true, "",
     "What it means that a list of this file does not name an algorithm: only listed ones may be used, a person "
     "decides, or nothing, as in a file that only adds to others",
     "doubt"},
    {"lists", &kLists, true, "", "Category -> entries; of a category that is not here the catalogue says nothing",
     "{kex: [{name: curve25519-sha256, grade: recommended}]}"},
};

}  // namespace

constinit const Table kPolicyTable{"the policy", "What a catalogue says of the algorithms of a protocol", kPolicyKeys};

}  // namespace assay
