#include "harness/evidence/lab_key.hpp"

#include <cerrno>
#include <fcntl.h>
#include <stdexcept>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "harness/evidence/digest.hpp"
#include "harness/evidence/files.hpp"

namespace assay::evidence {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kHead = "assay-lab-key/1 ";
constexpr std::string_view kNameHead = "hmac:";
constexpr std::size_t kIdDigits = 8;
constexpr std::size_t kNameDigits = 16;
constexpr std::size_t kLongestFile = 256;

// What is hashed begins with its purpose: the id of a key is the name of no secret.
constexpr std::string_view kForId = "assay key id\n";
constexpr std::string_view kForSecret = "assay secret\n";

std::string hmac(const std::array<unsigned char, 32>& key, std::string_view purpose, std::string_view text) {
  const auto whole = std::string{purpose} + std::string{text};
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned int size = 0;
  const auto* bytes = reinterpret_cast<const unsigned char*>(whole.data());
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes, whole.size(), out.data(), &size) == nullptr) {
    throw std::runtime_error("OpenSSL has no HMAC-SHA-256 here");
  }
  return hex_text(std::span{out}.first(size));
}

Error unfit(const fs::path& file, ErrorKind kind, const std::string& what) {
  return Error{kind, "the laboratory's key " + file.string() + " " + what, {}};
}

}  // namespace

LabKey::LabKey(const Bytes& bytes) : bytes_(bytes), id_(hmac(bytes, kForId, {}).substr(0, kIdDigits)) {}

Result<LabKey> LabKey::make() {
  Bytes bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
    return Error{ErrorKind::internal, "OpenSSL gave no random numbers for the laboratory's key", {}};
  }
  return LabKey{bytes};
}

Result<LabKey> LabKey::read(const fs::path& path) {
  const Fd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};

  struct stat facts {};

  if (!file || ::fstat(file.get(), &facts) != 0) {
    return io_error("read", path, errno);
  }
  if (!S_ISREG(facts.st_mode) || facts.st_size > static_cast<off_t>(kLongestFile)) {
    return unfit(path, ErrorKind::bad_input, "is no such key: `assay secret key` makes one");
  }
  if ((facts.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return unfit(path, ErrorKind::denied, "can be read by others: make it yours alone with chmod 600");
  }
  std::array<char, kLongestFile> text{};
  const auto size = ::read(file.get(), text.data(), text.size());
  std::string_view line{text.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
  if (line.ends_with('\n')) {
    line.remove_suffix(1);
  }
  Bytes bytes{};
  if (!line.starts_with(kHead) || line.size() != kHead.size() + 2 * bytes.size() ||
      !is_hex(line.substr(kHead.size()))) {
    return unfit(path, ErrorKind::bad_input, "is no such key: `assay secret key` makes one");
  }
  line.remove_prefix(kHead.size());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<unsigned char>(kHex.find(line[2 * i]) << 4U | kHex.find(line[2 * i + 1]));
  }
  return LabKey{bytes};
}

Result<> LabKey::write(const fs::path& path) const {
  std::error_code failed;
  const auto folder = fs::absolute(path).parent_path();
  fs::create_directories(folder, failed);
  if (failed) {
    return io_error("create", folder, failed.value());
  }
  // Linked into place when it is whole: of two runs that make the first key at once, one takes that of the other.
  const fs::path temporary = path.string() + "." + std::to_string(::getpid()) + std::string{kTemporary};
  auto written = write_private(temporary, std::string{kHead} + hex_text(bytes_) + "\n");
  if (written && ::link(temporary.c_str(), path.c_str()) != 0) {
    written = errno == EEXIST ? Result<>{unfit(path, ErrorKind::denied, "is there already, and is left as it is")}
                              : Result<>{io_error("create", path, errno)};
  }
  ::unlink(temporary.c_str());
  return written ? sync_directory(folder) : written;
}

std::string LabKey::name_of(std::string_view secret) const {
  return std::string{kNameHead} + id_ + ":" + hmac(bytes_, kForSecret, secret).substr(0, kNameDigits);
}

bool is_secret_name(std::string_view text) {
  return text.starts_with(kNameHead) && text.size() == kNameHead.size() + kIdDigits + 1 + kNameDigits &&
         is_hex(text.substr(kNameHead.size(), kIdDigits)) && text[kNameHead.size() + kIdDigits] == ':' &&
         is_hex(text.substr(kNameHead.size() + kIdDigits + 1));
}

std::string key_id_of(std::string_view secret_name) {
  return std::string{secret_name.substr(kNameHead.size(), kIdDigits)};
}

}  // namespace assay::evidence
