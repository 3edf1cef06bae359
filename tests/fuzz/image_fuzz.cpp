#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "probes/images/byte_source.hpp"
#include "probes/images/image_map.hpp"
#include "probes/images/mutation.hpp"
#include "probes/images/signer.hpp"
#include "probes/images/suit.hpp"
#include "probes/images/verify.hpp"

using namespace assay;
using namespace assay::images;

namespace {

constexpr const char* kMutations[] = {"flip_bit:header",
                                      "flip_bit:manifest",
                                      "flip_bit:payload+repair",
                                      "flip_bit:5+repair",
                                      "remove_signature",
                                      "resign:other_key",
                                      "swap_content+repair",
                                      "lie_size:1000000",
                                      "lie_version:99999",
                                      "lie_version:9+repair",
                                      "bomb",
                                      "traversal",
                                      "mix_older",
                                      "mix_older+repair",
                                      "lie_date+repair"};

constexpr std::string_view kKey =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE3oAXSEPlMtk075PtKLe5bErmYryU\n"
    "c4x+xnVYz5zOtWsT6cIgRiwJDQn4LuXWqv5/2SYCMVZyKBsd+H0ukkJgyg==\n"
    "-----END PUBLIC KEY-----\n";

void must(bool holds) {
  if (!holds) {
    std::abort();
  }
}

/// Regions lie side by side within the image.
void check_map(const ByteSource& image, const ImageMap& map) {
  std::uint64_t end = 0;
  for (const auto& region : map.regions) {
    must(region.offset >= end && region.length > 0 && region.length <= image.size() - region.offset);
    must(region.name.size() <= 1024);
    end = region.offset + region.length;
  }
  must(map.doubts.size() <= 128 && json::serialize(map.facts).size() < 1'000'000);
}

}  // namespace

/// Whatever the bytes are: a map holds within the image, and what can be made of it can be read to its end.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto signer = *Signer::make("ec-p256");
  const Source image = std::make_shared<MemorySource>(std::string{reinterpret_cast<const char*>(data), size});
  const auto map = map_image(*image);
  must(suit_end(*image).value_or(0) <= size && suit_addresses(*image).size() <= 64);
  must(bool{map});
  check_map(*image, *map);
  Materials materials;
  materials.genuine = image;
  materials.older = image;
  materials.own = signer;
  materials.bomb_bytes = 1U << 20U;
  for (const auto* name : kMutations) {
    const auto made = mutate(*mutation_from_text(name), materials, *map);
    if (!made) {
      must(made.error().kind != ErrorKind::internal);
      continue;
    }
    must(made->image->size() <= size + (1U << 20U));
    must(bool{sha256_of(*made->image)});
    must(bool{map_image(*made->image)});
  }
  const auto verified = verify_image(image, *map, kKey);
  must(verified || verified.error().kind != ErrorKind::internal);
  return 0;
}
