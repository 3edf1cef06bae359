#include "harness/load/read.hpp"

#include <charconv>

namespace assay {

namespace {

const Node kNothing{};

constexpr std::int64_t kLargestExact = (std::int64_t{1} << 53) - 1;

}  // namespace

const Node* find(const Node& mapping, std::string_view key) {
  for (std::size_t i = 0; mapping.is_mapping() && i < mapping.keys.size(); ++i) {
    if (mapping.keys[i].text == key) {
      return &mapping.items[i];
    }
  }
  return nullptr;
}

const KeyMark* find_mark(const Node& mapping, std::string_view key) {
  for (const auto& mark : mapping.keys) {
    if (mark.text == key) {
      return &mark;
    }
  }
  return nullptr;
}

const Node& child(const Node& mapping, std::string_view key) {
  const auto* found = find(mapping, key);
  return found != nullptr && (found->is_mapping() || found->is_list()) ? *found : kNothing;
}

std::string text_of(const Node& mapping, std::string_view key, std::string_view fallback) {
  const auto* found = find(mapping, key);
  return found != nullptr && found->is_scalar() ? found->text : std::string{fallback};
}

bool bool_of(const Node& mapping, std::string_view key, bool fallback) {
  const auto* found = find(mapping, key);
  return found != nullptr && found->is_scalar() ? found->text == "true" : fallback;
}

std::optional<std::int64_t> integer_of(const Node& scalar) {
  std::int64_t number = 0;
  const std::string_view text = scalar.text;
  const auto digits = text.substr(!text.empty() && text[0] == '-' ? 1 : 0);
  // A leading zero is octal for some readers and decimal for others.
  if (!scalar.is_scalar() || scalar.quoted || digits.empty() || (digits[0] == '0' && text != "0")) {
    return std::nullopt;
  }
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc{} || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return number;
}

std::int64_t integer_of(const Node& mapping, std::string_view key, std::int64_t fallback) {
  const auto* found = find(mapping, key);
  return found != nullptr ? integer_of(*found).value_or(fallback) : fallback;
}

std::vector<const Node*> one_or_more(const Node& node) {
  std::vector<const Node*> out;
  if (node.is_scalar()) {
    out.push_back(&node);
  }
  for (std::size_t i = 0; node.is_list() && i < node.items.size(); ++i) {
    if (node.items[i].is_scalar()) {
      out.push_back(&node.items[i]);
    }
  }
  return out;
}

std::vector<std::string> texts_of(const Node& mapping, std::string_view key) {
  std::vector<std::string> out;
  for (const auto* item : one_or_more(child(mapping, key))) {
    out.push_back(item->text);
  }
  return out;
}

json::value json_of(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
      return nullptr;
    case Node::Kind::list: {
      json::array out;
      for (const auto& item : node.items) {
        out.push_back(json_of(item));
      }
      return out;
    }
    case Node::Kind::mapping: {
      json::object out;
      for (std::size_t i = 0; i < node.items.size(); ++i) {
        out[node.keys[i].text] = json_of(node.items[i]);
      }
      return out;
    }
    case Node::Kind::scalar:
      break;
  }
  if (!node.quoted && (node.text == "true" || node.text == "false")) {
    return node.text == "true";
  }
  if (const auto number = integer_of(node); number && *number >= -kLargestExact && *number <= kLargestExact) {
    return *number;
  }
  return json::string(node.text);
}

json::object object_of(const Node& mapping, std::string_view key) {
  auto value = json_of(child(mapping, key));
  return value.is_object() ? std::move(value.get_object()) : json::object{};
}

json::array array_of(const Node& mapping, std::string_view key) {
  auto value = json_of(child(mapping, key));
  return value.is_array() ? std::move(value.get_array()) : json::array{};
}

Place place_of(const Node& mapping, std::string_view key) {
  const auto* mark = find_mark(mapping, key);
  return mark != nullptr ? mark->place : mapping.place;
}

}  // namespace assay
