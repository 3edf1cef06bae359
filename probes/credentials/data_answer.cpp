#include "probes/credentials/data_answer.hpp"

#include <algorithm>
#include <optional>
#include <set>

#include "harness/model/json.hpp"

namespace assay::probes::credentials {

namespace data_answer {

namespace {

constexpr int kDeepest = 3;
constexpr std::size_t kMostItems = 16;         // of a list that are looked at
constexpr std::size_t kLargestRefusal = 4096;  // more is no mere error
constexpr int kOk = 200;

/// Names of members, without case and separators.
constexpr std::string_view kErrors[] = {"error",   "errors",    "err",   "errno",
                                        "errcode", "errorcode", "fault", "exception"};
constexpr std::string_view kGood[] = {"success",  "ok",         "authenticated", "authorized", "authorised",
                                      "loggedin", "isloggedin", "login",         "islogin"};
constexpr std::string_view kCodes[] = {"code", "status", "statuscode", "result", "ret", "retcode", "rc"};
constexpr std::string_view kReasons[] = {"message", "msg",    "errormessage",     "errormsg",
                                         "errmsg",  "detail", "errordescription", "details",
                                         "reason",  "title",  "description"};
/// Of an error there is none.
constexpr std::string_view kNoughts[] = {"0", "ok", "none", "no", "no error", "success", "false", "null"};
constexpr std::string_view kBeside[] = {"type", "instance",  "path", "timestamp", "time",     "jsonrpc",
                                        "id",   "requestid", "url",  "redirect",  "location", "help"};

/// Of a status in words, whole.
constexpr std::string_view kDenials[] = {"401",          "403",          "denied",         "forbidden",
                                         "unauthorized", "unauthorised", "unauthenticated"};
/// Of one, whatever form the word has. It may be the state that was asked for, so it refuses nothing by itself.
constexpr std::string_view kMishaps[] = {"error", "failure"};
constexpr std::size_t kStem = 4;
/// Of a reason, anywhere in it.
constexpr std::string_view kRefusals[] = {
    "not logged in", "login required",    "please log in",     "please login",    "log in first",
    "login first",   "unauthorized",      "unauthorised",      "not authorized",  "not authorised",
    "access denied", "permission denied", "not authenticated", "unauthenticated", "authentication required"};

template <std::size_t size>
bool is_one_of(const std::string_view (&words)[size], std::string_view word) {
  return std::find(std::begin(words), std::end(words), word) != std::end(words);
}

std::string plain(std::string_view name) {
  auto out = wire::lower(name);
  std::erase_if(out, [](char c) { return c == '_' || c == '-' || c == ' '; });
  return out;
}

std::optional<json::value> parsed(const wire::HttpResponse& response) {
  boost::system::error_code failed;
  auto body = json::parse(response.body, failed);
  const bool whole = !failed && (body.is_object() || body.is_array());
  return whole ? std::optional{std::move(body)} : std::nullopt;
}

/// What an answer looks like without its values.
struct Outline {
  int status = 0;
  std::set<std::string> members;

  bool operator==(const Outline&) const = default;
};

void collect(const json::value& value, std::set<std::string>& members, int depth) {
  if (depth > kDeepest) {
    return;
  }
  if (value.is_array()) {
    const auto& items = value.get_array();
    for (std::size_t i = 0; i < std::min(items.size(), kMostItems); ++i) {
      members.insert("[]");  // which a list without anything in it has not
      collect(items[i], members, depth + 1);
    }
  } else if (value.is_object()) {
    for (const auto& [key, member] : value.get_object()) {
      members.insert(std::string{std::string_view{key}});
      collect(member, members, depth + 1);
    }
  }
}

Outline outline_of(const wire::HttpResponse& response) {
  Outline outline;
  outline.status = response.status;
  if (const auto body = parsed(response)) {
    collect(*body, outline.members, 0);
  }
  return outline;
}

std::optional<double> number_of(const json::value& value) {
  boost::system::error_code failed;
  const auto number = value.to_number<double>(failed);
  return value.is_number() && !failed ? std::optional{number} : std::nullopt;
}

bool is_empty(const json::value& value) {
  return value.is_null() || (value.is_string() && value.get_string().empty()) ||
         (value.is_array() && value.get_array().empty()) || (value.is_object() && value.get_object().empty());
}

bool is_nought(const json::value& value) {
  const auto number = number_of(value);
  const bool word = value.is_string() && is_one_of(kNoughts, wire::lower(std::string_view{value.get_string()}));
  return word || (value.is_bool() && !value.get_bool()) || (number && *number == 0);
}

enum class Says : std::uint8_t {
  nothing,    // of whether something is given
  maybe,      // no, where a reason stands beside it and whoever is inside gets no such thing
  reason,     // words that give no refusal by themselves
  no,         // a refusal
  something,  // that may be what was asked for
};

Says word_says(const std::string& word) {
  if (is_one_of(kDenials, word)) {
    return Says::no;
  }
  const bool mishap = std::any_of(std::begin(kMishaps), std::end(kMishaps),
                                  [&](auto one) { return word.substr(0, kStem) == one.substr(0, kStem); });
  return mishap ? Says::nothing : Says::something;
}

/// A code is a refusal by what HTTP means by it. Another one than that of success inside may be a value that has
/// changed.
Says code_says(const json::value& value, const json::value* inside) {
  if (value.is_string()) {
    return word_says(wire::lower(std::string_view{value.get_string()}));
  }
  const auto code = number_of(value);
  const auto good = inside != nullptr ? number_of(*inside) : std::nullopt;
  const auto succeeds = [](double one) { return one == 0 || one == kOk; };
  if (!code || succeeds(*code)) {
    return Says::something;
  }
  const bool denied = *code == 401 || *code == 403;
  return denied ? Says::no : good && succeeds(*good) ? Says::maybe : Says::nothing;
}

Says reason_says(const json::value& value) {
  if (!value.is_string()) {
    return Says::something;
  }
  const bool refuses = std::any_of(std::begin(kRefusals), std::end(kRefusals), [&](auto words) {
    return wire::contains_ignoring_case(std::string_view{value.get_string()}, words);
  });
  return refuses ? Says::no : Says::reason;
}

Says member_says(const std::string& name, const json::value& value, const json::value* inside) {
  if (is_empty(value)) {
    return Says::nothing;
  }
  if (is_one_of(kErrors, name)) {
    return is_nought(value) ? Says::nothing : Says::no;
  }
  if (is_one_of(kGood, name)) {
    return is_nought(value) ? Says::no : Says::something;
  }
  if (is_one_of(kCodes, name)) {
    return code_says(value, inside);
  }
  if (is_one_of(kReasons, name)) {
    return reason_says(value);
  }
  const bool scalar = !value.is_object() && !value.is_array();
  return scalar && is_one_of(kBeside, name) ? Says::nothing : Says::something;
}

/// An object that is an error, and tells nothing else.
bool says_no(const wire::HttpResponse& answer, const wire::HttpResponse& inside) {
  const auto body = parsed(answer);
  if (!body || !body->is_object() || answer.body.size() > kLargestRefusal) {
    return false;
  }
  const auto other = parsed(inside);
  std::set<Says> said;
  for (const auto& [key, value] : body->get_object()) {
    const auto* theirs = other && other->is_object() ? other->get_object().if_contains(key) : nullptr;
    const auto says = member_says(plain(key), value, theirs);
    if (says == Says::something) {
      return false;
    }
    said.insert(says);
  }
  const bool explained = said.contains(Says::maybe) && said.contains(Says::reason);
  return said.contains(Says::no) || (explained && outline_of(answer) != outline_of(inside));
}

}  // namespace

}  // namespace data_answer

bool is_given(const wire::HttpResponse& response) {
  return response.status >= 200 && response.status < 300;
}

bool is_data(const wire::HttpResponse& response) {
  return data_answer::parsed(response).has_value();
}

bool same_outline(const wire::HttpResponse& one, const wire::HttpResponse& other) {
  return data_answer::outline_of(one) == data_answer::outline_of(other);
}

bool is_error(const wire::HttpResponse& answer) {
  return data_answer::says_no(answer, answer);
}

bool is_kept_out(const wire::HttpResponse& outside, const wire::HttpResponse& inside) {
  const bool asked = outside.status == 401 || outside.status == 403 || (outside.status >= 300 && outside.status < 400);
  return asked || (is_given(outside) && !is_error(inside) && data_answer::says_no(outside, inside));
}

bool looks_otherwise(const wire::HttpResponse& outside, const wire::HttpResponse& inside) {
  const bool opened = is_given(inside) && !is_error(inside);
  return opened && (is_kept_out(outside, inside) || (is_given(outside) && !same_outline(outside, inside)));
}

}  // namespace assay::probes::credentials
