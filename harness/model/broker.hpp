#pragma once

#include <string>

#include "harness/model/endpoint.hpp"
#include "harness/model/json.hpp"

namespace assay {

/// What an MQTT broker of the device wants to know of a client, which nothing on the wire says: it refuses a wrong id
/// of the client in the words that a wrong password gets.
struct Broker {
  Endpoint port;
  std::string client_id;  // with {random} and {username}; empty: any
  std::string account;    // role of an account that it takes; empty: not said

  bool operator==(const Broker&) const = default;
};
BOOST_DESCRIBE_STRUCT(Broker, (), (port, client_id, account))

}  // namespace assay
