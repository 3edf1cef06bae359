#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "harness/model/endpoint.hpp"
#include "harness/model/json.hpp"

namespace assay {

/// A way to bring the device somewhere or make it act. Exactly one member is set; none means: ask a person.
struct Recipe {
  std::optional<std::string> exec;     // command line, run by /bin/sh in the DUT file's folder
  std::optional<Endpoint> tcp;         // ready when this port accepts
  std::optional<std::string> prompt;   // a sentence for the person at the bench
  std::optional<std::string> emulate;  // name of an emulated device
  std::uint32_t within_ms = 30000;     // time it may take
  Later<Endpoint> closes;              // of a trigger: ports that have to be shut once it was pulled

  bool operator==(const Recipe&) const = default;
};
BOOST_DESCRIBE_STRUCT(Recipe, (), (exec, tcp, prompt, emulate, within_ms, closes))

}  // namespace assay
