#pragma once

#include <optional>
#include <string>
#include <vector>

#include "probes/credentials/web_user.hpp"
#include "probes/sessions/fact_sheet.hpp"

/// One look at the sessions of a web interface: everything that its steps share.
namespace assay::probes::web_session {

using credentials::Door;
using credentials::Inside;
using credentials::Page;
using credentials::Sight;
using credentials::WebLogin;
using credentials::WebUser;
using credentials::WebWay;

/// An account of the DUT file that gets in.
struct Known {
  std::string role;
  std::string username;
  Secret password;
};

/// Bounds of the look.
struct Means {
  std::int64_t logins = 8;  // for the sample of tokens
  std::int64_t idle = 0;    // seconds to wait for a session to end; 0: it is not waited for
  std::int64_t pages = 40;  // of each user
  std::int64_t crawl = 60;  // seconds for the pages of all users
};

struct Visit {
  ProbeContext& context;
  credentials::WebHouse house;
  sessions::FactSheet& sheet;
  const WebInterface* recipe;  // null: the DUT file has none for this endpoint
  Means means;
  std::vector<Known> accounts{};        // the first is the one whose sessions are looked at
  std::vector<std::string> carriers{};  // names of the cookies that carry the session; empty: a header does
  bool concurrent = false;              // several sessions of one account live beside each other
};

/// A session of the account that is open. Nothing: the login was not taken. An error: no answer.
asio::awaitable<Result<std::optional<WebUser>>> enter(Visit& visit, const Known& known);

/// What the protected page does to this user.
asio::awaitable<Result<Sight>> sight(Visit& visit, WebUser& user);

/// The value that carries the session: of cookies, or of the header.
std::string token_of(const Visit& visit, WebUser& user);

// The steps. Each settles its facts; an error is one that ends the probe.
asio::awaitable<Result<>> look_at_cookies(Visit& visit, WebUser& user);
asio::awaitable<Result<>> look_at_fixation(Visit& visit);
asio::awaitable<Result<>> look_at_tokens(Visit& visit, WebUser& first);
asio::awaitable<Result<>> look_at_forgery(Visit& visit);
asio::awaitable<Result<>> look_at_pages(Visit& visit);
asio::awaitable<Result<>> look_at_logout(Visit& visit);
asio::awaitable<Result<>> look_at_idle(Visit& visit);

/// What was drawn for several sessions: form, relations, and an estimate of chance.
json::object tokens_in_words(const std::vector<std::string>& tokens, const std::vector<std::int64_t>& times,
                             const std::string& username);

/// The error if it ends the probe, else nothing; the fact is unobserved for it.
Result<> leave_open(Visit& visit, std::string_view fact, const Error& error);

}  // namespace assay::probes::web_session
