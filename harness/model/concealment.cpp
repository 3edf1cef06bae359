#include "harness/model/concealment.hpp"

#include <string>

namespace assay {

void Concealment::add(const Secret& secret) {
  const bool word = may_be_word(secret.reveal());
  add(everywhere_, secret.reveal(), secret.name(), word ? Capitals::as_they_are : Capitals::any);
  if (word) {
    add_in_bytes(secret);
  }
}

void Concealment::add(std::string_view text, std::string_view name) {
  add(everywhere_, text, name, Capitals::as_they_are);
}

void Concealment::add_in_bytes(const Secret& secret) {
  add(in_bytes_, secret.reveal(), secret.name(), Capitals::any);
}

void Concealment::add_in_bytes(std::string_view bytes, std::string_view name) {
  if (bytes.size() >= shortest_) {
    in_bytes_.texts.emplace(bytes, "{" + std::string{name} + "}");
    in_bytes_.made.reset();
  }
}

void Concealment::add(List& list, std::string_view text, std::string_view name, Capitals capitals) {
  conceal_in(list.texts, text, name, shortest_, capitals);
  list.made.reset();
}

std::vector<const ConcealedFinder*> Concealment::finders() const {
  std::vector out{everywhere_.finder()};
  for (const auto& list : shared_) {
    out.push_back(list->everywhere_.finder());
  }
  return out;
}

std::vector<const ConcealedFinder*> Concealment::finders_in_bytes() const {
  auto out = finders();
  out.push_back(in_bytes_.finder());
  for (const auto& list : shared_) {
    out.push_back(list->in_bytes_.finder());
  }
  return out;
}

Concealed Concealment::all() const {
  auto out = everywhere_.texts;
  out.insert(in_bytes_.texts.begin(), in_bytes_.texts.end());
  for (const auto& list : shared_) {
    out.merge(list->all());
  }
  return out;
}

const ConcealedFinder* Concealment::List::finder() const {
  if (!made && !texts.empty()) {
    made.emplace(texts);
  }
  return made ? &*made : nullptr;
}

}  // namespace assay
