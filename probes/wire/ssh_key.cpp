#include "probes/wire/ssh_key.hpp"

#include "probes/wire/ssh_kex.hpp"

namespace assay::wire {

namespace {

constexpr std::string_view kCertificate = "-cert-v01@openssh.com";

std::string_view field(Reader& reader) {
  return reader.take(reader.u32());
}

std::int64_t curve_bits(std::string_view curve) {
  return curve == "nistp256" ? 256 : curve == "nistp384" ? 384 : curve == "nistp521" ? 521 : 0;
}

/// Fills in kind and bits from what follows the type; false when the bytes do not hold it.
bool read_numbers(std::string_view type, Reader& reader, SshKey& key) {
  const auto next = [&] { return key.fields.emplace_back(field(reader)); };
  if (type == "ssh-rsa" || type.starts_with("rsa-sha2-")) {
    key.kind = "rsa";
    next();  // exponent
    key.bits = bit_length(next());
    return key.bits > 0;
  }
  if (type == "ssh-dss") {
    key.kind = "dsa";
    key.bits = bit_length(next());
    for (int number = 0; number < 3; ++number) {
      next();
    }
    return key.bits > 0;
  }
  if (type.starts_with("ecdsa-sha2-")) {
    key.kind = "ecdsa";
    key.bits = curve_bits(next());
    return !next().empty();
  }
  if (type == "ssh-ed25519" || type == "ssh-ed448") {
    key.kind = type.substr(4);
    key.bits = type == "ssh-ed25519" ? 256 : 456;  // of the encoded point: RFC 8709 section 4
    return next().size() * 8 == static_cast<std::size_t>(key.bits);
  }
  return true;
}

}  // namespace

SshKey parse_ssh_key(std::string_view blob) {
  SshKey key;
  Reader reader{blob};
  auto type = field(reader);
  if (reader.failed() || type.empty()) {
    return key;
  }
  key.type = printable(type, 64);
  if (type.ends_with(kCertificate)) {
    key.certificate = true;
    type.remove_suffix(kCertificate.size());
    field(reader);  // nonce
  }
  const bool whole = read_numbers(type, reader, key);
  key.state = whole && !reader.failed() ? Parse::complete : Parse::malformed;
  if (key.state == Parse::malformed) {
    key.fields.clear();
  }
  return key;
}

}  // namespace assay::wire
