#include "probes/wire/telnet.hpp"

#include "probes/wire/bytes.hpp"

namespace assay::wire {

namespace {

constexpr std::uint8_t kIac = 255;
constexpr std::uint8_t kDont = 254;
constexpr std::uint8_t kDo = 253;
constexpr std::uint8_t kWont = 252;
constexpr std::uint8_t kWill = 251;
constexpr std::uint8_t kSub = 250;
constexpr std::uint8_t kSubEnd = 240;
constexpr std::uint8_t kEcho = 1;
constexpr std::uint8_t kSuppressGoAhead = 3;
constexpr std::uint8_t kAnswersPerOption = 2;

std::string command_name(std::uint8_t command) {
  switch (command) {
    case kWill:
      return "WILL";
    case kWont:
      return "WONT";
    case kDo:
      return "DO";
    default:
      return "DONT";
  }
}

}  // namespace

void TelnetParser::negotiate(std::uint8_t command, std::uint8_t option, std::string& replies) {
  ++commands_;
  options_.insert(command_name(command) + " " + std::to_string(option));
  const bool welcome = option == kEcho || option == kSuppressGoAhead;
  const bool about_them = command == kWill || command == kWont;
  if (option == kEcho && about_them) {
    server_echo_ = command == kWill;
  }
  std::uint8_t answer = 0;
  if (command == kWill) {
    answer = welcome ? kDo : kDont;
  } else if (command == kWont) {
    answer = kDont;
  } else {
    answer = command == kDo && option == kSuppressGoAhead ? kWill : kWont;
  }
  auto& last = about_them ? answered_them_[option] : answered_us_[option];
  // WONT and DONT confirm what holds at the start: they need an answer only after we had agreed to something.
  const bool refusal_of_nothing = (command == kWont || command == kDont) && last == 0;
  if (last == answer || refusal_of_nothing || replies_[option] >= kAnswersPerOption) {
    return;
  }
  last = answer;
  ++replies_[option];
  put_u8(replies, kIac);
  put_u8(replies, answer);
  put_u8(replies, option);
}

TelnetParser::Step TelnetParser::feed(std::string_view bytes) {
  Step step;
  for (const char c : bytes) {
    const auto byte = static_cast<std::uint8_t>(c);
    switch (state_) {
      case State::after_cr:
        state_ = State::text;
        if (byte == 0) {
          break;
        }
        [[fallthrough]];
      case State::text:
        if (byte == kIac) {
          state_ = State::command;
        } else {
          step.text += c;
          state_ = c == '\r' ? State::after_cr : State::text;
        }
        break;
      case State::command:
        if (byte >= kWill && byte <= kDont) {
          command_ = byte;
          state_ = State::option;
        } else if (byte == kSub) {
          state_ = State::sub;
        } else {
          violations_ += byte < kSubEnd ? 1 : 0;
          if (byte == kIac) {
            step.text += c;
          }
          state_ = State::text;
        }
        break;
      case State::option:
        negotiate(command_, byte, step.replies);
        state_ = State::text;
        break;
      case State::sub:
        state_ = byte == kIac ? State::sub_command : State::sub;
        break;
      case State::sub_command:
        state_ = byte == kSubEnd ? State::text : State::sub;
        break;
    }
  }
  return step;
}

std::string telnet_line(std::string_view text) {
  std::string out;
  for (const char c : text) {
    out += c;
    if (static_cast<std::uint8_t>(c) == kIac) {
      out += c;
    }
  }
  return out + "\r\n";
}

}  // namespace assay::wire
