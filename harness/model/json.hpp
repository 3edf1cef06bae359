#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <boost/describe.hpp>
#include <boost/json.hpp>
#include <boost/mp11/algorithm.hpp>

#include "harness/model/result.hpp"

/// JSON for every value of the model: written and read through Boost.Describe, so that a struct says its
/// members once. Reading is strict (unknown and missing members are errors with a JSON pointer); it serves
/// the files that Assay itself wrote. Files that people write are read by `harness/load`.
namespace assay {

namespace json = boost::json;

/// Canonical form: keys sorted by code unit, no white space, so that equal values have equal bytes
/// (RFC 8785 for what we use: objects, arrays, strings, booleans, null and integers).
std::string canonical(const json::value& value);

/// Parses one JSON text with bounds on depth. `where` names the source in the error.
Result<json::value> parse_json(std::string_view text, std::string_view where);

template <class T>
concept Described = boost::describe::has_describe_members<T>::value && !std::is_union_v<T>;
template <class T>
concept DescribedEnum = boost::describe::has_describe_enumerators<T>::value;

/// The enumerator's name, or the number in decimal for a value outside the enumeration.
template <DescribedEnum E>
std::string enum_name(E value) {
  const char* name = boost::describe::enum_to_string(value, nullptr);
  return name != nullptr ? std::string{name} : std::to_string(static_cast<std::int64_t>(value));
}

template <DescribedEnum E>
std::optional<E> enum_from(std::string_view name) {
  E value{};
  return boost::describe::enum_from_string(std::string{name}.c_str(), value) ? std::optional<E>{value} : std::nullopt;
}

/// A list that came with a later version of a format: a struct without it is read as one with an empty list, and an
/// empty list is not written, so that what earlier versions wrote keeps its bytes.
template <class T>
struct Later : std::vector<T> {
  using std::vector<T>::vector;
};

namespace detail {

template <class T>
struct is_vector : std::false_type {};

template <class T>
struct is_vector<std::vector<T>> : std::true_type {};

template <class T>
struct is_later : std::false_type {};

template <class T>
struct is_later<Later<T>> : std::true_type {};

template <class T>
struct is_vector<Later<T>> : std::true_type {};

template <class T>
struct is_optional : std::false_type {};

template <class T>
struct is_optional<std::optional<T>> : std::true_type {};

template <class T>
struct is_map : std::false_type {};

template <class T, class C>
struct is_map<std::map<std::string, T, C>> : std::true_type {};

Error json_error(std::string_view pointer, std::string_view expected);

}  // namespace detail

// Not inlined, nor is any member's reading: a struct of structs otherwise becomes one function that takes g++ half a
// minute.
template <class T>
[[gnu::noinline]] json::value to_json(const T& value) {
  if constexpr (std::is_same_v<T, json::value> || std::is_same_v<T, json::object> || std::is_same_v<T, json::array>) {
    return value;
  } else if constexpr (std::is_same_v<T, bool>) {
    return value;
  } else if constexpr (DescribedEnum<T>) {
    return json::string(enum_name(value));
  } else if constexpr (std::is_integral_v<T>) {
    return static_cast<std::int64_t>(value);
  } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    return json::string(std::string_view{value});
  } else if constexpr (detail::is_optional<T>::value) {
    return value ? to_json(*value) : json::value(nullptr);
  } else if constexpr (detail::is_vector<T>::value) {
    json::array out;
    out.reserve(value.size());
    for (const auto& item : value) {
      out.push_back(to_json(item));
    }
    return out;
  } else if constexpr (detail::is_map<T>::value) {
    json::object out;
    for (const auto& [key, item] : value) {
      out[key] = to_json(item);
    }
    return out;
  } else if constexpr (requires { value.json(); }) {
    return value.json();
  } else {
    static_assert(Described<T>, "describe the struct with BOOST_DESCRIBE_STRUCT");
    json::object out;
    using Members = boost::describe::describe_members<T, boost::describe::mod_public | boost::describe::mod_inherited>;
    boost::mp11::mp_for_each<Members>([&](auto member) {
      const auto& read = value.*member.pointer;
      if constexpr (detail::is_later<std::decay_t<decltype(read)>>::value) {
        if (read.empty()) {
          return;
        }
      }
      out[member.name] = to_json(read);
    });
    return out;
  }
}

template <class T>
Result<> from_json(const json::value& value, T& out, const std::string& pointer = "");

namespace detail {

template <class T>
[[gnu::noinline]] Result<> read_member(const json::object& object, const char* name, T& out,
                                       const std::string& pointer) {
  const auto place = pointer + "/" + name;
  const auto* found = object.if_contains(name);
  return found == nullptr ? json_error(place, "a member of that name") : from_json(*found, out, place);
}

}  // namespace detail

/// Reads `value` into `out`. `pointer` is the JSON pointer of `value`, used in errors.
template <class T>
[[gnu::noinline]] Result<> from_json(const json::value& value, T& out, const std::string& pointer) {
  if constexpr (std::is_same_v<T, json::value>) {
    out = value;
  } else if constexpr (std::is_same_v<T, json::object>) {
    if (!value.is_object()) {
      return detail::json_error(pointer, "an object");
    }
    out = value.get_object();
  } else if constexpr (std::is_same_v<T, json::array>) {
    if (!value.is_array()) {
      return detail::json_error(pointer, "an array");
    }
    out = value.get_array();
  } else if constexpr (std::is_same_v<T, bool>) {
    if (!value.is_bool()) {
      return detail::json_error(pointer, "true or false");
    }
    out = value.get_bool();
  } else if constexpr (DescribedEnum<T>) {
    auto found = value.is_string() ? enum_from<T>(std::string_view{value.get_string()}) : std::nullopt;
    if (!found) {
      return detail::json_error(pointer, "one of the known words");
    }
    out = *found;
  } else if constexpr (std::is_integral_v<T>) {
    boost::system::error_code failed;
    out = value.to_number<T>(failed);
    if (failed) {
      return detail::json_error(pointer, "an integer in range");
    }
  } else if constexpr (std::is_same_v<T, std::string>) {
    if (!value.is_string()) {
      return detail::json_error(pointer, "a string");
    }
    out = std::string{std::string_view{value.get_string()}};
  } else if constexpr (detail::is_optional<T>::value) {
    if (value.is_null()) {
      out.reset();
    } else {
      return from_json(value, out.emplace(), pointer);
    }
  } else if constexpr (detail::is_vector<T>::value) {
    if (!value.is_array()) {
      return detail::json_error(pointer, "an array");
    }
    out.clear();
    for (const auto& item : value.get_array()) {
      out.emplace_back();
      if (auto read = from_json(item, out.back(), pointer + "/" + std::to_string(out.size() - 1)); !read) {
        return read;
      }
    }
  } else if constexpr (detail::is_map<T>::value) {
    if (!value.is_object()) {
      return detail::json_error(pointer, "an object");
    }
    out.clear();
    for (const auto& [key, item] : value.get_object()) {
      if (auto read = from_json(item, out[std::string{std::string_view{key}}],
                                pointer + "/" + std::string{std::string_view{key}});
          !read) {
        return read;
      }
    }
  } else if constexpr (requires { out.read(value, pointer); }) {
    return out.read(value, pointer);
  } else {
    static_assert(Described<T>, "describe the struct with BOOST_DESCRIBE_STRUCT");
    if (!value.is_object()) {
      return detail::json_error(pointer, "an object");
    }
    using Members = boost::describe::describe_members<T, boost::describe::mod_public | boost::describe::mod_inherited>;
    Result<> result;
    std::size_t used = 0;
    boost::mp11::mp_for_each<Members>([&](auto member) {
      if constexpr (detail::is_later<std::decay_t<decltype(out.*member.pointer)>>::value) {
        if (!value.get_object().contains(member.name)) {
          (out.*member.pointer).clear();
          return;
        }
      }
      if (result) {
        ++used;
        result = detail::read_member(value.get_object(), member.name, out.*member.pointer, pointer);
      }
    });
    if (result && used != value.get_object().size()) {
      return detail::json_error(pointer, "no other members than those of this version");
    }
    return result;
  }
  return {};
}

}  // namespace assay

// The largest structs of the model are read and written in one unit (json_types.cpp): every other unit that meets them
// would spend seconds on the same code. For use in namespace assay, after the struct is described.
#define ASSAY_JSON_DECLARE(Type)                          \
  extern template json::value to_json<Type>(const Type&); \
  extern template Result<> from_json<Type>(const json::value&, Type&, const std::string&)
#define ASSAY_JSON_DEFINE(Type)                    \
  template json::value to_json<Type>(const Type&); \
  template Result<> from_json<Type>(const json::value&, Type&, const std::string&)
