#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/model/endpoint.hpp"
#include "harness/model/json.hpp"

/// How a web interface is used beyond its login, as the DUT file describes it (docs/dut-format.md, `web`).
namespace assay {

/// One request, or what stands for it at the bench. In `body`, which is JSON or name=value&…, and in `prompt`
/// {username}, {password}, {old} and {value} are filled in; a command gets them as ASSAY_USERNAME and the like.
struct RequestRecipe {
  std::string method = "POST";
  std::string page;  // whose form is filled in and sent, hidden fields too; empty: none
  std::string path;  // where it goes; empty: where the form says
  std::string body;
  std::string exec;                 // command line in the place of a request
  std::string prompt;               // sentence for a person in the place of a request
  std::uint32_t within_ms = 30000;  // time that the two may take
  Later<std::string> headers;       // "Name: value" of a request; {token} is filled in
  Later<std::string> token;         // none or one: "cookie NAME", or "/path#/json/pointer" of an answer to a GET

  bool operator==(const RequestRecipe&) const = default;

  bool is_at_bench() const { return !exec.empty() || !prompt.empty(); }
};
BOOST_DESCRIBE_STRUCT(RequestRecipe, (), (method, page, path, body, exec, prompt, within_ms, headers, token))

/// A harmless setting: changed by a request, and shown afterwards.
struct SettingRecipe {
  RequestRecipe change;  // its body holds {value}
  std::string read;      // page that shows the value to whoever is logged in
  std::string value;     // that is left behind in the end

  bool operator==(const SettingRecipe&) const = default;
};
BOOST_DESCRIBE_STRUCT(SettingRecipe, (), (change, read, value))

/// A page that needs a login.
struct ProtectedPage {
  std::string path;
  std::vector<std::string> roles;  // of accounts that may see it; empty: every one

  bool operator==(const ProtectedPage&) const = default;
};
BOOST_DESCRIBE_STRUCT(ProtectedPage, (), (path, roles))

struct WebInterface {
  Endpoint port;
  std::optional<RequestRecipe> log_out;
  std::optional<SettingRecipe> setting;
  std::vector<ProtectedPage> pages;
  std::optional<RequestRecipe> set_up;           // of a device in factory state: sets {password} of {username}
  std::optional<RequestRecipe> change_password;  // from {old} to {password}

  bool operator==(const WebInterface&) const = default;
};
BOOST_DESCRIBE_STRUCT(WebInterface, (), (port, log_out, setting, pages, set_up, change_password))

}  // namespace assay
