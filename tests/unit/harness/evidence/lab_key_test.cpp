#include "harness/evidence/lab_key.hpp"

#include <fstream>
#include <iterator>
#include <sys/stat.h>

#include "tests/support/catch.hpp"
#include "tests/support/temp_folder.hpp"

using namespace assay;
using evidence::LabKey;
namespace fs = std::filesystem;

namespace {

const std::string kKnown = "assay-lab-key/1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";

fs::path key_file(const TempFolder& folder, const std::string& text, mode_t mode = 0600) {
  const auto file = folder.path() / "lab.key";
  std::ofstream{file, std::ios::binary} << text;
  REQUIRE(::chmod(file.c_str(), mode) == 0);
  return file;
}

}  // namespace

TEST_CASE("a key names a secret as RFC 2104 does, cut, with its own id before it") {
  const TempFolder folder;
  const auto key = LabKey::read(key_file(folder, kKnown));
  REQUIRE(key);
  // The numbers are those of another implementation of HMAC-SHA-256.
  CHECK(key->id() == "52e48d36");
  CHECK(key->name_of("1234") == "hmac:52e48d36:2636877229aae774");
  CHECK(key->name_of("1235") != key->name_of("1234"));
  CHECK(evidence::is_secret_name(key->name_of("")));
  CHECK(evidence::key_id_of(key->name_of("1234")) == "52e48d36");
}

TEST_CASE("other texts are no names of secrets") {
  for (const std::string text : {"", "hmac:", "hmac:52e48d36:2636877229aae77", "hmac:52e48d36:2636877229aae7744",
                                 "hmac:52e48d36-2636877229aae774", "hmac:52E48d36:2636877229aae774"}) {
    INFO(text);
    CHECK_FALSE(evidence::is_secret_name(text));
  }
}

TEST_CASE("a key that was written is read back, belongs to its owner alone and is never written over") {
  const TempFolder folder;
  const auto file = folder.path() / "config" / "assay" / "lab.key";
  const auto made = LabKey::make();
  REQUIRE(made);
  REQUIRE(made->write(file));

  struct stat facts {};

  REQUIRE(::stat(file.c_str(), &facts) == 0);
  CHECK((facts.st_mode & 07777) == 0600);
  const auto read = LabKey::read(file);
  REQUIRE(read);
  CHECK(read->name_of("1234") == made->name_of("1234"));
  const auto other = LabKey::make();
  REQUIRE(other);
  CHECK(other->id() != made->id());
  const auto refused = other->write(file);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::denied);
  CHECK(LabKey::read(file)->id() == made->id());
  CHECK(std::distance(fs::directory_iterator{file.parent_path()}, {}) == 1);  // no temporary file stays
}

TEST_CASE("a key that others may read is refused") {
  const TempFolder folder;
  for (const mode_t mode : {0640, 0604, 0660}) {
    const auto read = LabKey::read(key_file(folder, kKnown, mode));
    REQUIRE_FALSE(read);
    CHECK(read.error().kind == ErrorKind::denied);
    CHECK(read.error().what.find("chmod 600") != std::string::npos);
  }
}

TEST_CASE("what is no key is refused, whatever it is") {
  const TempFolder folder;
  for (const std::string& text : {std::string{}, std::string{"1234"}, kKnown.substr(0, 60), kKnown + "x",
                                  std::string{"assay-lab-key/2"} + kKnown.substr(15), std::string(4096, 'a')}) {
    INFO(text);
    const auto read = LabKey::read(key_file(folder, text));
    REQUIRE_FALSE(read);
    CHECK(read.error().kind == ErrorKind::bad_input);
  }
  CHECK_FALSE(LabKey::read(folder.path() / "absent"));
  CHECK_FALSE(LabKey::read(folder.path()));
}
