#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "harness/model/secret.hpp"
#include "harness/probe/network.hpp"
#include "probes/credentials/text_shape.hpp"
#include "probes/sessions/channel.hpp"
#include "probes/wire/telnet.hpp"

namespace assay::probes::credentials {

/// What a telnet device said in one turn.
struct Heard {
  std::string text;
  std::string prompt;  // empty: none came
  bool ended = false;
  milliseconds took{0};
  std::optional<Error> error{};  // one that ends the probe
};

/// Lines that were finished, without those too short to say anything and without what was `typed`.
std::set<std::string> lines_of(std::string_view text, std::string_view typed = {});

/// The last line that was finished and is not empty.
std::string_view last_line_of(std::string_view text);

/// A prompt behind which commands are typed, as far as its last character and its words tell.
bool looks_like_command_line(std::string_view prompt);

/// One telnet connection seen as turns: a line is typed, the device speaks until it waits. At prompts of the shapes
/// `known`, which it was seen to wait at before, a short silence shows that, and those of `keys` wait for a key and no
/// word, as does whatever says so ("Press any key to continue"). The transcript gets what answers a secret
/// in one piece, for the secret to be found in an echo that comes byte by byte.
class Talk {
 public:
  Talk(std::unique_ptr<sessions::Channel> channel, milliseconds quiet, std::set<std::string> known,
       std::set<std::string> keys = {})
      : channel_(std::move(channel)), quiet_(quiet), known_(std::move(known)), keys_(std::move(keys)) {}

  asio::awaitable<Heard> hear(milliseconds patience);

  /// The same, and what comes behind a key that is waited for.
  asio::awaitable<Heard> hear_past_key(milliseconds patience);

  /// What a device says to whoever connects. Where it asks for nothing, it is given a key: it may wait for one.
  asio::awaitable<Heard> hear_greeting(milliseconds patience);

  asio::awaitable<Result<>> type(std::string line);

  /// What comes from here to the end of the turn is held back.
  asio::awaitable<Result<>> type_secret(const Secret& secret);

 private:
  bool waits_at(std::string_view prompt) const {
    return !prompt.empty() && (known_.contains(shape_of(prompt)) || keys_.contains(shape_of(prompt)));
  }

  bool waits_for_key(const Heard& heard) const;
  asio::awaitable<Heard> press_key(Heard before);

  std::unique_ptr<sessions::Channel> channel_;
  milliseconds quiet_;
  std::set<std::string> known_;
  std::set<std::string> keys_;
  bool mute_ = false;  // it waited for a key and did not say so
  wire::TelnetParser parser_;
};

/// Shows that a command line listens at this prompt: a shell evaluates a word that only it could have put together,
/// or the same prompt comes back after two commands. Empty when neither was seen. What a login dialogue prints,
/// prompt characters included, is not enough.
asio::awaitable<std::string> prove_shell(Talk& talk, std::string prompt);

/// Whether the same prompt comes back after two empty lines, as that of a menu does. Nothing is chosen: one never knows
/// what a letter does in a menu.
asio::awaitable<bool> comes_back(Talk& talk, std::string prompt);

}  // namespace assay::probes::credentials
