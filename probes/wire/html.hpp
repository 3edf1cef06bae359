#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probes/wire/http.hpp"

/// The little of HTML that a login page shows without a browser.
namespace assay::wire {

struct PasswordForm {
  std::string action;          // entities and base resolved, of the button where it has one; empty: the page itself
  std::string method = "get";  // lower case
  std::string username_field;  // name of the text field before the password, may be empty
  std::string password_field;
};

/// The first form with a password field. A page that builds its form by script shows none.
std::optional<PasswordForm> find_password_form(std::string_view html);

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
