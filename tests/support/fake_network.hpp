#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "harness/probe/probe.hpp"
#include "tests/support/fake_bench.hpp"
#include "tests/support/fake_recorder.hpp"

/// A device of script instead of sockets: time does not pass, silence is an answer that comes at once, and every
/// conversation is the same on every machine.
namespace assay::fake {

constexpr std::uint16_t kPort = 4000;  // a port that suggests no protocol

/// What the far end puts on the line, in order.
class Line {
 public:
  void say(std::string bytes) { events_.push_back({Kind::data, std::move(bytes), {}}); }

  /// One byte for each read.
  void drip(std::string_view bytes);

  /// Nothing for so long; reads that wait less time out and have waited their share.
  void pause(milliseconds time) { events_.push_back({Kind::pause, {}, time}); }

  /// The same bytes for ever.
  void repeat(std::string bytes) { events_.push_back({Kind::repeat, std::move(bytes), {}}); }

  void close() { events_.push_back({Kind::close, {}, {}}); }

  void reset() { events_.push_back({Kind::reset, {}, {}}); }

 private:
  friend class ScriptedStream;
  enum class Kind : std::uint8_t { data, pause, repeat, close, reset };

  struct Event {
    Kind kind;
    std::string bytes;
    milliseconds time;
  };

  std::deque<Event> events_;
};

/// The far end of one connection: called with "" when it opens, then with what was written.
using Peer = std::function<void(std::string_view written, Line& line)>;
/// Makes the peer of the n-th connection (from 0) to a port.
using PeerMaker = std::function<Peer(int connection)>;
/// Answers to one datagram.
using UdpPeer = std::function<std::vector<std::string>(std::string_view datagram)>;

/// What a group says to one datagram, of the device and of others.
using GroupPeer = std::function<GroupAnswers(const GroupQuestion& question)>;

class FakeNetwork final : public Network {
 public:
  // The script.
  std::map<std::uint16_t, PeerMaker> tcp;
  std::map<std::uint16_t, PeerMaker> tls;  // inside the session
  PeerMaker upgraded;                      // inside the session that start_tls or start_dtls gives
  TlsSession tls_session = [] {
    TlsSession out;
    out.version = "TLSv1.3";
    out.cipher = "TLS_AES_256_GCM_SHA384";
    return out;
  }();
  bool resumes = true;  // what it is given of an earlier session
  Result<TlsResumption> resumption{Error{ErrorKind::timed_out, "no ticket came", {}}};
  Result<> renegotiation{Error{ErrorKind::unsupported, "there is no renegotiation in TLS 1.3", {}}};
  std::map<std::uint16_t, UdpPeer> udp;
  std::map<std::uint16_t, bool> udp_refuses;
  std::map<std::uint16_t, int> refuse_after;  // connections to a port before it refuses
  std::optional<std::string> half_closed;     // all that is said, before its end, to who ends its side of a stream
  std::function<Result<std::unique_ptr<DatagramListener>>(std::uint16_t port)> listening;  // for datagrams
  std::deque<Peer> visitors;  // who comes, one after the other, to a port of ours that is listened on
  GroupPeer group;
  Result<LinkNeighbour> link{Error{ErrorKind::unreachable, "no entry for the device", {}}};
  Result<std::vector<Bytes>> dhcp{Error{ErrorKind::unsupported, "no packets are captured", {}}};
  Result<SweepReport> sweep{SweepReport{}};
  Result<UdpReport> udp_sweep{UdpReport{}};
  std::map<std::string, int> login_budget;  // attempts an account has; others have `budget`
  int budget = 1000;
  std::set<std::string> set_aside;       // accounts whose last attempt is for permit_kept_login
  int guesses = 1000;                    // for permit_guess
  std::vector<std::string> sources;      // other addresses of ours
  std::string gone_source;               // the one of them that is not there any more
  std::optional<milliseconds> distance;  // round trip; none: nobody knows it
  std::size_t spare = 100;               // connections that could be opened without waiting

  // What happened.
  std::map<std::uint16_t, int> connections;
  std::map<std::string, int> permits;
  int guessed = 0;
  std::string source;  // that is spoken from; empty: the usual one
  std::vector<GroupQuestion> group_questions;
  std::vector<PortRange> swept;
  std::optional<SweepMethod> swept_by;
  std::optional<UdpSweep> swept_udp;
  std::vector<std::string> tls_offers;
  std::vector<TlsOptions> tls_wishes;  // of start_tls and start_dtls
  std::size_t bytes_served = 0;
  std::size_t at_once = 1;  // logins
  milliseconds passed{0};

  asio::awaitable<Result<std::unique_ptr<Stream>>> connect_tcp(Endpoint to, milliseconds within) override;
  asio::awaitable<Result<std::unique_ptr<TlsStream>>> connect_tls(Endpoint to, const TlsOptions& options,
                                                                  milliseconds within) override;
  asio::awaitable<Result<std::unique_ptr<TlsStream>>> start_tls(std::unique_ptr<Stream> over, const TlsOptions& options,
                                                                milliseconds within) override;
  asio::awaitable<Result<std::unique_ptr<Datagrams>>> open_udp(Endpoint to) override;
  asio::awaitable<Result<std::unique_ptr<TlsStream>>> start_dtls(std::unique_ptr<Datagrams> over,
                                                                 const TlsOptions& options,
                                                                 milliseconds within) override;
  asio::awaitable<Result<GroupAnswers>> ask_groups(const std::vector<GroupQuestion>& questions,
                                                   milliseconds within) override;

  Result<std::unique_ptr<Listener>> listen(std::uint16_t port) override;

  Result<std::unique_ptr<DatagramListener>> listen_udp(std::uint16_t port) override {
    return listening ? listening(port) : Network::listen_udp(port);
  }

  Result<LinkNeighbour> neighbour() override { return link; }

  Result<std::vector<Bytes>> overheard_dhcp() override { return dhcp; }

  asio::awaitable<Result<SweepReport>> sweep_tcp(const std::vector<PortRange>& ports, SweepMethod method,
                                                 const Progress& progress) override;
  asio::awaitable<Result<UdpReport>> sweep_udp(const UdpSweep& sweep, const Progress& progress) override;
  asio::awaitable<Result<>> wait(milliseconds time) override;
  asio::awaitable<Result<>> permit_login(Endpoint endpoint, const std::string& account) override;
  asio::awaitable<Result<>> permit_kept_login(Endpoint endpoint, const std::string& account) override;
  void return_permit(const Endpoint& endpoint, const std::string& account) override;

  std::size_t logins_at_once() const override { return at_once; }

  Result<> permit_guess(Endpoint endpoint) override;

  std::vector<std::string> other_sources() override { return sources; }

  Result<> speak_from(const std::string& from) override {
    if (!from.empty() && from == gone_source) {
      return Error{ErrorKind::unreachable, "the address is gone", {}};
    }
    source = from;
    return {};
  }

  milliseconds elapsed() const override { return passed; }

  std::int64_t connections_opened() const override {
    std::int64_t all = 0;
    for (const auto& [port, count] : connections) {
      all += count;
    }
    return all;
  }

  milliseconds round_trip(milliseconds otherwise) const override { return distance.value_or(otherwise); }

  std::size_t spare_connections() const override { return spare; }

  milliseconds connect_timeout() const override { return milliseconds{3000}; }

  milliseconds reply_timeout() const override { return milliseconds{5000}; }
};

/// Dictionaries of one test.
class FakeLibrary final : public ProbeLibrary {
 public:
  std::map<std::string, Dictionary, std::less<>> dictionaries;
  std::vector<Fingerprint> prints;
  KnownKeys keys;

  std::span<const Fingerprint> fingerprints() const override { return prints; }

  const KnownKeys& known_keys() const override { return keys; }

  const Dictionary* dictionary(std::string_view id) const override {
    const auto found = dictionaries.find(id);
    return found == dictionaries.end() ? nullptr : &found->second;
  }

  std::map<std::string, PayloadList, std::less<>> lists;

  std::map<std::string, AttackList, std::less<>> attack_lists;

  const AttackList* attacks(std::string_view id) const override {
    const auto found = attack_lists.find(id);
    return found == attack_lists.end() ? nullptr : &found->second;
  }

  const PayloadList* payloads(std::string_view id) const override {
    const auto found = lists.find(id);
    return found == lists.end() ? nullptr : &found->second;
  }

  std::map<std::string, PasswordRules, std::less<>> rules;

  const PasswordRules* password_rules(std::string_view id) const override {
    const auto found = rules.find(id);
    return found == rules.end() ? nullptr : &found->second;
  }
};

/// Runs a probe against a script to its end; parameters are completed with the defaults. The recorder's text says
/// when a declared fact was left open.
struct Run {
  Result<> ended;
  FakeRecorder record;
  std::vector<FakeBench::Ran> recipes;
};

Run observe(const ProbeDescriptor& probe, FakeNetwork& network, std::string_view endpoint,
            const json::object& parameters = {}, const Dut& dut = {}, const FakeLibrary& library = {},
            FakeBench bench = {});

/// A peer that says something at once and then listens in silence.
PeerMaker says(std::string greeting);
/// A peer that answers every write with the same bytes.
PeerMaker answers(std::string reply);
/// A ServerHello record of TLS 1.2, enough for a client that only looks whether TLS is spoken.
std::string server_hello();

}  // namespace assay::fake
