#include <algorithm>
#include <array>

#include "harness/load/by_port.hpp"
#include "harness/load/check.hpp"
#include "harness/load/dut.hpp"
#include "harness/load/parts.hpp"
#include "harness/load/read.hpp"
#include "harness/load/syntax.hpp"

/// `web` of dut/1, and password-rules/1.
namespace assay {

namespace {

void rule_path(const Node& node, std::string_view key, Faults& faults) {
  const auto path = text_of(node, key);
  if (!path.empty() && !path.starts_with('/')) {
    faults.add(place_of(node, key), "a path begins with /");
  }
}

/// "cookie NAME", or "/path#/json/pointer".
bool is_token_place(std::string_view text) {
  constexpr std::string_view kCookie = "cookie ";
  return text.starts_with(kCookie) ? text.size() > kCookie.size() && text.find(' ', kCookie.size()) == text.npos
                                   : text.starts_with('/') && text.find("#/") != text.npos;
}

void read_headers(const Node& node, RequestRecipe& out, Faults& faults) {
  for (auto& header : texts_of(node, "headers")) {
    const auto colon = header.find(':');
    if (colon == 0 || colon == std::string::npos || header.find_first_of("\r\n") != std::string::npos ||
        header.find(' ') < colon) {
      faults.add(place_of(node, "headers"), "a header is \"Name: value\"");
    }
    out.headers.push_back(std::move(header));
  }
  const auto token = text_of(node, "token");
  if (!token.empty()) {
    out.token.push_back(token);
  }
  const bool wanted = std::any_of(out.headers.begin(), out.headers.end(),
                                  [](const auto& one) { return one.find("{token}") != std::string::npos; });
  if (wanted != !token.empty() || (wanted && !is_token_place(token))) {
    faults.add(
        place_of(node, "token"),
        "{token} in \"headers\" and \"token\" go together: \"cookie NAME\", or \"/path#/pointer\" of a JSON answer");
  }
}

RequestRecipe request_of(const Node& node, Faults& faults) {
  RequestRecipe out;
  out.method = text_of(node, "method", "POST");
  out.page = text_of(node, "page");
  out.path = text_of(node, "path");
  out.body = text_of(node, "body");
  out.exec = text_of(node, "exec");
  out.prompt = text_of(node, "prompt");
  out.within_ms = parse_duration(text_of(node, "within")).value_or(out.within_ms);
  rule_path(node, "page", faults);
  rule_path(node, "path", faults);
  read_headers(node, out, faults);
  if (out.is_at_bench()) {
    const bool several =
        (!out.exec.empty() && !out.prompt.empty()) || !out.page.empty() || !out.path.empty() || !out.headers.empty();
    if (several) {
      faults.add(node.place, "a step is one of a request (page, path), \"exec\" and \"prompt\"");
    }
    return out;
  }
  if (out.page.empty() && out.path.empty()) {
    faults.add(node.place, "a request needs \"path\", or \"page\" with the form that says where it goes");
  }
  if (out.body.starts_with('{') || out.body.starts_with('[')) {
    boost::system::error_code failed;
    json::parse(out.body, failed);
    if (failed) {
      faults.add(place_of(node, "body"), "the body begins as JSON and is none");
    } else if (!out.page.empty() || out.method == "GET") {
      faults.add(place_of(node, "body"), "what a form or a GET sends is name=value&…, not JSON");
    }
  }
  return out;
}

/// The request under a key, if it is there; `mark` has to stand in its body.
std::optional<RequestRecipe> request_under(const Node& node, std::string_view key, std::string_view mark,
                                           Faults& faults) {
  const auto* found = find(node, key);
  if (found == nullptr) {
    return std::nullopt;
  }
  auto out = request_of(*found, faults);
  // A command gets everything in its environment.
  const auto& text = out.prompt.empty() ? out.body : out.prompt;
  if (!mark.empty() && out.exec.empty() && text.find(mark) == std::string::npos) {
    faults.add(place_of(*found, out.prompt.empty() ? "body" : "prompt"), "the text holds " + std::string{mark});
  }
  return out;
}

WebInterface web_interface_of(const Node& node, Faults& faults) {
  WebInterface out;
  const auto place = Endpoint::parse(text_of(node, "port"));
  out.port = place ? *place : Endpoint{};
  if (out.port.transport != Transport::tcp) {
    faults.add(place_of(node, "port"), "a web interface needs a TCP endpoint such as tcp/443");
  }
  out.log_out = request_under(node, "log_out", {}, faults);
  out.set_up = request_under(node, "set_up", "{password}", faults);
  out.change_password = request_under(node, "change_password", "{password}", faults);
  if (auto change = request_under(node, "setting", "{value}", faults)) {
    const auto& setting = child(node, "setting");
    rule_path(setting, "read", faults);
    out.setting = SettingRecipe{std::move(*change), text_of(setting, "read"), text_of(setting, "value")};
  }
  for (const auto& page : child(node, "pages").items) {
    rule_path(page, "path", faults);
    out.pages.push_back({text_of(page, "path"), texts_of(page, "roles")});
  }
  return out;
}

}  // namespace

Later<WebInterface> web_interfaces_of(const Node& entries, Faults& faults) {
  return one_for_each_port<WebInterface>(entries, faults, &web_interface_of);
}

PasswordRules password_rules_of(const Node& root, Faults& faults) {
  constexpr std::array<std::string_view, 2> kNeedsMark{"username", "previous"};
  PasswordRules out{text_of(root, "id"), text_of(root, "title"), text_of(root, "source"), {}};
  for (const auto& node : child(root, "weak").items) {
    WeakPassword weak{text_of(node, "kind"), text_of(node, "value"), text_of(node, "source"),
                      text_of(node, "confidence"), texts_of(node, "schemes")};
    const auto mark = weak.kind == kNeedsMark[0] ? "{username}" : weak.kind == kNeedsMark[1] ? "{old}" : "";
    if (weak.value.find(mark) == std::string::npos) {
      faults.add(place_of(node, "value"), "a password of the kind " + weak.kind + " holds " + mark);
    }
    if (weak.value.empty() != (weak.kind == "blank")) {
      faults.add(node.place, "the kind blank, and it alone, has an empty value");
    }
    out.weak.push_back(std::move(weak));
  }
  return out;
}

}  // namespace assay
