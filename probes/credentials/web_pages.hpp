#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "probes/credentials/web_session.hpp"
#include "probes/wire/login_form.hpp"

/// What a login by a page is made of, for whoever goes on from there.
namespace assay::probes::credentials {

/// What stays the same in two answers of one kind: at most 512 words without digits, so that tokens and times drop out.
std::set<std::string> words_of(std::string_view text, std::string_view without);

/// At least 70 % of the words are common.
bool are_alike(const std::set<std::string>& one, const std::set<std::string>& other);

/// The request of a login form that stands on `page`. `protocol` when it is sent to another place.
Result<WebRequest> filled_form(const Door& door, bool tls, const wire::LoginForm& form, const std::string& page,
                               const std::string& username, const Secret& password);

/// A page that one who is logged in gets, and a visitor does not.
struct Inside {
  std::string path;        // empty: there is none among those that were looked at
  std::string proof;       // in words
  std::string place;       // where a browser ends that asks for it
  std::string login_path;  // where a visitor is led
};

/// The first of the pages that shows itself in this session and asks a visitor for a login. `login` is the form by
/// which the session came: a page behind it may ask for another password.
asio::awaitable<Result<Inside>> find_inside(Door& door, bool tls, std::string login_path, wire::LoginForm login,
                                            WebSession& session, std::vector<std::string> pages);

/// The page has a form with more than one password field, by which a password is chosen.
bool shows_change_form(std::string_view html);

/// Where the links of a page lead on this endpoint, the first eight; not those that do something, as to log out.
std::vector<std::string> links_from(const Door& door, bool tls, const std::string& html, const std::string& place);

/// Pages that a page of this endpoint leads to, the page itself and the first one with them.
std::vector<std::string> pages_from(const Door& door, bool tls, const wire::HttpResponse& page,
                                    const std::string& place, const std::string& login_page);

}  // namespace assay::probes::credentials
