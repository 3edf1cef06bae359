#include "probes/first_use/change.hpp"

#include <algorithm>
#include <charconv>

#include "probes/wire/bytes.hpp"

namespace assay::probes::first_use {

namespace {

constexpr std::size_t kMostRandom = 64;
// None that a person takes for another, who may have to type it.
constexpr std::string_view kUpper = "ABCDEFGHJKLMNPQRSTUVWXYZ";
constexpr std::string_view kLower = "abcdefghijkmnopqrstuvwxyz";
constexpr std::string_view kDigits = "23456789";
constexpr std::string_view kSymbols = "-!+";
constexpr std::string_view kClasses[] = {kUpper, kLower, kDigits, kSymbols};
constexpr Strength kLadder[] = {{14, true}, {12, false}, {10, false}, {8, false}};

/// One more character by chance, not the one before again: some rules forbid that.
void add_drawn(std::string& text, std::string_view letters, char chance) {
  auto at = static_cast<unsigned char>(chance) % letters.size();
  if (!text.empty() && letters[at] == text.back()) {
    at = (at + 1) % letters.size();
  }
  text += letters[at];
}

/// Characters of these classes in turn.
std::string random_text(std::size_t length, std::span<const std::string_view> classes) {
  const auto draw = sessions::random_bytes(length);
  std::string out;
  for (std::size_t i = 0; i < length; ++i) {
    add_drawn(out, classes[i % classes.size()], draw[i]);
  }
  return out;
}

/// The first characters are of each class, so that none is missing.
std::string strong_text(Strength strength) {
  const auto all = std::string{kUpper}.append(kLower).append(kDigits);
  const std::size_t each = strength.symbols ? std::size(kClasses) : std::size(kClasses) - 1;
  const auto draw = sessions::random_bytes(strength.length);
  std::string out;
  for (std::size_t i = 0; i < strength.length; ++i) {
    add_drawn(out, i < each ? kClasses[i] : std::string_view{all}, draw[i]);
  }
  return out;
}

/// What the marks of the rules stand for.
struct Mark {
  std::string_view begins;
  std::span<const std::string_view> classes;
};

constexpr Mark kMarks[] = {{"{random:", kClasses}, {"{digits:", {&kClasses[2], 1}}, {"{lower:", {&kClasses[1], 1}}};

bool is_drawn(const WeakPassword& rule) {
  return std::any_of(std::begin(kMarks), std::end(kMarks),
                     [&](const auto& mark) { return rule.value.find(mark.begins) != std::string::npos; });
}

void draw_marked(std::string& text, const Mark& mark) {
  const auto at = text.find(mark.begins);
  if (at == std::string::npos) {
    return;
  }
  const auto end = text.find('}', at);
  std::size_t length = 0;
  std::from_chars(text.data() + at + mark.begins.size(), text.data() + std::min(end, text.size()), length);
  text.replace(at, end == std::string::npos ? end : end + 1 - at,
               random_text(std::min(length, kMostRandom), mark.classes));
}

void replace_all(std::string& text, std::string_view mark, std::string_view with) {
  for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + with.size())) {
    text.replace(at, mark.size(), with);
  }
}

std::string filled(std::string text, const std::string& username, const Secret& old) {
  for (const auto& mark : kMarks) {
    draw_marked(text, mark);
  }
  replace_all(text, "{username}", username);
  replace_all(text, "{old}", old.reveal());
  return text;
}

}  // namespace

std::span<const Strength> ladder() {
  return kLadder;
}

json::object told(const Strength& strength) {
  json::array classes{"upper case", "lower case", "digits"};
  if (strength.symbols) {
    classes.emplace_back("others");
  }
  return {{"length", static_cast<std::int64_t>(strength.length)}, {"classes", std::move(classes)}};
}

Secret fresh_password(ProbeContext& context, Transcript& transcript, Strength strength, std::string name) {
  Secret out{strong_text(strength), std::move(name)};
  context.record.conceal(out);
  transcript.conceal(out);
  return out;
}

std::vector<Weak> weak_passwords(const PasswordRules& rules, const std::string& username, const Secret& old) {
  std::vector<Weak> out;
  for (const auto& rule : rules.weak) {
    // A set-up knows no value before.
    if (rule.kind == "previous" && old.empty()) {
      continue;
    }
    out.push_back({&rule, Secret{filled(rule.value, username, old), "weak password of the kind " + rule.kind}});
  }
  return out;
}

void conceal_drawn(const std::vector<Weak>& weak, ProbeContext& context, Transcript& transcript) {
  for (const auto& one : weak) {
    if (is_drawn(*one.rule)) {
      context.record.conceal(one.value);
      transcript.conceal(one.value);
    }
  }
}

json::object told(const Weak& weak, std::optional<bool> taken) {
  json::object out{{"kind", weak.rule->kind}, {"source", weak.rule->source}, {"confidence", weak.rule->confidence}};
  out["length"] = std::ssize(weak.value.reveal());
  if (!weak.rule->schemes.empty()) {
    json::array schemes;
    for (const auto& scheme : weak.rule->schemes) {
      schemes.emplace_back(json::string(scheme));
    }
    out["schemes"] = std::move(schemes);
  }
  out["taken"] = taken ? json::value(*taken) : json::value(nullptr);
  return out;
}

asio::awaitable<Result<bool>> do_at_bench(ProbeContext& context, BenchStep step, Filling filling) {
  Recipe recipe;
  recipe.within_ms = step.within_ms;
  if (!step.exec.empty()) {
    recipe.exec = step.exec;
  } else {
    auto sentence = step.prompt;
    replace_all(sentence, "{username}", filling.username);
    replace_all(sentence, "{old}", filling.old.reveal());
    replace_all(sentence, "{password}", filling.password.reveal());
    recipe.prompt = std::move(sentence);
  }
  RecipeUse use;
  use.purpose = "password";
  use.environment["ASSAY_USERNAME"] = filling.username;
  use.secrets["ASSAY_PASSWORD"] = filling.password;
  use.secrets["ASSAY_OLD"] = filling.old;
  auto done = co_await context.bench.run(recipe, use);
  if (!done && done.error().kind != ErrorKind::io) {
    co_return done.error();
  }
  co_return done.has_value();
}

asio::awaitable<Result<Page>> send(ProbeContext& context, const WebHouse& house, WebUser& user,
                                   const RequestRecipe& recipe, const Filling& filling) {
  if (recipe.is_at_bench()) {
    BenchStep step{recipe.exec, recipe.prompt, recipe.within_ms};
    auto done = co_await do_at_bench(context, std::move(step), filling);
    if (!done) {
      co_return done.error();
    }
    Page page;
    page.response.status = *done ? 0 : 1;
    co_return page;
  }
  auto prepared = co_await credentials::prepare(house.door, house.login, user, recipe, filling);
  if (!prepared) {
    co_return prepared.error();
  }
  Page page;
  page.place = prepared->request.path.substr(0, prepared->request.path.find('?'));
  auto first = co_await user.fetch(std::move(prepared->request));
  if (!first) {
    co_return first.error();
  }
  auto last = co_await user.session().follow(std::move(*first), page.place);
  if (!last) {
    co_return last.error();
  }
  page.response = std::move(*last);
  co_return page;
}

Result<const PasswordRules*> rules_of(const ProbeContext& context) {
  const auto* value = context.parameters.if_contains("rules");
  const std::string id{value != nullptr && value->is_string() ? std::string_view{value->get_string()} : ""};
  const auto* rules = context.library.password_rules(id);
  if (rules == nullptr) {
    return Error{ErrorKind::bad_input, "the library has no password rules " + wire::printable(id, 64), {}};
  }
  return rules;
}

bool has_place(const ProbeContext& context) {
  const auto& messages = context.dut.messages;
  return context.endpoint && (context.endpoint->transport == Transport::tcp ||
                              std::any_of(messages.begin(), messages.end(),
                                          [&](const auto& entry) { return entry.port == *context.endpoint; }));
}

void conceal_accounts(ProbeContext& context, Transcript& transcript) {
  for (const auto& account : context.dut.accounts) {
    if (!account.secret.empty()) {
      context.record.conceal(account.secret);
      transcript.conceal(account.secret);
    }
  }
}

}  // namespace assay::probes::first_use
