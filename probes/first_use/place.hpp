#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>

#include "probes/first_use/change.hpp"

/// One interface that passwords are set on, whatever is spoken there.
namespace assay::probes::first_use {

/// What a step was answered with.
struct Said {
  int status = 0;                 // of HTTP; of CoAP 204 for 2.04; else 1 for no, or for a command that failed
  bool taken = false;             // the answer says yes
  std::set<std::string> words{};  // of the answer
};

/// What the probes ask of an interface. Only a login shows what came of a step. Errors: no answer, or none that means
/// either; what ends the probe.
class Place {
 public:
  virtual ~Place() = default;

  // The account of the DUT file.

  /// One login that may be wrong; the permit is drawn by whoever calls.
  virtual asio::awaitable<Result<bool>> admits(std::string username, Secret password) = 0;

  /// Gets ready to tell an account that is let in from a visitor. Says why it cannot; empty: it can.
  virtual asio::awaitable<Result<std::string>> look_inside(std::string username, Secret password) = 0;

  /// One login after that.
  virtual asio::awaitable<Result<bool>> enters(std::string username, Secret password) = 0;

  /// Leaves nothing of its logins behind.
  virtual asio::awaitable<Result<>> leave(Secret password) = 0;

  // A password that is changed.

  /// The step holds {old}.
  virtual bool asks_old() const = 0;

  /// Asks for a change in a session with the password `now`. Nothing: it is not let in. With `watched` another session
  /// is opened before, and `sessions` tells of both afterwards.
  virtual asio::awaitable<Result<std::optional<Said>>> change(Secret now, Filling filling, bool watched) = 0;

  /// `own` (the one that changed the password) and `other`: alive, or null.
  virtual asio::awaitable<Result<json::object>> sessions() = 0;

  // A device in factory state.

  /// The set-up still stands where it stood. Nothing: that cannot be seen.
  virtual asio::awaitable<Result<std::optional<bool>>> offers_set_up() = 0;

  virtual asio::awaitable<Result<Said>> set_up(std::string username, Secret password) = 0;

  /// The account gets in with that password and a stranger does not. Draws the permits.
  virtual asio::awaitable<Result<bool>> opens(std::string username, Secret password) = 0;

  virtual bool has_setting() const = 0;

  /// The setting, sent by somebody without a login; the value that was sent.
  virtual asio::awaitable<Result<std::string>> act_as_visitor() = 0;

  /// A session for the next two. False: the password is not taken.
  virtual asio::awaitable<Result<bool>> settle_in(std::string username, Secret password) = 0;

  /// The setting shows the value, or did when it was last looked at.
  virtual asio::awaitable<Result<bool>> shows(std::string value) = 0;

  /// Sets it, in that session; nothing: the value that the DUT file wants to be left behind.
  virtual asio::awaitable<Result<>> act(std::optional<std::string> value) = 0;
};

/// The interface of an endpoint as the DUT file describes it.
struct Opened {
  std::unique_ptr<Place> place;  // null: `why`
  std::string why;
  std::string login;      // how one logs in; empty: there is no login
  bool no_login = false;  // the endpoint has none that could be used
};

/// Of a device that has passwords already.
asio::awaitable<Result<Opened>> open_place(ProbeContext& context, Door& door);

/// Of a device in factory state.
asio::awaitable<Result<Opened>> open_fresh_place(ProbeContext& context, Door& door);

/// The interface of messages that the DUT file describes here; null: none.
std::unique_ptr<Place> message_place(ProbeContext& context, Door& door);

/// The name of its login: `coap`, `coaps-psk`, `mqtt`, `mqtt-psk`.
std::string message_login(const MessageInterface& recipe);

const MessageInterface* message_interface_for(const Dut& dut, const Endpoint& endpoint);

}  // namespace assay::probes::first_use
