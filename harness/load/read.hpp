#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/load/yaml.hpp"
#include "harness/model/json.hpp"

/// Tree -> values. Everything here is lenient: what is missing or of the wrong kind gives the fallback, because the
/// check has already said so and the other rules still run.
namespace assay {

const Node* find(const Node& mapping, std::string_view key);
const KeyMark* find_mark(const Node& mapping, std::string_view key);

/// The item under `key` when it is a mapping or a list, else an empty node.
const Node& child(const Node& mapping, std::string_view key);

std::string text_of(const Node& mapping, std::string_view key, std::string_view fallback = {});
bool bool_of(const Node& mapping, std::string_view key, bool fallback);
std::optional<std::int64_t> integer_of(const Node& scalar);
std::int64_t integer_of(const Node& mapping, std::string_view key, std::int64_t fallback);
std::vector<std::string> texts_of(const Node& mapping, std::string_view key);

/// A list's scalars, or the one scalar.
std::vector<const Node*> one_or_more(const Node& node);

template <DescribedEnum E>
E word_of(const Node& mapping, std::string_view key, E fallback) {
  return enum_from<E>(text_of(mapping, key)).value_or(fallback);
}

/// true, false, integers and null as such, everything else as text as written: "2.10" keeps its zero. Integers beyond
/// 2^53 become text.
json::value json_of(const Node& node);
json::object object_of(const Node& mapping, std::string_view key);
json::array array_of(const Node& mapping, std::string_view key);

/// Where the mapping or one of its keys is, for faults.
Place place_of(const Node& mapping, std::string_view key);

}  // namespace assay
