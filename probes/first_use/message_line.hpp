#pragma once

#include <memory>
#include <optional>
#include <string>

#include "probes/first_use/change.hpp"

/// How messages of `messages` reach the device: by CoAP, by CoAP inside DTLS with pre-shared keys, by MQTT, in
/// clear or inside TLS.
namespace assay::probes::first_use {

/// Who sends; nobody in particular: a visitor.
struct Sender {
  bool visitor = true;
  std::string username{};
  Secret password{};
};

struct Heard {
  bool yes = false;  // the answer that the DUT file expects
  int status = 1;    // of CoAP 204 for 2.04; else 0 for yes and 1 for no
  std::string payload{};
};

class MessageLine {
 public:
  virtual ~MessageLine() = default;

  /// Sends one message of the recipe. A sender who is not let in is heard no. Errors: what ends the probe, silence.
  virtual asio::awaitable<Result<Heard>> send(Sender sender, const MessageRecipe& recipe, Filling filling) = 0;

  /// What is shown at the place of `setting.read`, until `wanted` stands in it (empty: the first). Nothing: it is not
  /// given to this sender.
  virtual asio::awaitable<Result<std::optional<std::string>>> read(Sender sender, std::string place, Filling filling,
                                                                   std::string wanted) = 0;
};

std::unique_ptr<MessageLine> make_coap_line(Door& door, bool psk);

/// What MQTT is spoken inside of.
enum class MqttInside : std::uint8_t {
  nothing,
  tls,
  psk,  // TLS with pre-shared keys: the account is identity and key
};

std::unique_ptr<MessageLine> make_mqtt_line(Door& door, MqttInside inside);

/// A code such as 2.04 fits what is expected: the same, or of the class "2.xx"; empty: of class 2.
bool coap_code_fits(std::string_view code, std::string_view expected);

}  // namespace assay::probes::first_use
