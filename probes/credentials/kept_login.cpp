#include "probes/credentials/kept_login.hpp"

#include <algorithm>
#include <utility>

namespace assay::probes::credentials {

namespace {

constexpr milliseconds kMuchLater{500};

}  // namespace

KeptLogin::KeptLogin(Door& door, bool tls)
    : SpokenLogin(door, tls), most_(std::make_shared<int>(door.logins_on_a_connection)) {}

KeptLogin::KeptLogin(const KeptLogin& other) : SpokenLogin(other), most_(other.most_) {}

KeptLogin::~KeptLogin() = default;

bool KeptLogin::may_go_on(const std::string& username) const {
  if (!session_ || refused_ >= *most_) {
    return false;
  }
  const auto bound = session_->bound_to();
  return !bound || *bound == username;
}

std::optional<std::string> KeptLogin::goes_on_with() const {
  return session_ && refused_ < *most_ ? session_->bound_to() : std::nullopt;
}

/// "Too many" may be said of the wrong logins before on this connection.
bool KeptLogin::is_answer(const Told& told) {
  const bool plain = told.answer == Told::Answer::no && !says_locked(told.text);
  return told.answer == Told::Answer::yes || plain || (told.error && sessions::ends_probe(told.error->kind));
}

asio::awaitable<void> KeptLogin::leave() {
  const auto session = std::move(session_);
  if (session) {
    co_await session->say_goodbye();
  }
}

asio::awaitable<Told> KeptLogin::ask(std::string username, Secret password) {
  if (!may_go_on(username)) {
    co_await leave();
    auto told = co_await ask_afresh(std::move(username), std::move(password));
    co_return told;
  }
  const int taken = refused_;
  auto told = co_await log_in(username, password);
  if (is_answer(told)) {
    co_return told;
  }
  session_.reset();
  if (told.sent || told.error) {
    *most_ = std::min(*most_, taken);  // a name alone may be refused at any time
  }
  const int before = told.sent ? 1 : 0;
  if (told.sent) {
    auto permitted = co_await door().network.permit_login(door().endpoint, username);
    if (!permitted) {
      told.answer = Told::Answer::unclear;
      told.error = permitted.error().kind == ErrorKind::denied ? told.error : permitted.error();
      co_return told;
    }
  }
  told = co_await ask_afresh(std::move(username), std::move(password));
  told.times += before;
  co_return told;
}

asio::awaitable<Told> KeptLogin::ask_afresh(std::string username, Secret password) {
  refused_ = 0;
  auto opened = co_await open_door(door(), tls());
  if (!opened) {
    co_return no_connection(opened.error());
  }
  session_ = begin(std::move(*opened));
  auto told = co_await log_in(std::move(username), std::move(password));
  co_return told;
}

/// On the connection that is open. It stays so after a plain refusal, as long as the server bears that.
asio::awaitable<Told> KeptLogin::log_in(std::string username, Secret password) {
  const auto start = door().network.elapsed();
  auto told = co_await session_->log_in(std::move(username), std::move(password));
  told.took = door().network.elapsed() - start;
  if (told.answer != Told::Answer::no) {
    if (told.answer == Told::Answer::yes) {
      co_await leave();
    }
    session_.reset();
    co_return told;
  }
  if (refused_++ == 0) {
    first_took_ = told.took;
  } else if (told.took > first_took_ * 2 + kMuchLater) {
    *most_ = std::min(*most_, refused_ - 1);
  }
  if (!session_->takes_more()) {
    *most_ = std::min(*most_, refused_);
  }
  if (refused_ >= *most_) {
    co_await leave();
  }
  co_return told;
}

}  // namespace assay::probes::credentials
