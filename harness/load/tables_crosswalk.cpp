#include "harness/load/tables.hpp"

/// The tables of arrangements/1 (docs/crosswalk.md).
namespace assay {

namespace {

constexpr std::string_view kTag[] = {"arrangements/1"};
constexpr std::string_view kKindWords[] = {"label", "simplified_application", "deemed"};

constinit const Shape kTagWord{.form = Form::word, .words = kTag};
constinit const Shape kKind{.form = Form::word, .words = kKindWords};
constinit const Shape kDateText{.form = Form::text, .syntax = &kPartialDate};
constinit const Shape kEndText{.form = Form::text, .syntax = &kEndDate};
constinit const Shape kNames{.form = Form::list, .item = &kNameText};
constinit const Shape kIdentifierText{.form = Form::text, .syntax = &kIdentifier};
constinit const Shape kLevels{.form = Form::list, .item = &kIdentifierText};
constinit const Shape kClasses{.form = Form::list, .item = &kProductClass};
constinit const Shape kPlanIdText{.form = Form::text, .syntax = &kPlanId};

constinit const Key kOtherKeys[] = {
    {"name", &kSentence, true, "", "Its name", "IT-Sicherheitskennzeichen"},
    {"owner", &kSentence, true, "", "Who runs it", "BSI Germany"},
};
constinit const Table kOtherTable{"a scheme", "A scheme that arrangements name, with or without a plan in the library",
                                  kOtherKeys};
constinit const Shape kOther{.form = Form::mapping, .table = &kOtherTable};
constinit const Shape kOthers{.form = Form::map, .syntax = &kName, .item = &kOther};

constinit const Key kSideKeys[] = {
    {"label", &kSentence, true, "", "The labels of this side, in words", "\"CLS(IoT), level 3 or above\""},
    {"schemes", &kNames, true, "", "Their schemes: first part of plan ids, or a name of `schemes`", "[cls-iot]"},
    {"levels", &kLevels, false, "[]", "Their levels, second part of plan ids; none: every level", "[\"3\", \"4\"]"},
};
constinit const Table kSideTable{"a side", "One end of an arrangement", kSideKeys};
constinit const Shape kSide{.form = Form::mapping, .table = &kSideTable};

constinit const Key kArrangementKeys[] = {
    {"id", &kNameText, true, "", "Name of the row", "sg-kr"},
    {"between", &kSentence, true, "", "The parties", "Singapore and Korea"},
    {"from", &kSide, true, "", "Labels that are recognised", "{label: …, schemes: [cls-iot], levels: [\"3\"]}"},
    {"to", &kSide, true, "", "What they count for", "{label: …, schemes: [kisa-cic], levels: [basic]}"},
    {"kind", &kKind, true, "",
     "label: the other label is given or recognised; simplified_application: its application is shorter; deemed: the "
     "law's duties count as met",
     "label"},
    {"gives", &kSentence, true, "", "What the holder of the label gets", "The Korean certificate at Basic"},
    {"scope", &kSentence, true, "", "Which products, in words", "consumer smart devices"},
    {"scope_in", &kClasses, false, "[]", "Product classes in scope; none: every one that is not out", "[camera]"},
    {"scope_out", &kClasses, false, "[]", "Product classes out of scope", "[door-lock]"},
    {"agreed", &kDateText, false, "", "Day of signing, as exact as it is known", "\"2024-10-16\""},
    {"effective", &kDateText, false, "", "First day; left out when it is not known", "\"2025-01-01\""},
    {"ended", &kEndText, false, "", "First day without it; undated: it ended and the day is not known",
     "\"2026-12-31\""},
    {"strength", &kStrength, true, "", "How sure we are of this row", "sourced"},
    {"source", &kSentence, true, "", "Where it stands", "announcement of 16 October 2024"},
    {"note", &kText, false, "", "What else is to be said", "The fee is lower."},
};
constinit const Table kArrangementTable{"an arrangement", "One direction of an arrangement between two schemes",
                                        kArrangementKeys};
constinit const Shape kArrangement{.form = Form::mapping, .table = &kArrangementTable};
constinit const Shape kArrangementList{.form = Form::list, .item = &kArrangement, .may_be_empty = true};

constinit const Key kProductKeys[] = {
    {"id", &kNameText, true, "", "Name of the rule", "medical"},
    {"classes", &kClasses, true, "", "Product classes it is about", "[medical]"},
    {"schemes", &kNames, true, "", "Schemes whose plans do not speak to them", "[uk-psti]"},
    {"levels", &kLevels, false, "[]", "Only these levels; none: every level", "[consumer]"},
    {"instead", &kPlanIdText, false, "", "The plan that does", "bsi-itsik/router"},
    {"because", &kSentence, true, "", "Why, in own words", "Medical devices are outside of this law."},
    {"strength", &kStrength, true, "", "How sure we are of this row", "sourced"},
    {"source", &kSentence, true, "", "Where it stands", "S.I. 2023/1007, schedule 3"},
};
constinit const Table kProductTable{"a product rule", "Product classes to which plans of a scheme do not speak",
                                    kProductKeys};
constinit const Shape kProduct{.form = Form::mapping, .table = &kProductTable};
constinit const Shape kProductList{.form = Form::list, .item = &kProduct, .may_be_empty = true};

constinit const Key kKeys[] = {
    {"assay", &kTagWord, true, "", "Kind and version of this file", "arrangements/1"},
    {"id", &kNameText, true, "", "Name of the file in the library", "arrangements"},
    {"title", &kSentence, true, "", "What it holds", "Recognition between schemes"},
    {"schemes", &kOthers, false, "{}", "Schemes by name that the library may have no plan for",
     "{bsi-itsik: {name: IT-Sicherheitskennzeichen, owner: BSI Germany}}"},
    {"arrangements", &kArrangementList, false, "[]", "One row for each direction", "[{id: sg-kr, …}]"},
    {"products", &kProductList, false, "[]", "Which schemes do not speak to which products", "[{id: medical, …}]"},
};

}  // namespace

constinit const Shape kProductClass{.form = Form::word, .words = kProductClassWords};
constinit const Table kArrangementsTable{"the arrangements", "Recognition between schemes, and products out of scope",
                                         kKeys};

}  // namespace assay
