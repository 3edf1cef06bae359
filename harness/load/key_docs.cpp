#include "harness/load/key_docs.hpp"

#include <algorithm>
#include <vector>

namespace assay {

namespace {

std::string cell(std::string_view text) {
  std::string out;
  for (const char letter : text) {
    out += letter == '|' ? "\\|" : std::string(1, letter);
  }
  return out;
}

std::string code(std::string_view text) {
  return text.empty() ? "" : "`" + cell(text) + "`";
}

/// Tables reached from a shape, in the order of their keys.
void collect(const Shape& shape, std::vector<const Table*>& found) {
  if (shape.table != nullptr && std::find(found.begin(), found.end(), shape.table) == found.end()) {
    found.push_back(shape.table);
    for (const auto& key : shape.table->keys) {
      collect(*key.shape, found);
    }
  }
  if (shape.item != nullptr) {
    collect(*shape.item, found);
  }
}

std::string kind_in_words(const Shape& shape);

std::string inner_kind(const Shape& item) {
  return item.table != nullptr ? std::string{item.table->name} : kind_in_words(item);
}

std::string one_kind(const Shape& shape) {
  if (shape.form == Form::list) {
    return "list of " + inner_kind(*shape.item);
  }
  if (shape.form == Form::map) {
    return "name → " + inner_kind(*shape.item);
  }
  if (shape.form == Form::mapping) {
    return shape.table != nullptr ? std::string{shape.table->name} : "mapping, any keys";
  }
  if (shape.form == Form::text && shape.syntax != nullptr) {
    return std::string{shape.syntax->name};
  }
  Shape alone = shape;
  alone.other = nullptr;
  return form_in_words(alone);
}

std::string kind_in_words(const Shape& shape) {
  const auto out = one_kind(shape);
  return shape.other != nullptr ? out + ", or " + one_kind(*shape.other) : out;
}

void write(const Table& table, bool top, std::string& out) {
  if (!top) {
    out += "\n**" + std::string{table.name} + "**: " + std::string{table.meaning} + ".\n\n";
  }
  out += "| key | kind | default | meaning | example |\n|---|---|---|---|---|\n";
  for (const auto& key : table.keys) {
    out += "| " + code(key.name) + " | " + cell(kind_in_words(*key.shape)) + " | " +
           (key.required ? "**required**" : code(key.fallback)) + " | " + cell(key.meaning) + " | " +
           code(key.example) + " |\n";
  }
}

}  // namespace

std::string key_docs(const Table& table) {
  std::vector<const Table*> nested;
  for (const auto& key : table.keys) {
    collect(*key.shape, nested);
  }
  std::string out;
  write(table, true, out);
  for (const auto* inner : nested) {
    write(*inner, false, out);
  }
  return out;
}

}  // namespace assay
