#include "harness/net/tcp_stream.hpp"

#include <cerrno>
#include <cstring>
#include <sys/socket.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

#include "harness/net/clean_close.hpp"

namespace assay {

using asio::ip::tcp;

namespace {

/// How an awaited operation ended: the alarm cancels it like a person does, but means silence.
Error ended(const boost::system::error_code& code, const Alarm& alarm, std::string_view doing) {
  if (code == asio::error::operation_aborted && alarm.rang()) {
    return timed_out_error(doing);
  }
  return error_from_code(code, doing);
}

tcp::endpoint asio_endpoint(const IpAddress& address, std::uint16_t port) {
  const SocketAddress native{address, port};
  tcp::endpoint endpoint;
  std::memcpy(endpoint.data(), native.get(), native.size);
  endpoint.resize(native.size);
  return endpoint;
}

/// On the own host a connect can meet itself when the ephemeral port equals the port asked for: nobody listens there.
bool connected_to_itself(const tcp::socket& socket, const tcp::endpoint& to, Way& way) {
  if (way.own_host && !*way.own_host) {
    return false;
  }
  boost::system::error_code failed;
  const auto local = socket.local_endpoint(failed);
  if (failed) {
    return false;
  }
  way.own_host = local.address() == to.address();
  return local == to;
}

/// Asked once more when the wait is over, the kernel says how it went. Asio's own connect makes two calls of that, and
/// a login may be little more than its connection.
asio::awaitable<boost::system::error_code> connect(tcp::socket& socket, tcp::endpoint to) {
  boost::system::error_code failed;
  socket.native_non_blocking(true, failed);
  while (!failed) {
    if (::connect(socket.native_handle(), to.data(), static_cast<socklen_t>(to.size())) == 0 || errno == EISCONN) {
      break;
    }
    if (errno != EINPROGRESS && errno != EALREADY) {
      failed.assign(errno, boost::system::system_category());
      break;
    }
    const auto outcome = co_await socket.async_wait(tcp::socket::wait_write, kNoThrow);
    failed = std::get<0>(outcome);
  }
  co_return failed;
}

/// The kernel chose our port when the connect began, and knows it still when that failed.
void tell(const FlowLog& flows, const tcp::socket& socket, const IpAddress& address, std::uint16_t port,
          std::int64_t from_ns) {
  if (!flows) {
    return;
  }
  boost::system::error_code failed;
  const auto local = socket.local_endpoint(failed);
  if (!failed && local.port() != 0) {
    flows({Transport::tcp, local.port(), address, port, from_ns});
  }
}

/// The connect alone, its time measured.
asio::awaitable<Result<>> connect_socket(tcp::socket& socket, Governor& governor, tcp::endpoint to, Way& way,
                                         TimePoint until) {
  const std::string doing = "connect to tcp/" + std::to_string(to.port());
  boost::system::error_code failed;
  socket.open(to.protocol(), failed);
  if (failed) {
    co_return error_from_code(failed, doing);
  }
  if (way.from) {
    socket.bind(asio_endpoint(*way.from, 0), failed);
    if (failed) {
      co_return error_from_code(failed, doing);
    }
  }
  const auto start = std::chrono::steady_clock::now();
  const Alarm alarm{socket.get_executor(), until, [&socket] {
                      boost::system::error_code ignored;
                      socket.cancel(ignored);
                    }};
  const auto code = co_await connect(socket, to);
  const auto now = std::chrono::steady_clock::now();
  if (!code || code == asio::error::connection_refused) {
    governor.round_trip().sample(now - start);
    governor.connect_answered();
    governor.noticed(now - start, now);
  }
  if (code) {
    auto error = ended(code, alarm, doing);
    if (error.kind == ErrorKind::timed_out) {
      governor.connect_timed_out(now);
    }
    co_return error;
  }
  if (connected_to_itself(socket, to, way)) {
    co_return error_from_errno(ECONNREFUSED, doing);
  }
  co_return Result<>{};
}

}  // namespace

TcpStream::~TcpStream() {
  if (socket_.is_open()) {
    take_unread(socket_.native_handle());
  }
}

asio::awaitable<Result<std::size_t>> TcpStream::read_some(std::span<std::byte> into, milliseconds within) {
  if (co_await begin_operation()) {
    co_return cancelled_error();
  }
  if (into.empty()) {
    co_return Error{ErrorKind::internal, "read into an empty buffer", {}};
  }
  const Alarm alarm{socket_.get_executor(), time_limit(within, deadline_), [this] {
                      boost::system::error_code ignored;
                      socket_.cancel(ignored);
                    }};
  const auto outcome = co_await socket_.async_read_some(asio::buffer(into.data(), into.size()), kNoThrow);
  if (std::get<0>(outcome)) {
    co_return ended(std::get<0>(outcome), alarm, "read");
  }
  co_return std::get<1>(outcome);
}

/// Probes write whole requests; waiting to fill segments would only blur timings. A first segment waits for nothing.
void TcpStream::hold_nothing_back(std::size_t size) {
  constexpr std::size_t kSurelyOneSegment = 512;
  if (!no_delay_ && (wrote_ || size > kSurelyOneSegment)) {
    boost::system::error_code ignored;
    socket_.set_option(tcp::no_delay{true}, ignored);
    no_delay_ = true;
  }
  wrote_ = true;
}

asio::awaitable<Result<>> TcpStream::write_all(std::span<const std::byte> from, milliseconds within) {
  if (co_await begin_operation()) {
    co_return cancelled_error();
  }
  hold_nothing_back(from.size());
  const Alarm alarm{socket_.get_executor(), time_limit(within, deadline_), [this] {
                      boost::system::error_code ignored;
                      socket_.cancel(ignored);
                    }};
  const auto outcome = co_await asio::async_write(socket_, asio::buffer(from.data(), from.size()), kNoThrow);
  if (std::get<0>(outcome)) {
    co_return ended(std::get<0>(outcome), alarm, "write");
  }
  co_return Result<>{};
}

void TcpStream::shutdown_send() {
  // A peer that is gone already has been told enough; the next read says so.
  boost::system::error_code ignored;
  socket_.shutdown(tcp::socket::shutdown_send, ignored);
}

asio::awaitable<Result<std::unique_ptr<Stream>>> open_tcp(Governor& governor, IpAddress address, std::uint16_t port,
                                                          milliseconds within, TimePoint deadline, const FlowLog& flows,
                                                          Way& way) {
  auto slot = co_await governor.acquire_connection(deadline);
  if (!slot) {
    co_return slot.error();
  }
  const milliseconds most{governor.pace().connect_timeout_ms};
  const auto until = time_limit(std::min(within, most), deadline);
  tcp::socket socket{co_await asio::this_coro::executor};
  const auto endpoint = asio_endpoint(address, port);
  const auto from_ns = packet_clock();
  const auto connected = co_await connect_socket(socket, governor, endpoint, way, until);
  tell(flows, socket, address, port, from_ns);
  if (!connected) {
    co_return connected.error();
  }
  std::unique_ptr<Stream> stream = std::make_unique<TcpStream>(std::move(socket), std::move(*slot), deadline);
  co_return stream;
}

}  // namespace assay
