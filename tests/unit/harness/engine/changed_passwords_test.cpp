#include "harness/engine/changed_passwords.hpp"

#include <fstream>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/catch.hpp"

using namespace assay;

namespace {

namespace fs = std::filesystem;

struct Place {
  fs::path folder;
  fs::path file;

  Place() {
    auto pattern = (fs::temp_directory_path() / "assay-passwords-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    folder = pattern;
    file = folder / "passwords-left.json";
  }

  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  ~Place() { fs::remove_all(folder); }

  std::string text() const {
    std::ifstream in(file);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
  }
};

Invocation on(const std::string& address) {
  Invocation out;
  out.id = "i7";
  out.target.address = address;
  out.endpoint = Endpoint{Transport::tcp, 80};
  return out;
}

Dut with_account() {
  Dut dut;
  dut.accounts.push_back({"admin", "maker", Secret{"Old4-word!x", "secret of the account"}});
  return dut;
}

const Secret kOwn{"Old4-word!x", "secret of the account"};
const Secret kFirst{"Nw7-qPz2", "password 1"};

}  // namespace

TEST_CASE("A password is in a file of its owner alone before it is sent, and the journal has its name") {
  const Place place;
  ChangedPasswords changed(place.file);
  std::string told;
  changed.journal = [&](json::object data) {
    told = json::serialize(data);
    return Result<>{};
  };
  const auto kept = changed.entrust(on("10.0.0.1"), "maker", kOwn, kFirst);
  REQUIRE(kept);
  CHECK(*kept == "passwords-left.json");
  CHECK(place.text().find("Nw7-qPz2") != std::string::npos);
  CHECK(place.text().find("Old4-word!x") == std::string::npos);

  struct stat facts {};

  REQUIRE(::stat(place.file.c_str(), &facts) == 0);
  CHECK((facts.st_mode & 0777U) == 0600U);
  CHECK(told.find("password 1") != std::string::npos);
  CHECK(told.find("Nw7") == std::string::npos);
  REQUIRE(changed.left().size() == 1);
  CHECK(changed.left()[0].find("may now have") != std::string::npos);
}

TEST_CASE("The folder is made; where nothing can be kept, nothing is said to be left") {
  const Place place;
  ChangedPasswords changed(place.folder / "new" / "passwords-left.json");
  CHECK(changed.entrust(on("10.0.0.1"), "maker", kOwn, kFirst));
  CHECK(fs::exists(place.folder / "new" / "passwords-left.json"));
  std::ofstream{place.folder / "file"} << "no folder";
  ChangedPasswords nowhere(place.folder / "file" / "passwords-left.json");
  CHECK_FALSE(nowhere.entrust(on("10.0.0.1"), "maker", kOwn, kFirst));
  CHECK(nowhere.left().empty());
}

TEST_CASE("Later probes get the password that holds; the file goes when the old one is back") {
  const Place place;
  ChangedPasswords changed(place.file);
  REQUIRE(changed.entrust(on("10.0.0.1"), "maker", kOwn, kFirst));
  CHECK_FALSE(changed.applied(with_account(), on("10.0.0.1").target));
  REQUIRE(changed.settle(on("10.0.0.1"), "maker", kFirst));
  const auto dut = changed.applied(with_account(), on("10.0.0.1").target);
  REQUIRE(dut);
  CHECK(dut->accounts[0].secret.reveal() == "Nw7-qPz2");
  CHECK_FALSE(changed.applied(with_account(), on("10.0.0.2").target));
  REQUIRE(changed.settle(on("10.0.0.1"), "maker", kOwn));
  CHECK_FALSE(fs::exists(place.file));
  CHECK(changed.left().empty());
}

TEST_CASE("In another state of the device nobody logs in with what an account had, and it is still in the file") {
  const Place place;
  ChangedPasswords changed(place.file);
  REQUIRE(changed.entrust(on("10.0.0.1"), "maker", kOwn, kFirst));
  REQUIRE(changed.settle(on("10.0.0.1"), "maker", kFirst));
  REQUIRE(changed.begin_state({on("10.0.0.2").target}));
  CHECK(changed.applied(with_account(), on("10.0.0.1").target));
  REQUIRE(changed.begin_state({on("10.0.0.1").target}));
  CHECK_FALSE(changed.applied(with_account(), on("10.0.0.1").target));
  CHECK(place.text().find("Nw7-qPz2") != std::string::npos);
  CHECK_FALSE(ChangedPasswords(place.file).applied(with_account(), on("10.0.0.1").target));
  REQUIRE(changed.settle(on("10.0.0.1"), "maker", kOwn));
  CHECK_FALSE(fs::exists(place.file));
}

TEST_CASE("What an interrupted run left is known to the next, and nothing is overwritten that cannot be read") {
  const Place place;
  {
    ChangedPasswords changed(place.file);
    REQUIRE(changed.entrust(on("10.0.0.1"), "maker", kOwn, kFirst));
    REQUIRE(changed.settle(on("10.0.0.1"), "maker", kFirst));
  }
  ChangedPasswords next(place.file);
  const auto dut = next.applied(with_account(), on("10.0.0.1").target);
  REQUIRE(dut);
  CHECK(dut->accounts[0].secret.reveal() == "Nw7-qPz2");
  std::ofstream(place.file) << "notes of mine";
  ChangedPasswords careful(place.file);
  CHECK_FALSE(careful.entrust(on("10.0.0.1"), "maker", kOwn, kFirst));
  CHECK(place.text() == "notes of mine");
}

TEST_CASE("Where no file can be made no password is taken in") {
  ChangedPasswords changed("/proc/nowhere/passwords-left.json");
  CHECK_FALSE(changed.entrust(on("10.0.0.1"), "maker", kOwn, kFirst));
}
