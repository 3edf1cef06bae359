#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/probe/network.hpp"

/// The server's side of one session of DTLS (RFC 6347), by OpenSSL over memory: it sends and receives nothing by
/// itself, so scope, pace and record stay with the guarded socket.
namespace assay::probes::update {

/// What our server proves itself by. A false server has both, and the device ought to take neither.
struct DtlsProof {
  std::optional<TlsIdentity> certificate;
  std::string key;       // bytes that both sides know; empty: none
  std::string identity;  // by which the device names the key; empty: whatever it says

  bool operator==(const DtlsProof& other) const {
    const auto chain = [](const DtlsProof& one) {
      return one.certificate ? one.certificate->chain_pem : std::string{};
    };
    return key == other.key && identity == other.identity && chain(*this) == chain(other);
  }
};

/// A datagram with the fatal alert handshake_failure in clear.
std::string dtls_refusal();

class DtlsSession {
 public:
  /// `bad_input` when the certificate and the key cannot be used together.
  static Result<std::unique_ptr<DtlsSession>> make(const DtlsProof& proof);

  virtual ~DtlsSession() = default;

  /// Takes one datagram of the client; what lay inside, record by record, at most 16.
  virtual std::vector<std::string> take(std::string_view datagram) = 0;

  /// Puts one datagram's worth into the session. Nothing before it is finished and after its end.
  virtual void write(std::string_view inside) = 0;

  /// What is to be sent now, datagram by datagram.
  virtual std::vector<std::string> written() = 0;

  /// Time until the last flight counts as lost; none: no flight is on its way.
  virtual std::optional<std::chrono::milliseconds> until_resend() = 0;

  /// Has a lost flight sent again.
  virtual void resend() = 0;

  /// Says goodbye, which `written` gives.
  virtual void end() = 0;

  virtual const TlsVisit& visit() const = 0;

  /// Nothing more comes of it.
  virtual bool ended() const = 0;

  /// Why it ended before it was finished, in words; escaped nothing: they are the library's.
  virtual const std::string& reason() const = 0;

  /// The name of a key that the client gave; empty: it gave none.
  virtual const std::string& identity() const = 0;
};

}  // namespace assay::probes::update
