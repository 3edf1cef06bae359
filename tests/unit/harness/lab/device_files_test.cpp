#include "harness/lab/device_files.hpp"

#include <crypt.h>
#include <fstream>
#include <iterator>
#include <sys/stat.h>

#include "tests/support/catch.hpp"
#include "tests/support/temp_folder.hpp"

namespace assay::lab {
namespace {

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>{file}, {}};
}

mode_t mode_of(const std::filesystem::path& path) {
  struct stat status {};

  return stat(path.c_str(), &status) == 0 ? status.st_mode & 07777U : 0;
}

DeviceFile file(std::string path, std::string text = "x") {
  DeviceFile out;
  out.path = std::move(path);
  out.text = std::move(text);
  return out;
}

TEST_CASE("Accounts become a passwd and a shadow file that the right password fits") {
  const TempFolder folder;
  DeviceSpec spec;
  spec.accounts = {{"admin", "secret word", 1000, "/home", "/bin/sh"}, {"locked", "", 1001, "/", "/bin/false"}};
  REQUIRE(write_device_files(folder.path(), spec, Isolation::root_namespaces, {}));
  const auto passwd = text_of(folder.path() / "etc/passwd");
  CHECK(passwd.find("admin:x:1000:1000::/home:/bin/sh\n") != std::string::npos);
  CHECK(passwd.find("root:x:0:0:") != std::string::npos);
  const auto shadow = text_of(folder.path() / "etc/shadow");
  CHECK(shadow.find("locked:*:") != std::string::npos);
  CHECK(shadow.find("root:*:") != std::string::npos);
  CHECK(shadow.find("secret word") == std::string::npos);
  const auto begin = shadow.find("admin:") + 6;
  const auto hash = shadow.substr(begin, shadow.find(':', begin) - begin);
  CHECK(hash == crypt("secret word", hash.c_str()));
  CHECK(hash != crypt("secret Word", hash.c_str()));
  CHECK(mode_of(folder.path() / "etc/shadow") == 0600);
}

TEST_CASE("An account that would break the passwd file is refused") {
  const TempFolder folder;
  for (const auto* name : {"a:b", "a\nroot2:x:0:0::/:/bin/sh", ""}) {
    DeviceSpec spec;
    spec.accounts = {{name, "p", 1, "/", "/bin/sh"}};
    CHECK_FALSE(write_device_files(folder.path(), spec, Isolation::root_namespaces, {}));
  }
}

TEST_CASE("Files are written with their mode and placeholders, in the isolations they name") {
  const TempFolder folder;
  Placeholders names;
  names.set("address", "10.0.0.1");
  auto here = file("www/sub/index.html", "at {address}");
  here.mode = "0750";
  here.modes = {Isolation::loopback};
  auto elsewhere = file("other");
  elsewhere.modes = {Isolation::user_namespaces};
  DeviceSpec spec;
  spec.files = {here, elsewhere};
  REQUIRE(write_device_files(folder.path(), spec, Isolation::loopback, names));
  CHECK(text_of(folder.path() / "www/sub/index.html") == "at 10.0.0.1");
  CHECK(mode_of(folder.path() / "www/sub/index.html") == 0750);
  CHECK_FALSE(std::filesystem::exists(folder.path() / "other"));
  CHECK_FALSE(std::filesystem::exists(folder.path() / "etc/shadow"));
}

TEST_CASE("A file cannot leave the device's folder") {
  const TempFolder folder;
  for (const auto* path : {"../outside", "/etc/passwd", "a/../../b", ".", ""}) {
    DeviceSpec spec;
    spec.files = {file(path)};
    const auto written = write_device_files(folder.path(), spec, Isolation::loopback, {});
    REQUIRE_FALSE(written);
    CHECK(written.error().what.find("must stay below the device's folder") != std::string::npos);
  }
  CHECK_FALSE(std::filesystem::exists(folder.path().parent_path() / "outside"));
}

TEST_CASE("A mode that is not octal is refused") {
  const TempFolder folder;
  for (const auto* mode : {"0888", "rw", "", "1777", "0644 "}) {
    DeviceSpec spec;
    spec.files = {file("a")};
    spec.files[0].mode = mode;
    CHECK_FALSE(write_device_files(folder.path(), spec, Isolation::loopback, {}));
  }
}

TEST_CASE("The device's folder is its own and its name says whose it is") {
  const TempFolder folder;
  const auto first = make_device_folder(folder.path() / "new", "hostile/silent");
  const auto second = make_device_folder(folder.path() / "new", "hostile/silent");
  REQUIRE(first);
  REQUIRE(second);
  CHECK(*first != *second);
  CHECK(first->filename().string().rfind("assay-hostile-silent-", 0) == 0);
  CHECK(mode_of(*first) == 0711);
}

}  // namespace
}  // namespace assay::lab
