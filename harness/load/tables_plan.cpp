#include "harness/load/tables.hpp"

/// The tables of standard/1, method/1, cases/1 and plan/1 (docs/plan-format.md).
namespace assay {

namespace {

constexpr std::string_view kStandardTag[] = {"standard/1"};
constexpr std::string_view kMethodTag[] = {"method/1"};
constexpr std::string_view kCasesTag[] = {"cases/1"};
constexpr std::string_view kPlanTag[] = {"plan/1"};
constexpr std::string_view kMappingTag[] = {"mapping/1"};
constexpr std::string_view kTypeWords[] = {"conceptual", "functional"};
constexpr std::string_view kQuantifierWords[] = {"all", "any"};
constexpr std::string_view kClosesWords[] = {"machine", "assessor"};
constexpr std::string_view kFieldFormWords[] = {"text", "boolean", "number", "port", "list", "any"};

constinit const Shape kStandardTagWord{.form = Form::word, .words = kStandardTag};
constinit const Key kTermKeys[] = {
    {"words", &kSentence, true, "", "The condition or feature in own words", "passwords are used"},
    {"shown_by", &kJq, false, "", "jq, true when the IXIT itself shows that it holds, whatever the ICS says",
     "'ixit_declared(\"7-UpdMech\") and any(ixit(\"7-UpdMech\"); true)'"},
};
constinit const Table kTermTable{"a term", "A condition or feature that provisions depend on", kTermKeys};
constinit const Shape kTerm{.form = Form::mapping, .table = &kTermTable};
constinit const Shape kTerms{.form = Form::map, .syntax = &kName, .item = &kTerm};
constinit const Shape kNames{.form = Form::list, .item = &kNameText};
constinit const Key kProvisionKeys[] = {
    {"id", &kQualifiedText, true, "", "Id with the standard's edition", "EN303645@2.1.1:5.1-1"},
    {"title", &kSentence, true, "", "What it asks for, in own words", "Every password is unique for the device"},
    {"modality", &kModality, true, "", "shall: mandatory; should: a recommendation", "shall"},
    {"when", &kNames, false, "", "Terms that must all hold for the provision to apply; makes its condition",
     "[passwords]"},
    {"condition", &kJq, false, "", "Instead of `when`: jq, true when the provision applies; reads ICS and IXIT only",
     "'support(\"5.1-1\") != \"N/A\"'"},
    {"condition_words", &kText, false, "of the terms", "The same in words", "passwords are used"},
    {"strength", &kStrength, false, "sourced", "How sure we are of this row", "sourced"},
    {"source", &kText, false, "", "Where it stands", "\"EN 303 645 V2.1.1, clause 5.1\""},
};
constinit const Table kProvisionTable{"a provision", "A provision of the standard", kProvisionKeys};
constinit const Shape kProvision{.form = Form::mapping, .table = &kProvisionTable};
constinit const Shape kProvisions{.form = Form::list, .item = &kProvision};
constinit const Key kStandardKeys[] = {
    {"assay", &kStandardTagWord, true, "", "Kind and version of this file", "standard/1"},
    {"id", &kEditionText, true, "", "Standard and edition", "EN303645@2.1.1"},
    {"title", &kSentence, true, "", "Its name", "Baseline requirements for consumer IoT"},
    {"terms", &kTerms, false, "{}", "Conditions and features by name, for `when`",
     "{passwords: {words: passwords are used}}"},
    {"provisions", &kProvisions, true, "", "Every provision", "[{id: \"EN303645@2.1.1:5.1-1\", …}]"},
};

constinit const Shape kPolicyIdText{.form = Form::text, .syntax = &kIdentifier};
constinit const Shape kPolicyIds{.form = Form::list, .item = &kPolicyIdText, .may_be_empty = true};
constinit const Shape kMethodTagWord{.form = Form::word, .words = kMethodTag};
constinit const Shape kTableText{.form = Form::text, .syntax = &kTableName};
constinit const Shape kFieldForm{.form = Form::word, .words = kFieldFormWords};
constinit const Key kFieldKeys[] = {
    {"about", &kSentence, true, "", "What is written there", "Ports of the mechanism"},
    {"form", &kFieldForm, false, "text",
     "Kind of its value; port: `tcp/443` or a list of them; list: texts; any: not checked", "port"},
    {"required", &kBoolean, false, "false", "An entry without it is incomplete", "true"},
    {"refers_to", &kTableText, false, "", "Its values are ids of entries of that table", "7-UpdMech"},
};
constinit const Table kFieldTable{"a field", "A field of an IXIT table's entries", kFieldKeys};
constinit const Shape kField{.form = Form::mapping, .table = &kFieldTable};
constinit const Shape kFields{.form = Form::map, .syntax = &kName, .item = &kField};
constinit const Key kIxitTableKeys[] = {
    {"about", &kSentence, true, "", "What the table holds", "Authentication mechanisms"},
    {"fields", &kFields, false, "{}", "Fields of its entries", "{id: {about: Short name, required: true}}"},
};
constinit const Table kIxitTableTable{"an IXIT table", "A table of the declaration", kIxitTableKeys};
constinit const Shape kIxitTable{.form = Form::mapping, .table = &kIxitTableTable};
constinit const Shape kIxitTables{.form = Form::map, .syntax = &kTableName, .item = &kIxitTable, .may_be_empty = true};
constinit const Key kDeclarationCheckKeys[] = {
    {"id", &kNameText, true, "", "Name of the check", "network-updates"},
    {"title", &kSentence, true, "", "What must hold between the parts of a declaration",
     "Updates over a network name their cryptography"},
    {"fault", &kJq, true, "",
     "jq over ICS and IXIT: every item it yields contradicts; {what, table, id, field} or {what, provision} say where",
     "'ixit(\"7-UpdMech\") | select(…) | {what: …, table: \"7-UpdMech\", id: .id}'"},
};
constinit const Table kDeclarationCheckTable{"a check", "A rule between the parts of a declaration",
                                             kDeclarationCheckKeys};
constinit const Shape kDeclarationCheck{.form = Form::mapping, .table = &kDeclarationCheckTable};
constinit const Shape kDeclarationChecks{.form = Form::list, .item = &kDeclarationCheck, .may_be_empty = true};
constinit const Shape kRenamed{.form = Form::map, .syntax = &kTableName, .item = &kTableText};
constinit const Key kMethodKeys[] = {
    {"assay", &kMethodTagWord, true, "", "Kind and version of this file", "method/1"},
    {"id", &kEditionText, true, "", "Method and edition", "TS103701@1.1.1"},
    {"title", &kSentence, true, "", "Its name", "Conformance assessment of baseline requirements"},
    {"standard", &kEditionText, true, "", "The standard whose provisions its cases cover", "EN303645@2.1.1"},
    {"declares_by", &kEditionText, false, "", "The method whose ICS and IXIT its cases read, when not its own",
     "TS103701@1.1.1"},
    {"ixit_tables", &kIxitTables, false, "{}", "Its IXIT tables with their fields",
     "{1-AuthMech: {about: Authentication mechanisms, fields: {id: {about: Short name}}}}"},
    {"checks", &kDeclarationChecks, false, "[]", "Rules between ICS and IXIT tables, for `assay declare check`",
     "[{id: …, title: …, fault: …}]"},
    {"policies", &kPolicyIds, false, "[]",
     "Policies that its cases judge cryptography by, when the plan names none of their protocol", "[baseline-ssh]"},
    {"checks_from", &kEditionText, false, "",
     "A method whose checks hold here too, with `renamed` tables, unless a check with the same id is here",
     "TS103701@1.1.1"},
    {"renamed", &kRenamed, false, "{}",
     "Tables of an older edition -> their name here, for cases taken over with `like`", "{15-Intf: 28-LogIntf}"},
};

constinit const Shape kWith{.form = Form::mapping};
constinit const Key kObserveKeys[] = {
    {"probe", &kNameText, true, "", "Probe that is asked", "services"},
    {"with", &kWith, false, "{}", "Its parameters; what is left out has the probe's default", "{tcp: all}"},
    {"for_each", &kJq, false, "", "jq yielding endpoints; for endpoint probes required, for device probes refused",
     "'obs(\"ports\") | fact(\"ports.open\")[] | .endpoint'"},
};
constinit const Table kObserveTable{"an alias of observe", "One probe, on which endpoints, how", kObserveKeys};
constinit const Shape kObserveOne{.form = Form::mapping, .table = &kObserveTable};
constinit const Shape kObserve{.form = Form::map, .syntax = &kName, .item = &kObserveOne};

constinit const Key kManualKeys[] = {
    {"question", &kSentence, true, "", "What the person has to find out",
     "Is the password printed on the label unique?"},
    {"look_at", &kText, false, "", "What to look at", "The labels of two samples"},
    {"pass", &kText, false, "", "When to answer PASS", "They differ"},
    {"fail", &kText, false, "", "When to answer FAIL", "They are the same"},
    {"inconclusive", &kText, false, "", "When to answer INCONCLUSIVE", "Only one sample is here"},
    {"attachments", &kTexts, false, "[]", "What to attach to the answer", "[photo]"},
};
constinit const Table kManualTable{"a manual step", "What a person does for the unit", kManualKeys};
constinit const Shape kManual{.form = Form::mapping, .table = &kManualTable};

constinit const Key kPairKeys[] = {
    {"trigger", &kNameText, true, "", "Trigger of the DUT file (`lab.trigger`) that changes the setting",
     "services_off"},
    {"undo", &kNameText, false, "", "Trigger that changes it back", "services_on"},
    {"ask", &kSentence, false, "",
     "What a person at the terminal is asked to do where the DUT file has no such trigger",
     "Switch the file server off in the settings"},
    {"after", &kNames, false, "",
     "Aliases of `observe` that are observed after it, the others before; with `probe` the "
     "aliases are `before` and `after`",
     "[after]"},
};
constinit const Table kPairTable{"a state pair", "Observe, change one setting, observe again", kPairKeys};
constinit const Shape kPair{.form = Form::mapping, .table = &kPairTable};

constinit const Shape kCloses{.form = Form::word, .words = kClosesWords};
constinit const Shape kFactText{.form = Form::text, .syntax = &kFactKey};
constinit const Shape kFacts{.form = Form::list, .item = &kFactText, .may_be_empty = true};
constinit const Key kUnitKeys[] = {
    {"id", &kNameText, true, "", "Name of the unit, unique in its case", "a"},
    {"title", &kSentence, true, "", "What is looked at, in own words", "No undeclared port is open"},
    {"closes", &kCloses, false, "machine", "Who can settle it; with assessor a machine shows and proposes", "machine"},
    {"can_pass", &kBoolean, false, "true", "false: the unit can only show a defect", "true"},
    {"can_fail", &kBoolean, false, "true", "false: the unit can only show conformity", "true"},
    {"observe", &kObserve, false, "", "Alias -> probe; a later alias may expand over earlier ones",
     "{ports: {probe: ports}}"},
    {"probe", &kNameText, false, "", "Short for `observe` with one alias of the probe's name", "ports"},
    {"with", &kWith, false, "{}", "With `probe`: its parameters", "{tcp: all}"},
    {"for_each", &kJq, false, "", "With `probe`: its endpoints", "'ixit(\"15-Intf\") | .port'"},
    {"pair", &kPair, false, "", "Observes before and after a setting of the device was changed",
     "{trigger: services_off}"},
    {"expand", &kNameText, false, "", "Alias: one verdict for each of its observations", "services"},
    {"expect", &kJq, false, "", "jq yielding endpoints that must be among the expanded ones",
     "'ixit(\"15-Intf\") | .port'"},
    {"needs", &kFacts, false, "[]", "Facts that must be settled before the unit can PASS", "[service.protocol]"},
    {"fail", &kJq, false, "", "jq: every item it yields is a finding against the device", "'obs(\"ports\") | …'"},
    {"inconclusive", &kJq, false, "", "jq: every item it yields keeps the unit open", "'obs(\"ports\") | …'"},
    {"remedy", &kText, false, "", "One sentence for the maker", "Switch the service off."},
    {"manual", &kManual, false, "", "Guided step for a person", "{question: …}"},
    {"planned_probe", &kNameText, false, "", "Probe that will settle it and is not in this build: NOT_TESTED",
     "firmware"},
};
constinit const Table kUnitTable{"a unit", "The smallest thing with a verdict", kUnitKeys};
constinit const Shape kUnit{.form = Form::mapping, .table = &kUnitTable};
constinit const Shape kUnits{.form = Form::list, .item = &kUnit};

constinit const Shape kType{.form = Form::word, .words = kTypeWords};
constinit const Shape kQuantifier{.form = Form::word, .words = kQuantifierWords};
constinit const Shape kState{.form = Form::word, .words = kStateWords};
constinit const Shape kStateList{.form = Form::list, .item = &kState};
constinit const Shape kVantageWord{.form = Form::word, .words = kVantageWords};
constinit const Shape kVantageList{.form = Form::list, .item = &kVantageWord};
constinit const Shape kSampleCount{.form = Form::integer, .least = 1, .most = 100};
constinit const Key kCaseKeys[] = {
    {"id", &kQualifiedText, true, "", "Id with the method's edition", "TS103701@1.1.1:5.1-1-2"},
    {"covers", &kQualifiedText, true, "", "The provision it is evidence for", "EN303645@2.1.1:5.1-1"},
    {"like", &kQualifiedText, false, "", "A case of another edition: what is not given here is taken from it",
     "TS103701@1.1.1:5.1-1-2"},
    {"without", &kNames, false, "", "With `like`: units of that case that this edition does not have", "[d]"},
    {"title", &kSentence, false, "of `like`", "What it shows, in own words; required without `like`",
     "No factory login works"},
    {"type", &kType, false, "functional", "From documents, or on the device", "functional"},
    {"quantifier", &kQuantifier, false, "all", "all: every unit must PASS; any: one is enough", "all"},
    {"states", &kStateList, false, "[initialised]", "States of the device it needs", "[factory, initialised]"},
    {"vantages", &kVantageList, false, "[lan]", "Where it is probed from", "[lan, wan]"},
    {"samples", &kSampleCount, false, "1", "Units of the model it needs", "2"},
    {"applies", &kJq, false, "", "jq, true when the case applies; default: whenever its provision does",
     "'support(\"5.6-1\") != \"N/A\"'"},
    {"strength", &kStrength, false, "derived", "How sure we are that it is what the method asks", "derived"},
    {"source", &kText, false, "", "Where it stands", "\"TS 103 701 V1.1.1, 5.1\""},
    {"units", &kUnits, false, "of `like`", "Its units, required without `like`; with it they replace or add by id",
     "[{id: a, …}]"},
};
constinit const Table kCaseTable{"a case", "A case of the library", kCaseKeys};
constinit const Shape kCase{.form = Form::mapping, .table = &kCaseTable};
constinit const Shape kCases{.form = Form::list, .item = &kCase};
constinit const Shape kCasesTagWord{.form = Form::word, .words = kCasesTag};
constinit const Key kCasesKeys[] = {
    {"assay", &kCasesTagWord, true, "", "Kind and version of this file", "cases/1"},
    {"method", &kEditionText, true, "", "The method these cases belong to", "TS103701@1.1.1"},
    {"cases", &kCases, true, "", "The cases", "[{id: \"TS103701@1.1.1:5.1-1-2\", …}]"},
};

constinit const Key kSchemeKeys[] = {
    {"name", &kSentence, true, "", "Name of the scheme", "Cybersecurity Labelling Scheme (IoT)"},
    {"owner", &kSentence, true, "", "Who runs it", "CSA Singapore"},
    {"document", &kSentence, true, "", "The document with the requirements, and its edition", "CCC SP-151-4 v1.1"},
    {"read", &kBoolean, false, "false", "Was the document itself read when the plan was written", "false"},
};
constinit const Table kSchemeTable{"the scheme", "The label and its document", kSchemeKeys};
constinit const Shape kScheme{.form = Form::mapping, .table = &kSchemeTable};

constinit const Key kRequirementKeys[] = {
    {"id", &kQualifiedText, true, "", "A provision of the plan's standard", "EN303645@2.1.1:5.1-1"},
    {"modality", &kModality, false, "of the provision", "Must be the provision's own when given", "shall"},
    {"strength", &kStrength, false, "derived", "How sure we are that the level asks for it", "derived"},
    {"source", &kText, false, "", "Where it stands", "\"CLS 1.4\""},
    {"minimum", &kText, false, "", "What must at least be so", "No shared password works"},
    {"evidence", &kText, false, "", "What supports it", "Login attempts with their replies"},
    {"assessment", &kText, false, "", "What the assessor looks for", "Passwords of two samples differ"},
};
constinit const Table kRequirementTable{"a requirement", "What the level demands of one provision", kRequirementKeys};
constinit const Shape kRequirement{.form = Form::mapping, .table = &kRequirementTable};
constinit const Shape kRequirements{.form = Form::list, .item = &kRequirement, .may_be_empty = true};
constinit const Shape kEditions{.form = Form::list, .item = &kEditionText};
constinit const Shape kPlanIdText{.form = Form::text, .syntax = &kPlanId};
constexpr std::string_view kDeviceWords[] = {"vendor", "model", "hardware", "firmware", "product_class", "managed"};
constinit const Shape kDeviceWord{.form = Form::word, .words = kDeviceWords};
constinit const Shape kNeeds{.form = Form::list, .item = &kDeviceWord, .may_be_empty = true};
constinit const Shape kPlanTagWord{.form = Form::word, .words = kPlanTag};
constinit const Key kPlanKeys[] = {
    {"assay", &kPlanTagWord, true, "", "Kind and version of this file", "plan/1"},
    {"id", &kPlanIdText, true, "", "Scheme and level", "cls-iot/1"},
    {"title", &kSentence, true, "", "Name of the level", "CLS(IoT) level 1"},
    {"extends", &kPlanIdText, false, "", "Plan whose requirements and parameters are taken over unchanged",
     "cls-iot/1"},
    {"scheme", &kScheme, false, "of `extends`", "The label; required without `extends`",
     "{name: …, owner: …, document: …}"},
    {"standard", &kEditionText, false, "of `extends`", "Standard of the requirements; required without `extends`",
     "EN303645@2.1.1"},
    {"further_standards", &kEditions, false, "[]", "Standards whose provisions may be requirements too",
     "[SP151-4@1.1]"},
    {"method", &kEditionText, false, "of `extends`", "Edition of ICS and IXIT; required without `extends`",
     "TS103701@1.1.1"},
    {"cases_from", &kEditions, false, "of `extends`",
     "Methods whose cases are evidence; required without `extends`, else added", "[TS103701@1.1.1, ASSAY@1]"},
    {"requirements", &kRequirements, true, "", "What the level demands; [] only with `extends`",
     "[{id: \"EN303645@2.1.1:5.1-1\"}]"},
    {"parameters", &kFreeMapping, false, "{}", "Pass lines, read by expressions as .run.parameters",
     "{tls: {minimum: TLSv1.2}}"},
    {"policies", &kPolicyIds, false, "of the methods",
     "Policies that cryptography is judged by; added to those of `extends`", "[bsi-tr-02102-4]"},
    {"needs", &kNeeds, false, "of `extends`", "Keys of the DUT file's `device` without which a run means nothing",
     "[managed]"},
};

constinit const Shape kMappingTagWord{.form = Form::word, .words = kMappingTag};
constinit const Shape kQualifiedTexts{.form = Form::list, .item = &kQualifiedText};
constinit const Key kRowKeys[] = {
    {"id", &kQualifiedText, true, "", "A provision of `from`", "UKPSTI@2023:1"},
    {"supported_by", &kQualifiedTexts, true, "", "Provisions of `to` whose cases are evidence for it",
     "[\"EN303645@2.1.1:5.1-1\"]"},
    {"gap", &kText, false, "", "What they leave open; a case of its own must cover that", "the label's wording"},
    {"strength", &kStrength, false, "derived", "How sure we are of this row", "sourced"},
    {"source", &kText, false, "", "Where it stands", "\"SI 2023/1007, schedule 2\""},
};
constinit const Table kRowTable{"a row", "One provision and what supports it", kRowKeys};
constinit const Shape kRow{.form = Form::mapping, .table = &kRowTable};
constinit const Shape kRows{.form = Form::list, .item = &kRow};
constinit const Key kMappingKeys[] = {
    {"assay", &kMappingTagWord, true, "", "Kind and version of this file", "mapping/1"},
    {"from", &kEditionText, true, "", "Standard whose provisions are supported", "UKPSTI@2023"},
    {"to", &kEditionText, true, "", "Standard whose cases support them", "EN303645@2.1.1"},
    {"rows", &kRows, true, "", "One row for each provision that has support", "[{id: …, supported_by: […]}]"},
};

}  // namespace

constinit const Table kMappingTable{"the mapping", "Provisions of one standard that another's cases support",
                                    kMappingKeys};
constinit const Table kStandardTable{"the standard", "Provisions of a standard, in own words", kStandardKeys};
constinit const Table kMethodTable{"the method", "A conformance assessment method: its ICS and IXIT", kMethodKeys};
constinit const Table kCasesTable{"the cases file", "Cases of one method", kCasesKeys};
constinit const Table kPlanTable{"the plan", "What one level of a scheme demands", kPlanKeys};

}  // namespace assay
