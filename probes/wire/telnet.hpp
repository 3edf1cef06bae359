#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

/// Telnet (RFC 854, RFC 1143): separates commands from text and answers negotiation like a terminal that wants
/// nothing but the server's echo.
namespace assay::wire {

class TelnetParser {
 public:
  struct Step {
    std::string text;     // what a person would read
    std::string replies;  // to be sent back; at most two answers to one option
  };

  Step feed(std::string_view bytes);

  /// A command was seen: nothing else than telnet begins with IAC.
  bool negotiated() const { return commands_ != 0; }

  /// The server said that it echoes what is typed.
  bool server_echo() const { return server_echo_; }

  /// Options the server spoke of, as "WILL 1".
  const std::set<std::string>& options() const { return options_; }

  /// Bytes that no telnet server sends: IAC followed by no command.
  std::size_t violations() const { return violations_; }

 private:
  enum class State : std::uint8_t { text, command, option, sub, sub_command, after_cr };

  void negotiate(std::uint8_t command, std::uint8_t option, std::string& replies);

  State state_ = State::text;
  std::uint8_t command_ = 0;
  std::size_t commands_ = 0;
  std::size_t violations_ = 0;
  bool server_echo_ = false;
  std::array<std::uint8_t, 256> answered_us_{};    // last answer about our side of an option
  std::array<std::uint8_t, 256> answered_them_{};  // last answer about their side
  std::array<std::uint8_t, 256> replies_{};        // answers given, bounded against negotiation loops
  std::set<std::string> options_;
};

/// The bytes of a typed line: IAC doubled, ended by CR LF.
std::string telnet_line(std::string_view text);

}  // namespace assay::wire
