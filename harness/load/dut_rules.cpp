#include <algorithm>
#include <map>
#include <set>

#include "harness/load/check.hpp"
#include "harness/load/dut.hpp"
#include "harness/load/read.hpp"
#include "harness/load/words.hpp"
#include "harness/model/scope_limits.hpp"

namespace assay {

namespace {

std::vector<Network> rule_scope(const Node& root, Faults& faults) {
  std::vector<Network> out;
  for (const auto* item : one_or_more(child(root, "scope"))) {
    const auto network = parse_network(item->text);
    if (!network) {
      continue;
    }
    if (network->masked().bytes != network->bytes) {
      faults.add(item->place, shown(item->text) + " has bits behind its prefix: write " + network->masked().text());
    } else if (const auto widest = network->v6 ? kWidestPrefixV6 : kWidestPrefixV4; network->prefix < widest) {
      faults.add(item->place, shown(item->text) + " is too wide for a scope: /" + std::to_string(widest) +
                                  " is the widest; name the device's addresses");
    }
    out.push_back(*network);
  }
  return out;
}

/// Says so when `text` was seen before among `seen`.
void once(std::map<std::string, Place>& seen, const std::string& text, Place place, const std::string& what,
          Faults& faults) {
  if (text.empty()) {
    return;
  }
  const auto [first, added] = seen.emplace(text, place);
  if (!added) {
    faults.add(place, what + " " + shown(text) + " belongs to another sample already (line " +
                          std::to_string(first->second.line) + ")");
  }
}

void rule_samples_unique(const Node& root, Faults& faults) {
  std::map<std::string, std::map<std::string, Place>> seen;
  for (const auto& sample : child(root, "samples").items) {
    for (const std::string key : {"id", "serial", "mac"}) {
      if (const auto* value = find(sample, key); value != nullptr && value->is_scalar()) {
        once(seen[key], value->text, value->place, "the " + key, faults);
      }
    }
    const auto& at = child(sample, "at");
    for (std::size_t i = 0; i < at.keys.size(); ++i) {
      for (const auto* address : one_or_more(at.items[i])) {
        if (const auto parsed = parse_network(address->text)) {
          once(seen["at " + at.keys[i].text], parsed->text(), address->place, "the address", faults);
        }
      }
    }
  }
}

void rule_addresses_in_scope(const Node& root, const std::vector<Network>& scope, Faults& faults) {
  for (const auto& sample : child(root, "samples").items) {
    for (const auto& at : child(sample, "at").items) {
      for (const auto* address : one_or_more(at)) {
        const auto parsed = parse_network(address->text);
        const auto inside = [&](const Network& range) { return range.contains(*parsed); };
        if (parsed && !scope.empty() && std::none_of(scope.begin(), scope.end(), inside)) {
          faults.add(address->place, "the address " + shown(address->text) +
                                         " is outside the scope: add it to \"scope\" or correct it");
        }
      }
    }
  }
}

void rule_vantages(const Node& root, Faults& faults) {
  const auto& vantages = child(child(root, "lab"), "vantages");
  for (std::size_t i = 0; i < vantages.keys.size(); ++i) {
    const auto& name = vantages.keys[i];
    const auto& point = vantages.items[i];
    if (point.is_mapping() && text_of(point, "netns").empty() && text_of(point, "interface").empty()) {
      faults.add(name.place, "the vantage " + shown(name.text) + " is nowhere: give it \"netns\" or \"interface\"");
    }
    const auto& samples = child(root, "samples").items;
    const bool used = std::any_of(samples.begin(), samples.end(),
                                  [&](const auto& sample) { return find(child(sample, "at"), name.text) != nullptr; });
    if (!samples.empty() && !used) {
      faults.add(name.place, "no sample has an address at the vantage " + shown(name.text) + ": add it to \"at\"");
    }
  }
}

/// Only these two bring a device somewhere; `tcp` waits, and `emulate` is for `start`.
void rule_changes(const Node& root, Faults& faults) {
  for (const std::string key : {"states", "trigger"}) {
    const auto& recipes = child(child(root, "lab"), key);
    for (std::size_t i = 0; i < recipes.keys.size(); ++i) {
      const auto& recipe = recipes.items[i];
      if (find(recipe, "tcp") != nullptr || find(recipe, "emulate") != nullptr) {
        faults.add(recipes.keys[i].place,
                   "lab." + key + "." + recipes.keys[i].text + " changes the device: give it \"exec\" or \"prompt\"");
      }
      if (const auto* mark = find_mark(recipe, "closes"); mark != nullptr && key == "states") {
        faults.add(mark->place, "\"closes\" is for triggers");
      }
    }
  }
}

void rule_ics_reasons(const Node& root, Faults& faults) {
  const auto& ics = child(root, "ics");
  for (std::size_t i = 0; i < ics.keys.size(); ++i) {
    const auto support = text_of(ics.items[i], "support");
    if ((support == "N" || support == "N/A") && text_of(ics.items[i], "because").empty()) {
      faults.add(ics.keys[i].place, "ICS " + ics.keys[i].text + " = " + support + " needs a reason: add \"because\"");
    }
  }
}

void rule_standard(const Node& root, Faults& faults) {
  if (find(root, "standard") != nullptr) {
    return;
  }
  for (const std::string key : {"ics", "ixit"}) {
    if (const auto* mark = find_mark(root, key)) {
      faults.add(mark->place,
                 "\"" + key + "\" needs the edition it follows: add \"standard: TS103701@1.1.1\" or another");
      return;
    }
  }
}

void rule_ixit_ports(const Node& root, Faults& faults) {
  static constexpr Shape kEndpoint{.form = Form::text, .syntax = &kEndpointText};
  static constexpr Shape kEndpointList{.form = Form::list, .item = &kEndpoint};
  static constexpr Shape kPort{.form = Form::text, .syntax = &kEndpointText, .other = &kEndpointList};
  for (const auto& table : child(root, "ixit").items) {
    for (const auto& entry : table.items) {
      if (const auto* port = find(entry, "port"); port != nullptr && port->kind != Node::Kind::null) {
        check_shape(*port, kPort, "port", faults);
      }
    }
  }
}

void rule_inherits(const Node& root, Faults& faults) {
  for (const auto& entry : child(root, "inherits").items) {
    const auto issued = text_of(entry, "issued");
    const auto expires = text_of(entry, "expires");
    if (kDate.matches(issued) && kDate.matches(expires) && expires < issued) {
      faults.add(place_of(entry, "expires"), "the certificate expires before it is issued");
    }
  }
}

void rule_password_samples(const Node& root, Faults& faults) {
  std::set<std::string> known;
  for (const auto& sample : child(root, "samples").items) {
    known.insert(text_of(sample, "id"));
  }
  for (const auto& entry : child(root, "password_samples").items) {
    const auto name = text_of(entry, "sample");
    if (!name.empty() && !known.contains(name)) {
      faults.add(place_of(entry, "sample"), "there is no sample " + shown(name));
    }
  }
}

void rule_family(const Node& root, Faults& faults) {
  std::set<std::string> models;
  for (const auto& variant : child(root, "family").items) {
    const auto model = text_of(variant, "model");
    if (!model.empty() && !models.insert(model).second) {
      faults.add(place_of(variant, "model"), "the family has a model " + shown(model) + " already");
    }
    if (bool_of(variant, "tested", false) && !text_of(variant, "argued").empty()) {
      faults.add(place_of(variant, "argued"),
                 "the model " + shown(model) + " is tested: \"argued\" is for models that are not");
    }
  }
}

}  // namespace

void check_family_complete(const Node& root, Faults& faults) {
  const auto& variants = child(root, "family").items;
  bool tested = variants.empty();
  for (const auto& variant : variants) {
    const bool this_one = bool_of(variant, "tested", false);
    tested = tested || this_one;
    if (!this_one && text_of(variant, "argued").empty()) {
      faults.add(variant.place, "the model " + shown(text_of(variant, "model")) +
                                    " of the family is neither tested nor argued: say tested: true, or why the results "
                                    "hold for it (argued)");
    }
  }
  if (!tested) {
    faults.add(place_of(root, "family"), "no model of the family is tested: say which one is (tested: true)");
  }
}

void check_dut_rules(const Node& root, Faults& faults) {
  const auto scope = rule_scope(root, faults);
  rule_samples_unique(root, faults);
  rule_addresses_in_scope(root, scope, faults);
  rule_vantages(root, faults);
  rule_changes(root, faults);
  rule_ics_reasons(root, faults);
  rule_standard(root, faults);
  rule_ixit_ports(root, faults);
  rule_inherits(root, faults);
  rule_password_samples(root, faults);
  rule_family(root, faults);
}

}  // namespace assay
