#include "probes/credentials/telnet_talk.hpp"

#include <algorithm>

#include "probes/wire/banner.hpp"
#include "probes/wire/bytes.hpp"

namespace assay::probes::credentials {

namespace {

constexpr milliseconds kProofPatience{4000};  // a shell at work answers at once
constexpr milliseconds kKeyPatience{2000};
constexpr milliseconds kQuietAfterKnown{30};  // old login programs throw away what is typed right after their prompt
constexpr std::size_t kMaximumText = 64U << 10U;
constexpr int kMaximumReads = 2048;
constexpr std::size_t kShortestLine = 4;
constexpr std::size_t kMaximumLines = 32;

/// A prompt as login programs and shells end theirs. Others may be a message in the making ("Checking...").
bool is_settled(std::string_view prompt) {
  return !prompt.empty() && std::string_view{":#$>%?]="}.find(prompt.back()) != std::string_view::npos;
}

}  // namespace

std::set<std::string> lines_of(std::string_view text, std::string_view typed) {
  std::set<std::string> lines;
  while (!text.empty() && lines.size() < kMaximumLines) {
    const auto end = text.find_first_of("\r\n");
    const auto line = wire::trim(text.substr(0, end));
    const bool whole = end != std::string_view::npos;
    text = whole ? text.substr(end + 1) : std::string_view{};
    if (whole && line.size() >= kShortestLine && line != typed) {
      lines.emplace(line);
    }
  }
  return lines;
}

std::string_view last_line_of(std::string_view text) {
  text = wire::trim(text.substr(0, text.find_last_of("\r\n") + 1));
  return text.substr(text.find_last_of("\r\n") + 1);
}

bool looks_like_command_line(std::string_view prompt) {
  return wire::waits_for_command(prompt) || (prompt.ends_with(']') && !wire::asks_for_login(prompt));
}

asio::awaitable<Heard> Talk::hear(milliseconds patience) {
  Heard heard;
  const auto before = channel_->spent();
  for (int reads = 0; reads < kMaximumReads && heard.text.size() < kMaximumText; ++reads) {
    const bool at_known = waits_at(wire::prompt_of(heard.text));
    const auto quiet = at_known ? std::min(kQuietAfterKnown, quiet_) : quiet_;
    auto part = co_await channel_->receive(quiet);
    heard.took = channel_->spent() - before;
    if (part) {
      auto step = parser_.feed(*part);
      heard.text += step.text;
      if (!step.replies.empty()) {
        co_await channel_->say_goodbye(std::move(step.replies));
      }
      if (heard.took >= patience) {
        break;
      }
      continue;
    }
    if (part.error().kind != ErrorKind::timed_out) {
      heard.ended = true;
      if (sessions::ends_probe(part.error().kind)) {
        heard.error = part.error();
      }
      break;
    }
    const auto prompt = wire::prompt_of(heard.text);
    if (at_known || is_settled(prompt) || wire::asks_for_key(prompt) || heard.took >= patience) {
      break;
    }
  }
  channel_->let_go();
  heard.prompt = wire::prompt_of(heard.text);
  co_return heard;
}

bool Talk::waits_for_key(const Heard& heard) const {
  return !heard.ended &&
         (wire::asks_for_key(heard.text) || keys_.contains(shape_of(heard.prompt)) || (mute_ && heard.prompt.empty()));
}

/// The key is CR, and LF only where nothing follows it: a device that takes one character would take LF for an empty
/// name.
asio::awaitable<Heard> Talk::press_key(Heard before) {
  Heard behind;
  for (const std::string_view key : {"\r", "\n"}) {
    std::string bytes{key};
    auto sent = co_await channel_->send(std::move(bytes));
    behind.ended = !sent;
    if (sent) {
      behind = co_await hear(kKeyPatience);
    }
    if (behind.ended || !behind.text.empty()) {
      break;
    }
  }
  behind.text = before.text + "\r\n" + behind.text;
  behind.took += before.took;
  co_return behind;
}

asio::awaitable<Heard> Talk::hear_past_key(milliseconds patience) {
  auto heard = co_await hear(patience);
  if (waits_for_key(heard)) {
    heard = co_await press_key(std::move(heard));
  }
  co_return heard;
}

asio::awaitable<Heard> Talk::hear_greeting(milliseconds patience) {
  auto heard = co_await hear_past_key(patience);
  if (heard.ended || !heard.prompt.empty()) {
    co_return heard;
  }
  mute_ = true;
  heard = co_await press_key(std::move(heard));
  if (wire::asks_for_password(heard.prompt)) {
    heard.prompt.clear();  // the name may have been asked for in silence, and the key was an empty one
  }
  co_return heard;
}

asio::awaitable<Result<>> Talk::type(std::string line) {
  auto bytes = wire::telnet_line(line);
  auto sent = co_await channel_->send(std::move(bytes));
  co_return sent;
}

asio::awaitable<Result<>> Talk::type_secret(const Secret& secret) {
  auto bytes = wire::telnet_line(secret.reveal());
  auto shown = "{" + secret.name() + "}";
  channel_->hold();
  auto sent = co_await channel_->send_concealed(std::move(bytes), std::move(shown));
  co_return sent;
}

asio::awaitable<std::string> prove_shell(Talk& talk, std::string prompt) {
  const auto nonce = sessions::random_word(12);
  auto sent = co_await talk.type("echo ass''ay-" + nonce);
  if (!sent) {
    co_return std::string{};
  }
  auto answer = co_await talk.hear(kProofPatience);
  if (lines_of(answer.text).contains("assay-" + nonce)) {
    co_return std::string{"a shell evaluated a random echo"};
  }
  if (answer.ended || shape_of(answer.prompt) != shape_of(prompt)) {
    co_return std::string{};
  }
  sent = co_await talk.type("");
  if (!sent) {
    co_return std::string{};
  }
  auto again = co_await talk.hear(kProofPatience);
  const bool same = !again.ended && shape_of(again.prompt) == shape_of(prompt);
  co_return same ? std::string{"a command line answered two commands with its prompt"} : std::string{};
}

asio::awaitable<bool> comes_back(Talk& talk, std::string prompt) {
  for (int round = 0; round < 2; ++round) {
    auto sent = co_await talk.type("");
    if (!sent) {
      co_return false;
    }
    auto answer = co_await talk.hear(kProofPatience);
    if (answer.ended || shape_of(answer.prompt) != shape_of(prompt)) {
      co_return false;
    }
  }
  co_return true;
}

}  // namespace assay::probes::credentials
