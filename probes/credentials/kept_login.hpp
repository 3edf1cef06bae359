#pragma once

#include <memory>
#include <optional>
#include <string>

#include "probes/credentials/fresh_login.hpp"

namespace assay::probes::credentials {

/// One connection on which logins follow each other.
class LoginSession {
 public:
  virtual ~LoginSession() = default;

  /// One login, the next one after those that were refused.
  virtual asio::awaitable<Told> log_in(std::string username, Secret password) = 0;

  /// Whose logins alone it takes by now; nothing: anybody's.
  virtual std::optional<std::string> bound_to() const { return std::nullopt; }

  /// False: the server said with its last refusal that it takes no more passwords here.
  virtual bool takes_more() const { return true; }

  virtual asio::awaitable<void> say_goodbye() = 0;
};

/// A dialect in which wrong logins may follow each other on a connection, as many as `Door::logins_on_a_connection`
/// says, and fewer where the server ends it earlier or answers later and later: what it took is learnt then. After a
/// wrong login only yes and a plain no are answers. Everything else may be said of the wrong ones before, so that login
/// is made again on a new connection, for a new permit if its secret had gone out.
class KeptLogin : public SpokenLogin {
 public:
  KeptLogin(Door& door, bool tls);
  /// Knows what the other one has learnt, on a connection of its own.
  KeptLogin(const KeptLogin& other);
  KeptLogin& operator=(const KeptLogin&) = delete;
  ~KeptLogin() override;

  std::optional<std::string> goes_on_with() const final;

  void start_afresh() final { session_.reset(); }

 protected:
  virtual std::unique_ptr<LoginSession> begin(std::unique_ptr<sessions::Channel> channel) = 0;

 private:
  asio::awaitable<Told> ask(std::string username, Secret password) final;
  asio::awaitable<Told> ask_afresh(std::string username, Secret password);
  asio::awaitable<Told> log_in(std::string username, Secret password);
  asio::awaitable<void> leave();
  bool may_go_on(const std::string& username) const;
  static bool is_answer(const Told& told);

  std::shared_ptr<int> most_;  // logins that a connection takes, shared with those beside
  std::unique_ptr<LoginSession> session_;
  int refused_ = 0;             // logins on this connection
  milliseconds first_took_{0};  // the first of them
};

}  // namespace assay::probes::credentials
