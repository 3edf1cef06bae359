#include "probes/images/cbor.hpp"
#include "probes/images/image_map.hpp"
#include "probes/images/mutation.hpp"
#include "probes/images/scan.hpp"
#include "probes/images/suit.hpp"
#include "probes/update/servers/pull_site.hpp"
#include "tests/support/catch.hpp"

/// SUIT envelopes as manifests: what is polled, where the payload lies, and which of the two an attack changes.
namespace assay {
namespace {

using images::cbor_bytes;
using images::cbor_head;
using Kind = images::CborItem::Kind;

std::string map_of(std::uint64_t count) {
  return cbor_head(Kind::map, count);
}

std::string number(std::uint64_t value) {
  return cbor_head(Kind::unsigned_integer, value);
}

std::string text(std::string_view value) {
  return cbor_head(Kind::text, value.size()) + std::string{value};
}

std::string list_of(std::uint64_t count) {
  return cbor_head(Kind::array, count);
}

std::string suit_digest(std::string_view content) {
  const auto digest = images::sha256_of(images::MemorySource{std::string{content}});
  return list_of(2) + "\x2f" + cbor_bytes(images::from_hex(*digest));
}

/// {version, sequence number, common {shared [override {digest, size}]}, install [try-each [[override {uri}]]]}.
std::string made_envelope(const std::string& payload, const std::string& uri, std::uint64_t sequence) {
  const auto parameters =
      map_of(2) + number(3) + cbor_bytes(suit_digest(payload)) + number(14) + number(payload.size());
  const auto common = map_of(1) + number(4) + cbor_bytes(list_of(2) + number(20) + parameters);
  const auto named = list_of(2) + number(20) + map_of(1) + number(21) + text(uri);
  const auto install = list_of(2) + number(15) + list_of(1) + cbor_bytes(named);
  const auto manifest = map_of(4) + number(1) + number(1) + number(2) + number(sequence) + number(3) +
                        cbor_bytes(common) + number(20) + cbor_bytes(install);
  const auto message = list_of(4) + cbor_bytes("\xa1\x01\x26") + "\xa0\xf6" + cbor_bytes(std::string(64, 's'));
  const auto wrapper = list_of(2) + cbor_bytes(suit_digest(cbor_bytes(manifest))) + cbor_bytes(message);
  return "\xd8\x6b" + map_of(2) + number(2) + cbor_bytes(wrapper) + number(3) + cbor_bytes(manifest);
}

images::Source source_of(std::string bytes) {
  return std::make_shared<images::MemorySource>(std::move(bytes));
}

struct EnvelopeOffer {
  std::string payload = std::string(2000, 'p');
  std::string envelope = made_envelope(payload, "https://updates.example/hub.bin?x", 7);
  UpdateManifest manifest;
  probes::update::Offer offer;
  images::Source older = *probes::update::with_payload(
      source_of(made_envelope("older", "https://updates.example/old.bin", 6)), source_of("older"));

  EnvelopeOffer() {
    manifest.path = "/update.suit";
    manifest.envelope = true;
    offer.image = offer.genuine = offer.told = *probes::update::with_payload(source_of(envelope), source_of(payload));
  }

  void change(std::string_view words) {
    const auto map = images::map_image(*offer.genuine);
    const auto spec = images::mutation_from_text(words);
    REQUIRE(map);
    REQUIRE(spec);
    auto made = images::mutate(*spec, {.genuine = offer.genuine, .older = older}, *map);
    REQUIRE(made);
    offer.image = offer.told = made->image;
  }

  probes::update::Polled polled() { return probes::update::polled(manifest, {}, offer, ""); }

  std::string given() const { return *images::read_text(*offer.image, 0, offer.image->size()); }
};

}  // namespace

TEST_CASE("update by envelope: it is polled, and the payload lies where its manifest says") {
  EnvelopeOffer one;
  const auto found = one.polled();
  CHECK(found.manifest == one.envelope);
  CHECK(found.image_path == "/hub.bin");
  CHECK(one.given() == one.payload);
}

TEST_CASE("update by envelope: one that holds its payload is all that there is") {
  EnvelopeOffer one;
  one.offer.image = one.offer.genuine = one.offer.told = source_of(one.envelope);
  const auto found = one.polled();
  CHECK(found.manifest.empty());
  CHECK(found.image_path == "/update.suit");
  CHECK(one.given() == one.envelope);
}

TEST_CASE("update by envelope: a change of the envelope leaves the payload, and the other way round") {
  for (const auto* words :
       {"flip_bit:manifest", "flip_bit:signature", "flip_bit:header", "remove_signature", "resign", "lie_version:9"}) {
    EnvelopeOffer one;
    one.change(words);
    const auto found = one.polled();
    INFO(words);
    CHECK(found.manifest != one.envelope);
    CHECK(one.given() == one.payload);
  }
  for (const auto* words : {"flip_bit:payload", "swap_content", "truncate:90", "append:64", "mix_older"}) {
    EnvelopeOffer one;
    one.change(words);
    const auto found = one.polled();
    INFO(words);
    CHECK(found.manifest == one.envelope);
    CHECK(found.image_path == "/hub.bin");
    CHECK(one.given() != one.payload);
  }
}

TEST_CASE("update by envelope: digests are made right again through both, so that only the signature is against it") {
  EnvelopeOffer one;
  one.change("flip_bit:payload+repair");
  const auto found = one.polled();
  CHECK(found.manifest != one.envelope);
  CHECK(found.manifest.size() == one.envelope.size());
  const auto digest = images::sha256_of(*one.offer.image);
  CHECK(found.manifest.find(images::from_hex(*digest)) != std::string::npos);
}

TEST_CASE("update by envelope: it says of what is told, whatever is given then") {
  EnvelopeOffer one;
  const std::string older(1999, 'o');
  one.offer.image = *probes::update::with_payload(source_of(made_envelope(older, "/older.bin", 6)), source_of(older));
  const auto found = one.polled();
  CHECK(found.manifest == one.envelope);
  CHECK(found.image_path == "/hub.bin");
  CHECK(one.given() == older);
}

TEST_CASE("update by envelope: what lies beside is a payload only where the manifest has its digest") {
  EnvelopeOffer one;
  const auto map = images::map_image(*one.offer.genuine);
  REQUIRE(map);
  CHECK(map->format == "suit");
  CHECK(map->regions.back().kind == images::RegionKind::payload);
  const auto other = images::map_image(*source_of(one.envelope + std::string(2000, 'x')));
  REQUIRE(other);
  CHECK(other->regions.back().kind == images::RegionKind::trailer);
  CHECK_FALSE(probes::update::with_payload(source_of("no envelope"), source_of("x")));
  CHECK_FALSE(images::suit_end(*source_of("no envelope")));
  CHECK(images::suit_addresses(*source_of("no envelope")).empty());
}

}  // namespace assay
