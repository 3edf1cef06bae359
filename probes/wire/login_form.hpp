#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Forms that ask for a login, as a browser without scripts would send them.
namespace assay::wire {

/// A form that asks for one password.
struct LoginForm {
  std::string action;          // entities and base resolved, of the button where it has one; empty: the page itself
  std::string method = "get";  // lower case
  std::string username_field;  // the text field or choice before the password that is the name's; may be empty
  std::string password_field;
  std::vector<std::pair<std::string, std::string>> fields;  // what is sent beside them: hidden, texts, first button
  bool scripted = false;      // a script has a hand in it: the password may be changed before it is sent
  bool has_scripts = false;   // its page has some, whatever they do
  bool new_password = false;  // asks for one to be chosen (autocomplete)
};

/// The first form with exactly one password field; a form with more of them changes a password. At most 64 fields.
std::optional<LoginForm> find_login_form(std::string_view html);

/// A form of the page is this one: it goes to the same place and asks for the same. Other pages have forms with a
/// password too, of a radio network or of an account that is made.
bool shows_form(std::string_view html, const LoginForm& login);

/// The password goes over the network as it is: the page came so, where it could be altered, or the form leads to http.
bool goes_in_clear(std::string_view action, bool page_in_tls);

/// Words by which devices ask for something that no program is to know, in English and in any case.
inline constexpr std::string_view kPuzzleWords[] = {"captcha", "not a robot", "verification code", "security code",
                                                    "type the characters"};

/// The field, picture or script of a page that asks for such a thing, escaped; empty when there is none.
std::string find_captcha(std::string_view html);

}  // namespace assay::wire
