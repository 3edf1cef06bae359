#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "harness/model/json.hpp"
#include "harness/model/result.hpp"
#include "probes/images/byte_source.hpp"
#include "probes/images/image_map.hpp"
#include "probes/images/signer.hpp"

/// Images that an updater ought to refuse, each made from a genuine one and different from it in one thing.
namespace assay::images {

enum class MutationKind : std::uint8_t {
  flip_bit,          // `where`
  remove_signature,  // the container stays well-formed
  resign,            // `by`; the container stays well-formed
  swap_content,      // other content below the genuine manifest and signature
  truncate,          // to `at` percent
  append,            // `bytes`
  lie_size,          // the content's size said `factor` times too large
  lie_version,       // the manifest says `version`
  bomb,              // content that grows without bound when it is unpacked
  traversal,         // the name of an entry leads out of the folder it is unpacked in
  older,             // the maker's own older image
  same,              // the genuine image once more
  other_model,       // the maker's image for another device
  other_component,   // the maker's image for another component of this device
  mix_older,         // the older image's content below the genuine manifest and signature
  lie_date,          // the date within the image is the last of 2037
};
BOOST_DESCRIBE_ENUM(MutationKind, flip_bit, remove_signature, resign, swap_content, truncate, append, lie_size,
                    lie_version, bomb, traversal, older, same, other_model, other_component, mix_older, lie_date)

enum class Where : std::uint8_t { header, manifest, signature, payload, tenth };
BOOST_DESCRIBE_ENUM(Where, header, manifest, signature, payload, tenth)

enum class SignedBy : std::uint8_t { other_key, expired, revoked };
BOOST_DESCRIBE_ENUM(SignedBy, other_key, expired, revoked)

struct MutationSpec {
  MutationKind kind = MutationKind::flip_bit;
  Where where = Where::payload;
  int tenth = 1;  // 1 to 10, for `where: tenth`
  SignedBy by = SignedBy::other_key;
  int at = 50;                 // percent, 0 to 99
  std::uint64_t bytes = 4096;  // appended
  int factor = 16;             // 2 to 1000000
  std::string version = "99.99.99";
  /// Checksums and unsigned digests that would give the change away are made right again, so that only a signature can.
  /// Without a signature over them nothing is left that could.
  bool repair = false;

  bool operator==(const MutationSpec&) const = default;
};

/// From a catalogue: {kind, and what the kind needs: where, tenth, by, at, bytes, factor, version; repair}. `bad_input`
/// for anything else and for values out of range.
Result<MutationSpec> read_mutation(const json::object& object);

/// From one word of a command line: "flip_bit:payload", "flip_bit:3" (a tenth), "truncate:50", "append:4096",
/// "resign:expired", "lie_size:16", "lie_version:9.9", "bomb"; "+repair" behind it.
Result<MutationSpec> mutation_from_text(std::string_view text);

/// The word of `mutation_from_text` for it.
std::string name_of(const MutationSpec& spec);

/// What the maker gave, and what is made for the run.
struct Materials {
  Source genuine = nullptr;          // always there
  Source older = nullptr;            // or nothing
  Source other_model = nullptr;      // or nothing
  Source other_component = nullptr;  // or nothing
  std::shared_ptr<const Signer> own =
      nullptr;  // another key than the maker's; nothing: one is made, like the genuine one
  std::shared_ptr<const Signer> expired = nullptr;     // lent by the maker, or nothing
  std::shared_ptr<const Signer> revoked = nullptr;     // lent by the maker, or nothing
  std::shared_ptr<const Signer> authority = nullptr;   // for tests, that can issue an expired one, or nothing
  std::uint64_t bomb_bytes = std::uint64_t{1} << 30U;  // what a bomb unpacks to
};

struct Mutation {
  std::string name;  // as `name_of`
  std::string what;  // one sentence: what was done, where, and what it left right
  Source image;
};

/// `map` is that of `materials.genuine`. `unsupported`, with the reason, where the format or the materials do not allow
/// it.
Result<Mutation> mutate(const MutationSpec& spec, const Materials& materials, const ImageMap& map);

}  // namespace assay::images
