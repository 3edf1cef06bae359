#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "harness/model/endpoint.hpp"
#include "harness/model/result.hpp"
#include "harness/probe/udp_sweep.hpp"

/// The network as a probe sees it: one device, guarded by scope, pace and deadline. Real in `harness/net`,
/// scripted in `tests/support`.
namespace assay {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using Bytes = std::vector<std::byte>;

/// A byte stream to the device. Closing is by destruction. Errors are those of the second group of
/// ErrorKind: `closed` is an orderly end of stream, `reset` a cut, `timed_out` silence for the given time.
class Stream {
 public:
  virtual ~Stream() = default;

  /// Reads at least one byte. `within` bounds the wait; it never outlasts the step's deadline.
  virtual asio::awaitable<Result<std::size_t>> read_some(std::span<std::byte> into, milliseconds within) = 0;

  virtual asio::awaitable<Result<>> write_all(std::span<const std::byte> from, milliseconds within) = 0;

  /// Tells the peer that nothing more will come (TCP FIN), reading goes on.
  virtual void shutdown_send() = 0;
};

/// What a finished TLS handshake showed. Names as OpenSSL prints them.
struct TlsSession {
  std::string version;                   // "TLSv1.3"
  std::string cipher;                    // "TLS_AES_256_GCM_SHA384"
  std::string alpn;                      // chosen protocol, empty for none
  std::vector<std::string> chain_der;    // certificates as sent, leaf first, DER bytes
  bool resumed = false;                  // an earlier session went on
  bool secure_renegotiation = false;     // RFC 5746 was agreed; never in TLS 1.3, which has no renegotiation
  bool extended_master_secret = false;   // RFC 7627; of TLS 1.2 and before
  bool certificate_asked = false;        // the server asked for one of the client, which had none
  std::vector<std::string> authorities;  // whose certificates it asked for, DER names, at most 64
};

/// What a server gave to resume a session by.
struct TlsResumption {
  std::string version;                  // "TLSv1.3"
  std::string session_id;               // of a server that remembers; empty when there is a ticket
  std::string ticket;                   // RFC 5077; RFC 8446, 4.6.1
  std::uint32_t lifetime_s = 0;         // of the ticket as the server hints; 0: not said
  std::uint32_t max_early_data = 0;     // bytes (RFC 8446, 4.2.10); 0: none is taken
  bool extended_master_secret = false;  // a hello that resumes it says the same (RFC 7627, 5.3)
  std::shared_ptr<void> session;        // the library's own, for TlsOptions
};

class TlsStream : public Stream {
 public:
  virtual const TlsSession& session() const = 0;

  /// What the server gives to resume this session by. In TLS 1.3 that comes after the handshake: waits for it,
  /// `timed_out` when nothing came. `unsupported` when the server of an older version gave nothing. Data of the device
  /// is left to be read, and ends the wait with `protocol`, as an alert does, which the text names.
  virtual asio::awaitable<Result<TlsResumption>> resumption(milliseconds within) = 0;

  /// Asks for a new handshake within the session (RFC 5246, 7.4.1.2). `protocol` names the alert that refuses it,
  /// `unsupported` in TLS 1.3; `closed`, `reset` and `timed_out` are the stream's own ends.
  virtual asio::awaitable<Result<>> renegotiate(milliseconds within) = 0;
};

/// A passing wish for a TLS handshake. Nothing is verified: what the device shows is a fact, not a failure.
/// Old versions and weak suites are offered as far as the library has them (OpenSSL security level 0).
struct TlsOptions {
  std::string server_name;         // SNI; empty: none
  std::vector<std::string> alpn;   // offers in order
  std::uint16_t newest = 0;        // newest version that is offered (0x0303: TLS 1.2); 0: what the library has
  bool tickets = true;             // in TLS 1.2; without them a server that resumes has to remember
  std::shared_ptr<void> resume;    // `session` of a TlsResumption of the same server
  std::uint64_t first_record = 0;  // DTLS: our records of epoch 0 are numbered from here; some servers remember others'
};

/// What our own TLS server shows of itself.
struct TlsIdentity {
  std::string chain_pem;  // certificates, its own first
  std::string key_pem;
};

/// What a client of our TLS server showed, whether the handshake finished or not.
struct TlsVisit {
  std::string server_name;  // that it asked for (SNI); empty: none
  std::string version;      // agreed; empty: none was
  std::string cipher;
  std::string offered;  // the newest version that it offers; empty: no hello came
  bool finished = false;
};

/// A TCP port of this machine that the device may connect to.
class Listener {
 public:
  virtual ~Listener() = default;

  /// Where the device reaches it.
  virtual std::string address() const = 0;
  virtual std::uint16_t port() const = 0;

  /// The device's next connection. Whoever else connects is cut and counted. `timed_out` when nobody came.
  virtual asio::awaitable<Result<std::unique_ptr<Stream>>> accept(milliseconds within) = 0;

  /// Connections of others that were cut.
  virtual std::int64_t strangers() const = 0;
};

/// Datagrams to and from one port of the device, answers from another port of the same device included.
class Datagrams {
 public:
  struct Received {
    Bytes payload;
    std::uint16_t from_port = 0;
  };

  virtual ~Datagrams() = default;
  virtual asio::awaitable<Result<>> send(std::span<const std::byte> payload) = 0;

  /// `refused` is an ICMP port unreachable, `timed_out` silence: two different answers.
  virtual asio::awaitable<Result<Received>> receive(milliseconds within) = 0;
};

/// A UDP port of this machine that the device may send to.
class DatagramListener {
 public:
  virtual ~DatagramListener() = default;

  /// Where the device reaches it.
  virtual std::string address() const = 0;
  virtual std::uint16_t port() const = 0;

  /// The device's next datagram. Those of others are dropped and counted. `timed_out` when none came.
  virtual asio::awaitable<Result<Datagrams::Received>> receive(milliseconds within) = 0;

  /// To a port of the device, under the pace. Whether anybody is there does not show.
  virtual asio::awaitable<Result<>> send(std::uint16_t to_port, std::span<const std::byte> payload) = 0;

  /// The same at once, for the answer to what the device asked: the pace of that is its own.
  virtual Result<> answer(std::uint16_t to_port, std::span<const std::byte> payload) = 0;

  /// Datagrams of others that were dropped.
  virtual std::int64_t strangers() const = 0;
};

/// Inclusive range of ports.
struct PortRange {
  std::uint16_t first = 1;
  std::uint16_t last = 65535;
};

enum class PortState : std::uint8_t { open, closed, filtered, unreliable };
BOOST_DESCRIBE_ENUM(PortState, open, closed, filtered, unreliable)

struct PortResult {
  std::uint16_t port = 0;
  PortState state = PortState::unreliable;
  std::string reason;  // "syn-ack", "rst", "no answer to 3 connects", "icmp administratively prohibited" …
};

/// How ports are asked.
enum class SweepMethod : std::uint8_t {
  best,     // SYN segments where this process may send them, else connects
  syn,      // SYN segments; `denied` without the right to send them
  connect,  // whole connects
};
BOOST_DESCRIBE_ENUM(SweepMethod, best, syn, connect)

/// What a sweep did, for absence to have coverage.
struct SweepReport {
  std::vector<PortResult> results;  // every port that is not `closed`, by port
  std::int64_t ports = 0;           // asked for
  std::int64_t open = 0;
  std::int64_t closed = 0;
  std::int64_t filtered = 0;
  std::int64_t unreliable = 0;  // not asked to the end: interrupted, out of local resources, or contradicting itself
  std::int64_t attempts = 0;    // connects or SYNs started, retries included
  std::int64_t answered = 0;
  std::int64_t retried = 0;
  std::int64_t lost = 0;  // attempts without any answer
  std::int64_t local_errors = 0;
  std::int64_t took_ns = 0;
  std::int64_t rtt_ns = 0;            // smoothed round trip of refusals, 0 when none came
  std::int64_t slow_downs = 0;        // times that lost canaries made it slower
  std::int64_t limit_a_second = 0;    // what it was seen to take when canaries were last lost, 0: none were
  std::int64_t late_answers = 0;      // times that answers came later than usual and the rate was halved
  std::int64_t latest_ns = 0;         // how late then, at best
  std::int64_t slowest_a_second = 0;  // the lowest rate that late answers or outages brought it to, 0: none did
  std::int64_t outages = 0;           // times that the device gave out: fell silent, or its open ports refused
  std::int64_t half_open = 0;         // attempts without an answer yet, at most so many at once …
  std::int64_t most_half_open = 0;    // … and what the pace allows
  bool resets_limited = false;        // open ports went on answering while closed ones fell silent
  bool turned_away = false;           // open ports began to refuse: refusals since then are not believed
  bool stopped_answering = false;     // everything fell silent
  std::string method;                 // "tcp-connect", "tcp-syn"
};

/// The groups of link discovery, the only multicast that is ever sent. Each stands for one IPv4 and one IPv6 group:
///   mdns   224.0.0.251:5353,     [ff02::fb]:5353   (RFC 6762)
///   ssdp   239.255.255.250:1900, [ff02::c]:1900    (UPnP Device Architecture)
///   wsd    239.255.255.250:3702, [ff02::c]:3702    (OASIS WS-Discovery)
///   llmnr  224.0.0.252:5355,     [ff02::1:3]:5355  (RFC 4795)
enum class DiscoveryGroup : std::uint8_t { mdns, ssdp, wsd, llmnr };
BOOST_DESCRIBE_ENUM(DiscoveryGroup, mdns, ssdp, wsd, llmnr)

/// One datagram for a group; an empty one only listens to what is sent to the group anyway.
struct GroupQuestion {
  DiscoveryGroup group = DiscoveryGroup::mdns;
  Bytes payload;
};

/// What a group said. Only the device's own datagrams are kept; other hosts are counted and never contacted.
struct GroupAnswers {
  struct Answer {
    DiscoveryGroup group = DiscoveryGroup::mdns;
    Bytes payload;
    std::string from;  // the target's address, or a link-local one that its MAC shows to be the device's
    std::uint16_t from_port = 0;
    bool to_group = false;  // heard on the group instead of sent to us
  };

  struct Other {
    DiscoveryGroup group = DiscoveryGroup::mdns;
    std::string address;
    std::int64_t replies = 0;  // sent to us
    std::int64_t heard = 0;    // sent to the group: questions of that host too
  };

  std::vector<Answer> answers;    // in order of arrival, at most kMost
  std::vector<Other> others;      // at most kMost
  std::int64_t sent = 0;          // datagrams of ours
  std::int64_t left_out = 0;      // datagrams beyond the bounds
  std::vector<std::string> deaf;  // groups whose port could not be listened to, with the reason
  std::string interface;          // that leads to the device

  static constexpr std::size_t kMost = 256;
};

/// The link-layer address of the device as the kernel learned it by ARP or NDP.
struct LinkNeighbour {
  std::string mac;        // "02:00:00:00:00:02"
  std::string interface;  // "eth0"
};

/// Progress of long work, for the person at the terminal.
using Progress = std::function<void(std::int64_t done, std::int64_t total, std::string_view what)>;

class Network {
 public:
  virtual ~Network() = default;

  virtual asio::awaitable<Result<std::unique_ptr<Stream>>> connect_tcp(Endpoint to, milliseconds within) = 0;

  /// TCP connect and TLS handshake. A failed handshake is `protocol` (alert in the text), `reset`, `closed` or
  /// `timed_out`.
  virtual asio::awaitable<Result<std::unique_ptr<TlsStream>>> connect_tls(Endpoint to, const TlsOptions& options,
                                                                          milliseconds within) = 0;

  /// TLS on a stream that already speaks (STARTTLS). Takes the stream.
  virtual asio::awaitable<Result<std::unique_ptr<TlsStream>>> start_tls(std::unique_ptr<Stream> over,
                                                                        const TlsOptions& options,
                                                                        milliseconds within) = 0;

  virtual asio::awaitable<Result<std::unique_ptr<Datagrams>>> open_udp(Endpoint to) = 0;

  /// DTLS on a socket of `open_udp`, which it takes; a failed handshake is as with `connect_tls`, or `refused`.
  virtual asio::awaitable<Result<std::unique_ptr<TlsStream>>> start_dtls(std::unique_ptr<Datagrams> over,
                                                                         const TlsOptions& options,
                                                                         milliseconds within) = 0;

  /// Listens on the address of ours that leads to the device, until the listener is destroyed. Port 0: any free one.
  /// `io` when the port is taken.
  virtual Result<std::unique_ptr<Listener>> listen(std::uint16_t port) {
    return Error{ErrorKind::unsupported, "port " + std::to_string(port) + " cannot be listened on here", {}};
  }

  /// The same for datagrams.
  virtual Result<std::unique_ptr<DatagramListener>> listen_udp(std::uint16_t port) {
    return Error{ErrorKind::unsupported, "udp/" + std::to_string(port) + " cannot be listened on here", {}};
  }

  /// The server's side of TLS on a stream that came in. Takes the stream; `visit` is filled in on every path.
  /// `protocol` names the alert by which the client refused, or what it sent instead of TLS; `bad_input` for an
  /// identity that cannot be used.
  virtual asio::awaitable<Result<std::unique_ptr<Stream>>> serve_tls(std::unique_ptr<Stream> over,
                                                                     const TlsIdentity& identity, TlsVisit& visit,
                                                                     milliseconds within);

  /// Sends each datagram to its group on the interface that leads to the device, in the address family of the target,
  /// and collects for `within` what comes back and what is sent to these groups anyway. `unreachable` when the device
  /// is behind a router, for groups end at the link.
  virtual asio::awaitable<Result<GroupAnswers>> ask_groups(const std::vector<GroupQuestion>& questions,
                                                           milliseconds within) = 0;

  /// What the kernel knows of the device's link-layer address; sends nothing, so something must have been sent before.
  /// `unreachable` when it is behind a router or not resolved, `unsupported` where the link has no such addresses.
  virtual Result<LinkNeighbour> neighbour() = 0;

  /// DHCP messages that the device sent while the run captured packets: their UDP payloads, the latest last, at most
  /// kMostOverheard. `unsupported` when nothing is captured.
  virtual Result<std::vector<Bytes>> overheard_dhcp() {
    return Error{ErrorKind::unsupported, "no packets are captured", {}};
  }

  static constexpr std::size_t kMostOverheard = 16;

  /// TCP scan of the target's address: one loop over all ports under the pace.
  virtual asio::awaitable<Result<SweepReport>> sweep_tcp(const std::vector<PortRange>& ports, SweepMethod method,
                                                         const Progress& progress) = 0;

  /// UDP scan of the target's address: questions in their protocols, then which silent ports are closed, by the
  /// device's ICMP errors and a measure of how many of them it sends.
  virtual asio::awaitable<Result<UdpReport>> sweep_udp(const UdpSweep& sweep, const Progress& progress) = 0;

  /// Waits; the one way for a probe to let time pass. Ends early with `cancelled` or `timed_out` (deadline of the
  /// step).
  virtual asio::awaitable<Result<>> wait(milliseconds time) = 0;

  /// Draws one wrong-login permit of `account` on `endpoint` from the device's budget and waits for the
  /// login interval. `denied` when the budget for this account is spent.
  virtual asio::awaitable<Result<>> permit_login(Endpoint endpoint, const std::string& account) = 0;

  /// As `permit_login`, by the account with which the DUT file says that the version is read there (`version_at`): one
  /// permit of its budget is set aside for that, which whoever guesses at passwords before does not get.
  virtual asio::awaitable<Result<>> permit_kept_login(Endpoint endpoint, const std::string& account) {
    return permit_login(endpoint, account);
  }

  /// The login of the last permit was taken, so it was no wrong one: the permit can be drawn again. For logins with a
  /// password that is known alone, never for guesses.
  virtual void return_permit(const Endpoint& endpoint, const std::string& account) = 0;

  /// Logins that the pace lets be on their way at once: 1 where it has an interval between two. Each needs its permit.
  virtual std::size_t logins_at_once() const { return 1; }

  /// Draws one login from the budget for measuring how `endpoint` bears guessing, which is apart from those of the
  /// accounts and has no interval. `denied` when it is spent.
  virtual Result<> permit_guess(Endpoint endpoint) {
    return Error{ErrorKind::denied, "there is no budget for guesses on " + endpoint.text(), {}};
  }

  /// Addresses of this host that the user lets be used beside the usual one and that the interface to the device has.
  virtual std::vector<std::string> other_sources() { return {}; }

  /// TCP connections come from this one of `other_sources` from now on, or from the usual one when it is empty.
  virtual Result<> speak_from(const std::string& source) {
    return source.empty() ? Result<>{} : Error{ErrorKind::unsupported, "there is no other address to speak from", {}};
  }

  /// Time since this network was made.
  virtual milliseconds elapsed() const { return milliseconds{0}; }

  /// TCP connections opened since this network was made.
  virtual std::int64_t connections_opened() const { return 0; }

  /// Smoothed round-trip time to the device, or `otherwise` while none was measured.
  virtual milliseconds round_trip(milliseconds otherwise) const = 0;

  /// Connections that could be opened now without waiting for another one to end. Whoever keeps a connection open for
  /// later closes it when there are none, so that nobody waits for a connection while holding one.
  virtual std::size_t spare_connections() const = 0;

  /// Upper bounds of the pace.
  virtual milliseconds connect_timeout() const = 0;
  virtual milliseconds reply_timeout() const = 0;
};

inline asio::awaitable<Result<std::unique_ptr<Stream>>> Network::serve_tls(std::unique_ptr<Stream>, const TlsIdentity&,
                                                                           TlsVisit&, milliseconds) {
  co_return Error{ErrorKind::unsupported, "TLS cannot be served here", {}};
}

}  // namespace assay
