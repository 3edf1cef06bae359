#include <algorithm>

#include "harness/load/by_port.hpp"
#include "harness/load/check.hpp"
#include "harness/load/dut.hpp"
#include "harness/load/read.hpp"
#include "harness/load/syntax.hpp"

/// `messages` and `brokers` of dut/1.
namespace assay {

namespace {

bool is_code(std::string_view text) {
  const auto digit = [&](std::size_t at) { return text[at] >= '0' && text[at] <= '9'; };
  return text.size() == 4 && digit(0) && text[1] == '.' && ((digit(2) && digit(3)) || text.substr(2) == "xx");
}

void rule_json(const Node& node, const std::string& body, Faults& faults) {
  if (!body.starts_with('{') || body.starts_with("{value}") || body.starts_with("{password}")) {
    return;
  }
  boost::system::error_code failed;
  json::parse(body, failed);
  if (failed) {
    faults.add(place_of(node, "body"), "the body begins as JSON and is none");
  }
}

/// Keys of the other protocol are slips that nothing else would show.
void rule_protocol(const Node& node, const MessageRecipe& recipe, bool coap, Faults& faults) {
  if (coap && (!recipe.topic.empty() || !recipe.answer.empty())) {
    faults.add(node.place, "a message of CoAP has a \"path\", not \"topic\" and \"answer\"");
  } else if (!coap && (!recipe.path.empty() || find(node, "method") != nullptr)) {
    faults.add(node.place, "a message of MQTT has a \"topic\", not \"path\" and \"method\"");
  } else if (coap ? !recipe.path.starts_with('/') : recipe.topic.empty()) {
    faults.add(node.place, coap ? "a message of CoAP needs a \"path\", which begins with /"
                                : "a message of MQTT needs a \"topic\"");
  } else if (recipe.topic.find_first_of("+#") != std::string::npos) {
    faults.add(place_of(node, "topic"), "what is published has a topic without wildcards");
  } else if (coap && !recipe.expect.empty() && !is_code(recipe.expect)) {
    faults.add(place_of(node, "expect"), "a code of CoAP is written as 2.04, or 2.xx for the class");
  } else if (!coap && !recipe.expect.empty() && recipe.answer.empty()) {
    faults.add(place_of(node, "expect"), "of MQTT nothing is expected without an \"answer\" to look at");
  }
}

MessageRecipe message_of(const Node& node, bool coap, Faults& faults) {
  MessageRecipe out;
  out.method = text_of(node, "method", "POST");
  out.path = text_of(node, "path");
  out.topic = text_of(node, "topic");
  out.body = text_of(node, "body");
  out.answer = text_of(node, "answer");
  out.expect = text_of(node, "expect");
  out.exec = text_of(node, "exec");
  out.prompt = text_of(node, "prompt");
  out.within_ms = parse_duration(text_of(node, "within")).value_or(out.within_ms);
  if (out.is_at_bench()) {
    const bool several = (!out.exec.empty() && !out.prompt.empty()) || !out.path.empty() || !out.topic.empty();
    if (several) {
      faults.add(node.place, "a step is one of a message (path or topic), \"exec\" and \"prompt\"");
    }
    return out;
  }
  rule_protocol(node, out, coap, faults);
  rule_json(node, out.body, faults);
  return out;
}

/// The message under a key, if it is there; `mark` has to stand in what is sent.
std::optional<MessageRecipe> message_under(const Node& node, std::string_view key, std::string_view mark, bool coap,
                                           Faults& faults) {
  const auto* found = find(node, key);
  if (found == nullptr) {
    return std::nullopt;
  }
  auto out = message_of(*found, coap, faults);
  // A command gets everything in its environment.
  const auto& text = out.prompt.empty() ? out.body : out.prompt;
  if (out.exec.empty() && text.find(mark) == std::string::npos) {
    faults.add(place_of(*found, out.prompt.empty() ? "body" : "prompt"), "the text holds " + std::string{mark});
  }
  return out;
}

void rule_port(const Node& node, const MessageInterface& entry, Faults& faults) {
  const bool coap = entry.protocol == "coap";
  if (entry.port.transport != (coap ? Transport::udp : Transport::tcp)) {
    faults.add(place_of(node, "port"), coap ? "an interface of CoAP needs a UDP endpoint such as udp/5683"
                                            : "an interface of MQTT needs a TCP endpoint such as tcp/1883");
  }
  if (coap && entry.security == "tls") {
    faults.add(place_of(node, "security"), "of CoAP the security is none or psk");
  }
}

MessageInterface message_interface_of(const Node& node, Faults& faults) {
  MessageInterface out;
  const auto place = Endpoint::parse(text_of(node, "port"));
  out.port = place ? *place : Endpoint{};
  out.protocol = text_of(node, "protocol");
  out.security = text_of(node, "security", "none");
  out.set_up_as = text_of(node, "set_up_as");
  rule_port(node, out, faults);
  const bool coap = out.protocol == "coap";
  out.set_up = message_under(node, "set_up", "{password}", coap, faults);
  out.change_password = message_under(node, "change_password", "{password}", coap, faults);
  if (auto change = message_under(node, "setting", "{value}", coap, faults)) {
    const auto& setting = child(node, "setting");
    out.setting = MessageSetting{std::move(*change), text_of(setting, "read"), text_of(setting, "value")};
    if (coap && !out.setting->read.starts_with('/')) {
      faults.add(place_of(setting, "read"), "a path begins with /");
    }
  }
  return out;
}

Broker broker_of(const Node& node, Faults& faults) {
  const auto place = Endpoint::parse(text_of(node, "port"));
  Broker out{place ? *place : Endpoint{}, text_of(node, "client_id"), text_of(node, "account")};
  if (out.port.transport != Transport::tcp) {
    faults.add(place_of(node, "port"), "a broker needs a TCP endpoint such as tcp/1883");
  }
  return out;
}

}  // namespace

Later<Broker> brokers_of(const Node& root, Faults& faults) {
  const auto& entries = child(root, "brokers");
  auto out = one_for_each_port<Broker>(entries, faults, &broker_of);
  const auto& accounts = child(root, "accounts").items;
  for (const auto& node : entries.items) {
    const auto role = text_of(node, "account");
    const bool known = std::any_of(accounts.begin(), accounts.end(),
                                   [&](const auto& account) { return text_of(account, "role") == role; });
    if (!role.empty() && !known) {
      faults.add(place_of(node, "account"), "no entry of \"accounts\" has this role");
    }
  }
  return out;
}

Later<MessageInterface> message_interfaces_of(const Node& entries, Faults& faults) {
  return one_for_each_port<MessageInterface>(entries, faults, &message_interface_of);
}

}  // namespace assay
