#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "harness/probe/network.hpp"
#include "probes/update/servers/dtls_session.hpp"

/// A UDP port of ours on which DTLS is spoken: who uses it sees what lies inside, and one session for each port of the
/// device stands behind.
namespace assay::probes::update {

/// What is spoken on the port.
struct DtlsTerms {
  std::optional<DtlsProof> proof;  // none: a hello is answered by an alert, as who speaks no DTLS would like it to end
  bool plain = false;              // datagrams without DTLS are passed on
};

/// What the device did since the terms were last said. Of a session that lives on, `visit` stays.
struct DtlsSeen {
  std::int64_t sessions = 0;  // that it began
  std::int64_t handshakes = 0;
  std::string refusal;                // how the last one ended that led to nothing, in words
  TlsVisit visit;                     // the last finished one
  std::optional<milliseconds> first;  // hello, by Network::elapsed
  milliseconds last{0};
};

class DtlsListener final : public DatagramListener {
 public:
  using Note = std::function<void(std::string_view line)>;

  /// `clock` outlives it; `note` is told what happens.
  DtlsListener(const Network& clock, std::unique_ptr<DatagramListener> under, Note note)
      : clock_(clock), under_(std::move(under)), note_(std::move(note)) {}

  /// From now on. Where the proof is another than before, sessions end: the device has to look at us anew.
  void agree(DtlsTerms terms);

  const DtlsSeen& seen() const { return seen_; }

  /// What a port of the device spoke with us last: "DTLSv1.2", or "coap" in clear or without a session.
  std::string over(std::uint16_t port) const;

  std::string address() const override { return under_->address(); }

  std::uint16_t port() const override { return under_->port(); }

  /// The next datagram's worth from inside a session.
  asio::awaitable<Result<Datagrams::Received>> receive(milliseconds within) override;

  /// Where there is no session, it is as if it had been lost.
  asio::awaitable<Result<>> send(std::uint16_t to_port, std::span<const std::byte> payload) override;

  Result<> answer(std::uint16_t to_port, std::span<const std::byte> payload) override;

  std::int64_t strangers() const override { return under_->strangers(); }

 private:
  struct Peer {
    std::string random;  // of its hello
    std::unique_ptr<DtlsSession> session;
    bool told = false;   // that it is finished, or ended
    bool asked = false;  // something lay inside
  };

  void take(const Datagrams::Received& datagram);
  void begin(std::uint16_t port, std::string random);
  void look_at(std::uint16_t port, Peer& peer);
  void flush(std::uint16_t port, Peer& peer);
  void resend();
  std::optional<milliseconds> until_resend();
  bool passes(std::string_view datagram) const;
  Peer* peer_of(std::uint16_t port);

  const Network& clock_;
  std::unique_ptr<DatagramListener> under_;
  Note note_;
  DtlsTerms terms_;
  DtlsSeen seen_;
  std::map<std::uint16_t, Peer> peers_;
  std::set<std::uint16_t> clear_;  // ports that spoke in clear last, with or without a session
  std::deque<Datagrams::Received> ready_;
};

}  // namespace assay::probes::update
