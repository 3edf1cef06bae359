#include "harness/lab/device_files.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <crypt.h>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <optional>
#include <set>
#include <sys/stat.h>
#include <tuple>
#include <unistd.h>

#include "harness/lab/certificates.hpp"
#include "harness/lab/process.hpp"

namespace assay::lab {
namespace fs = std::filesystem;

namespace {

Error bad_spec(const std::string& what) {
  return Error{ErrorKind::bad_input, what, ""};
}

Result<> make_folder(const fs::path& path, mode_t mode) {
  std::error_code failed;
  fs::create_directories(path, failed);
  // chmod, because the umask of whoever starts the device must not decide what its daemons can read.
  if (failed || chmod(path.c_str(), mode) != 0) {
    return Error{ErrorKind::io, "cannot make the folder " + path.string(), ""};
  }
  return {};
}

Result<> write_file(const fs::path& path, std::string_view text, mode_t mode) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  if (!out || chmod(path.c_str(), mode) != 0) {
    return Error{ErrorKind::io, "cannot write " + path.string(), ""};
  }
  out << text;
  out.close();
  if (!out) {
    return Error{ErrorKind::io, "cannot write " + path.string(), ""};
  }
  return {};
}

/// SHA-512 crypt, what shadow files hold; "*" (no password fits) for an empty one.
Result<std::string> hash_password(const std::string& password) {
  if (password.empty()) {
    return std::string{"*"};
  }
  const auto state = std::make_unique<crypt_data>();
  std::array<char, CRYPT_GENSALT_OUTPUT_SIZE> salt{};
  const char* made = crypt_gensalt_rn("$6$", 0, nullptr, 0, salt.data(), static_cast<int>(salt.size()));
  const char* hash = made != nullptr ? crypt_r(password.c_str(), made, state.get()) : nullptr;
  if (hash == nullptr || hash[0] == '*') {
    return Error{ErrorKind::unsupported, "this system's crypt() has no SHA-512 password hash", ""};
  }
  return std::string{hash};
}

bool fits_passwd_line(const std::string& text) {
  return text.find_first_of(":\n") == std::string::npos;
}

Result<> write_accounts(const fs::path& etc, std::vector<DeviceAccount> accounts) {
  const auto listed = [&](const std::string& name) {
    return std::any_of(accounts.begin(), accounts.end(), [&](const auto& account) { return account.username == name; });
  };
  for (const auto& [name, uid] :
       std::initializer_list<std::pair<const char*, std::uint32_t>>{{"root", 0}, {"nobody", 65534}}) {
    if (!listed(name)) {
      accounts.push_back({name, "", uid, "/", "/bin/sh"});
    }
  }
  std::string passwd;
  std::string shadow;
  std::string group = "tty:x:5:\n";
  std::set<std::uint32_t> groups;
  for (const auto& account : accounts) {
    if (!fits_passwd_line(account.username + account.home + account.shell) || account.username.empty()) {
      return bad_spec("account \"" + account.username +
                      "\": its name, home and shell must be one line without a colon");
    }
    auto hash = hash_password(account.password);
    if (!hash) {
      return hash.error();
    }
    const auto uid = std::to_string(account.uid);
    passwd += account.username + ":x:" + uid + ":" + uid + "::" + account.home + ":" + account.shell + "\n";
    shadow += account.username + ":" + *hash + ":19000:0:99999:7:::\n";
    if (groups.insert(account.uid).second) {
      group += account.username + ":x:" + uid + ":\n";
    }
  }
  for (const auto& [name, text, mode] : std::initializer_list<std::tuple<const char*, std::string, mode_t>>{
           {"passwd", passwd, 0644}, {"shadow", shadow, 0600}, {"group", group, 0644}}) {
    if (auto done = write_file(etc / name, text, mode); !done) {
      return done;
    }
  }
  return {};
}

/// What dynamic linking, time, TLS defaults, PAM and Debian's alternatives need. Missing ones are left out.
void copy_machine_files(const fs::path& etc) {
  for (const auto* name : {"ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "localtime", "login.defs",
                           "pam.d", "protocols", "security", "services", "ssl/openssl.cnf"}) {
    const auto from = fs::path("/etc") / name;
    std::error_code ignored;
    fs::create_directories((etc / name).parent_path(), ignored);
    fs::copy(from, etc / name, fs::copy_options::recursive | fs::copy_options::copy_symlinks, ignored);
  }
}

Result<> write_etc(const fs::path& folder, const DeviceSpec& spec) {
  const auto etc = folder / "etc";
  copy_machine_files(etc);
  if (auto done = write_accounts(etc, spec.accounts); !done) {
    return done;
  }
  if (auto done = write_file(etc / "nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\nhosts: files\n", 0644);
      !done) {
    return done;
  }
  return write_file(etc / "hosts", "127.0.0.1 localhost\n::1 localhost\n", 0644);
}

std::optional<mode_t> parse_mode(const std::string& text) {
  unsigned value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value, 8);
  const bool whole = read.ec == std::errc{} && read.ptr == text.data() + text.size();
  return whole && value <= 0777 ? std::optional<mode_t>{value} : std::nullopt;
}

bool stays_inside(const fs::path& path) {
  const auto normal = path.lexically_normal();
  return !normal.empty() && normal.is_relative() && *normal.begin() != ".." && normal != ".";
}

Result<> write_one(const fs::path& folder, const DeviceFile& file, const Placeholders& placeholders) {
  const auto path = placeholders.fill(file.path, "the path of a file");
  const auto text = placeholders.fill(file.text, "file " + file.path);
  if (!path || !text) {
    return path ? text.error() : path.error();
  }
  const auto mode = parse_mode(file.mode);
  if (!mode) {
    return bad_spec("file " + file.path + ": the mode \"" + file.mode + "\" must be octal, such as \"0644\"");
  }
  if (!stays_inside(*path)) {
    return bad_spec("file " + file.path + ": the path must stay below the device's folder");
  }
  std::error_code failed;
  fs::create_directories((folder / *path).parent_path(), failed);
  return write_file(folder / *path, *text, *mode);
}

}  // namespace

bool applies(const std::vector<Isolation>& modes, Isolation isolation) {
  return modes.empty() || std::find(modes.begin(), modes.end(), isolation) != modes.end();
}

Result<fs::path> make_device_folder(const fs::path& where, const std::string& name) {
  std::error_code failed;
  auto parent = where.empty() ? fs::temp_directory_path(failed) : fs::absolute(where, failed);
  if (!failed) {
    fs::create_directories(parent, failed);
    parent = failed ? parent : fs::canonical(parent, failed);
  }
  if (failed) {
    return Error{ErrorKind::io, "cannot use the folder " + parent.string() + ": " + failed.message(), ""};
  }
  std::string plain = name;
  std::replace_if(
      plain.begin(), plain.end(), [](unsigned char c) { return std::isalnum(c) == 0; }, '-');
  auto path = (parent / ("assay-" + plain + "-XXXXXX")).string();
  if (mkdtemp(path.data()) == nullptr || chmod(path.c_str(), 0711) != 0) {
    return system_error("cannot make a folder in " + parent.string());
  }
  return fs::path{path};
}

Result<> write_device_files(const fs::path& folder, const DeviceSpec& spec, Isolation isolation,
                            const Placeholders& placeholders) {
  for (const auto& [name, mode] : std::initializer_list<std::pair<const char*, mode_t>>{{"etc", 0755},
                                                                                        {"tmp", 01777},
                                                                                        {"run", 0755},
                                                                                        {"var", 0755},
                                                                                        {"var/log", 0755},
                                                                                        {"var/tmp", 01777},
                                                                                        {"certificates", 0755},
                                                                                        {"log", 0755}}) {
    if (auto done = make_folder(folder / name, mode); !done) {
      return done;
    }
  }
  std::error_code ignored;
  fs::create_symlink("/run", folder / "var/run", ignored);
  auto certificates = spec.certificates;
  for (auto& certificate : certificates) {
    for (auto& name : certificate.names) {
      auto filled = placeholders.fill(name, "certificate " + certificate.name);
      if (!filled) {
        return filled.error();
      }
      name = *filled;
    }
  }
  if (auto done = make_certificates(folder / "certificates", certificates); !done) {
    return done;
  }
  if (isolation != Isolation::loopback) {
    if (auto done = write_etc(folder, spec); !done) {
      return done;
    }
  }
  for (const auto& file : spec.files) {
    if (!applies(file.modes, isolation)) {
      continue;
    }
    if (auto done = write_one(folder, file, placeholders); !done) {
      return done;
    }
  }
  return {};
}

}  // namespace assay::lab
