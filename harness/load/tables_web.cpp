#include "harness/load/tables.hpp"

/// The tables of `web` in dut/1 (docs/dut-format.md) and of password-rules/1 (docs/plan-format.md).
namespace assay {

namespace {

constexpr std::string_view kMethodWords[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
constexpr std::string_view kRulesTag[] = {"password-rules/1"};
constexpr std::string_view kWeakWords[] = {"blank",     "short",   "listed",   "repeated", "sequence",
                                           "one_class", "doubled", "username", "previous"};

constinit const Shape kMethodWord{.form = Form::word, .words = kMethodWords};
constinit const Shape kEndpointItem{.form = Form::text, .syntax = &kEndpointText};
constinit const Shape kIdentifierText{.form = Form::text, .syntax = &kIdentifier};

constinit const Key kRequestKeys[] = {
    {"method", &kMethodWord, false, "POST", "Method of the request", "POST"},
    {"page", &kSentence, false, "",
     "Page whose form is sent: the one that goes to `path`, else the first; its hidden fields (tokens) and the values "
     "it shows go along; of a GET also a link that goes there with such a query",
     "/password.html"},
    {"path", &kSentence, false, "of the form", "Where the request goes; required without `page`", "/api/logout"},
    {"body", &kText, false, "",
     "What is sent: JSON, or name=value&…, which a GET sends behind the path; {username}, {password}, "
     "{old} and {value} are filled in",
     "'name={value}'"},
    {"headers", &kTexts, false, "[]", "Headers that the page's own script sends along, {token} filled in",
     "['X-CSRF-Token: {token}']"},
    {"token", &kText, false, "",
     "Where {token} of `headers` is: a cookie of the session, or a JSON Pointer (RFC 6901) into what a path answers",
     "cookie XSRF-TOKEN"},
};
constinit const Table kRequestTable{"a request", "One request to a web interface", kRequestKeys};
constinit const Shape kRequest{.form = Form::mapping, .table = &kRequestTable};

constinit const Shape kWithin{.form = Form::text, .syntax = &kDuration};
constinit const Key kStepKeys[] = {
    {"method", &kMethodWord, false, "POST", "Method of the request", "POST"},
    {"page", &kSentence, false, "", "Page whose form is sent, as in a request", "/password.html"},
    {"path", &kSentence, false, "of the form", "Where the request goes; required without `page`, `exec` and `prompt`",
     "/api/password"},
    {"body", &kText, false, "", "What is sent, as in a request", "'old={old}&new={password}'"},
    {"headers", &kTexts, false, "[]", "Headers that the page's own script sends along, {token} filled in",
     "['X-CSRF-Token: {token}']"},
    {"token", &kText, false, "",
     "Where {token} of `headers` is: a cookie of the session, or a JSON Pointer (RFC 6901) into what a path answers",
     "cookie XSRF-TOKEN"},
    {"exec", &kText, false, "",
     "Command line in the place of a request, run by /bin/sh in the DUT file's folder with ASSAY_USERNAME, "
     "ASSAY_PASSWORD "
     "and ASSAY_OLD",
     "./set-password.sh"},
    {"prompt", &kText, false, "",
     "A sentence for the person at the bench in the place of a request, filled in as `body` is",
     "Set the password of {username} to {password}"},
    {"within", &kWithin, false, "30s", "Time that command or person may take", "2min"},
};
constinit const Table kStepTable{"a step", "A request to a web interface, or what is done at the bench in its place",
                                 kStepKeys};
constinit const Shape kStep{.form = Form::mapping, .table = &kStepTable};

constinit const Key kSettingKeys[] = {
    {"method", &kMethodWord, false, "POST", "Method of the request", "POST"},
    {"page", &kSentence, false, "", "Page whose form is sent, as in a request", "/settings.html"},
    {"path", &kSentence, false, "of the form", "Where the request goes; required without `page`", "/api/name"},
    {"body", &kText, true, "",
     "What is sent, behind the path where it is a GET; {value} is the new value, a word of random letters",
     "'name={value}'"},
    {"headers", &kTexts, false, "[]", "Headers that the page's own script sends along, {token} filled in",
     "['X-CSRF-Token: {token}']"},
    {"token", &kText, false, "",
     "Where {token} of `headers` is: a cookie of the session, or a JSON Pointer (RFC 6901) into what a path answers",
     "cookie XSRF-TOKEN"},
    {"read", &kSentence, true, "", "Page that shows the value to whoever is logged in", "/settings.html"},
    {"value", &kText, true, "", "Value that is left behind in the end", "Hub 2"},
};
constinit const Table kSettingTable{"a setting", "A harmless setting, by which is seen whether a request was obeyed",
                                    kSettingKeys};
constinit const Shape kSetting{.form = Form::mapping, .table = &kSettingTable};

constinit const Key kProtectedKeys[] = {
    {"path", &kSentence, true, "", "Its path", "/admin/users.html"},
    {"roles", &kTexts, false, "every one", "Roles of `accounts` that may see it", "[admin]"},
};
constinit const Table kProtectedTable{"a protected page", "A page or call that needs a login; it is read by GET",
                                      kProtectedKeys};
constinit const Shape kProtected{.form = Form::mapping, .table = &kProtectedTable};
constinit const Shape kProtectedPages{.form = Form::list, .item = &kProtected, .may_be_empty = true};

constinit const Key kWebKeys[] = {
    {"port", &kEndpointItem, true, "", "Where the interface is", "tcp/443"},
    {"log_out", &kRequest, false, "a link or form that says so", "Ends the session", "{path: /logout}"},
    {"setting", &kSetting, false, "", "A setting that may be changed and changed back",
     "{page: /settings, body: 'name={value}', read: /settings, value: Hub 2}"},
    {"pages", &kProtectedPages, false, "[]", "Pages and calls that need a login, beside those that links lead to",
     "[{path: /admin/users.html, roles: [admin]}]"},
    {"set_up", &kStep, false, "",
     "Sets the first password, {password}, of a device in factory state; {username} is the first account's",
     "{page: /, body: 'password={password}&again={password}'}"},
    {"change_password", &kStep, false, "", "Changes the password of the account that is logged in",
     "{page: /password, body: 'old={old}&new={password}'}"},
};

constinit const Shape kRulesTagWord{.form = Form::word, .words = kRulesTag};
constinit const Shape kWeakWord{.form = Form::word, .words = kWeakWords};
constinit const Shape kSchemeNames{.form = Form::list, .item = &kIdentifierText};
constinit const Key kWeakKeys[] = {
    {"kind", &kWeakWord, true, "", "What makes it weak", "short"},
    {"value", &kText, true, "",
     "The password; {username} and {old} stand for those of the account, {random:N} for N characters of all classes, "
     "{digits:N} for digits, {lower:N} for small letters, none twice in a row",
     "\"{random:7}\""},
    {"source", &kSentence, true, "", "Document and place", "Own making"},
    {"confidence", &kStrength, true, "", "How sure we are that it says so", "reasoned"},
    {"schemes", &kSchemeNames, false, "all",
     "Schemes whose rule it is, by what stands before the / of their plans' ids: it decides nothing in a plan of "
     "others",
     "[cls-iot-gateway]"},
};
constinit const Table kWeakTable{"a weak password", "One password that a device should refuse", kWeakKeys};
constinit const Shape kWeak{.form = Form::mapping, .table = &kWeakTable};
constinit const Shape kWeakList{.form = Form::list, .item = &kWeak};
constinit const Key kRulesKeys[] = {
    {"assay", &kRulesTagWord, true, "", "Kind and version of this file", "password-rules/1"},
    {"id", &kIdentifierText, true, "", "The name that a probe's `rules` parameter uses", "baseline-passwords"},
    {"title", &kSentence, true, "", "What it is", "Passwords that nobody should be let choose"},
    {"source", &kSentence, true, "", "Where it comes from", "Own making"},
    {"weak", &kWeakList, true, "", "The passwords, tried in this order",
     "[{kind: short, value: \"{random:7}\", source: Own making, confidence: reasoned}]"},
};

}  // namespace

constinit const Table kWebInterfaceTable{"a web interface", "How one web interface is used beyond its login", kWebKeys};
constinit const Table kPasswordRulesTable{"the password rules", "Passwords that a document calls weak", kRulesKeys};

}  // namespace assay
