#include "probes/first_use/change.hpp"

#include <algorithm>
#include <charconv>

#include "probes/wire/bytes.hpp"

namespace assay::probes::first_use {

const std::string_view kStrong = "Vq7-mTz4pKw2!";
const std::string_view kStronger = "Nd5!xRb9-hGc8";

namespace {

constexpr std::size_t kMostRandom = 64;

/// Characters of chance with all classes among them, none twice in a row.
std::string random_text(std::size_t length) {
  constexpr std::string_view kClasses[] = {"ABCDEFGHJKLMNPQRSTUVWXYZ", "abcdefghijkmnopqrstuvwxyz", "23456789", "-!+"};
  const auto draw = sessions::random_bytes(length);
  std::string out;
  for (std::size_t i = 0; i < length; ++i) {
    const auto& letters = kClasses[i % std::size(kClasses)];
    auto at = static_cast<unsigned char>(draw[i]) % letters.size();
    out += letters[at];
  }
  return out;
}

void replace_all(std::string& text, std::string_view mark, std::string_view with) {
  for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + with.size())) {
    text.replace(at, mark.size(), with);
  }
}

std::string filled(std::string text, const std::string& username, const Secret& old) {
  constexpr std::string_view kRandom = "{random:";
  if (const auto at = text.find(kRandom); at != std::string::npos) {
    const auto end = text.find('}', at);
    std::size_t length = 0;
    std::from_chars(text.data() + at + kRandom.size(), text.data() + std::min(end, text.size()), length);
    text.replace(at, end == std::string::npos ? end : end + 1 - at, random_text(std::min(length, kMostRandom)));
  }
  replace_all(text, "{username}", username);
  replace_all(text, "{old}", old.reveal());
  return text;
}

}  // namespace

Secret strong_password() {
  return Secret{std::string{kStrong}, "first password of the probe"};
}

Secret stronger_password() {
  return Secret{std::string{kStronger}, "second password of the probe"};
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

json::object told(const Weak& weak, std::optional<bool> taken) {
  json::object out{{"kind", weak.rule->kind}, {"source", weak.rule->source}, {"confidence", weak.rule->confidence}};
  out["length"] = std::ssize(weak.value.reveal());
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

void conceal_all(ProbeContext& context, Transcript& transcript) {
  const auto conceal = [&](const Secret& secret) {
    if (!secret.empty()) {
      context.record.conceal(secret);
      transcript.conceal(secret);
    }
  };
  for (const auto& account : context.dut.accounts) {
    conceal(account.secret);
  }
  conceal(strong_password());
  conceal(stronger_password());
}

}  // namespace assay::probes::first_use
