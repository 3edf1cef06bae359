#include "harness/evidence/digest.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <stdexcept>

#include <openssl/evp.h>

#include "harness/evidence/bundle.hpp"

namespace assay::evidence {

namespace {

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kTimeShape = "dddd-dd-ddTdd:dd:dd.dddddddddZ";
constexpr std::size_t kPrintableLimit = 200;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  ~State() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  if (state_->context == nullptr || EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr) != 1) {
    throw std::runtime_error("OpenSSL has no SHA-256 here");
  }
}

Sha256::~Sha256() = default;

void Sha256::add(std::string_view bytes) {
  if (EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) != 1) {
    throw std::runtime_error("SHA-256 failed");
  }
}

std::string Sha256::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (EVP_DigestFinal_ex(state_->context, digest.data(), &size) != 1) {
    throw std::runtime_error("SHA-256 failed");
  }
  return hex_text(std::span{digest}.first(size));
}

std::string hex_text(std::span<const unsigned char> bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const auto byte : bytes) {
    out += kHex[byte >> 4U];
    out += kHex[byte & 0xFU];
  }
  return out;
}

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return kHex.find(c) != kHex.npos; });
}

bool is_sha256(std::string_view text) {
  return text.size() == 64 && is_hex(text);
}

bool is_utc_time(std::string_view text) {
  if (text.size() != kTimeShape.size()) {
    return false;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (kTimeShape[i] == 'd' ? !is_digit(text[i]) : text[i] != kTimeShape[i]) {
      return false;
    }
  }
  return true;
}

std::string utc_text(std::int64_t nanoseconds) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  std::int64_t fraction = nanoseconds % kSecond;
  if (fraction < 0) {
    fraction += kSecond;
  }
  const auto seconds = static_cast<std::time_t>((nanoseconds - fraction) / kSecond);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 96> text{};
  const int size = std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%09lldZ",
                                 parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min,
                                 parts.tm_sec, static_cast<long long>(fraction));
  return {text.data(), static_cast<std::size_t>(size)};
}

std::string printable(std::string_view bytes) {
  std::string out;
  for (const char c : bytes.substr(0, kPrintableLimit)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7F && c != '\\') {
      out += c;
    } else {
      out += "\\x";
      out += kHex[byte >> 4U];
      out += kHex[byte & 0xFU];
    }
  }
  return bytes.size() > kPrintableLimit ? out + "…" : out;
}

}  // namespace assay::evidence

namespace assay {

std::string sha256_hex(std::string_view bytes) {
  evidence::Sha256 digest;
  digest.add(bytes);
  return digest.finish();
}

std::string utc_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return evidence::utc_text(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}

}  // namespace assay
