#include "harness/load/load.hpp"
#include "harness/load/tables.hpp"

/// Key tables -> JSON Schema 2020-12.
namespace assay {

namespace {

json::array texts(std::span<const std::string_view> words) {
  json::array out;
  for (const auto word : words) {
    out.push_back(json::string(word));
  }
  return out;
}

json::object schema_of(const Table& table);
json::object schema_of(const Shape& shape);

/// An unquoted 2.4 is text here and a number for other readers, so both are allowed where text is.
json::object schema_of_text(const Shape& shape) {
  json::object out{{"type", {"string", "number"}}};
  if (shape.syntax != nullptr) {
    out["pattern"] = shape.syntax->pattern;
  } else if (!shape.may_be_empty) {
    out["minLength"] = 1;
  }
  return out;
}

json::object schema_of_map(const Shape& shape) {
  json::object out{{"type", "object"}};
  if (shape.syntax != nullptr) {
    out["propertyNames"] = json::object{{"pattern", shape.syntax->pattern}};
  } else if (!shape.words.empty()) {
    out["propertyNames"] = json::object{{"enum", texts(shape.words)}};
  }
  out["additionalProperties"] = schema_of(*shape.item);
  if (!shape.may_be_empty) {
    out["minProperties"] = 1;
  }
  return out;
}

json::object schema_of_one(const Shape& shape) {
  switch (shape.form) {
    case Form::text:
    case Form::secret:
      return schema_of_text(shape);
    case Form::jq:
      return {{"type", "string"}, {"minLength", 1}};
    case Form::word:
      return {{"enum", texts(shape.words)}};
    case Form::boolean:
      return {{"type", "boolean"}};
    case Form::integer:
      return {{"type", "integer"}, {"minimum", shape.least}, {"maximum", shape.most}};
    case Form::free:
      return {};
    case Form::mapping:
      return shape.table != nullptr ? schema_of(*shape.table) : json::object{{"type", "object"}};
    case Form::list: {
      json::object out{{"type", "array"}, {"items", schema_of(*shape.item)}};
      if (!shape.may_be_empty) {
        out["minItems"] = 1;
      }
      return out;
    }
    case Form::map:
      return schema_of_map(shape);
  }
  return {};
}

json::object schema_of(const Shape& shape) {
  if (shape.other == nullptr) {
    return schema_of_one(shape);
  }
  return {{"anyOf", {schema_of_one(shape), schema_of_one(*shape.other)}}};
}

/// The default as a value, where it is one and not a description.
std::optional<json::value> default_of(const Key& key) {
  if (key.fallback.empty() || key.shape->other != nullptr) {
    return std::nullopt;
  }
  if (key.shape->form == Form::word && key.fallback.find(' ') == std::string_view::npos) {
    return json::value(key.fallback);
  }
  if (key.shape->form == Form::boolean) {
    return json::value(key.fallback == "true");
  }
  return std::nullopt;
}

json::object schema_of(const Table& table) {
  json::object out{{"type", "object"}, {"description", table.meaning}};
  json::array required;
  json::object properties;
  for (const auto& key : table.keys) {
    auto property = schema_of(*key.shape);
    property["description"] = key.meaning;
    if (auto fallback = default_of(key)) {
      property["default"] = std::move(*fallback);
    }
    if (key.required) {
      required.push_back(json::string(key.name));
    }
    properties[key.name] = std::move(property);
  }
  out["properties"] = std::move(properties);
  out["required"] = std::move(required);
  out["additionalProperties"] = false;
  if (!table.exactly_one.empty()) {
    json::array ways;
    for (const auto key : table.exactly_one) {
      ways.push_back(json::object{{"required", json::array{json::string(key)}}});
    }
    out["oneOf"] = std::move(ways);
  }
  return out;
}

/// Two spaces a level, members in the order of the tables: these files are read and compared by people.
void print(const json::value& value, std::string& out, std::size_t indent) {
  const auto line = [&](std::size_t extra) { out += "\n" + std::string(indent + extra, ' '); };
  if (const auto* object = value.if_object(); object != nullptr && !object->empty()) {
    out += '{';
    bool first = true;
    for (const auto& [key, item] : *object) {
      out += first ? "" : ",";
      first = false;
      line(2);
      out += json::serialize(json::string(key)) + ": ";
      print(item, out, indent + 2);
    }
    line(0);
    out += '}';
  } else if (const auto* array = value.if_array(); array != nullptr && !array->empty() && !array->front().is_string()) {
    out += '[';
    for (std::size_t i = 0; i < array->size(); ++i) {
      out += i == 0 ? "" : ",";
      line(2);
      print((*array)[i], out, indent + 2);
    }
    line(0);
    out += ']';
  } else {
    out += json::serialize(value);
  }
}

}  // namespace

std::map<std::string, std::string> schemas() {
  std::map<std::string, std::string> out;
  for (const auto& kind : file_kinds()) {
    if (kind.schema.empty()) {
      continue;
    }
    json::object schema{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                        {"$id", "urn:assay:schema:" + std::string{kind.tag}},
                        {"title", kind.tag}};
    for (auto& [key, value] : schema_of(*kind.table)) {
      schema[key] = std::move(value);
    }
    std::string text;
    print(schema, text, 0);
    out[std::string{kind.schema} + ".schema.json"] = text + "\n";
  }
  return out;
}

}  // namespace assay
