#include "harness/load/check.hpp"

#include <algorithm>
#include <charconv>

#include "harness/load/read.hpp"
#include "harness/load/words.hpp"
#include "harness/model/joined.hpp"

namespace assay {

namespace {

std::string what_is(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
      return "nothing";
    case Node::Kind::list:
      return "a list";
    case Node::Kind::mapping:
      return "a mapping";
    case Node::Kind::scalar:
      break;
  }
  return shown(node.text);
}

std::string must_be(std::string_view name, const Shape& shape, const std::string& found) {
  return shown(name) + " must be " + form_in_words(shape) + ", not " + found;
}

bool check_scalar(const Node& node, const Shape& shape, std::string_view name, Faults& faults) {
  if (node.is_scalar()) {
    return true;
  }
  faults.add(node.place, must_be(name, shape, what_is(node)));
  return false;
}

/// Text in the wide sense: not empty where it must not be, and nothing that other readers take for a boolean.
bool check_plain_text(const Node& node, const Shape& shape, std::string_view name, Faults& faults) {
  if (node.kind == Node::Kind::null && shape.form == Form::secret) {
    faults.add(node.place, shown(name) + " has no value: write \"\" for an empty one");
    return false;
  }
  if (!check_scalar(node, shape, name, faults)) {
    return false;
  }
  if (!node.quoted && looks_boolean(node.text)) {
    faults.add(
        node.place,
        shown(name) + " must be text: put quotes around it, because some readers take this word for " + "a boolean");
    return false;
  }
  if (node.text.empty() && !shape.may_be_empty) {
    faults.add(node.place, shown(name) + " must not be empty");
    return false;
  }
  return true;
}

void check_text(const Node& node, const Shape& shape, std::string_view name, Faults& faults) {
  if (check_plain_text(node, shape, name, faults) && shape.syntax != nullptr && !shape.syntax->matches(node.text)) {
    faults.add(node.place, must_be(name, shape, shown(node.text)));
  }
}

void check_word(const Node& node, const Shape& shape, std::string_view name, Faults& faults) {
  if (!check_scalar(node, shape, name, faults) ||
      std::find(shape.words.begin(), shape.words.end(), node.text) != shape.words.end()) {
    return;
  }
  const auto near = nearest(node.text, shape.words);
  faults.add(node.place, must_be(name, shape, shown(node.text)) +
                             (near.empty() ? "" : "; did you mean \"" + std::string{near} + "\"?"));
}

void check_boolean(const Node& node, const Shape& shape, std::string_view name, Faults& faults) {
  if (!check_scalar(node, shape, name, faults)) {
    return;
  }
  if (node.quoted && (node.text == "true" || node.text == "false")) {
    faults.add(node.place, shown(name) + " must be true or false, without quotes");
  } else if (node.text != "true" && node.text != "false") {
    faults.add(node.place, must_be(name, shape, shown(node.text)));
  }
}

void check_integer(const Node& node, const Shape& shape, std::string_view name, Faults& faults) {
  if (!check_scalar(node, shape, name, faults)) {
    return;
  }
  const auto number = integer_of(node);
  if (!number || *number < shape.least || *number > shape.most) {
    faults.add(node.place, must_be(name, shape, shown(node.text) + (node.quoted ? " in quotes" : "")));
  }
}

void check_list(const Node& node, const Shape& shape, std::string_view name, Faults& faults) {
  if (!node.is_list()) {
    faults.add(node.place, must_be(name, shape, what_is(node)));
    return;
  }
  if (node.items.empty() && !shape.may_be_empty) {
    faults.add(node.place, shown(name) + " must have at least one entry");
  }
  for (const auto& item : node.items) {
    check_shape(item, *shape.item, name, faults);
  }
}

void check_map_key(const KeyMark& key, const Shape& shape, std::string_view name, Faults& faults) {
  if (shape.syntax != nullptr && !shape.syntax->matches(key.text)) {
    faults.add(key.place, "a key of " + shown(name) + " must be " + std::string{shape.syntax->expected} + ", not " +
                              shown(key.text));
  }
  if (!shape.words.empty() && std::find(shape.words.begin(), shape.words.end(), key.text) == shape.words.end()) {
    const auto near = nearest(key.text, shape.words);
    faults.add(key.place, "a key of " + shown(name) + " must be one of " + joined(shape.words) + ", not " +
                              shown(key.text) + (near.empty() ? "" : "; did you mean \"" + std::string{near} + "\"?"));
  }
}

void check_map(const Node& node, const Shape& shape, std::string_view name, Faults& faults) {
  if (!node.is_mapping()) {
    faults.add(node.place, must_be(name, shape, what_is(node)));
    return;
  }
  if (node.items.empty() && !shape.may_be_empty) {
    faults.add(node.place, shown(name) + " must have at least one entry");
  }
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    check_map_key(node.keys[i], shape, name, faults);
    check_shape(node.items[i], *shape.item, node.keys[i].text, faults);
  }
}

/// Values that are kept as JSON: whatever they are, a word that readers disagree on must be settled.
void check_free(const Node& node, Faults& faults) {
  if (node.is_scalar() && !node.quoted && looks_boolean(node.text) && node.text != "true" && node.text != "false") {
    faults.add(node.place, shown(node.text) + " is a boolean for some readers and text for others: write true or " +
                               "false, or put quotes around it");
  }
  for (const auto& item : node.items) {
    check_free(item, faults);
  }
}

/// Which of two allowed forms the writer meant: by whether it is a list, a mapping or a scalar.
const Shape& meant(const Node& node, const Shape& shape) {
  const auto fits = [&](Form form) {
    return (form == Form::list && node.is_list()) ||
           ((form == Form::mapping || form == Form::map) && node.is_mapping());
  };
  const bool scalar_form =
      shape.other != nullptr && (shape.other->form == Form::text || shape.other->form == Form::word);
  if (shape.other != nullptr && (fits(shape.other->form) || (scalar_form && node.is_scalar()))) {
    return *shape.other;
  }
  return shape;
}

void check_exactly_one(const Node& node, const Table& table, Faults& faults) {
  if (table.exactly_one.empty()) {
    return;
  }
  std::vector<const KeyMark*> given;
  for (const auto& key : node.keys) {
    if (std::find(table.exactly_one.begin(), table.exactly_one.end(), key.text) != table.exactly_one.end()) {
      given.push_back(&key);
    }
  }
  if (given.empty()) {
    faults.add(node.place, std::string{table.name} + " needs one of the keys " + joined(table.exactly_one));
  }
  for (std::size_t i = 1; i < given.size(); ++i) {
    faults.add(given[i]->place, std::string{table.name} + " has \"" + given[0]->text +
                                    "\" already: write only one of " + joined(table.exactly_one));
  }
}

}  // namespace

void check_shape(const Node& node, const Shape& given, std::string_view name, Faults& faults) {
  const auto& shape = meant(node, given);
  // A wrong value is told about both forms, a fitting one is held to its own.
  const auto& said = &shape == given.other ? shape : given;
  switch (shape.form) {
    case Form::text:
    case Form::jq:
      return check_text(node, said, name, faults);
    case Form::secret:
      check_plain_text(node, said, name, faults);
      return;
    case Form::word:
      return check_word(node, said, name, faults);
    case Form::boolean:
      return check_boolean(node, said, name, faults);
    case Form::integer:
      return check_integer(node, said, name, faults);
    case Form::free:
      return check_free(node, faults);
    case Form::list:
      return check_list(node, said, name, faults);
    case Form::map:
      return check_map(node, said, name, faults);
    case Form::mapping:
      if (!node.is_mapping()) {
        faults.add(node.place, must_be(name, given, what_is(node)));
      } else if (shape.table == nullptr) {
        check_free(node, faults);
      } else {
        check_table(node, *shape.table, faults);
      }
  }
}

void check_table(const Node& node, const Table& table, Faults& faults) {
  if (!node.is_mapping()) {
    faults.add(node.place, std::string{table.name} + " must be a mapping, not " + what_is(node));
    return;
  }
  std::vector<std::string> known;
  for (const auto& key : table.keys) {
    known.emplace_back(key.name);
    if (key.required && find(node, key.name) == nullptr) {
      faults.add(node.place, std::string{table.name} + " lacks the key \"" + std::string{key.name} + "\" (" +
                                 std::string{key.meaning} + ")");
    }
  }
  for (std::size_t i = 0; i < node.keys.size(); ++i) {
    const auto& mark = node.keys[i];
    if (const auto* key = find_key(table, mark.text); key != nullptr) {
      check_shape(node.items[i], *key->shape, key->name, faults);
    } else {
      faults.add(mark.place,
                 "unknown key " + shown(mark.text) + " in " + std::string{table.name} + suggestion(mark.text, known));
    }
  }
  check_exactly_one(node, table, faults);
}

const FileKind* check_kind(const Node& root, Faults& faults) {
  if (!root.is_mapping()) {
    faults.add(root.place, "the file must be a mapping that begins with \"assay:\", not " + what_is(root));
    return nullptr;
  }
  const auto* tag = find(root, "assay");
  std::vector<std::string> known;
  for (const auto& kind : file_kinds()) {
    known.emplace_back(kind.tag);
  }
  if (tag == nullptr || !tag->is_scalar()) {
    faults.add(tag == nullptr ? root.place : tag->place,
               "the file does not say what it is: begin with \"assay: dut/1\" or another kind" + suggestion("", known));
    return nullptr;
  }
  const auto* kind = find_file_kind(tag->text);
  if (kind == nullptr) {
    faults.add(tag->place, "this build does not read " + shown(tag->text) + suggestion(tag->text, known));
  }
  return kind;
}

bool check_file(const Node& root, std::string_view tag, Faults& faults) {
  const auto* kind = check_kind(root, faults);
  if (kind == nullptr) {
    return false;
  }
  if (kind->tag != tag) {
    faults.add(find(root, "assay")->place,
               "expected a file of kind \"" + std::string{tag} + "\", not " + shown(kind->tag));
    return false;
  }
  check_table(root, *kind->table, faults);
  return true;
}

}  // namespace assay
