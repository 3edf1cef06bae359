#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What a page of a web interface leads to and lets be sent, and the cookies that come with it.
namespace assay::wire {

/// A form as a browser would send it untouched: what its fields hold.
struct WebForm {
  std::string action;                                       // as that of LoginForm
  std::string method = "get";                               // lower case
  std::string text;                                         // of its button
  int passwords = 0;                                        // fields for one
  std::vector<std::pair<std::string, std::string>> fields;  // in the order of the page, at most 64
  std::vector<std::string> hidden;                          // names of those that nobody sees
};

/// The forms of a page, at most `most`. A form that a script makes is not seen.
std::vector<WebForm> html_forms(std::string_view html, std::size_t most);

struct WebLink {
  std::string target;  // entities and base resolved
  std::string text;    // between the tags, at most 64 bytes
  bool frame = false;  // a browser fetches it by itself
};

/// Links and frames of a page in their order, at most `most`; not styles, scripts and pictures.
std::vector<WebLink> html_links(std::string_view html, std::size_t most);

/// Following the link may do something, by its words: log out, restart, delete.
bool may_act(const WebLink& link, std::string_view path);

/// A Set-Cookie header (RFC 6265, 5.2).
struct SetCookie {
  std::string name;
  std::string value;
  bool secure = false;
  bool http_only = false;
  std::string same_site;  // lower case; empty: not there
  std::string path;
  std::string domain;
  std::optional<std::int64_t> max_age;  // seconds
  std::string expires;                  // as written
};

/// Nothing where there is no name.
std::optional<SetCookie> parse_set_cookie(std::string_view value);

}  // namespace assay::wire
