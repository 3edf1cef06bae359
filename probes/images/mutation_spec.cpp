#include <algorithm>
#include <charconv>
#include <optional>

#include "probes/images/mutation.hpp"

/// Mutations as a catalogue and a command line write them.
namespace assay::images {

namespace {

constexpr std::uint64_t kMaximumAppended = std::uint64_t{64} << 20U;
constexpr int kMaximumFactor = 1'000'000;
constexpr std::size_t kMaximumVersion = 64;

Error bad(const std::string& what) {
  return {ErrorKind::bad_input, what, {}};
}

/// The one key that a kind needs besides itself; empty: none.
std::string_view key_of(MutationKind kind) {
  switch (kind) {
    case MutationKind::flip_bit:
      return "where";
    case MutationKind::resign:
      return "by";
    case MutationKind::truncate:
      return "at";
    case MutationKind::append:
      return "bytes";
    case MutationKind::lie_size:
      return "factor";
    case MutationKind::lie_version:
      return "version";
    default:
      return {};
  }
}

template <class T>
Result<> read_number(const json::value& value, std::string_view key, T low, T high, T& out) {
  boost::system::error_code failed;
  const auto number = value.to_number<T>(failed);
  if (failed || number < low || number > high) {
    return bad(std::string{key} + " of a mutation is a whole number from " + std::to_string(low) + " to " +
               std::to_string(high));
  }
  out = number;
  return {};
}

template <class E>
Result<> read_word(const json::value& value, std::string_view key, E& out) {
  const auto found = value.is_string() ? enum_from<E>(std::string_view{value.get_string()}) : std::nullopt;
  if (!found) {
    return bad(std::string{key} + " of a mutation is none of the known words");
  }
  out = *found;
  return {};
}

Result<> read_version(const json::value& value, std::string& out) {
  if (value.is_string()) {
    out = std::string{std::string_view{value.get_string()}};
  }
  const auto plain = [](char c) { return c > ' ' && c < 0x7F && c != '"' && c != '\\' && c != '\''; };
  if (!value.is_string() || out.empty() || out.size() > kMaximumVersion ||
      !std::all_of(out.begin(), out.end(), plain)) {
    return bad("version of a mutation is a text of 1 to 64 printable characters without quotes");
  }
  return {};
}

Result<> read_key(std::string_view key, const json::value& value, MutationSpec& out) {
  if (key == "where") {
    return read_word(value, key, out.where);
  }
  if (key == "by") {
    return read_word(value, key, out.by);
  }
  if (key == "tenth") {
    return read_number(value, key, 1, 10, out.tenth);
  }
  if (key == "at") {
    return read_number(value, key, 0, 99, out.at);
  }
  if (key == "bytes") {
    return read_number(value, key, std::uint64_t{1}, kMaximumAppended, out.bytes);
  }
  if (key == "factor") {
    return read_number(value, key, 2, kMaximumFactor, out.factor);
  }
  return read_version(value, out.version);
}

bool fits(MutationKind kind, std::string_view key, Where where) {
  return key == key_of(kind) || (key == "tenth" && kind == MutationKind::flip_bit && where == Where::tenth);
}

json::value number_or_text(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  return failed == std::errc{} && end == text.data() + text.size() ? json::value(number) : json::value(text);
}

}  // namespace

Result<MutationSpec> read_mutation(const json::object& object) {
  MutationSpec out;
  const auto* kind = object.if_contains("kind");
  if (kind == nullptr) {
    return bad("a mutation says its kind");
  }
  if (const auto read = read_word(*kind, "kind", out.kind); !read) {
    return read.error();
  }
  if (const auto* where = object.if_contains("where"); where != nullptr && out.kind == MutationKind::flip_bit) {
    if (const auto read = read_word(*where, "where", out.where); !read) {
      return read.error();
    }
  }
  for (const auto& [key, value] : object) {
    const std::string name{std::string_view{key}};
    if (name == "kind") {
      continue;
    }
    if (name == "repair") {
      if (!value.is_bool()) {
        return bad("repair of a mutation is true or false");
      }
      out.repair = value.get_bool();
      continue;
    }
    if (!fits(out.kind, name, out.where)) {
      return bad("a mutation " + enum_name(out.kind) + " has no \"" + name + "\"");
    }
    if (const auto read = read_key(name, value, out); !read) {
      return read.error();
    }
  }
  return out;
}

Result<MutationSpec> mutation_from_text(std::string_view text) {
  constexpr std::string_view kRepair = "+repair";
  json::object object;
  if (text.ends_with(kRepair)) {
    text.remove_suffix(kRepair.size());
    object["repair"] = true;
  }
  const auto colon = text.find(':');
  const auto kind = enum_from<MutationKind>(text.substr(0, colon));
  if (!kind) {
    return bad("there is no mutation \"" + std::string{text.substr(0, colon)} + "\"");
  }
  object["kind"] = enum_name(*kind);
  if (colon != text.npos) {
    const auto rest = text.substr(colon + 1);
    auto value = *kind == MutationKind::lie_version ? json::value(rest) : number_or_text(rest);
    const bool tenth = *kind == MutationKind::flip_bit && !value.is_string();
    if (tenth) {
      object["where"] = "tenth";
    }
    const auto key = tenth ? std::string_view{"tenth"} : key_of(*kind);
    object[key.empty() ? std::string_view{"value"} : key] = std::move(value);
  }
  return read_mutation(object);
}

std::string name_of(const MutationSpec& spec) {
  std::string out = enum_name(spec.kind);
  switch (spec.kind) {
    case MutationKind::flip_bit:
      out += ":" + (spec.where == Where::tenth ? std::to_string(spec.tenth) : enum_name(spec.where));
      break;
    case MutationKind::resign:
      out += ":" + enum_name(spec.by);
      break;
    case MutationKind::truncate:
      out += ":" + std::to_string(spec.at);
      break;
    case MutationKind::append:
      out += ":" + std::to_string(spec.bytes);
      break;
    case MutationKind::lie_size:
      out += ":" + std::to_string(spec.factor);
      break;
    case MutationKind::lie_version:
      out += ":" + spec.version;
      break;
    default:
      break;
  }
  return spec.repair ? out + "+repair" : out;
}

}  // namespace assay::images
