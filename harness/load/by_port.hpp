#pragma once

#include <algorithm>
#include <utility>

#include "harness/load/faults.hpp"
#include "harness/load/read.hpp"
#include "harness/load/yaml.hpp"
#include "harness/model/json.hpp"

namespace assay {

/// Entries of a list of the DUT file that describe one endpoint each; a second one of the same endpoint is a fault.
template <class Entry>
Later<Entry> one_for_each_port(const Node& entries, Faults& faults, Entry (*read)(const Node&, Faults&)) {
  Later<Entry> out;
  for (const auto& node : entries.items) {
    auto entry = read(node, faults);
    if (std::any_of(out.begin(), out.end(), [&](const auto& other) { return other.port == entry.port; })) {
      faults.add(place_of(node, "port"), "one endpoint has one entry here");
    }
    out.push_back(std::move(entry));
  }
  return out;
}

}  // namespace assay
