#include "harness/net/guarded_network.hpp"

#include <algorithm>
#include <sys/resource.h>
#include <utility>

#include "harness/net/datagram_listener.hpp"
#include "harness/net/discovery_groups.hpp"
#include "harness/net/group_socket.hpp"
#include "harness/net/link.hpp"
#include "harness/net/listener.hpp"
#include "harness/net/sweep.hpp"
#include "harness/net/tcp_stream.hpp"
#include "harness/net/tls_stream.hpp"
#include "harness/net/udp_socket.hpp"
#include "harness/net/udp_sources.hpp"
#include "harness/net/udp_sweep.hpp"
#include "harness/net/waiting.hpp"

namespace assay {

namespace {

class GuardedNetwork final : public Network {
 public:
  GuardedNetwork(asio::any_io_executor executor, Governor& governor, const Scope& scope, const Target& target,
                 TimePoint deadline, CaptureLink capture, Scope sources)
      : executor_(std::move(executor)),
        governor_(governor),
        deadline_(deadline),
        sources_(std::move(sources)),
        capture_(std::move(capture)) {
    const auto address = IpAddress::parse(target.address);
    if (!address) {
      guard_ = Error{ErrorKind::denied, "the target's address is not a numeric address without zone", {}};
    } else if (!scope.contains(*address)) {
      guard_ = Error{ErrorKind::denied, "the target " + address->text() + " lies outside the scope", {}};
    } else {
      address_ = *address;
    }
  }

  asio::awaitable<Result<std::unique_ptr<Stream>>> connect_tcp(Endpoint to, milliseconds within) override {
    if (const auto refusal = refuse(to, Transport::tcp)) {
      co_return *refusal;
    }
    auto stream = co_await open_tcp(governor_, address_, to.port, within, deadline_, capture_.flows, way_);
    opened_ += stream ? 1 : 0;
    co_return std::move(stream);
  }

  asio::awaitable<Result<std::unique_ptr<TlsStream>>> connect_tls(Endpoint to, const TlsOptions& options,
                                                                  milliseconds within) override {
    auto stream = co_await connect_tcp(to, within);
    if (!stream) {
      co_return stream.error();
    }
    co_return co_await start_tls(std::move(*stream), options, within);
  }

  asio::awaitable<Result<std::unique_ptr<TlsStream>>> start_tls(std::unique_ptr<Stream> over, const TlsOptions& options,
                                                                milliseconds within) override {
    if (!tls_) {
      tls_ = make_tls_context();
    }
    if (!tls_) {
      co_return Error{ErrorKind::internal, "OpenSSL could not make a context", {}};
    }
    co_return co_await shake_hands(tls_, std::move(over), options, within, deadline_);
  }

  asio::awaitable<Result<std::unique_ptr<Datagrams>>> open_udp(Endpoint to) override {
    if (const auto refusal = refuse(to, Transport::udp)) {
      co_return *refusal;
    }
    co_return co_await open_datagrams(governor_, address_, to.port, deadline_, capture_.flows);
  }

  Result<std::unique_ptr<Listener>> listen(std::uint16_t port) override {
    if (guard_) {
      return *guard_;
    }
    return listen_for(executor_, address_, port, deadline_, capture_.flows);
  }

  Result<std::unique_ptr<DatagramListener>> listen_udp(std::uint16_t port) override {
    if (guard_) {
      return *guard_;
    }
    return listen_for_datagrams(executor_, governor_, address_, port, deadline_, capture_.flows);
  }

  asio::awaitable<Result<std::unique_ptr<Stream>>> serve_tls(std::unique_ptr<Stream> over, const TlsIdentity& identity,
                                                             TlsVisit& visit, milliseconds within) override {
    auto served = co_await receive_handshake(std::move(over), identity, visit, within, deadline_);
    co_return std::move(served);
  }

  asio::awaitable<Result<std::unique_ptr<TlsStream>>> start_dtls(std::unique_ptr<Datagrams> over,
                                                                 const TlsOptions& options,
                                                                 milliseconds within) override {
    if (!dtls_) {
      dtls_ = make_dtls_context();
    }
    if (!dtls_) {
      co_return Error{ErrorKind::internal, "OpenSSL could not make a context", {}};
    }
    co_return co_await shake_hands(dtls_, std::move(over), options, within, deadline_);
  }

  asio::awaitable<Result<GroupAnswers>> ask_groups(const std::vector<GroupQuestion>& questions,
                                                   milliseconds within) override {
    if (guard_) {
      co_return *guard_;
    }
    for (const auto& question : questions) {  // what the device says to a group has no port of ours
      tell_flow(Transport::udp, group_address(question.group, address_.v6).port);
    }
    co_return co_await ask_discovery_groups(governor_, address_, groups_, questions, within, deadline_, capture_.flows);
  }

  Result<LinkNeighbour> neighbour() override {
    if (guard_) {
      return *guard_;
    }
    const auto route = route_to(address_);
    if (!route) {
      return route.error();
    }
    if (route->by_router) {
      return Error{ErrorKind::unreachable, "the device is behind a router", {}};
    }
    const auto mac = neighbour_of(address_, route->interface);
    if (!mac) {
      return mac.error();
    }
    return LinkNeighbour{mac_text(*mac), route->name};
  }

  Result<std::vector<Bytes>> overheard_dhcp() override {
    if (guard_) {
      return *guard_;
    }
    return capture_.dhcp ? Result<std::vector<Bytes>>{capture_.dhcp()} : Network::overheard_dhcp();
  }

  asio::awaitable<Result<SweepReport>> sweep_tcp(const std::vector<PortRange>& ports, SweepMethod method,
                                                 const Progress& progress) override {
    if (guard_) {
      co_return *guard_;
    }
    tell_flow(Transport::tcp, 0);
    co_return co_await sweep_ports(governor_, address_, ports, method, progress, deadline_);
  }

  asio::awaitable<Result<UdpReport>> sweep_udp(const UdpSweep& sweep, const Progress& progress) override {
    if (guard_) {
      co_return *guard_;
    }
    tell_flow(Transport::udp, 0);
    auto sources = udp_sources(address_, sources_);
    co_return co_await sweep_datagrams(governor_, address_, sweep, std::move(sources), progress, deadline_);
  }

  asio::awaitable<Result<>> wait(milliseconds time) override {
    const auto when = time_limit(time, TimePoint::max());
    return wait_until(when, deadline_);
  }

  asio::awaitable<Result<>> permit_login(Endpoint endpoint, const std::string& account) override {
    return governor_.permit_login(endpoint, account, deadline_);
  }

  asio::awaitable<Result<>> permit_kept_login(Endpoint endpoint, const std::string& account) override {
    return governor_.permit_login(endpoint, account, deadline_, true);
  }

  void return_permit(const Endpoint& endpoint, const std::string& account) override {
    governor_.return_permit(endpoint, account);
  }

  std::size_t logins_at_once() const override { return governor_.logins_at_once(); }

  Result<> permit_guess(Endpoint endpoint) override { return governor_.permit_guess(endpoint); }

  std::vector<std::string> other_sources() override {
    std::vector<std::string> out;
    for (const auto& source : guard_ ? std::vector<IpAddress>{} : udp_sources(address_, sources_)) {
      out.push_back(source.text());
    }
    return out;
  }

  Result<> speak_from(const std::string& source) override {
    way_ = Way{};
    const auto known = other_sources();
    if (!source.empty() && std::find(known.begin(), known.end(), source) == known.end()) {
      return Error{ErrorKind::denied, source + " is not among the addresses that may be spoken from", {}};
    }
    way_.from = IpAddress::parse(source);
    return {};
  }

  milliseconds elapsed() const override {
    return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - began_);
  }

  std::int64_t connections_opened() const override { return opened_; }

  milliseconds round_trip(milliseconds otherwise) const override {
    const auto& measured = governor_.round_trip();
    return measured.known() ? std::chrono::ceil<milliseconds>(measured.smoothed()) : otherwise;
  }

  std::size_t spare_connections() const override { return governor_.spare_connections(); }

  milliseconds connect_timeout() const override { return milliseconds{governor_.pace().connect_timeout_ms}; }

  milliseconds reply_timeout() const override { return milliseconds{governor_.pace().reply_timeout_ms}; }

 private:
  /// Sockets that are too many or too hidden to be told one by one.
  void tell_flow(Transport transport, std::uint16_t device_port) const {
    if (capture_.flows) {
      capture_.flows({transport, 0, address_, device_port, packet_clock()});
    }
  }

  std::optional<Error> refuse(const Endpoint& to, Transport transport) const {
    if (guard_) {
      return guard_;
    }
    if (to.transport != transport || to.port == 0) {
      return Error{ErrorKind::internal, to.text() + " is not a " + enum_name(transport) + " endpoint", {}};
    }
    return std::nullopt;
  }

  asio::any_io_executor executor_;
  Governor& governor_;
  TimePoint deadline_;
  Scope sources_;
  IpAddress address_;
  Way way_;
  TimePoint began_ = std::chrono::steady_clock::now();
  std::int64_t opened_ = 0;
  std::optional<Error> guard_;
  TlsContext tls_;
  TlsContext dtls_;
  std::shared_ptr<GroupConversation> groups_;
  CaptureLink capture_;
};

}  // namespace

std::unique_ptr<Network> make_network(asio::any_io_executor executor, Governor& governor, Scope scope, Target target,
                                      TimePoint deadline, CaptureLink capture, Scope sources) {
  return std::make_unique<GuardedNetwork>(std::move(executor), governor, scope, target, deadline, std::move(capture),
                                          std::move(sources));
}

std::size_t raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return 1024;
  }
  if (limit.rlim_cur < limit.rlim_max) {
    auto raised = limit;
    raised.rlim_cur = limit.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) {
      return raised.rlim_cur;
    }
  }
  return limit.rlim_cur;
}

}  // namespace assay
