#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/model/terminal_codes.hpp"

/// Texts that must not be written, in every form in which they may appear, and how they are found.
namespace assay {

/// Text -> what is written instead.
using Concealed = std::map<std::string, std::string>;

/// Whether a text and its digits in hex are looked for in upper case, in lower case and with a capital in front too.
enum class Capitals : std::uint8_t { as_they_are, any };

/// Letters alone, with what joins words: with other capitals it may be a word of ours, or of anybody.
bool may_be_word(std::string_view secret);

/// A text as it is and backwards, and as base64 (alone and inside something longer), base64url, addresses,
/// forms, JSON, HTML, hex and UTF-16 write it. Of the forms that say only a part of it, those with fewer than 6
/// characters are left out, backwards those of texts with fewer than 6, and of texts with fewer than 4 what is made of
/// every character (hex, UTF-16) and other capitals: digests and pictures are full of them. With any capitals also in
/// base32 and with percent signs before every character.
std::vector<std::string> forms_of(std::string_view secret, Capitals capitals = Capitals::as_they_are);

/// Characters of the shortest secret that is looked for in whatever is kept: everything holds shorter ones by chance.
constexpr std::size_t kShortestConcealed = 3;

/// Adds all forms, shown as "{name}". Texts with fewer than `shortest` characters are left out.
void conceal_in(Concealed& concealed, std::string_view secret, std::string_view name,
                std::size_t shortest = kShortestConcealed, Capitals capitals = Capitals::as_they_are);

/// Finds all texts of a list in one pass: a dictionary and the cookies of its logins are thousands, with their forms.
/// The list must outlive it and stay as it is.
class ConcealedFinder {
 public:
  struct Hit {
    std::size_t at = 0;
    std::size_t length = 0;
    const std::string* shown = nullptr;
  };

  explicit ConcealedFinder(const Concealed& concealed);

  /// Every place where a text begins, in order; hits may overlap. Of texts with 4 characters or more also those with
  /// codes for terminals between their characters, as one hit with the codes.
  std::vector<Hit> hits(std::string_view text) const { return hits(text, lines_with_codes(text)); }

  /// From where on the end of the text may be the beginning of one of the list that goes on; its size: nowhere.
  std::size_t decided(std::string_view text) const { return decided(text, lines_with_codes(text)); }

  /// The same for many lists: `lines` are those of the text with codes for terminals (terminal_codes.hpp).
  std::vector<Hit> hits(std::string_view text, const std::vector<std::string_view>& lines) const;
  std::size_t decided(std::string_view text, const std::vector<std::string_view>& lines) const;

  /// The text with what is concealed replaced. Where hits overlap, all of them are, by the name of the longest.
  std::string masked(std::string_view text) const { return masked(text, hits(text)); }

  /// The same for hits that were found already, in the order of their places.
  static std::string masked(std::string_view text, const std::vector<Hit>& found);

 private:
  static constexpr std::uint32_t kNone = 0xffffffff;

  std::vector<Hit> hits_as_written(std::string_view text) const;
  void add_between_codes(std::string_view line, std::size_t from, std::vector<Hit>& out) const;
  std::size_t decided_as_written(std::string_view text) const;
  std::uint32_t last_before(std::string_view rest) const;
  bool begins_one(std::string_view rest) const;

  std::vector<const Concealed::value_type*> texts_;  // sorted by text
  std::vector<std::uint32_t> shorter_;               // of each text the longest other one that it begins with, or kNone
  std::vector<std::uint32_t> starts_;                // of each pair of first bytes in texts_, and the end
  std::size_t longest_ = 0;                          // bytes of a text
};

}  // namespace assay
