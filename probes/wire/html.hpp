#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "probes/wire/http.hpp"

/// The little of HTML that a login page shows without a browser.
namespace assay::wire {

struct PasswordForm {
  std::string action;          // as written; empty: the page itself
  std::string method = "get";  // lower case
  std::string username_field;  // name of the text field before the password, may be empty
  std::string password_field;
};

/// The first form with a password field. A page that builds its form by script shows none.
std::optional<PasswordForm> find_password_form(std::string_view html);

/// A form that asks for one password, as a browser would send it.
struct LoginForm {
  std::string action;          // entities resolved; empty: the page itself
  std::string method = "get";  // lower case
  std::string username_field;  // the last text field or choice before the password; may be empty
  std::string password_field;
  std::vector<std::pair<std::string, std::string>> fields;  // what is sent beside them: hidden, checked, first button
  bool scripted = false;  // a script has a hand in it: the password may be changed before it is sent
};

/// The first form with exactly one password field; a form with more of them changes a password. At most 64 fields.
std::optional<LoginForm> find_login_form(std::string_view html);

/// Pages that a page shows or leads to by itself: sources of frames, and links without a query to plain pages. At most
/// `most`.
std::vector<std::string> html_pages(std::string_view html, std::size_t most);

/// Where a page sends the browser by itself: a meta refresh, or a script that sets the location to a plain string.
/// Empty when it does not.
std::string html_redirect(std::string_view html);

/// Where a response sends a browser: by its Location header, else by its page. Empty when it does not.
std::string browser_redirect(const HttpResponse& response);

/// Text of <title>, escaped; empty when there is none.
std::string html_title(std::string_view html);

}  // namespace assay::wire
