#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/probe/network.hpp"
#include "probes/credentials/candidates.hpp"
#include "probes/sessions/channel.hpp"

namespace assay::probes::credentials {

/// How one login ended. Silence and a cut connection are `unclear` unless a wrong login was seen to end that way.
enum class Outcome : std::uint8_t {
  accepted,   // what is behind the login was reached, and `proof` says how that was shown
  rejected,   // as the wrong logins before it
  forbidden,  // "forbidden" where wrong logins are asked to log in: let in but not to this page, or locked out
  locked,     // the device says that it takes no more logins
  unclear,    // no answer that means either
  lost,       // no connection
};

struct Attempt {
  Outcome outcome = Outcome::unclear;
  std::string proof;              // for accepted
  std::string says;               // for the rest: what the device said, raw and bounded
  milliseconds took{0};           // from the password to the answer
  bool without_password = false;  // for accepted: the name alone was enough
  bool must_change = false;       // a new password is demanded; of a control it is unclear whether it was taken
  bool by_code = false;           // locked is said by a code of the protocol, not in words, which may warn
  bool by_script = false;         // a page behind the login has a script that may keep the session
  int sent = 1;                   // times the login went out: a kept connection may die of the first
  std::optional<Error> ended{};   // an error that ends the probe
};

struct Login {
  std::string username;
  Secret password;
};

/// How several logins ended that were sent in one go.
struct Several {
  std::vector<Attempt> answered;  // in the order of the logins; the rest got no answer and may have been judged or not
  bool in_order = false;          // the server was seen to answer each, in their order; else nothing else holds
  bool announced = false;         // the server said that it takes no more on this connection
  std::optional<Error> ended{};   // an error that ends the probe
};

struct Door;

/// One way of logging in on one endpoint.
class Dialect {
 public:
  virtual ~Dialect() = default;

  virtual std::string_view name() const = 0;

  /// Credentials travel without encryption.
  virtual bool clear() const = 0;

  /// One login. The connection may be that of the attempt before.
  virtual asio::awaitable<Attempt> attempt(std::string username, Secret password) = 0;

  /// One login with a pair that cannot exist, from which the dialect learns how refusals look.
  virtual asio::awaitable<Attempt> attempt_control(std::string username, Secret password) = 0;

  /// Logins that may now be sent before the first of them is answered; 1: one after the other. What wrong ones look
  /// like must have been learnt.
  virtual std::size_t room() const { return 1; }

  /// Sends all, at most `room()`, and hears the answers, each judged as that of `attempt`.
  virtual asio::awaitable<Several> attempt_several(std::vector<Login>) { co_return Several{}; }

  /// The next attempt starts with a new connection.
  virtual void start_afresh() = 0;

  /// The name of which the open connection takes another login, where it takes no other; nothing: any name is as good.
  virtual std::optional<std::string> goes_on_with() const { return std::nullopt; }

  /// Another one that knows what this one has learnt and goes through `door`, the same endpoint, on connections of its
  /// own, so that both may log in at once. Null: one login has to follow the other here.
  virtual std::unique_ptr<Dialect> beside(Door&) const { return nullptr; }

  /// A login has a name. Where it has none, as with a community of SNMP, there is one secret, and every wrong login,
  /// controls too, is one on the account "".
  virtual bool names_accounts() const { return true; }

  /// Whether a login was taken is told by what a person would see, which a page or a prompt of a lockout, or of a login
  /// that failed, can look like; not by a word of the protocol.
  virtual bool is_for_people() const { return false; }

  /// A wrong password of this account was seen not to get what a login that was taken gets.
  virtual bool told_apart(const std::string&) const { return false; }

  /// There are two ways to make a login, of which a device may take one alone: with other ids of the client, say.
  virtual bool turns() const { return false; }

  /// Logins are made in the other way from now on, or as before again.
  virtual void turn(bool /*otherwise*/) {}

  /// Why the refusals that were seen may be none; empty: they are. Nothing may have been heard at all, or a login may
  /// not have been understood. One that is taken settles it.
  virtual std::string doubt() const { return {}; }

  /// After the last login: what has yet to be heard before silences count. An error only for what ends the probe.
  virtual asio::awaitable<Result<>> settle() { co_return Result<>{}; }

  /// What whoever asks is given without a login and may use to guess at leisure, each as a sentence's object.
  virtual json::array given_away() const { return {}; }

  /// How much of the logins that were tried was not asked, by names that begin with "skipped_" (`login` of the
  /// coverage).
  virtual json::object left_out() const { return {}; }

  /// Passwords whose login got an answer after it was taken for refused: they are to be tried again.
  virtual std::vector<std::string> late() const { return {}; }
};

/// The endpoint that logins go to, and where what passes through is written down.
struct Door {
  Network& network;
  Recorder& record;
  Transcript& transcript;
  std::string address;
  Endpoint endpoint;
  sessions::Timers timers;
  const Dut* dut = nullptr;        // null: nothing is declared
  int logins_on_a_connection = 1;  // one after the other, where a dialect can
};

/// What stands behind an endpoint.
struct Detection {
  std::unique_ptr<Dialect> dialect;              // null: no login that this probe knows
  std::vector<std::unique_ptr<Dialect>> more{};  // other logins of the same endpoint, tried after it
  bool open = false;  // a command line or a page where a login is expected answers without one
  std::string open_proof;
  std::string other_login;  // a login was seen that this probe does not know: which
  bool silent = false;      // the endpoint said nothing at all
  bool answered = false;    // it speaks a protocol that is known here, with a login or without
  std::string shut{};       // the dialect is spoken, and nobody gets in by a password: why
  std::string spoken{};     // name of the dialect where there is nothing to try: anybody is served, or nobody
  std::string doubt{};      // why it is not known whether anybody is served
  std::string way_doubt{};  // why it is not known whether credentials travel in clear; a login that is understood
                            // on the way of the dialect settles it
  std::string held{};       // an answer by which the server may just take no requests: which
  std::string path{};       // of HTTP: the page that asks for the login
  bool tls = false;         // of HTTP: that page comes inside TLS
};

/// Something is known of who stands there.
inline bool is_known(const Detection& found) {
  return found.dialect != nullptr || !found.spoken.empty() || !found.other_login.empty() || found.answered;
}

asio::awaitable<Result<Detection>> detect(Door& door);

}  // namespace assay::probes::credentials
