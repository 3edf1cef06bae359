#include <algorithm>
#include <set>

#include "probes/credentials/dialect.hpp"
#include "probes/wire/banner.hpp"
#include "probes/wire/bytes.hpp"
#include "probes/wire/telnet.hpp"

namespace assay::probes::credentials {

namespace {

constexpr milliseconds kPatience{8000};       // BusyBox answers a wrong login after three seconds
constexpr milliseconds kProofPatience{4000};  // a shell at work answers at once
constexpr milliseconds kQuietAfterKnown{30};  // old login programs throw away what is typed right after their prompt
constexpr std::size_t kMaximumText = 64U << 10U;
constexpr int kMaximumReads = 2048;
constexpr std::size_t kShortestLine = 4;
constexpr std::size_t kMaximumLines = 32;
constexpr int kCutsThatRefuse = 2;

/// What the device said in one turn.
struct Heard {
  std::string text;
  std::string prompt;  // empty: none came
  bool ended = false;
  milliseconds took{0};
  std::optional<Error> error;  // one that ends the probe
};

/// A prompt as login programs and shells end theirs. Others may be a message in the making ("Checking...").
bool is_settled(std::string_view prompt) {
  return !prompt.empty() && std::string_view{":#$>%?]"}.find(prompt.back()) != std::string_view::npos;
}

std::set<std::string> lines_of(std::string_view text) {
  std::set<std::string> lines;
  while (!text.empty() && lines.size() < kMaximumLines) {
    const auto end = text.find_first_of("\r\n");
    const auto line = wire::trim(text.substr(0, end));
    const bool whole = end != std::string_view::npos;
    text = whole ? text.substr(end + 1) : std::string_view{};
    if (whole && line.size() >= kShortestLine) {
      lines.emplace(line);
    }
  }
  return lines;
}

/// One telnet connection seen as turns: a line is typed, the device speaks until it waits. At the prompts `known`,
/// which it was seen to wait at before, a short silence shows that.
class Talk {
 public:
  Talk(std::unique_ptr<sessions::Channel> channel, milliseconds quiet, std::set<std::string> known)
      : channel_(std::move(channel)), quiet_(quiet), known_(std::move(known)) {}

  asio::awaitable<Heard> hear(milliseconds patience) {
    Heard heard;
    const auto before = channel_->spent();
    for (int reads = 0; reads < kMaximumReads && heard.text.size() < kMaximumText; ++reads) {
      const bool at_known = known_.contains(wire::prompt_of(heard.text));
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
      if (at_known || is_settled(wire::prompt_of(heard.text)) || heard.took >= patience) {
        break;
      }
    }
    heard.prompt = wire::prompt_of(heard.text);
    co_return heard;
  }

  asio::awaitable<Result<>> type(std::string line) {
    auto bytes = wire::telnet_line(line);
    auto sent = co_await channel_->send(std::move(bytes));
    co_return sent;
  }

  asio::awaitable<Result<>> type_secret(const Secret& secret) {
    auto bytes = wire::telnet_line(secret.reveal());
    auto shown = "{" + secret.name() + "}";
    auto sent = co_await channel_->send_concealed(std::move(bytes), std::move(shown));
    co_return sent;
  }

 private:
  std::unique_ptr<sessions::Channel> channel_;
  milliseconds quiet_;
  std::set<std::string> known_;
  wire::TelnetParser parser_;
};

/// Shows that a command line listens at this prompt: a shell evaluates a word that only it could have put together,
/// or the same prompt comes back after two commands. Empty when neither was seen. What a login dialogue prints,
/// prompt characters included, is not enough.
asio::awaitable<std::string> prove_shell(Talk& talk, std::string prompt) {
  if (prompt.empty() || wire::asks_for_input(prompt)) {
    co_return std::string{};
  }
  const auto nonce = sessions::random_word(12);
  auto sent = co_await talk.type("echo ass''ay-" + nonce);
  if (!sent) {
    co_return std::string{};
  }
  auto answer = co_await talk.hear(kProofPatience);
  if (lines_of(answer.text).contains("assay-" + nonce)) {
    co_return std::string{"a shell evaluated a random echo"};
  }
  if (answer.prompt != prompt || answer.ended) {
    co_return std::string{};
  }
  sent = co_await talk.type("");
  if (!sent) {
    co_return std::string{};
  }
  auto again = co_await talk.hear(kProofPatience);
  co_return again.prompt == prompt && !again.ended ? std::string{"a command line answered two commands with its prompt"}
                                                   : std::string{};
}

class TelnetLogin final : public Dialect {
 public:
  explicit TelnetLogin(Door& door) : door_(door) {}

  std::string_view name() const override { return "telnet"; }

  bool clear() const override { return true; }

  void start_afresh() override { talk_.reset(); }

  std::unique_ptr<Dialect> beside(Door& other) const override {
    auto copy = std::make_unique<TelnetLogin>(other);
    copy->first_prompt_ = first_prompt_;
    copy->prompts_ = prompts_;
    copy->refusals_ = refusals_;
    copy->cuts_ = cuts_;
    copy->slowest_refusal_ = slowest_refusal_;
    return copy;
  }

  asio::awaitable<Attempt> attempt(std::string username, Secret password) override {
    auto attempted = co_await dialogue(std::move(username), std::move(password), false);
    co_return attempted;
  }

  asio::awaitable<Attempt> attempt_control(std::string username, Secret password) override {
    auto attempted = co_await dialogue(std::move(username), std::move(password), true);
    co_return attempted;
  }

 private:
  /// A connection that stands at its first prompt.
  asio::awaitable<Attempt> arrive() {
    Attempt arrived;
    if (talk_) {
      arrived.outcome = Outcome::accepted;
      co_return arrived;
    }
    auto opened = co_await sessions::open_channel(door_.network, door_.endpoint, door_.transcript);
    if (!opened) {
      arrived.outcome = Outcome::lost;
      arrived.sent = 0;
      arrived.says = opened.error().what;
      if (sessions::ends_probe(opened.error().kind)) {
        arrived.ended = opened.error();
      }
      co_return arrived;
    }
    talk_ = std::make_unique<Talk>(std::move(*opened), door_.timers.quiet, prompts_);
    auto greeting = co_await talk_->hear(kPatience);
    arrived.ended = greeting.error;
    arrived.says = greeting.text.substr(0, 512);
    if (greeting.prompt.empty()) {
      // Closed without a prompt is how many servers say that too many connections came.
      arrived.sent = 0;
      arrived.outcome = greeting.ended && greeting.text.empty() ? Outcome::lost : Outcome::unclear;
      talk_.reset();
      co_return arrived;
    }
    first_prompt_ = greeting.prompt;
    arrived.outcome = Outcome::accepted;
    co_return arrived;
  }

  asio::awaitable<Heard> give_name(const std::string& username) {
    Heard heard;
    auto sent = co_await talk_->type(username);
    heard.ended = !sent;
    if (sent) {
      heard = co_await talk_->hear(kPatience);
    }
    co_return heard;
  }

  asio::awaitable<Attempt> dialogue(std::string username, Secret password, bool control) {
    const bool kept = talk_ != nullptr;
    auto attempted = co_await arrive();
    if (attempted.outcome != Outcome::accepted) {
      co_return attempted;
    }
    attempted = Attempt{};
    const bool password_only = wire::contains_ignoring_case(first_prompt_, "passw");
    auto asked = first_prompt_;
    if (!password_only) {
      auto heard = co_await give_name(username);
      if (kept && heard.ended && heard.text.empty() && !heard.error) {
        // The server had hung up since the last login: this one has not begun.
        talk_.reset();
        attempted = co_await arrive();
        if (attempted.outcome != Outcome::accepted) {
          co_return attempted;
        }
        attempted = Attempt{};
        heard = co_await give_name(username);
      }
      const bool asks = wire::asks_for_input(heard.prompt) && heard.prompt != first_prompt_;
      if (!asks || heard.ended) {
        // No password was asked: the name alone was refused, or the name alone was enough.
        attempted = co_await judge(std::move(heard), std::string(), control);
        co_return attempted;
      }
      asked = heard.prompt;
    }
    auto sent = co_await talk_->type_secret(password);
    Heard heard;
    heard.ended = !sent;
    if (sent) {
      const auto patience = std::max(kPatience, 3 * slowest_refusal_);
      heard = co_await talk_->hear(patience);
    }
    attempted = co_await judge(std::move(heard), asked, control);
    co_return attempted;
  }

  asio::awaitable<Attempt> judge(Heard heard, std::string asked, bool control) {
    Attempt attempted;
    attempted.took = heard.took;
    attempted.says = heard.text.substr(0, 512);
    attempted.ended = heard.error;
    const bool back = heard.prompt == first_prompt_ || (!asked.empty() && heard.prompt == asked);
    const bool command_line = !heard.ended && !heard.prompt.empty() && !back && !wire::asks_for_input(heard.prompt);
    if (command_line) {
      attempted.proof = co_await prove_shell(*talk_, heard.prompt);
    }
    if (!attempted.proof.empty()) {
      attempted.outcome = Outcome::accepted;
      talk_.reset();
      co_return attempted;
    }
    const bool refused = back || says_refusal(heard.text) || (heard.ended && cuts_ >= kCutsThatRefuse) ||
                         (control && (heard.ended || wire::asks_for_input(heard.prompt)));
    attempted.outcome = refused ? Outcome::rejected : Outcome::unclear;
    if (control && refused) {
      learn(heard, asked);
    }
    if (heard.ended || command_line || heard.prompt != first_prompt_) {
      talk_.reset();
    }
    co_return attempted;
  }

  void learn(const Heard& heard, const std::string& asked) {
    prompts_.insert(first_prompt_);
    prompts_.insert(asked.empty() ? first_prompt_ : asked);
    slowest_refusal_ = std::max(slowest_refusal_, heard.took);
    cuts_ += heard.ended && heard.text.empty() ? 1 : 0;
    refusals_.merge(lines_of(heard.text));
  }

  bool says_refusal(std::string_view text) const {
    const auto lines = lines_of(text);
    return std::any_of(lines.begin(), lines.end(), [&](const auto& line) { return refusals_.contains(line); });
  }

  Door& door_;
  std::unique_ptr<Talk> talk_;
  std::string first_prompt_;
  std::set<std::string> prompts_;   // at which random logins were seen to wait
  std::set<std::string> refusals_;  // lines that came after wrong logins
  int cuts_ = 0;                    // wrong logins that were answered by nothing but the end of the connection
  milliseconds slowest_refusal_{0};
};

}  // namespace

std::unique_ptr<Dialect> make_telnet(Door& door) {
  return std::make_unique<TelnetLogin>(door);
}

asio::awaitable<Result<std::string>> find_open_shell(Door& door) {
  auto opened = co_await sessions::open_channel(door.network, door.endpoint, door.transcript);
  if (!opened) {
    co_return opened.error();
  }
  Talk talk{std::move(*opened), door.timers.quiet, {}};
  auto greeting = co_await talk.hear(kPatience);
  if (greeting.error) {
    co_return *greeting.error;
  }
  auto proof = co_await prove_shell(talk, greeting.prompt);
  co_return proof;
}

}  // namespace assay::probes::credentials
