#include <functional>

#include "probes/images/cbor.hpp"
#include "probes/images/image_map.hpp"
#include "probes/images/mutation.hpp"
#include "probes/images/packed.hpp"
#include "probes/images/scan.hpp"
#include "probes/images/signature.hpp"
#include "probes/images/verify.hpp"
#include "probes/images/verity.hpp"
#include "probes/wire/bytes.hpp"
#include "tests/support/catch.hpp"

using namespace assay;
using namespace assay::images;

namespace {

std::string cpio_entry(const std::string& name, const std::string& content) {
  const auto field = [](std::uint64_t value) {
    const auto bytes = big_bytes(value, 4);
    return wire::hex(bytes);
  };
  std::string out = "070701";
  for (int i = 0; i < 6; ++i) {
    out += field(1);
  }
  out += field(content.size());
  for (int i = 0; i < 4; ++i) {
    out += field(0);
  }
  out += field(name.size() + 1) + field(0) + name + '\0';
  out.resize((out.size() + 3) / 4 * 4, '\0');
  out += content;
  out.resize((out.size() + 3) / 4 * 4, '\0');
  return out;
}

std::string archive() {
  return cpio_entry("sw-description", "software = { version = \"1.2\"; }") +
         cpio_entry("rootfs", std::string(100, 'r')) + cpio_entry("TRAILER!!!", "");
}

Source memory(std::string text) {
  return std::make_shared<MemorySource>(std::move(text));
}

ImageMap mapped(const std::string& bytes) {
  const auto map = map_image(MemorySource{bytes});
  REQUIRE(map);
  std::uint64_t end = 0;
  for (const auto& region : map->regions) {
    CHECK(region.offset >= end);
    CHECK(region.length > 0);
    end = region.offset + region.length;
  }
  CHECK(end <= bytes.size());
  return *map;
}

/// The beginnings by which formats are told.
std::vector<std::string> beginnings() {
  std::string tar(512, '\0');
  tar.replace(0, 7, "version");
  tar.replace(124, 11, "00000000020");
  tar.replace(257, 5, "ustar");
  return {archive(),
          cpio_entry("file", "content"),
          tar,
          big_bytes(0x27051956, 4) + std::string(60, '\1'),
          big_bytes(0xD00DFEED, 4) + big_bytes(0xFFFFFFFF, 4) + big_bytes(40, 4) + big_bytes(48, 4) +
              std::string(24, '\0') + big_bytes(1, 4) + std::string(4, '\0') + big_bytes(1, 4) + "images",
          std::string{"\xe9\x10\x02\x20"} + std::string(20, '\0') + little_bytes(0, 4) + little_bytes(16, 4) +
              std::string(64, '\7'),
          std::string{"hsqs"} + std::string(200, '\xff'),
          pack_gzip("content"),
          *pack(Packing::xz, "content"),
          std::string{"PK\3\4"} + std::string(60, '\0') + "PK\5\6" + std::string(18, '\xff'),
          ":0400000001020304F2\n:00000001FF\n",
          little_bytes(0x0A324655, 4) + little_bytes(0x9E5D5157, 4) + std::string(500, '\xff') +
              little_bytes(0x0AB16F30, 4),
          std::string{"\xd8\x6b\xa2\x02\x41\x80\x03\x41\xa0", 9}};
}

/// One entry, whose numbers all have 64 bits.
std::string wide_zip() {
  const auto source = FileSource::open(ASSAY_SOURCE_DIR "/tests/fuzz/corpus/image/zip64");
  REQUIRE(source);
  const auto text = read_text(**source, 0, (*source)->size());
  REQUIRE(text);
  return *text;
}

}  // namespace

TEST_CASE("what is cut short, lies about its lengths or is nothing at all still has a map within the image") {
  for (const auto& whole : beginnings()) {
    for (std::size_t length = 0; length <= whole.size(); length += length < 64 ? 1 : 7) {
      mapped(whole.substr(0, length));
    }
    for (std::size_t at = 0; at < std::min<std::size_t>(whole.size(), 300); ++at) {
      auto other = whole;
      other[at] = '\xff';
      mapped(other);
    }
  }
}

TEST_CASE("every mutation of every beginning can be read to its end or is refused with a reason") {
  const auto own = Signer::make("ec-p256");
  REQUIRE(own);
  for (const auto& whole : beginnings()) {
    Materials materials;
    materials.genuine = memory(whole);
    materials.older = materials.genuine;
    materials.own = *own;
    materials.bomb_bytes = 1U << 20U;
    const auto map = mapped(whole);
    for (const auto* name :
         {"flip_bit:header", "flip_bit:manifest", "flip_bit:payload+repair", "flip_bit:signature", "remove_signature",
          "resign:other_key", "swap_content+repair", "lie_size:1000000", "lie_version:9", "bomb+repair", "traversal",
          "truncate:1", "append:1", "mix_older+repair", "lie_date+repair"}) {
      INFO(map.format << " " << name);
      const auto made = mutate(*mutation_from_text(name), materials, map);
      if (made) {
        CHECK(sha256_of(*made->image));
      } else {
        CHECK(made.error().kind == ErrorKind::unsupported);
        CHECK(!made.error().what.empty());
      }
    }
  }
}

TEST_CASE("an SWUpdate image is told from any other cpio archive by its first entry") {
  const auto map = mapped(archive());
  CHECK(map.format == "swu");
  CHECK(map.facts.at("version") == "1.2");
  CHECK(map.facts.at("signature").at("present") == false);
  CHECK(first_of(map, RegionKind::manifest)->name == "sw-description");
  CHECK(largest_of(map, RegionKind::payload)->length == 100);
  CHECK(mapped(cpio_entry("file", "x")).format == "cpio");
}

TEST_CASE("an archive gets the older content whole, its manifest stays the genuine one until it is made right") {
  const auto content = std::string(37, 'o');
  const auto genuine = archive();
  const auto older = cpio_entry("sw-description", "software = { version = \"1.1\"; }") + cpio_entry("other", "x") +
                     cpio_entry("rootfs", content) + cpio_entry("TRAILER!!!", "");
  const Materials materials{.genuine = memory(genuine), .older = memory(older)};
  const auto made = mutate(*mutation_from_text("mix_older"), materials, mapped(genuine));
  REQUIRE(made);
  const auto text = *read_text(*made->image, 0, made->image->size());
  CHECK(text == cpio_entry("sw-description", "software = { version = \"1.2\"; }") + cpio_entry("rootfs", content) +
                    cpio_entry("TRAILER!!!", ""));
  const Materials alone{.genuine = memory(genuine), .older = memory("no archive")};
  CHECK(mutate(*mutation_from_text("mix_older"), alone, mapped(genuine)).error().what ==
        "swu: the maker's older image is of another format (raw)");
}

TEST_CASE("names of an image are escaped before anybody sees them") {
  const auto map = mapped(cpio_entry("a\x1b[2Jb\n", "x") + cpio_entry("TRAILER!!!", ""));
  CHECK(map.facts.at("entries").at(0) == "a\\x1b[2Jb\\n");
  CHECK(map.regions[1].name == "a\\x1b[2Jb\\n");
}

TEST_CASE("an archive of more entries than are looked at is cut, and says so") {
  std::string many;
  for (int i = 0; i < 4200; ++i) {
    many += cpio_entry("n", "");
  }
  const auto map = mapped(many);
  CHECK(map.regions.size() <= 4097);
  REQUIRE(!map.doubts.empty());
  CHECK(map.doubts.front() == "the cpio archive has more entries than are looked at");
}

TEST_CASE("a bomb is small and a stream that unpacks to too much is given up") {
  for (const auto packing : {Packing::gzip, Packing::xz}) {
    const auto bomb = make_bomb(packing, 32U << 20U);
    REQUIRE(bomb);
    CHECK(bomb->size() < 64 * 1024);
    const MemorySource source{*bomb};
    const auto unpacked = unpack(source, 0, source.size(), 1U << 20U);
    REQUIRE(!unpacked);
    CHECK(unpacked.error().kind == ErrorKind::unsupported);
    const auto whole = unpack(source, 0, source.size(), 32U << 20U);
    REQUIRE(whole);
    CHECK(*whole == std::string(32U << 20U, '\0'));
    CHECK(!unpack(source, 0, source.size() - 9, 32U << 20U));
  }
  CHECK(make_bomb(Packing::gzip, std::uint64_t{1} << 40U).error().kind == ErrorKind::unsupported);
}

TEST_CASE("packed streams of any size come back through files") {
  const Source content = memory(std::string(300'000, 'x') + "end");
  for (const auto packing : {Packing::gzip, Packing::xz}) {
    const auto packed = packed_file(packing, content);
    REQUIRE(packed);
    CHECK((*packed)->size() < 5000);
    const auto back = unpacked_file(*packed);
    REQUIRE(back);
    CHECK(*sha256_of(**back) == *sha256_of(*content));
    CHECK(!unpacked_file(std::make_shared<SliceSource>(*packed, 0, (*packed)->size() - 5)));
  }
}

TEST_CASE("CBOR is read with its places, and refused where it is broken or without bounds") {
  const std::string text{
      "\xa2\x01\x82\x20\x18\x64\x02\x43"
      "abc",
      11};  // {1: [-1, 100], 2: 'abc'}
  const auto item = read_cbor(text);
  REQUIRE(item);
  CHECK(item->end == text.size());
  CHECK(item->at(1)->items[0].number() == -1);
  CHECK(item->at(1)->items[1].number() == 100);
  CHECK(item->at(2)->content_of(text) == "abc");
  CHECK(item->at(3) == nullptr);
  for (std::size_t length = 0; length < text.size(); ++length) {
    CHECK(!read_cbor(text.substr(0, length)));
  }
  CHECK(!read_cbor(std::string(100, '\x81')));                // deeper than any format is
  CHECK(!read_cbor("\x9f\x01\xff"));                          // no definite length
  CHECK(!read_cbor("\x9a\xff\xff\xff\xff"));                  // four billion items
  CHECK(!read_cbor("\x5b\xff\xff\xff\xff\xff\xff\xff\xff"));  // more bytes than there are
  CHECK(cbor_bytes(std::string(300, 'x')).substr(0, 3) == std::string{"\x59\x01\x2c"});
  CHECK(cbor_head(CborItem::Kind::unsigned_integer, 23) == std::string{"\x17"});
  CHECK(cbor_head(CborItem::Kind::unsigned_integer, 1000000) == std::string{"\x1a\x00\x0f\x42\x40", 5});
}

TEST_CASE("values are found in the texts of manifests") {
  const std::string libconfig = "software = {\n  my-version = \"0\"; version = \"1.0\";\n hw: [ \"a\", \"b\" ]; }";
  auto place = quoted_value(libconfig, "version");
  REQUIRE(place);
  CHECK(libconfig.substr(place->at, place->length) == "1.0");
  CHECK(quoted_list(libconfig, "hw") == std::vector<std::string>{"a", "b"});
  const std::string text = R"({"artifact_name":"x","device_type":["hub"]})";
  place = quoted_value(text, "artifact_name");
  REQUIRE(place);
  CHECK(text.substr(place->at, place->length) == "x");
  CHECK(quoted_list(text, "device_type") == std::vector<std::string>{"hub"});
  CHECK(!quoted_value("version = \"never closed", "version"));
  CHECK(!quoted_value("version", "version"));
  const std::string ini = "[a]\nkey=1\n[b]\n key = two \n";
  place = ini_value(ini, "b", "key");
  REQUIRE(place);
  CHECK(ini.substr(place->at, place->length) == "two");
  CHECK(!ini_value(ini, "c", "key"));
}

TEST_CASE("a signature of every kind verifies under its key and under no other") {
  const struct {
    const char* key;
    Plain how;
  } cases[] = {{"rsa-2048", Plain::rsa_pkcs1},
               {"rsa-2048", Plain::rsa_pss},
               {"ec-p256", Plain::ecdsa_der},
               {"ec-p384", Plain::ecdsa_raw},
               {"ed25519", Plain::eddsa}};

  const MemorySource content{"manifest"};
  for (const auto& one : cases) {
    INFO(one.key << " " << enum_name(one.how));
    const auto signer = Signer::make(one.key);
    const auto other = Signer::make(one.key);
    REQUIRE(signer);
    REQUIRE(other);
    const auto signature = plain_sign(content, (*signer)->key(), one.how);
    REQUIRE(signature);
    CHECK(plain_verifies(content, *signature, (*signer)->key(), one.how));
    CHECK(!plain_verifies(content, *signature, (*other)->key(), one.how));
    CHECK(!plain_verifies(MemorySource{"manifesT"}, *signature, (*signer)->key(), one.how));
    CHECK(!plain_verifies(content, signature->substr(1), (*signer)->key(), one.how));
  }
  CHECK(plain_sign(content, (*Signer::make("ec-p256"))->key(), Plain::rsa_pss).error().kind == ErrorKind::unsupported);
}

TEST_CASE(
    "an expired signer is issued by the authority for tests, and says that it signed while its certificate held") {
  const auto authority = *Signer::make("ec-p256");
  const auto like = *Signer::make("ec-p256");
  MutationSpec spec;
  spec.kind = MutationKind::resign;
  spec.by = SignedBy::expired;
  Materials materials;
  CHECK(signer_for(spec, materials, "ec-p256", like->certificate()).error().kind == ErrorKind::unsupported);
  materials.authority = authority;
  CHECK(signer_for(spec, materials, "ec-p256", nullptr).error().kind == ErrorKind::unsupported);  // no certificates
  const auto issued = signer_for(spec, materials, "ec-p256", like->certificate());
  REQUIRE(issued);
  auto* certificate = (*issued)->certificate();
  CHECK(X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0);
  CHECK(X509_verify(certificate, X509_get0_pubkey(authority->certificate())) == 1);
  CHECK(X509_NAME_cmp(X509_get_issuer_name(certificate), X509_get_subject_name(authority->certificate())) == 0);
  CHECK(X509_NAME_cmp(X509_get_subject_name(certificate), X509_get_subject_name(like->certificate())) == 0);
  const auto der = cms_sign(text_source("manifest"), **issued, true);
  REQUIRE(der);
  const auto* bytes = reinterpret_cast<const unsigned char*>(der->data());
  const Cms cms{d2i_CMS_ContentInfo(nullptr, &bytes, static_cast<long>(der->size()))};
  REQUIRE(cms);
  auto* info = sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms.get()), 0);
  const auto at = CMS_signed_get_attr_by_NID(info, NID_pkcs9_signingTime, -1);
  const auto* when = X509_ATTRIBUTE_get0_type(CMS_signed_get_attr(info, at), 0);
  REQUIRE(when != nullptr);
  CHECK(ASN1_TIME_compare(when->value.utctime, X509_get0_notAfter(certificate)) < 0);
  CHECK(ASN1_TIME_compare(when->value.utctime, X509_get0_notBefore(certificate)) > 0);
  materials.expired = like;  // lent by the maker: it goes before
  CHECK(*signer_for(spec, materials, "ec-p256", like->certificate()) == like);
}

TEST_CASE("a key is read from PEM or refused, and a signer's parts must belong together") {
  CHECK(read_trusted("no key").error().kind == ErrorKind::bad_input);
  CHECK(read_trusted("").error().kind == ErrorKind::bad_input);
  CHECK(Signer::load("no key", "").error().kind == ErrorKind::bad_input);
  CHECK(verify_image(memory("raw"), ImageMap{"raw", {}, {}, {}}, "no key").error().kind == ErrorKind::bad_input);
}

TEST_CASE("Numbers of 64 bits that lead out of a zip archive are a doubt, and what holds is mapped") {
  const auto sound = wide_zip();
  const auto line = sound.find("PK\x01\x02");
  const auto record = sound.find("PK\x06\x06");
  REQUIRE(record != std::string::npos);
  const auto size = line + 46 + std::string_view{"app.bin"}.size() + 4;
  CHECK(mapped(sound).doubts.empty());
  CHECK(mapped(sound).regions.size() == 5);
  for (const auto value : {~std::uint64_t{0}, std::uint64_t{1} << 63U, std::uint64_t{sound.size()} + 1}) {
    for (const auto at : {size + 8, record + 40, record + 48}) {  // of the entry, of the directory and where that is
      CAPTURE(value, at);
      auto bytes = sound;
      bytes.replace(at, 8, little_bytes(value, 8));
      CHECK_FALSE(mapped(bytes).doubts.empty());
    }
    auto bytes = sound;
    bytes.replace(record + 56 + 8, 8, little_bytes(value, 8));  // where the record itself is
    CHECK(mapped(bytes).format == "zip");
  }
}

TEST_CASE("A checksum of a zip archive stands in several places, and is one when it is made right again") {
  auto wrong = wide_zip();
  const auto line = wrong.find("PK\x01\x02");
  REQUIRE(line != std::string::npos);
  wrong[line + 16] ^= 1;
  Materials materials;
  materials.genuine = memory(wrong);
  const auto made = mutate(*mutation_from_text("append:1+repair"), materials, mapped(wrong));
  REQUIRE(made);
  CAPTURE(made->what);
  CHECK(made->what.ends_with("; its checksums are made right again"));
  const auto text = read_text(*made->image, 0, made->image->size());
  REQUIRE(text);
  CHECK(text->starts_with(wide_zip()));
}
