#include "harness/load/tables.hpp"

/// The tables of job/1 and dictionary/1 (docs/dut-format.md) and of the emulated devices (tests/devices/README.md).
namespace assay {

namespace {

constexpr std::string_view kJobTag[] = {"job/1"};
constexpr std::string_view kDictionaryTag[] = {"dictionary/1"};
constexpr std::string_view kFingerprintsTag[] = {"fingerprints/1"};
constexpr std::string_view kFingerprintFields[] = {"banner",  "server",  "title", "software",
                                                   "comment", "product", "realm", "version_bind"};
constexpr std::string_view kDeviceTag[] = {"device/1"};
constexpr std::string_view kExpectedTag[] = {"expected/1"};
constexpr std::string_view kModeWords[] = {"root_namespaces", "user_namespaces", "loopback"};
constexpr std::string_view kKeyWords[] = {"ec-p256", "rsa-2048", "rsa-1024"};
constexpr std::string_view kVerdictWords[] = {"PASS",       "FAIL",        "INCONCLUSIVE", "NOT_APPLICABLE",
                                              "NOT_TESTED", "NOT_CLAIMED", "ERROR"};

constinit const Shape kJobTagWord{.form = Form::word, .words = kJobTag};
constinit const Shape kFreeList{.form = Form::list, .item = &kFreeMapping, .may_be_empty = true};
constinit const Shape kFreeValue{.form = Form::free};

constinit const Key kReportKeys[] = {
    {"number", &kSentence, true, "", "The report's number in the laboratory", "TL-2026-014-R1"},
    {"customer", &kSentence, false, "", "Who ordered the work", "Example Ltd, 1 Road, Town"},
    {"contract", &kSentence, false, "", "The order it belongs to", "PO-2026-77"},
    {"location", &kSentence, false, "", "Where the work was done", "Laboratory 2"},
    {"testers", &kTexts, false, "[]", "Who did the work", "[A. Person]"},
    {"authorised_by", &kSentence, false, "", "Who authorises the report", "B. Person"},
    {"notes", &kFreeMapping, false, "{}", "Anything else the laboratory prints", "{project: hub}"},
};
constinit const Table kReportTable{"the report", "Identification of the report and of those who answer for it",
                                   kReportKeys};
constinit const Shape kReport{.form = Form::mapping, .table = &kReportTable};

constinit const Key kItemKeys[] = {
    {"received", &kSentence, false, "", "Day of receipt", "2026-11-20"},
    {"condition", &kSentence, false, "", "Condition on receipt", "sealed"},
    {"photos", &kTexts, false, "[]", "Files with photos, from the job file's folder", "[photos/front.jpg]"},
    {"custody", &kFreeValue, false, "", "Who had the item when", "[{from: 2026-11-20, who: A. Person}]"},
    {"sampling", &kSentence, false, "", "How the units were chosen", "\"2 units, bought from stock\""},
    {"notes", &kFreeMapping, false, "{}", "Anything else about the item", "{accessories: none}"},
};
constinit const Table kItemTable{"the item", "The item as received", kItemKeys};
constinit const Shape kItem{.form = Form::mapping, .table = &kItemTable};

constinit const Key kRulesKeys[] = {
    {"repeats", &kSentence, false, "", "How often a finding must be seen", "\"3 of 3\""},
    {"clock", &kFreeMapping, false, "{}", "Source of time and its largest offset", "{source: ntp, max_offset: 1s}"},
    {"confidentiality", &kSentence, false, "", "Who may read the results", "customer only"},
    {"retention", &kSentence, false, "", "How long records are kept", "10 years"},
    {"notes", &kFreeMapping, false, "{}", "Other rules", "{decision: simple acceptance}"},
};
constinit const Table kRulesTable{"the rules", "Rules agreed for this job", kRulesKeys};
constinit const Shape kRules{.form = Form::mapping, .table = &kRulesTable};

constinit const Key kJobKeys[] = {
    {"assay", &kJobTagWord, true, "", "Kind and version of this file", "job/1"},
    {"report", &kReport, true, "", "The report and who answers for it", "{number: TL-2026-014-R1}"},
    {"item", &kItem, false, "{}", "The item as received", "{received: 2026-11-20}"},
    {"equipment", &kFreeList, false, "[]", "Equipment used, each with its verification", "[{id: HOST-3}]"},
    {"rules", &kRules, false, "{}", "Rules agreed for this job", "{repeats: \"3 of 3\"}"},
};

constinit const Shape kDictionaryTagWord{.form = Form::word, .words = kDictionaryTag};
constinit const Shape kIdentifierText{.form = Form::text, .syntax = &kIdentifier};
constinit const Shape kPassword{.form = Form::secret, .may_be_empty = true};
constinit const Key kCredentialKeys[] = {
    {"username", &kText, true, "", "Login name", "admin"},
    {"password", &kPassword, true, "", "Password as it is sent; \"\" for a blank one", "\"1234\""},
    {"for", &kTexts, false, "[]",
     "Words in the names of the vendors or models on whose devices it is tried before the others; capitals do not "
     "matter",
     "[hikvision]"},
};
constinit const Table kCredentialTable{"a credential", "One pair to try", kCredentialKeys};
constinit const Shape kCredential{.form = Form::mapping, .table = &kCredentialTable};
constinit const Shape kCredentials{.form = Form::list, .item = &kCredential};
constinit const Shape kCommonPassword{.form = Form::text};
constinit const Shape kPasswords{.form = Form::list, .item = &kCommonPassword};
constinit const Key kDictionaryKeys[] = {
    {"assay", &kDictionaryTagWord, true, "", "Kind and version of this file", "dictionary/1"},
    {"id", &kIdentifierText, true, "", "The name that a probe's `dictionary` parameter uses", "iot-common"},
    {"title", &kSentence, true, "", "What is in it", "Common factory logins"},
    {"source", &kSentence, true, "", "Where it comes from", "Own compilation, 2026"},
    {"credentials", &kCredentials, false, "[]", "Pairs to try, the likeliest first",
     "[{username: admin, password: admin}]"},
    {"passwords", &kPasswords, false, "[]", "Passwords that are never tried: values are held against them",
     "[\"123456\"]"},
};

constinit const Shape kFingerprintsTagWord{.form = Form::word, .words = kFingerprintsTag};
constinit const Shape kFingerprintField{.form = Form::word, .words = kFingerprintFields};
constinit const Key kFingerprintKeys[] = {
    {"field", &kFingerprintField, true, "", "What is looked at, of what the service said", "server"},
    {"pattern", &kText, true, "",
     "The whole field: `*` is any text, `{version}` digits with dots between, `{update}` letters and digits; capitals "
     "do "
     "not matter",
     "\"lighttpd/{version}*\""},
    {"product", &kText, true, "", "The product it shows", "lighttpd"},
    {"cpe", &kText, false, "", "CPE 2.3 name with `{version}` and `{update}`, where the name is certain",
     "\"cpe:2.3:a:lighttpd:lighttpd:{version}:*:*:*:*:*:*:*\""},
    {"os_hint", &kText, false, "", "What it hints at about the system", "Debian"},
};
constinit const Table kFingerprintTable{"a fingerprint", "One way to know a product", kFingerprintKeys};
constinit const Shape kFingerprintItem{.form = Form::mapping, .table = &kFingerprintTable};
constinit const Shape kFingerprintList{.form = Form::list, .item = &kFingerprintItem};
constinit const Key kFingerprintsKeys[] = {
    {"assay", &kFingerprintsTagWord, true, "", "Kind and version of this file", "fingerprints/1"},
    {"id", &kIdentifierText, true, "", "Name of the list", "services"},
    {"title", &kSentence, true, "", "What is in it", "Products by their own words"},
    {"source", &kSentence, true, "", "Where it comes from", "Own compilation, 2026"},
    {"fingerprints", &kFingerprintList, true, "", "The narrower pattern first",
     "[{field: server, pattern: \"nginx/{version}*\", product: nginx}]"},
};

constinit const Shape kDeviceTagWord{.form = Form::word, .words = kDeviceTag};
constinit const Shape kMode{.form = Form::word, .words = kModeWords};
constinit const Shape kModes{.form = Form::list, .item = &kMode};
constinit const Shape kEndpointWord{.form = Form::text, .syntax = &kEndpointText};
constinit const Shape kPorts{.form = Form::map, .syntax = &kName, .item = &kEndpointWord, .may_be_empty = true};
constinit const Shape kUid{.form = Form::integer, .least = 0, .most = 65534};
constinit const Shape kDays{.form = Form::integer, .least = -36500, .most = 36500};

constinit const Key kDeviceAccountKeys[] = {
    {"username", &kNameText, true, "", "Login name", "admin"},
    {"password", &kPassword, true, "", "Password", "admin"},
    {"uid", &kUid, false, "0", "User number", "1000"},
    {"home", &kSentence, false, "/", "Home folder", "/"},
    {"shell", &kSentence, false, "/bin/sh", "Shell", "/bin/sh"},
};
constinit const Table kDeviceAccountTable{"an account", "A login of the emulated device", kDeviceAccountKeys};
constinit const Shape kDeviceAccount{.form = Form::mapping, .table = &kDeviceAccountTable};
constinit const Shape kDeviceAccounts{.form = Form::list, .item = &kDeviceAccount, .may_be_empty = true};

constinit const Shape kKeyWord{.form = Form::word, .words = kKeyWords};
constinit const Key kCertificateKeys[] = {
    {"name", &kNameText, true, "", "Name in placeholders", "device"},
    {"common_name", &kSentence, false, "", "Subject", "hub.example"},
    {"names", &kTexts, false, "[]", "Alternative names", "[hub.example]"},
    {"key", &kKeyWord, false, "", "Kind of key", "ec-p256"},
    {"from_days", &kDays, false, "", "Start of validity, in days from now", "-1"},
    {"to_days", &kDays, false, "", "End of validity, in days from now", "365"},
    {"issuer", &kText, false, "", "An earlier certificate; empty: self-signed", "\"\""},
};
constinit const Table kCertificateTable{"a certificate", "Made when the device starts", kCertificateKeys};
constinit const Shape kCertificate{.form = Form::mapping, .table = &kCertificateTable};
constinit const Shape kCertificates{.form = Form::list, .item = &kCertificate, .may_be_empty = true};

constinit const Key kFileKeys[] = {
    {"path", &kSentence, true, "", "Below the device's folder", "www/index.html"},
    {"text", &kText, true, "", "Content", "\"hello\\n\""},
    {"mode", &kSentence, false, "", "Permissions in octal, quoted", "\"0644\""},
    {"modes", &kModes, false, "all", "Isolations it is written in", "[loopback]"},
};
constinit const Table kFileTable{"a file", "Written before the daemons start", kFileKeys};
constinit const Shape kFile{.form = Form::mapping, .table = &kFileTable};
constinit const Shape kFiles{.form = Form::list, .item = &kFile, .may_be_empty = true};

constinit const Shape kArguments{.form = Form::list, .item = &kText};
constinit const Key kDaemonKeys[] = {
    {"name", &kNameText, true, "", "Name in messages", "httpd"},
    {"argv", &kArguments, true, "", "Program and arguments", "[busybox, httpd, -f]"},
    {"ready", &kTexts, false, "[]", "Ports that must listen before the next daemon starts", "[http]"},
    {"ready_file", &kSentence, false, "", "File that must be there", "run/started"},
    {"needs", &kTexts, false, "[]", "Programs needed besides the first argument", "[openssl]"},
    {"modes", &kModes, false, "all", "Isolations it runs in", "[loopback]"},
};
constinit const Table kDaemonTable{"a daemon", "One process of the device", kDaemonKeys};
constinit const Shape kDaemon{.form = Form::mapping, .table = &kDaemonTable};
constinit const Shape kDaemons{.form = Form::list, .item = &kDaemon, .may_be_empty = true};
constinit const Shape kCannotShow{.form = Form::map, .words = kModeWords, .item = &kTexts, .may_be_empty = true};

constinit const Key kVariantKeys[] = {
    {"name", &kNameText, true, "", "Last part of the device's name, and what {variant} becomes", "no-downgrade-check"},
    {"title", &kSentence, true, "", "What this one is", "An older image is taken"},
};
constinit const Table kVariantTable{"a variant", "One of the devices that this folder describes", kVariantKeys};
constinit const Shape kVariant{.form = Form::mapping, .table = &kVariantTable};
constinit const Shape kVariants{.form = Form::list, .item = &kVariant};

constinit const Key kDeviceFileKeys[] = {
    {"assay", &kDeviceTagWord, true, "", "Kind and version of this file", "device/1"},
    {"title", &kSentence, true, "", "What this device is", "A camera with a default password"},
    {"ports", &kPorts, true, "", "Name -> port", "{http: tcp/80}"},
    {"tester_ports", &kPorts, false, "{}", "Name -> port on the tester's side, that the device calls",
     "{updates: tcp/8443}"},
    {"variants", &kVariants, false, "[]", "Devices that differ in one thing; the first is the usual one",
     "[{name: sound, title: Sound}]"},
    {"accounts", &kDeviceAccounts, false, "[]", "Logins of the device", "[{username: admin, password: admin}]"},
    {"certificates", &kCertificates, false, "[]", "Certificates, in order", "[{name: device}]"},
    {"files", &kFiles, false, "[]", "Files", "[{path: a, text: b}]"},
    {"daemons", &kDaemons, true, "", "Processes, in order", "[{name: httpd, argv: [busybox, httpd]}]"},
    {"cannot_show", &kCannotShow, false, "{}", "Isolation -> what it hides", "{loopback: [No ICMP]}"},
};

constinit const Shape kExpectedTagWord{.form = Form::word, .words = kExpectedTag};
constinit const Shape kPlanText{.form = Form::text, .syntax = &kPlanId};
constinit const Shape kIds{.form = Form::list, .item = &kQualifiedText, .may_be_empty = true};
constinit const Shape kVerdictWord{.form = Form::word, .words = kVerdictWords};
constinit const Shape kHold{.form = Form::map, .syntax = &kQualifiedId, .item = &kVerdictWord, .may_be_empty = true};
constinit const Key kExpectationKeys[] = {
    {"plan", &kPlanText, true, "", "Plan of the run", "cls-iot/1"},
    {"modes", &kModes, false, "all", "Isolations it holds for", "[loopback]"},
    {"variants", &kTexts, false, "all", "Variants it holds for", "[sound]"},
    {"fail", &kIds, true, "", "Exactly these requirements FAIL", "[]"},
    {"hold", &kHold, false, "{}", "Further verdicts that must hold", "{\"EN303645@2.1.1:5.1-2\": INCONCLUSIVE}"},
    {"notes", &kTexts, false, "[]", "Why", "[The telnet daemon has no lockout]"},
};
constinit const Table kExpectationTable{"an expectation", "What one plan must say", kExpectationKeys};
constinit const Shape kExpectation{.form = Form::mapping, .table = &kExpectationTable};
constinit const Shape kExpectations{.form = Form::list, .item = &kExpectation, .may_be_empty = true};
constinit const Key kExpectedKeys[] = {
    {"assay", &kExpectedTagWord, true, "", "Kind and version of this file", "expected/1"},
    {"expectations", &kExpectations, true, "", "One for each plan and isolation", "[{plan: cls-iot/1, fail: []}]"},
};

constexpr std::string_view kApprovalTag[] = {"approval/1"};
constinit const Shape kApprovalTagWord{.form = Form::word, .words = kApprovalTag};
constinit const Key kApprovalKeys[] = {
    {"assay", &kApprovalTagWord, true, "", "Kind and version of this file", "approval/1"},
    {"plan", &kPlanText, true, "", "The plan that was checked", "cls-iot/1"},
    {"digest", &kSentence, true, "", "Its digest then: a plan that changed since is a draft again", "sha256 in hex"},
    {"document", &kSentence, true, "", "The scheme's document it was checked against", "CCC SP-151-4 v1.1"},
    {"by", &kSentence, true, "", "Who checked it", "A. Person"},
    {"organisation", &kText, false, "", "For whom", "Example Laboratory"},
    {"date", &kSentence, true, "", "When, RFC 3339", "\"2026-11-24T09:00:00Z\""},
    {"note", &kText, false, "", "What else is to be said", "clause 4 read twice"},
};

}  // namespace

constinit const Table kApprovalTable{"the approval", "Who checked a plan against its scheme's document", kApprovalKeys};
constinit const Table kJobTable{"the job file", "What a laboratory adds for its report", kJobKeys};
constinit const Table kDictionaryTable{"the dictionary", "A list of credentials with its source", kDictionaryKeys};
constinit const Table kFingerprintsTable{"the fingerprints", "Products by what they say of themselves",
                                         kFingerprintsKeys};
constinit const Table kDeviceFileTable{"the device file", "How an emulated device is built", kDeviceFileKeys};
constinit const Table kExpectedTable{"the expectations file", "The verdicts a run on an emulated device must give",
                                     kExpectedKeys};

}  // namespace assay
