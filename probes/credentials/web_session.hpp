#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "probes/credentials/fresh_login.hpp"
#include "probes/wire/web_page.hpp"

namespace assay::probes::credentials {

/// Cookies of one visitor (RFC 6265, as far as one endpoint needs them): at most 32 of 4 KiB.
class CookieJar {
 public:
  void take(const wire::HttpResponse& response);

  /// One that a script of a page sets, in the words that it has for that: "name=value; SameSite=Lax".
  void take_of_script(std::string_view written);

  /// Values that a response sets, for them to be concealed; at most 32, those of a length that tells something.
  static std::vector<std::string> secrets_of(const wire::HttpResponse& response);

  /// Value of the Cookie header, empty for none.
  std::string header() const;

  /// By name.
  const std::map<std::string, std::string>& all() const { return cookies_; }

  void set(const std::string& name, std::string value) { cookies_[name] = std::move(value); }

  void drop(const std::string& name) { cookies_.erase(name); }

  /// How each of them was set, without its value.
  const std::map<std::string, wire::SetCookie>& marks() const { return marks_; }

 private:
  void keep(wire::SetCookie cookie);

  std::map<std::string, std::string> cookies_;
  std::map<std::string, wire::SetCookie> marks_;
};

/// Whoever has a cookie may be inside: its value is no part of the records.
void conceal_cookies(Door& door, const wire::HttpResponse& response);

/// What a request sends beside its place.
struct WebRequest {
  std::string method = "GET";
  std::string path = "/";
  std::string body;          // empty with GET
  std::string content_type;  // of the body
  std::string referer;       // path of the page that leads here; empty: none
  std::string origin;        // of the page that leads here, where it is another one than this endpoint
  std::string shown;         // what the transcript gets instead of the body; empty: the request holds no secret
  std::vector<wire::HttpHeader> headers;
  std::function<void(const wire::HttpResponse&)> conceal{};  // secrets of the answer, before the transcript gets it
};

/// One visitor of a web interface with its cookies; every request on a connection of its own, on this endpoint alone. A
/// copy is a second visitor who has the same cookies.
class WebSession {
 public:
  WebSession(Door& door, bool tls) : door_(&door), tls_(tls) {}

  /// One request and its response. `protocol` when the answer is not HTTP.
  asio::awaitable<Result<wire::HttpResponse>> fetch(WebRequest request);

  /// A page, and where it sends a browser by itself, at most three times; `path` becomes the place it ended at.
  asio::awaitable<Result<wire::HttpResponse>> visit(std::string& path);

  /// Goes on from a response as a browser would.
  asio::awaitable<Result<wire::HttpResponse>> follow(wire::HttpResponse response, std::string& path);

  /// A request went out, so that the device may have judged what was in it.
  bool has_sent() const { return sent_; }

  CookieJar& jar() { return jar_; }

  /// A header that carries the session, on every request from now on. What is secret in it has been concealed.
  void carry(wire::HttpHeader header) { carried_ = {std::move(header)}; }

  bool carries() const { return !carried_.empty(); }

 private:
  Door* door_;
  bool tls_;
  bool sent_ = false;
  CookieJar jar_;
  std::vector<wire::HttpHeader> carried_;  // at most one
};

/// A value as application/x-www-form-urlencoded has it.
std::string form_encoded(std::string_view text);

/// What it stands for.
std::string form_decoded(std::string_view text);

}  // namespace assay::probes::credentials
