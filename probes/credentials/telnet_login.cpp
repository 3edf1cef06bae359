#include <algorithm>
#include <set>

#include "probes/credentials/dialects.hpp"
#include "probes/credentials/fresh_login.hpp"
#include "probes/credentials/telnet_talk.hpp"
#include "probes/wire/banner.hpp"
#include "probes/wire/bytes.hpp"

namespace assay::probes::credentials {

namespace telnet {

namespace {

constexpr milliseconds kPatience{8000};  // BusyBox answers a wrong login after three seconds
constexpr int kCutsThatRefuse = 2;

/// Who logs in, and what for.
struct Entry {
  std::string username;
  Secret password;
  bool control = false;  // a pair that cannot exist
  bool counter = false;  // another password of an account that may just have been let in
};

/// What the dialogue came to before it is judged.
struct Asked {
  std::string prompt;         // that the password was typed at; empty: at none
  bool name_echoed = false;   // what is typed can be seen
  bool typed_hidden = false;  // and the password could not
};

/// A prompt is understood by what controls showed, not by its last character: they are asked for a name and a password
/// again and again. A command is typed only at a prompt that no control was shown and that is none of the dialogue.
class TelnetLogin final : public Dialect {
 public:
  /// `secret_alone`: the device asks for a password and no name.
  TelnetLogin(Door& door, bool secret_alone) : door_(door), secret_alone_(secret_alone) {}

  std::string_view name() const override { return "telnet"; }

  bool clear() const override { return true; }

  bool names_accounts() const override { return !secret_alone_; }

  bool is_for_people() const override { return true; }

  bool told_apart(const std::string& username) const override { return told_apart_.contains(username); }

  void start_afresh() override { talk_.reset(); }

  std::unique_ptr<Dialect> beside(Door& other) const override {
    auto copy = std::make_unique<TelnetLogin>(other, secret_alone_);
    copy->first_prompt_ = first_prompt_;
    copy->greeting_ = greeting_;
    copy->prompts_ = prompts_;
    copy->secret_prompts_ = secret_prompts_;
    copy->refusals_ = refusals_;
    copy->keys_ = keys_;
    copy->cuts_ = cuts_;
    copy->slowest_refusal_ = slowest_refusal_;
    return copy;
  }

  asio::awaitable<Attempt> attempt(std::string username, Secret password) override {
    Entry entry{std::move(username), std::move(password)};
    auto attempted = co_await dialogue(std::move(entry));
    co_return attempted;
  }

  asio::awaitable<Attempt> attempt_control(std::string username, Secret password) override {
    Entry entry{std::move(username), std::move(password), true};
    auto attempted = co_await dialogue(std::move(entry));
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
    talk_ = std::make_unique<Talk>(std::move(*opened), door_.timers.quiet, prompts_, keys_);
    auto greeting = co_await talk_->hear_greeting(kPatience);
    arrived.ended = greeting.error;
    arrived.says = greeting.text.substr(0, 512);
    arrived.must_change = wire::demands_new_password(greeting.prompt);
    if (greeting.prompt.empty() || wire::asks_for_password(greeting.prompt) != secret_alone_ || arrived.must_change) {
      // Closed without a prompt is how many servers say that too many connections came. A name is never typed where a
      // password is asked for: it would be a wrong one that nobody counted, and nothing where a new one is.
      arrived.sent = 0;
      arrived.outcome = greeting.ended && greeting.text.empty() ? Outcome::lost : Outcome::unclear;
      talk_.reset();
      co_return arrived;
    }
    first_prompt_ = greeting.prompt;
    greeting_.merge(shapes_of(greeting.text));
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

  asio::awaitable<Attempt> dialogue(Entry entry) {
    const bool kept = talk_ != nullptr;
    auto attempted = co_await arrive();
    if (attempted.outcome != Outcome::accepted) {
      co_return attempted;
    }
    Asked asked;
    asked.prompt = first_prompt_;
    if (!secret_alone_) {
      auto heard = co_await give_name(entry.username);
      if (kept && heard.ended && heard.text.empty() && !heard.error) {
        // The server had hung up since the last login: this one has not begun.
        talk_.reset();
        attempted = co_await arrive();
        if (attempted.outcome != Outcome::accepted) {
          co_return attempted;
        }
        heard = co_await give_name(entry.username);
      }
      if (entry.control && shows_key(heard, entry.username)) {
        keys_.insert(shape_of(first_prompt_));
        talk_.reset();
        attempted = co_await arrive();
        if (attempted.outcome != Outcome::accepted) {
          co_return attempted;
        }
        heard = co_await give_name(entry.username);
      }
      if (!heard.ended && wire::demands_new_password(heard.prompt)) {
        // Whatever is typed there may become the password.
        attempted.outcome = Outcome::unclear;
        attempted.must_change = true;
        attempted.says = heard.text.substr(0, 512);
        talk_.reset();
        co_return attempted;
      }
      asked.name_echoed = heard.text.find(entry.username) != std::string::npos;
      asked.prompt = heard.prompt;
      if (heard.ended || !asks_for_secret(heard.prompt, entry)) {
        // No password was asked: the name alone was refused, or the name alone was enough.
        asked.prompt.clear();
        attempted = co_await judge(std::move(heard), std::move(asked), std::move(entry));
        attempted.without_password = attempted.outcome == Outcome::accepted;
        co_return attempted;
      }
    }
    auto sent = co_await talk_->type_secret(entry.password);
    Heard heard;
    heard.ended = !sent;
    if (sent) {
      const auto patience = std::max(kPatience, 3 * slowest_refusal_);
      heard = co_await talk_->hear_past_key(patience);
    }
    asked.typed_hidden = asked.name_echoed && heard.text.find(entry.password.reveal()) == std::string::npos;
    attempted = co_await judge(std::move(heard), std::move(asked), std::move(entry));
    co_return attempted;
  }

  /// Whether the first prompt waited for a key, in whatever words: only behind it a name is asked for, and got what was
  /// left of ours, or nothing.
  bool shows_key(const Heard& heard, const std::string& username) const {
    if (wire::asks_for_login(first_prompt_) || keys_.contains(shape_of(first_prompt_))) {
      return false;
    }
    const auto asks_name = [](std::string_view text) {
      return wire::asks_for_login(text) && !wire::asks_for_password(text);
    };
    const auto rest = std::string_view{username}.substr(1);
    const auto lines = lines_of(heard.text);
    return asks_name(heard.prompt) || std::any_of(lines.begin(), lines.end(), [&](std::string_view line) {
             return line.ends_with(rest) && asks_name(wire::trim(line.substr(0, line.size() - rest.size())));
           });
  }

  /// Whether the prompt behind the name asks for a password. Controls type theirs at all that is not plainly a shell; a
  /// candidate does so where they did, and at what is no command line.
  bool asks_for_secret(const std::string& prompt, const Entry& entry) const {
    if (prompt.empty() || same(prompt, first_prompt_, entry.username)) {
      return false;
    }
    if (wire::asks_for_password(prompt) || is_in(secret_prompts_, prompt, entry.username)) {
      return true;
    }
    return !looks_like_command_line(prompt) || (entry.control && prompt.ends_with('>'));
  }

  asio::awaitable<Attempt> judge(Heard heard, Asked asked, Entry entry) {
    Attempt attempted;
    attempted.took = heard.took;
    attempted.says = heard.text.substr(0, 512);
    attempted.ended = heard.error;
    const bool asks = !heard.prompt.empty();  // it may have hung up right after
    const bool waits = asks && !heard.ended;
    const bool at_start = asks && same(heard.prompt, first_prompt_, entry.username);
    const bool back = at_start || (asks && same(heard.prompt, asked.prompt, entry.username));
    if (waits && !at_start && demands_change(heard, asked, entry)) {
      attempted = co_await prove_demand(std::move(attempted), entry);
      talk_.reset();
      co_return attempted;
    }
    const bool new_prompt = waits && is_new(heard, asked, entry, back);
    if (new_prompt && looks_like_command_line(heard.prompt)) {
      attempted.proof = co_await prove_shell(*talk_, heard.prompt);
    } else if (new_prompt && !entry.control && !asked.prompt.empty()) {
      attempted = co_await prove_menu(std::move(attempted), heard.prompt, entry);
    }
    if (!attempted.proof.empty()) {
      attempted.outcome = Outcome::accepted;
      talk_.reset();
      co_return attempted;
    }
    const bool known = waits && is_in(prompts_, heard.prompt, entry.username);
    bool refused = back ? refuses_again(at_start, asked, entry) : known || (!new_prompt && says_refusal(heard, entry));
    if (entry.control && !back && !refused && !attempted.ended) {
      refused = co_await goes_back(heard);
    }
    attempted.outcome = refused ? Outcome::rejected : Outcome::unclear;
    if (entry.control && refused) {
      learn(heard, asked, entry);
    }
    if (heard.ended || !at_start || new_prompt) {
      talk_.reset();
    }
    co_return attempted;
  }

  /// A prompt that nobody was shown who was refused, where what is typed cannot be a password.
  bool is_new(const Heard& heard, const Asked& asked, const Entry& entry, bool back) const {
    if (wire::asks_for_password(heard.prompt) || is_in(prompts_, heard.prompt, entry.username)) {
      return false;
    }
    if (entry.control && back) {
      // Any name stands before a command line, if what was typed there could be seen and was answered by it.
      return asked.name_echoed && !asked.prompt.empty() && !asked.typed_hidden &&
             !same(heard.prompt, first_prompt_, entry.username);
    }
    return !back && (!entry.control || !wire::asks_for_login(heard.prompt));
  }

  /// Whether a prompt of the dialogue that comes back is a refusal.
  bool refuses_again(bool at_start, const Asked& asked, const Entry& entry) const {
    if (asked.prompt.empty()) {
      return wire::asks_for_login(first_prompt_) || prompts_.contains(shape_of(first_prompt_));
    }
    const bool known = is_in(secret_prompts_, asked.prompt, entry.username);
    return at_start || known || wire::asks_for_password(asked.prompt) || (entry.control && asked.typed_hidden);
  }

  /// A menu asks for a choice as others ask for a password. It counts where two empty lines bring it again, and another
  /// password of the same account does not get there.
  asio::awaitable<Attempt> prove_menu(Attempt attempted, const std::string& prompt, const Entry& entry) {
    const bool again = co_await comes_back(*talk_, prompt);
    if (!again) {
      co_return attempted;
    }
    if (!entry.counter) {
      attempted = co_await try_another(std::move(attempted), entry);
    }
    if (entry.counter || told_apart_.contains(entry.username)) {
      attempted.proof = "a menu answered twice that neither random logins nor another password of the name reach";
    }
    co_return attempted;
  }

  /// Devices speak otherwise to names that they know: whether another password of the name is refused, for a permit.
  asio::awaitable<Attempt> try_another(Attempt attempted, const Entry& entry) {
    if (told_apart_.contains(entry.username)) {
      co_return attempted;
    }
    auto permitted = co_await door_.network.permit_login(door_.endpoint, entry.username);
    if (!permitted) {
      attempted.says = "an answer that is not known to be one to the password: no wrong login is left to tell";
      if (permitted.error().kind != ErrorKind::denied) {
        attempted.ended = permitted.error();
      }
      co_return attempted;
    }
    Entry other{entry.username, Secret{sessions::random_word(14), "random password"}, false, true};
    talk_.reset();
    auto wrong = co_await dialogue(std::move(other));
    attempted.sent += wrong.sent;
    attempted.ended = wrong.ended;
    if (wrong.outcome == Outcome::rejected) {
      told_apart_.insert(entry.username);
    }
    co_return attempted;
  }

  /// A new password is asked for: by the words of the prompt, of the line before it, or of any line that is none of a
  /// refusal where a password is asked for. A shell or a menu that comes with such words has let somebody in already.
  bool demands_change(const Heard& heard, const Asked& asked, const Entry& entry) const {
    const bool back = same(heard.prompt, asked.prompt, entry.username);
    if (back ? entry.control : is_in(prompts_, heard.prompt, entry.username)) {
      return false;
    }
    if (!back && wire::demands_new_password(heard.prompt)) {
      return true;
    }
    if (looks_like_command_line(heard.prompt)) {
      return false;
    }
    if (!wire::asks_for_password(heard.prompt)) {
      return wire::demands_new_password(last_line_of(heard.text));
    }
    const auto lines = shapes_of(heard.text, entry);
    return std::any_of(lines.begin(), lines.end(), [&](const auto& line) {
      return !refusals_.contains(line) && !greeting_.contains(line) && wire::demands_new_password(line);
    });
  }

  /// Nothing is typed, so what was demanded is shown by who is asked for it: not random names, and not another password
  /// of the name. A control that is asked shows that everybody is.
  asio::awaitable<Attempt> prove_demand(Attempt attempted, const Entry& entry) {
    attempted.must_change = true;
    if (!entry.control && !entry.counter) {
      attempted = co_await try_another(std::move(attempted), entry);
      if (told_apart_.contains(entry.username)) {
        attempted.outcome = Outcome::accepted;
        attempted.proof = "a new password is demanded, of neither random logins nor another password of the name";
      }
    }
    co_return attempted;
  }

  /// Of a control that no known prompt answered: the end, a question for a login in other words, or a message that an
  /// empty line leads back from.
  asio::awaitable<bool> goes_back(const Heard& heard) {
    if (heard.ended || wire::asks_for_login(heard.prompt)) {
      co_return true;
    }
    if (heard.prompt.empty() || looks_like_command_line(heard.prompt)) {
      co_return false;
    }
    auto sent = co_await talk_->type("");
    if (!sent) {
      co_return false;
    }
    auto answer = co_await talk_->hear(kPatience);
    co_return answer.ended || shape_of(answer.prompt) == shape_of(first_prompt_);
  }

  void learn(const Heard& heard, const Asked& asked, const Entry& entry) {
    prompts_.insert(shape_of(first_prompt_));
    for (const auto& prompt : {asked.prompt, heard.prompt}) {
      if (!prompt.empty()) {
        prompts_.insert(shape_of(prompt, entry.username));
      }
    }
    if (!asked.prompt.empty()) {
      secret_prompts_.insert(shape_of(asked.prompt, entry.username));
    }
    slowest_refusal_ = std::max(slowest_refusal_, heard.took);
    cuts_ += heard.ended && heard.text.empty() ? 1 : 0;
    for (const auto& line : shapes_of(heard.text, entry)) {
      if (!greeting_.contains(line)) {
        refusals_.insert(line);
      }
    }
  }

  /// By a line that refusals have and the greeting has not. Where nothing is asked, what no refusal said leaves it
  /// open, unless it is said of a lock.
  bool says_refusal(const Heard& heard, const Entry& entry) const {
    if (heard.ended && cuts_ >= kCutsThatRefuse) {
      return true;
    }
    const auto lines = shapes_of(heard.text, entry);
    const auto known = [&](const auto& line) { return refusals_.contains(line); };
    const auto heard_before = [&](const auto& line) { return known(line) || greeting_.contains(line); };
    return std::any_of(lines.begin(), lines.end(), known) &&
           (heard.ended || says_locked(heard.text) || std::all_of(lines.begin(), lines.end(), heard_before));
  }

  static std::set<std::string> shapes_of(std::string_view text) {
    std::set<std::string> shapes;
    for (const auto& line : lines_of(text)) {
      shapes.insert(shape_of(line));
    }
    return shapes;
  }

  static std::set<std::string> shapes_of(std::string_view text, const Entry& entry) {
    std::set<std::string> shapes;
    for (const auto& line : lines_of(text, entry.password.reveal())) {
      if (line != entry.username) {
        shapes.insert(shape_of(line, entry.username));
      }
    }
    return shapes;
  }

  static bool same(const std::string& one, const std::string& other, const std::string& name) {
    return shape_of(one) == shape_of(other) || shape_of(one, name) == shape_of(other, name);
  }

  static bool is_in(const std::set<std::string>& shapes, const std::string& prompt, const std::string& name) {
    return shapes.contains(shape_of(prompt)) || shapes.contains(shape_of(prompt, name));
  }

  Door& door_;
  bool secret_alone_;
  std::unique_ptr<Talk> talk_;
  std::string first_prompt_;
  std::set<std::string> greeting_;        // lines before any login, as all that follows by their shapes
  std::set<std::string> prompts_;         // at which random logins were seen to wait
  std::set<std::string> secret_prompts_;  // those of them that a password was typed at
  std::set<std::string> refusals_;        // lines that came after wrong logins
  std::set<std::string> keys_;            // prompts that wait for a key, in words that are not known
  std::set<std::string> told_apart_;      // names of which another password was seen to be refused
  int cuts_ = 0;                          // wrong logins that were answered by nothing but the end of the connection
  milliseconds slowest_refusal_{0};
};

}  // namespace

}  // namespace telnet

asio::awaitable<Result<Detection>> detect_telnet(Door& door) {
  auto opened = co_await sessions::open_channel(door.network, door.endpoint, door.transcript);
  if (!opened) {
    co_return opened.error();
  }
  Talk talk{std::move(*opened), door.timers.quiet, {}};
  auto greeting = co_await talk.hear_greeting(telnet::kPatience);
  if (greeting.error) {
    co_return *greeting.error;
  }
  Detection found;
  if (looks_like_command_line(greeting.prompt)) {
    found.open_proof = co_await prove_shell(talk, greeting.prompt);
    found.open = !found.open_proof.empty();
  }
  found.dialect = std::make_unique<telnet::TelnetLogin>(door, wire::asks_for_password(greeting.prompt));
  co_return found;
}

}  // namespace assay::probes::credentials
