#include "harness/load/tables.hpp"

/// The table of attacks/1 (docs/updates.md).
namespace assay {

namespace {

constexpr std::string_view kAttacksTag[] = {"attacks/1"};
constexpr std::string_view kAgainst[] = {"image", "metadata", "transport", "delivery", "power", "access"};
constexpr std::string_view kMutations[] = {"flip_bit",    "remove_signature", "resign",    "swap_content",
                                           "truncate",    "append",           "lie_size",  "lie_version",
                                           "bomb",        "traversal",        "older",     "same",
                                           "other_model", "other_component",  "mix_older", "lie_date"};
constexpr std::string_view kWhere[] = {"header", "manifest", "signature", "payload", "tenth"};
constexpr std::string_view kSigners[] = {"other_key", "expired", "revoked"};
constexpr std::string_view kCertificates[] = {"self_signed", "unknown_authority", "misnamed", "expired"};
constexpr std::string_view kRedirects[] = {"http", "host"};
constexpr std::string_view kVersions[] = {"genuine", "higher", "running"};
constexpr std::string_view kNeeds[] = {
    "older",     "other_model", "tls",        "manifest",        "open_manifest",    "open_address",
    "server",    "power",       "verify_key", "signed_manifest", "expired_manifest", "older_manifest",
    "held_date", "link",        "login",      "other_component"};
constexpr std::string_view kManifests[] = {"expired", "older"};
constexpr std::string_view kDates[] = {"held"};
constexpr std::string_view kHarms[] = {"safe", "recoverable", "may_brick"};
constexpr std::string_view kConfidence[] = {"sourced", "derived", "reasoned", "unconfirmed"};

constinit const Shape kTagWord{.form = Form::word, .words = kAttacksTag};
constinit const Shape kIdentifierText{.form = Form::text, .syntax = &kIdentifier};
constinit const Shape kPercent{.form = Form::integer, .least = 0, .most = 99};
constinit const Shape kTenth{.form = Form::integer, .least = 1, .most = 10};
constinit const Shape kBytes{.form = Form::integer, .least = 1, .most = 1 << 24};
constinit const Shape kFactor{.form = Form::integer, .least = 2, .most = 1000000};
constinit const Shape kStatus{.form = Form::integer, .least = 400, .most = 599};

constinit const Shape kMutationWord{.form = Form::word, .words = kMutations};
constinit const Shape kWhereWord{.form = Form::word, .words = kWhere};
constinit const Shape kSignerWord{.form = Form::word, .words = kSigners};
constinit const Key kImageKeys[] = {
    {"kind", &kMutationWord, true, "", "What becomes of the genuine image", "flip_bit"},
    {"where", &kWhereWord, false, "payload", "Of flip_bit: which part is hit", "manifest"},
    {"tenth", &kTenth, false, "1", "Of flip_bit in a tenth of the image: which", "5"},
    {"by", &kSignerWord, false, "other_key", "Of resign: whose key signs", "other_key"},
    {"at", &kPercent, false, "50", "Of truncate: percent that are left", "90"},
    {"bytes", &kBytes, false, "4096", "Of append: how many", "64"},
    {"factor", &kFactor, false, "16", "Of lie_size: how much larger the size is said to be", "16"},
    {"version", &kSentence, false, "99.99.99", "Of lie_version: what is said", "99.99.99"},
    {"repair", &kBoolean, false, "false",
     "Checksums that would give the change away are made right, so that only a signature can refuse it", "true"},
};
constinit const Table kImageTable{"a change of the image", "What is made of the genuine image", kImageKeys};
constinit const Shape kImage{.form = Form::mapping, .table = &kImageTable};

constinit const Shape kVersionWord{.form = Form::word, .words = kVersions};
constinit const Shape kManifestWord{.form = Form::word, .words = kManifests};
constinit const Key kMetadataKeys[] = {
    {"version", &kVersionWord, false, "of the image",
     "The version that is said: the genuine one, a higher one, or the one that runs", "higher"},
    {"digest", &kBoolean, false, "true", "The digest and size that are said are those of what is offered", "false"},
    {"signature", &kBoolean, false, "true", "The manifest's signature is given", "false"},
    {"altered", &kBoolean, false, "false",
     "A line feed is added to the manifest: it says what it said, and its signature is over other bytes", "true"},
    {"manifest", &kManifestWord, false, "the newest", "Another one of the maker's manifests is given", "expired"},
};
constinit const Table kMetadataTable{"a change of the metadata", "What is said of the image otherwise than true",
                                     kMetadataKeys};
constinit const Shape kMetadata{.form = Form::mapping, .table = &kMetadataTable};

constinit const Shape kCertificateWord{.form = Form::word, .words = kCertificates};
constinit const Shape kRedirectWord{.form = Form::word, .words = kRedirects};
constinit const Shape kDateWord{.form = Form::word, .words = kDates};
constinit const Key kServerKeys[] = {
    {"certificate", &kCertificateWord, false, "", "Another certificate than the one that the device trusts",
     "self_signed"},
    {"plain", &kBoolean, false, "false", "TLS is not answered, http on the same port is", "true"},
    {"redirect", &kRedirectWord, false, "", "The image is redirected to http, or to another name", "http"},
    {"url", &kRedirectWord, false, "", "The manifest itself sends there for the image", "http"},
    {"cut_at", &kPercent, false, "", "The connection ends when so many percent of the image were sent", "50"},
    {"stall_at", &kPercent, false, "", "Nothing more comes then, and the connection stays", "50"},
    {"drip", &kBoolean, false, "false", "The image comes byte by byte", "true"},
    {"endless", &kBoolean, false, "false", "The image never ends", "true"},
    {"length", &kFactor, false, "", "The length that is said is so many times the true one", "16"},
    {"second", &kBoolean, false, "false", "The first download is the genuine image, later ones are the changed one",
     "true"},
    {"status", &kStatus, false, "", "Every request is answered with this status", "503"},
    {"anonymous", &kBoolean, false, "false", "The image is put into the device's page without its login", "true"},
    {"power_at", &kPercent, false, "", "The power is cut when so many percent were sent", "50"},
    {"power_installing", &kBoolean, false, "false",
     "The power is cut in the middle of the installation, by the time that the genuine one took", "true"},
    {"link_at", &kPercent, false, "", "The device's link is cut for a while when so many percent were sent", "50"},
    {"link_installing", &kBoolean, false, "false", "The same in the middle of the installation", "true"},
    {"date", &kDateWord, false, "today", "The day that the server tells (Date of HTTP): one on which the manifest held",
     "held"},
};
constinit const Table kServerTable{"a behaviour of the server", "What our server does otherwise than an honest one",
                                   kServerKeys};
constinit const Shape kServer{.form = Form::mapping, .table = &kServerTable};

constinit const Shape kAgainstWord{.form = Form::word, .words = kAgainst};
constinit const Shape kNeed{.form = Form::word, .words = kNeeds};
constinit const Shape kNeedList{.form = Form::list, .item = &kNeed, .may_be_empty = true};
constinit const Shape kServes{.form = Form::list, .item = &kQualifiedText};
constinit const Shape kHarm{.form = Form::word, .words = kHarms};
constinit const Shape kConfidenceWord{.form = Form::word, .words = kConfidence};
constinit const Key kAttackKeys[] = {
    {"id", &kIdentifierText, true, "", "Name of the attack, once in a file; `--attacks` and reports use it",
     "flip-payload"},
    {"title", &kSentence, true, "", "What is done, in one line", "One bit of the content is changed"},
    {"serves", &kServes, true, "", "Provisions that its outcome is evidence for", "[\"EN303645@2.1.1:5.3-2\"]"},
    {"against", &kAgainstWord, true, "", "What is attacked", "image"},
    {"image", &kImage, false, "", "A change of the image; none: the genuine one is offered",
     "{kind: flip_bit, where: payload}"},
    {"metadata", &kMetadata, false, "", "A change of what is said of it", "{version: higher}"},
    {"server", &kServer, false, "", "Another behaviour of our server", "{certificate: self_signed}"},
    {"needs", &kNeedList, false, "[]", "What the maker or the laboratory must have given", "[older]"},
    {"after_update", &kBoolean, false, "false", "It begins on a device that runs the genuine new version", "true"},
    {"harm", &kHarm, true, "", "What it may cost the device: nothing, a restore, or the device", "recoverable"},
    {"source", &kSentence, true, "", "Where it comes from", "TS 103 701, 5.3-2-2"},
    {"confidence", &kConfidenceWord, true, "", "How sure that is", "derived"},
};
constinit const Table kAttackTable{"an attack", "One thing that is offered in place of the genuine update",
                                   kAttackKeys};
constinit const Shape kAttack{.form = Form::mapping, .table = &kAttackTable};
constinit const Shape kAttackItems{.form = Form::list, .item = &kAttack};

constinit const Key kAttacksKeys[] = {
    {"assay", &kTagWord, true, "", "Kind and version of this file", "attacks/1"},
    {"id", &kIdentifierText, true, "", "The name that a probe's parameter uses", "update"},
    {"title", &kSentence, true, "", "What is in it", "Attacks on an update mechanism"},
    {"source", &kSentence, true, "", "Where it comes from", "Own making, 2026"},
    {"attacks", &kAttackItems, true, "", "The attacks, in the order in which they are tried",
     "[{id: flip-payload, …}]"},
};

}  // namespace

constinit const Table kAttacksTable{"the attack list", "Attacks that a probe tries, as data", kAttacksKeys};

}  // namespace assay
