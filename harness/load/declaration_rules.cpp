#include <algorithm>
#include <cctype>

#include "harness/expr/document.hpp"
#include "harness/expr/expr.hpp"
#include "harness/load/declaration.hpp"
#include "harness/load/parts.hpp"
#include "harness/load/read.hpp"
#include "harness/load/words.hpp"

namespace assay {

namespace {

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_';
}

/// Puts `to` for every `from` that stands alone.
void rename_in(std::string& text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + 1)) {
    const auto end = at + from.size();
    if ((at == 0 || !is_word(text[at - 1])) && (end == text.size() || !is_word(text[end]))) {
      text.replace(at, from.size(), to);
      at += to.size() - 1;
    }
  }
}

std::string text_in(const json::value& item, std::string_view key) {
  const auto* object = item.if_object();
  const auto* value = object == nullptr ? nullptr : object->if_contains(key);
  return value != nullptr && value->is_string() ? std::string{value->get_string()} : std::string{};
}

/// The checks of a method, those of `checks_from` first and with this method's names; an own one with the same id
/// stands for it.
std::vector<Node> checks_of(const LibraryFile& method, const Library& library) {
  std::vector<Node> out;
  const auto& own = child(method.root(), "checks").items;
  if (const auto* from = library.find("method/1", text_of(method.root(), "checks_from")); from != nullptr) {
    out = child(from->root(), "checks").items;
    for (auto& check : out) {
      rename_tables(check, method);
    }
    std::erase_if(out, [&](const Node& inherited) {
      return std::any_of(own.begin(), own.end(),
                         [&](const Node& check) { return text_of(check, "id") == text_of(inherited, "id"); });
    });
  }
  out.insert(out.end(), own.begin(), own.end());
  return out;
}

class Consistency {
 public:
  Consistency(const Node& root, const LibraryFile& method, const Library& library, Faults& faults)
      : root_(root), method_(method), library_(library), faults_(faults) {
    read_declaration(root, dut_);
    Programs unchecked;
    if (auto* standard = library.find("standard/1", text_of(method.root(), "standard")); standard != nullptr) {
      standard_ = read_standard(*standard, nullptr, unchecked);
    }
    names_.ics_names = standard_.short_ids;
    names_.ixit_tables = ixit_tables_of(&method, library);
    document_ = declaration_document(names_, dut_, "");
  }

  void check() {
    check_claims();
    const auto checks = checks_of(method_, library_);
    std::vector<Evaluation> evaluations;
    for (const auto& check : checks) {
      evaluations.push_back(
          {text_of(check, "fault"), method_.id + " " + text_of(check, "id"), json::object{}, &document_});
    }
    const auto evaluated = evaluate(evaluations);
    for (std::size_t i = 0; i < evaluated.size(); ++i) {
      for (const auto& item : evaluated[i].items) {
        add(item);
      }
      if (!evaluated[i].error.empty()) {
        faults_.add(ErrorKind::bad_input,
                    "the check " + evaluations[i].where + " ended in an error: " + evaluated[i].error);
      }
    }
  }

 private:
  /// N on a mandatory provision, N/A where no condition allows it or where the IXIT shows that the condition holds.
  void check_claims() {
    std::vector<Evaluation> evaluations;
    std::vector<const Provision*> asked;
    for (const auto& provision : standard_.provisions) {
      const auto id = short_id(provision.id);
      const auto claim = dut_.ics.find(id);
      if (claim == dut_.ics.end()) {
        continue;
      }
      const bool mandatory = provision.modality == Modality::shall;
      if (claim->second.support == Support::no && mandatory) {
        fault_at_provision(id, "ICS " + id + " = N: the provision is mandatory, the device cannot conform without it");
      } else if (claim->second.support == Support::not_applicable && provision.condition.empty() && mandatory) {
        fault_at_provision(
            id, "ICS " + id + " = N/A: the provision is mandatory and has no condition, so it always applies");
      } else if (claim->second.support == Support::not_applicable && !provision.condition.empty()) {
        evaluations.push_back({provision.condition, provision.id, json::object{}, &document_});
        asked.push_back(&provision);
      }
    }
    const auto evaluated = evaluate(evaluations);
    for (std::size_t i = 0; i < evaluated.size(); ++i) {
      const auto& items = evaluated[i].items;
      if (!items.empty() && items.front() == json::value(true)) {
        const auto id = short_id(asked[i]->id);
        fault_at_provision(id, "ICS " + id + " = N/A, and the IXIT shows the opposite: " + asked[i]->condition_words);
      }
    }
  }

  void fault_at_provision(const std::string& id, std::string what) {
    const auto* mark = find_mark(child(root_, "ics"), id);
    faults_.add(mark != nullptr ? mark->place : place_of(root_, "ics"), std::move(what));
  }

  void add(const json::value& item) {
    const auto what = text_in(item, "what");
    if (const auto provision = text_in(item, "provision"); !provision.empty()) {
      fault_at_provision(provision, what);
      return;
    }
    const auto table = text_in(item, "table");
    const auto id = text_in(item, "id");
    const auto field = text_in(item, "field");
    const auto& entries = child(child(root_, "ixit"), table);
    for (const auto& entry : entries.items) {
      if (id.empty() || text_of(entry, "id") == id) {
        const auto* value = find(entry, field);
        faults_.add(value != nullptr ? value->place : entry.place, what);
        return;
      }
    }
    const auto* mark = find_mark(child(root_, "ixit"), table);
    faults_.add(mark != nullptr ? mark->place : place_of(root_, "ixit"), what);
  }

  const Node& root_;
  const LibraryFile& method_;
  const Library& library_;
  Faults& faults_;
  Dut dut_;
  Plan names_;
  StandardPart standard_;
  json::object document_;
};

}  // namespace

void rename_tables(Node& node, const LibraryFile& method) {
  const auto& renamed = child(method.root(), "renamed");
  for (std::size_t i = 0; i < renamed.keys.size(); ++i) {
    rename_in(node.text, renamed.keys[i].text, renamed.items[i].text);
  }
  for (auto& item : node.items) {
    rename_tables(item, method);
  }
}

void check_consistency(const Node& root, const Library& library, Faults& faults) {
  const auto* method = library.find("method/1", text_of(root, "standard"));
  if (method != nullptr) {
    Consistency{root, *declaring_method(method, library), library, faults}.check();
  }
}

}  // namespace assay
