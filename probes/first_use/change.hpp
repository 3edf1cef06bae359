#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "probes/credentials/web_user.hpp"
#include "probes/sessions/fact_sheet.hpp"

/// What the probes of the first use and of a changed password share.
namespace assay::probes::first_use {

using credentials::Door;
using credentials::Filling;
using credentials::Inside;
using credentials::Page;
using credentials::Sight;
using credentials::WebHouse;
using credentials::WebLogin;
using credentials::WebUser;

/// What a strong password is made of: letters of both cases and digits, and symbols where they are wanted.
struct Strength {
  std::size_t length = 0;
  bool symbols = false;
};

/// The strongest first: a device may take no symbols, or no more than so many characters.
std::span<const Strength> ladder();

/// `length` and `classes`, for a fact.
json::object told(const Strength& strength);

/// A password that nobody knew before, without equal characters in a row; concealed in what is kept.
Secret fresh_password(ProbeContext& context, Transcript& transcript, Strength strength, std::string name);

/// A weak password of the rules, filled in for the account.
struct Weak {
  const WeakPassword* rule = nullptr;
  Secret value;
};

std::vector<Weak> weak_passwords(const PasswordRules& rules, const std::string& username, const Secret& old);

/// Conceals those that are drawn: the device may be left with one.
void conceal_drawn(const std::vector<Weak>& weak, ProbeContext& context, Transcript& transcript);

/// What is told of one weak password; `taken` null: it is not known.
json::object told(const Weak& weak, std::optional<bool> taken);

/// What is done at the bench in the place of a message.
struct BenchStep {
  std::string exec;
  std::string prompt;
  std::uint32_t within_ms = 30000;
};

/// False: the command failed, which may tell of a device that refuses; a login shows what came of it.
asio::awaitable<Result<bool>> do_at_bench(ProbeContext& context, BenchStep step, Filling filling);

/// The answer of a device to a step of the DUT file, as a browser ends up. Of a command or a person there is no answer:
/// status 0, and 1 where it failed, which may be the device's refusal.
asio::awaitable<Result<Page>> send(ProbeContext& context, const WebHouse& house, WebUser& user,
                                   const RequestRecipe& recipe, const Filling& filling);

/// The rules that the parameter `rules` names. `bad_input` when there are none.
Result<const PasswordRules*> rules_of(const ProbeContext& context);

/// The endpoint is one that passwords may be set on: TCP, or one of `messages`.
bool has_place(const ProbeContext& context);

/// Conceals the accounts' passwords.
void conceal_accounts(ProbeContext& context, Transcript& transcript);

}  // namespace assay::probes::first_use
