#pragma once

#include "harness/load/faults.hpp"
#include "harness/load/yaml.hpp"
#include "harness/model/dut.hpp"

namespace assay {

/// The rules of a DUT file that go across keys; the tables have been checked before.
void check_dut_rules(const Node& root, Faults& faults);

/// Entries of `web`; the rules of its requests are checked here.
Later<WebInterface> web_interfaces_of(const Node& entries, Faults& faults);

/// Entries of `messages`; the rules of their messages are checked here.
Later<MessageInterface> message_interfaces_of(const Node& entries, Faults& faults);

/// Entries of `brokers`, whose accounts are roles of `accounts`.
Later<Broker> brokers_of(const Node& root, Faults& faults);

/// Every model of the family is tested or argued, and one is tested.
void check_family_complete(const Node& root, Faults& faults);

/// The recipe at a key, or nothing.
std::optional<Recipe> recipe_in(const Node& mapping, std::string_view key);

/// The mechanisms that take updates, each with all that its transport needs.
Later<UpdateMechanism> updates_of(const Node& root, Faults& faults);

/// Text of a secret as written: `env:NAME` and `file:PATH` (relative to `folder`) are resolved; a secret that cannot be
/// had is a fault that names it and never shows it.
Secret resolve_secret(const Node& mapping, std::string_view key, std::string name, const std::filesystem::path& folder,
                      Faults& faults);

}  // namespace assay
