#include "tests/support/fake_network.hpp"

#include <algorithm>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace assay::fake {

void Line::drip(std::string_view bytes) {
  for (const char c : bytes) {
    say(std::string(1, c));
  }
}

class ScriptedStream final : public TlsStream {
 public:
  ScriptedStream(FakeNetwork& network, Peer peer, TlsSession session)
      : network_(network), peer_(std::move(peer)), session_(std::move(session)) {
    peer_({}, line_);
  }

  asio::awaitable<Result<std::size_t>> read_some(std::span<std::byte> into, milliseconds within) override {
    auto result = next(into, within);
    co_return result;
  }

  asio::awaitable<Result<>> write_all(std::span<const std::byte> from, milliseconds) override {
    if (cut_) {
      co_return Error{ErrorKind::reset, "the peer cut the stream", {}};
    }
    const std::string bytes{reinterpret_cast<const char*>(from.data()), from.size()};
    peer_(bytes, line_);
    co_return Result<>{};
  }

  void shutdown_send() override {
    if (network_.half_closed) {
      line_.events_.clear();
      if (!network_.half_closed->empty()) {
        line_.say(*network_.half_closed);
      }
      line_.close();
    }
  }

  const TlsSession& session() const override { return session_; }

  asio::awaitable<Result<TlsResumption>> resumption(milliseconds) override { co_return network_.resumption; }

  asio::awaitable<Result<>> renegotiate(milliseconds) override { co_return network_.renegotiation; }

 private:
  using Kind = Line::Kind;

  Result<std::size_t> next(std::span<std::byte> into, milliseconds within) {
    auto& events = line_.events_;
    // A pause passes while the probe waits elsewhere, too.
    for (auto gone = network_.passed - seen_; !events.empty() && events.front().kind == Kind::pause;) {
      const auto share = std::min(gone, events.front().time);
      events.front().time -= share;
      gone -= share;
      if (events.front().time > milliseconds{0}) {
        break;
      }
      events.pop_front();
    }
    auto result = step(into, within);
    seen_ = network_.passed;
    return result;
  }

  Result<std::size_t> step(std::span<std::byte> into, milliseconds within) {
    auto& events = line_.events_;
    while (!events.empty() && events.front().kind == Kind::pause) {
      if (events.front().time > within) {
        events.front().time -= within;
        return silence(within);
      }
      within -= events.front().time;
      network_.passed += events.front().time;
      events.pop_front();
    }
    if (events.empty()) {
      return silence(within);
    }
    auto& event = events.front();
    if (event.kind == Kind::close || event.kind == Kind::reset) {
      cut_ = true;
      return Error{event.kind == Kind::close ? ErrorKind::closed : ErrorKind::reset, "the stream ended", {}};
    }
    const auto size = std::min(into.size(), event.bytes.size());
    std::copy_n(reinterpret_cast<const std::byte*>(event.bytes.data()), size, into.begin());
    network_.bytes_served += size;
    if (event.kind == Kind::data) {
      event.bytes.erase(0, size);
      if (event.bytes.empty()) {
        events.pop_front();
      }
    }
    return size;
  }

  Result<std::size_t> silence(milliseconds within) {
    network_.passed += within;
    return Error{ErrorKind::timed_out, "nothing came", {}};
  }

  FakeNetwork& network_;
  Peer peer_;
  TlsSession session_;
  Line line_;
  milliseconds seen_{network_.passed};  // the clock at the last read
  bool cut_ = false;
};

namespace {

class ScriptedDatagrams final : public Datagrams {
 public:
  ScriptedDatagrams(UdpPeer peer, bool refuses, std::uint16_t port)
      : peer_(std::move(peer)), refuses_(refuses), port_(port) {}

  asio::awaitable<Result<>> send(std::span<const std::byte> payload) override {
    const std::string bytes{reinterpret_cast<const char*>(payload.data()), payload.size()};
    if (peer_) {
      for (auto& answer : peer_(bytes)) {
        answers_.push_back(std::move(answer));
      }
    }
    co_return Result<>{};
  }

  asio::awaitable<Result<Received>> receive(milliseconds) override {
    if (refuses_) {
      co_return Error{ErrorKind::refused, "port unreachable", {}};
    }
    if (answers_.empty()) {
      co_return Error{ErrorKind::timed_out, "nothing came", {}};
    }
    Received received;
    for (const char c : answers_.front()) {
      received.payload.push_back(static_cast<std::byte>(c));
    }
    received.from_port = port_;
    answers_.pop_front();
    co_return received;
  }

 private:
  UdpPeer peer_;
  bool refuses_;
  std::uint16_t port_;
  std::deque<std::string> answers_;
};

/// A port of ours that the visitors of the script come to.
class ScriptedListener final : public Listener {
 public:
  ScriptedListener(FakeNetwork& network, std::uint16_t port) : network_(network), port_(port) {}

  std::string address() const override { return "192.0.2.1"; }

  std::uint16_t port() const override { return port_; }

  asio::awaitable<Result<std::unique_ptr<Stream>>> accept(milliseconds) override {
    if (network_.visitors.empty()) {
      co_return Error{ErrorKind::closed, "nobody else comes", {}};
    }
    auto visitor = std::move(network_.visitors.front());
    network_.visitors.pop_front();
    std::unique_ptr<Stream> stream = std::make_unique<ScriptedStream>(network_, std::move(visitor), TlsSession{});
    co_return stream;
  }

  std::int64_t strangers() const override { return 0; }

 private:
  FakeNetwork& network_;
  std::uint16_t port_;
};

}  // namespace

Result<std::unique_ptr<Listener>> FakeNetwork::listen(std::uint16_t port) {
  if (visitors.empty()) {
    return Network::listen(port);
  }
  std::unique_ptr<Listener> listener = std::make_unique<ScriptedListener>(*this, port);
  return listener;
}

asio::awaitable<Result<std::unique_ptr<Stream>>> FakeNetwork::connect_tcp(Endpoint to, milliseconds) {
  const int number = connections[to.port]++;
  const auto peer = tcp.find(to.port);
  const auto limit = refuse_after.find(to.port);
  if (peer == tcp.end() || (limit != refuse_after.end() && number >= limit->second)) {
    co_return Error{ErrorKind::refused, "connection refused", {}};
  }
  std::unique_ptr<Stream> stream = std::make_unique<ScriptedStream>(*this, peer->second(number), TlsSession{});
  co_return stream;
}

asio::awaitable<Result<std::unique_ptr<TlsStream>>> FakeNetwork::connect_tls(Endpoint to, const TlsOptions& options,
                                                                             milliseconds) {
  const int number = connections[to.port]++;
  tls_offers = options.alpn;
  const auto peer = tls.find(to.port);
  if (peer == tls.end()) {
    co_return Error{ErrorKind::protocol, "alert: handshake failure", {}};
  }
  std::unique_ptr<TlsStream> stream = std::make_unique<ScriptedStream>(*this, peer->second(number), tls_session);
  co_return stream;
}

asio::awaitable<Result<std::unique_ptr<TlsStream>>> FakeNetwork::start_tls(std::unique_ptr<Stream>,
                                                                           const TlsOptions& options, milliseconds) {
  tls_wishes.push_back(options);
  if (!upgraded) {
    co_return Error{ErrorKind::protocol, "alert: handshake failure", {}};
  }
  auto session = tls_session;
  session.resumed = resumes && options.resume;
  std::unique_ptr<TlsStream> stream = std::make_unique<ScriptedStream>(*this, upgraded(0), session);
  co_return stream;
}

asio::awaitable<Result<std::unique_ptr<Datagrams>>> FakeNetwork::open_udp(Endpoint to) {
  const auto peer = udp.find(to.port);
  std::unique_ptr<Datagrams> socket =
      std::make_unique<ScriptedDatagrams>(peer == udp.end() ? UdpPeer{} : peer->second, udp_refuses[to.port], to.port);
  co_return socket;
}

asio::awaitable<Result<std::unique_ptr<TlsStream>>> FakeNetwork::start_dtls(std::unique_ptr<Datagrams>,
                                                                            const TlsOptions& options,
                                                                            milliseconds within) {
  auto session = co_await start_tls(nullptr, options, within);
  co_return session;
}

asio::awaitable<Result<GroupAnswers>> FakeNetwork::ask_groups(const std::vector<GroupQuestion>& questions,
                                                              milliseconds within) {
  passed += within;
  GroupAnswers all;
  all.interface = "fake0";
  for (const auto& question : questions) {
    group_questions.push_back(question);
    all.sent += question.payload.empty() ? 0 : 1;
    auto said = group ? group(question) : GroupAnswers{};
    all.answers.insert(all.answers.end(), said.answers.begin(), said.answers.end());
    all.others.insert(all.others.end(), said.others.begin(), said.others.end());
    all.deaf.insert(all.deaf.end(), said.deaf.begin(), said.deaf.end());
    all.left_out += said.left_out;
  }
  co_return all;
}

asio::awaitable<Result<SweepReport>> FakeNetwork::sweep_tcp(const std::vector<PortRange>& ports, SweepMethod method,
                                                            const Progress&) {
  swept = ports;
  swept_by = method;
  co_return sweep;
}

asio::awaitable<Result<UdpReport>> FakeNetwork::sweep_udp(const UdpSweep& asked, const Progress&) {
  swept_udp = asked;
  co_return udp_sweep;
}

asio::awaitable<Result<>> FakeNetwork::wait(milliseconds time) {
  passed += time;
  auto executor = co_await asio::this_coro::executor;
  co_await asio::post(executor, asio::use_awaitable);  // whoever else has something to do has their turn
  co_return Result<>{};
}

asio::awaitable<Result<>> FakeNetwork::permit_login(Endpoint endpoint, const std::string& account) {
  const auto own = login_budget.find(account);
  const int allowed = own == login_budget.end() ? budget : own->second;
  if (set_aside.contains(account) && permits[account] + 1 >= allowed) {
    co_return Error{ErrorKind::denied, "the last login of " + account + " is set aside", {}};
  }
  auto permitted = co_await permit_kept_login(endpoint, account);
  co_return permitted;
}

asio::awaitable<Result<>> FakeNetwork::permit_kept_login(Endpoint, const std::string& account) {
  const auto own = login_budget.find(account);
  const int allowed = own == login_budget.end() ? budget : own->second;
  if (permits[account] >= allowed) {
    co_return Error{ErrorKind::denied, "the login budget of " + account + " is spent", {}};
  }
  ++permits[account];
  co_return Result<>{};
}

void FakeNetwork::return_permit(const Endpoint&, const std::string& account) {
  --permits[account];
}

Result<> FakeNetwork::permit_guess(Endpoint) {
  if (guessed >= guesses) {
    return Error{ErrorKind::denied, "the budget for guesses is spent", {}};
  }
  ++guessed;
  return {};
}

Run observe(const ProbeDescriptor& probe, FakeNetwork& network, std::string_view endpoint,
            const json::object& parameters, const Dut& dut, const FakeLibrary& library, FakeBench bench) {
  Run run;
  const Target target{"A", "initialised", "lan", "192.0.2.7"};
  const auto place = Endpoint::parse(endpoint);
  const auto info = describe_probe(probe);
  const auto complete = complete_parameters(info, parameters);
  const Progress progress;
  ProbeContext context{target,   place, complete ? *complete : parameters, dut, library, network, run.record,
                       progress, bench};
  const auto instance = probe.make();
  asio::io_context loop;
  bool finished = false;
  auto coroutine = instance->observe(context);
  const auto handler = [&](std::exception_ptr failed, Result<> ended) {
    finished = true;
    run.ended = failed ? Result<>{Error{ErrorKind::internal, "the probe threw", {}}} : std::move(ended);
  };
  asio::co_spawn(loop, std::move(coroutine), handler);
  loop.run();
  if (!finished) {
    run.ended = Error{ErrorKind::internal, "the probe did not end", {}};
  }
  run.record.check(info);
  run.recipes = std::move(bench.ran);
  return run;
}

PeerMaker says(std::string greeting) {
  return [greeting](int) {
    return [greeting](std::string_view written, Line& line) {
      if (written.empty() && !greeting.empty()) {
        line.say(greeting);
      }
    };
  };
}

PeerMaker answers(std::string reply) {
  return [reply](int) {
    return [reply](std::string_view written, Line& line) {
      if (!written.empty()) {
        line.say(reply);
      }
    };
  };
}

std::string server_hello() {
  std::string body{"\x03\x03", 2};
  body += std::string(32, 'r');
  body += std::string("\x00\xc0\x2f\x00", 4);
  std::string message{"\x02\x00\x00", 3};
  message += static_cast<char>(body.size());
  message += body;
  std::string record{"\x16\x03\x03\x00", 4};
  record += static_cast<char>(message.size());
  return record + message;
}

}  // namespace assay::fake
