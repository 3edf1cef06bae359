#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "harness/model/endpoint.hpp"
#include "harness/model/json.hpp"

/// How an interface of CoAP or MQTT is used, as the DUT file describes it (docs/dut-format.md, `messages`).
namespace assay {

/// One message and its answer, or what stands for it at the bench. In `path`, `topic`, `body` and `prompt` {username},
/// {password}, {old}, {login} and {value} are filled in; a command gets them as ASSAY_USERNAME and the like.
struct MessageRecipe {
  std::string method = "POST";      // of CoAP
  std::string path;                 // of CoAP, with its query
  std::string topic;                // of MQTT: where it is published
  std::string body;                 // payload
  std::string answer;               // of MQTT: filter of the topics that an answer comes at; empty: none is waited for
  std::string expect;               // of CoAP a code such as 2.04; of MQTT what stands in the answer
  std::string exec;                 // command line in the place of a message
  std::string prompt;               // sentence for a person in the place of a message
  std::uint32_t within_ms = 30000;  // time that the two may take

  bool operator==(const MessageRecipe&) const = default;

  bool is_at_bench() const { return !exec.empty() || !prompt.empty(); }
};
BOOST_DESCRIBE_STRUCT(MessageRecipe, (), (method, path, topic, body, answer, expect, exec, prompt, within_ms))

/// A harmless setting, which needs a login: changed by a message, and shown afterwards.
struct MessageSetting {
  MessageRecipe change;  // its body holds {value}
  std::string read;      // of CoAP a path; of MQTT a topic whose retained message shows the value
  std::string value;     // that is left behind in the end

  bool operator==(const MessageSetting&) const = default;
};
BOOST_DESCRIBE_STRUCT(MessageSetting, (), (change, read, value))

struct MessageInterface {
  Endpoint port;
  std::string protocol;   // coap, mqtt
  std::string security;   // none, psk (the account is identity and key), tls (of MQTT)
  std::string set_up_as;  // role of the account that may set up a device in factory state; empty: whoever comes
  std::optional<MessageRecipe> set_up;           // sets {password} of {username}
  std::optional<MessageRecipe> change_password;  // from {old} to {password}
  std::optional<MessageSetting> setting;

  bool operator==(const MessageInterface&) const = default;
};
BOOST_DESCRIBE_STRUCT(MessageInterface, (), (port, protocol, security, set_up_as, set_up, change_password, setting))

}  // namespace assay
