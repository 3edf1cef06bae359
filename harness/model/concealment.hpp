#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "harness/model/concealed.hpp"
#include "harness/model/secret.hpp"

namespace assay {

/// What a record must not say: everywhere in it, or only in what is kept of the device's and our own bytes, where the
/// text is also a word of ours. Forms of secrets are made once; a list that no longer grows may serve many records.
class Concealment {
 public:
  /// Secrets with fewer characters than `shortest` are left as they are.
  explicit Concealment(std::size_t shortest = kShortestConcealed) : shortest_(shortest) {}

  Concealment(Concealment&&) = default;  // a copy's finders would look into the lists of another

  /// From now on this text, in every form of `forms_of` and with other capitals, is written as {name}. Where it may be
  /// a word, other capitals only in bytes.
  void add(const Secret& secret);

  /// The same for a derived form of a secret, with its capitals alone.
  void add(std::string_view text, std::string_view name);

  void add_in_bytes(const Secret& secret);

  /// Bytes that were sent and that nobody has reason to repeat in another form: just so.
  void add_in_bytes(std::string_view bytes, std::string_view name);

  /// What another list says, too. That does not grow any more, and shares none itself.
  void share(std::shared_ptr<const Concealment> list) { shared_.push_back(std::move(list)); }

  /// What finds it in our own words, and in bytes; null for a list of nothing.
  std::vector<const ConcealedFinder*> finders() const;
  std::vector<const ConcealedFinder*> finders_in_bytes() const;

  /// Without what is shared.
  const Concealed& texts() const { return everywhere_.texts; }

  const Concealed& texts_in_bytes() const { return in_bytes_.texts; }

  /// All that must not stand in bytes.
  Concealed all() const;

 private:
  /// Texts, and their finder, which is made anew when it is asked for after they grew.
  struct List {
    Concealed texts{};
    mutable std::optional<ConcealedFinder> made{};

    const ConcealedFinder* finder() const;
  };

  void add(List& list, std::string_view text, std::string_view name, Capitals capitals);

  std::size_t shortest_;
  List everywhere_;
  List in_bytes_;
  std::vector<std::shared_ptr<const Concealment>> shared_;
};

}  // namespace assay
