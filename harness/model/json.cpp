#include "harness/model/json.hpp"

#include <algorithm>

namespace assay {

namespace {

void write_canonical(const json::value& value, std::string& out) {
  if (const auto* object = value.if_object()) {
    std::vector<std::string_view> keys;
    keys.reserve(object->size());
    for (const auto& item : *object) {
      keys.emplace_back(item.key());
    }
    std::sort(keys.begin(), keys.end());
    out += '{';
    for (std::size_t i = 0; i < keys.size(); ++i) {
      out += i == 0 ? "" : ",";
      out += json::serialize(json::string(keys[i]));
      out += ':';
      write_canonical(object->at(keys[i]), out);
    }
    out += '}';
  } else if (const auto* array = value.if_array()) {
    out += '[';
    for (std::size_t i = 0; i < array->size(); ++i) {
      out += i == 0 ? "" : ",";
      write_canonical((*array)[i], out);
    }
    out += ']';
  } else {
    out += json::serialize(value);
  }
}

constexpr std::size_t kMaximumDepth = 64;

}  // namespace

std::string canonical(const json::value& value) {
  std::string out;
  write_canonical(value, out);
  return out;
}

Result<json::value> parse_json(std::string_view text, std::string_view where) {
  json::parse_options options;
  options.max_depth = kMaximumDepth;
  boost::system::error_code failed;
  auto value = json::parse(text, failed, {}, options);
  if (failed) {
    return Error{ErrorKind::bad_input, "not valid JSON: " + failed.message(), std::string{where}};
  }
  return value;
}

namespace detail {

Error json_error(std::string_view pointer, std::string_view expected) {
  return Error{ErrorKind::bad_input,
               "expected " + std::string{expected} + " at " + (pointer.empty() ? "the top" : std::string{pointer}),
               {}};
}

}  // namespace detail

}  // namespace assay
