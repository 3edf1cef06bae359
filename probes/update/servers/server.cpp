#include "probes/update/servers/server.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

#include "probes/sessions/channel.hpp"
#include "probes/wire/bytes.hpp"

namespace assay::probes::update {

namespace {

constexpr std::size_t kMostVisits = 8;
constexpr std::size_t kMostLog = 64 * 1024;
constexpr std::uint64_t kPiece = 64 * 1024;
constexpr milliseconds kPatience{30000};   // for the next bytes of a device
constexpr milliseconds kEndsWithin{2000};  // … that may wait for us to end the connection
constexpr std::byte kHandshakeRecord{0x16};

/// A stream whose first bytes were read already.
class Prefixed final : public Stream {
 public:
  Prefixed(Bytes first, std::unique_ptr<Stream> rest) : first_(std::move(first)), rest_(std::move(rest)) {}

  asio::awaitable<Result<std::size_t>> read_some(std::span<std::byte> into, milliseconds within) override {
    if (first_.empty()) {
      auto read = co_await rest_->read_some(into, within);
      co_return read;
    }
    const auto size = std::min(into.size(), first_.size());
    std::copy_n(first_.begin(), size, into.begin());
    first_.erase(first_.begin(), first_.begin() + static_cast<std::ptrdiff_t>(size));
    co_return size;
  }

  asio::awaitable<Result<>> write_all(std::span<const std::byte> from, milliseconds within) override {
    auto written = co_await rest_->write_all(from, within);
    co_return written;
  }

  void shutdown_send() override { rest_->shutdown_send(); }

 private:
  Bytes first_;
  std::unique_ptr<Stream> rest_;
};

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span{text.data(), text.size()});
}

/// IMF-fixdate (RFC 9110, 5.6.7) of now, or of this time on another day, such as 2026-08-01.
std::string date_of(const std::string& day) {
  constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::time_t when = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&when, &parts);
  if (std::sscanf(day.c_str(), "%d-%d-%d", &parts.tm_year, &parts.tm_mon, &parts.tm_mday) == 3) {
    parts.tm_year -= 1900;
    parts.tm_mon -= 1;
    when = ::timegm(&parts);
    ::gmtime_r(&when, &parts);
  }
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                kDays.at(static_cast<std::size_t>(parts.tm_wday)), parts.tm_mday,
                kMonths.at(static_cast<std::size_t>(parts.tm_mon)), parts.tm_year + 1900, parts.tm_hour, parts.tm_min,
                parts.tm_sec);
  return text.data();
}

std::string head_of(const Reply& reply, std::uint64_t length, bool with_length, const std::string& day) {
  std::string out = "HTTP/1.1 " + std::to_string(reply.status) + " " + (reply.status < 300 ? "OK" : "No") + "\r\n";
  out += "Date: " + date_of(day) + "\r\n";
  for (const auto& header : reply.headers) {
    out += header.name + ": " + header.value + "\r\n";
  }
  if (with_length) {
    out += "Content-Length: " + std::to_string(length) + "\r\n";
  } else {
    out += "Connection: close\r\n";
  }
  return out + "\r\n";
}

/// Whether the device ends the connection in order. Before it does, it is told nothing: what it leaves unread, be it
/// our end of TLS, makes a reset of it.
asio::awaitable<bool> is_ended(Stream& stream) {
  Bytes chunk(1);
  const std::span<std::byte> space{chunk};
  auto read = co_await stream.read_some(space, kEndsWithin);
  if (!read && read.error().kind == ErrorKind::timed_out) {
    stream.shutdown_send();
    read = co_await stream.read_some(space, kPatience);
  }
  co_return read || read.error().kind == ErrorKind::closed;
}

}  // namespace

HttpServer::HttpServer(ProbeContext& context, Settings settings)
    : context_(context),
      settings_(std::move(settings)),
      reception_(context, kMostVisits, [this](std::unique_ptr<Stream> raw) { return attend(std::move(raw)); }) {}

asio::awaitable<Result<>> HttpServer::open(std::uint16_t port) {
  auto opened = co_await reception_.open(port);
  co_return opened;
}

std::string HttpServer::origin(const std::string& how) const {
  const auto* listener = reception_.listener();
  const auto own = listener != nullptr ? listener->address() : std::string{};
  const auto address = own.find(':') == std::string::npos ? own : "[" + own + "]";
  const bool named = !settings_.name.empty() && how != "host";
  // A second name of ours: by number where the device knows a name, by a name of nobody where it knows the number.
  const auto host = named ? settings_.name : settings_.name.empty() && how == "host" ? "updates.invalid" : address;
  const bool tls = settings_.tls && how != "http";
  return (tls ? "https://" : "http://") + host + ":" + std::to_string(listener != nullptr ? listener->port() : 0);
}

void HttpServer::note(std::string_view line) {
  if (log_.size() < kMostLog) {
    const auto now = context_.network.elapsed();
    const auto at = (now - log_began_).count();
    log_ += "+" + std::to_string(at) + " ms  " + std::string{line} + "\n";
  }
}

void HttpServer::active() {
  fetched_.come(context_.network.elapsed());
}

void HttpServer::serve(std::shared_ptr<Site> site, const Behaviour& behaviour) {
  site_ = std::move(site);
  behaviour_ = behaviour;
  fetched_ = {};
  visit_ = {};
  lost_ = false;
  log_.clear();
  log_began_ = context_.network.elapsed();
}

asio::awaitable<void> HttpServer::withdraw() {
  site_.reset();
  co_await reception_.end_visits();
}

asio::awaitable<void> HttpServer::close() {
  site_.reset();
  co_await reception_.close();
}

asio::awaitable<void> HttpServer::attend(std::unique_ptr<Stream> raw) {
  if (!site_) {
    co_return;  // nothing is on offer, and what comes now belongs to no offer
  }
  ++fetched_.connections;
  active();
  bool tls = false;
  auto stream = co_await begin(std::move(raw), tls);
  if (!stream) {
    co_return;
  }
  std::string over = tls ? visit_.version : "http";
  co_await converse(**stream, std::move(over));
}

Result<TlsIdentity> HttpServer::identity() {
  const auto& wanted = behaviour_.certificate;
  if (wanted == "misnamed" && settings_.misnamed) {
    return *settings_.misnamed;
  }
  if (wanted == "expired" && settings_.expired) {
    return *settings_.expired;
  }
  if (wanted == "self_signed" || wanted == "unknown_authority") {
    const auto name = settings_.name.empty() ? reception_.listener()->address() : settings_.name;
    const auto like = settings_.genuine ? settings_.genuine->chain_pem : std::string{};
    return false_identity(name, wanted == "unknown_authority", like);
  }
  if (wanted.empty() && settings_.genuine) {
    return *settings_.genuine;
  }
  return Error{ErrorKind::bad_input, "there is no such certificate", {}};
}

/// Looks at the first byte: TLS or not. What is not to be spoken now is answered as a server would that does not know
/// it.
asio::awaitable<Result<std::unique_ptr<Stream>>> HttpServer::begin(std::unique_ptr<Stream> raw, bool& tls) {
  Bytes first(1);
  const std::span<std::byte> space{first};
  const auto read = co_await raw->read_some(space, kPatience);
  if (!read) {
    note("a connection that ended without a word");
    co_return read.error();
  }
  const bool hello = first[0] == kHandshakeRecord;
  std::unique_ptr<Stream> whole = std::make_unique<Prefixed>(std::move(first), std::move(raw));
  const bool http_too = behaviour_.plain || behaviour_.redirect == "http" || behaviour_.url == "http";
  tls = settings_.tls && !behaviour_.plain;
  if (!hello) {
    const bool welcome = !settings_.tls || http_too;
    note(welcome ? "http without TLS" : "http without TLS, which is not served now");
    tls = false;
    if (!welcome) {
      co_return Error{ErrorKind::protocol, "no TLS", {}};
    }
    co_return std::move(whole);
  }
  if (!tls) {
    note("a TLS hello, which is answered in http");
    fetched_.refusal = "there was no TLS to be had";
    const std::string answer = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    std::ignore = co_await whole->write_all(bytes_of(answer), kPatience);
    co_return Error{ErrorKind::protocol, "TLS", {}};
  }
  const auto shown = identity();
  if (!shown) {
    note(shown.error().what);
    co_return shown.error();
  }
  TlsVisit visit;
  auto served = co_await context_.network.serve_tls(std::move(whole), *shown, visit, kPatience);
  active();
  visit_ = visit;
  if (!served) {
    fetched_.refusal = wire::printable(served.error().what, 200);
    note("TLS for \"" + wire::printable(visit.server_name, 100) + "\": " + fetched_.refusal);
    co_return served.error();
  }
  ++fetched_.handshakes;
  note(visit.version + " for \"" + wire::printable(visit.server_name, 100) + "\", " + visit.cipher);
  co_return std::move(served);
}

asio::awaitable<void> HttpServer::converse(Stream& stream, std::string over) {
  wire::HttpAskedReader reader;
  Bytes chunk(16 * 1024);
  const std::span<std::byte> space{chunk};
  bool unseen = false;
  while (true) {
    while (reader.state() != wire::HttpAskedReader::State::done) {
      const auto read = co_await stream.read_some(space, kPatience);
      if (std::exchange(unseen, false) && (read || read.error().kind == ErrorKind::closed)) {
        fetched_.whole = true;
      }
      if (!read) {
        if (reader.state() == wire::HttpAskedReader::State::head && fetched_.requests == 0) {
          note("it ended the connection without a request: " + wire::printable(read.error().what, 200));
          if (fetched_.refusal.empty()) {
            fetched_.refusal = wire::printable(read.error().what, 200);
          }
        }
        co_return;
      }
      const std::string_view text{reinterpret_cast<const char*>(chunk.data()), *read};
      if (reader.feed(text) == wire::HttpAskedReader::State::malformed) {
        note("bytes that are no request: " + wire::printable(text, 100));
        co_return;
      }
    }
    fetched_.ask(context_.network.elapsed());
    const auto asked = reader.request();
    const auto answered = co_await reply(stream, asked, over, unseen);
    if (answered && !asked.keeps_open && unseen) {
      const bool ended = co_await is_ended(stream);
      fetched_.whole = fetched_.whole || ended;
    }
    if (!answered || !asked.keeps_open) {
      co_return;
    }
    reader.next();
  }
}

/// What is written into a connection that died with the link goes nowhere: that the device has all of the image is
/// `unseen` until it asks for something more or ends the connection in order.
asio::awaitable<Result<>> HttpServer::reply(Stream& stream, const wire::HttpAsked& asked, std::string over,
                                            bool& unseen) {
  if (const auto* agent = asked.header("User-Agent"); agent != nullptr) {
    fetched_.agent = wire::printable(*agent, 200);
  }
  const auto site = site_;  // it may be withdrawn meanwhile
  Reply answer;
  answer.status = 404;
  if (behaviour_.status != 0) {
    answer.status = behaviour_.status;
  } else if (site) {
    answer = site->answer(asked, over != "http");
  }
  const auto size = answer.body ? answer.body->size() : answer.text.size();
  std::uint64_t first = 0;
  std::uint64_t length = size;
  if (const auto* range = asked.header("Range"); range != nullptr && answer.body && answer.status == 200) {
    if (const auto part = wire::byte_range(*range, size)) {
      first = part->first;
      length = part->last - part->first + 1;
      answer.status = 206;
      answer.headers.push_back({"Content-Range", "bytes " + std::to_string(part->first) + "-" +
                                                     std::to_string(part->last) + "/" + std::to_string(size)});
    }
  }
  note(wire::printable(asked.method + " " + asked.target, 300) + " over " + over + " -> " +
       std::to_string(answer.status) + ", " + std::to_string(length) + " bytes");
  if (answer.image || fetched_.downloads == 0) {
    fetched_.over = over;
  }
  const bool endless = answer.image && behaviour_.endless;
  const auto said = answer.image ? length * static_cast<std::uint64_t>(behaviour_.length) : length;
  const auto head = head_of(answer, said, !endless, behaviour_.date);
  const auto begun = co_await stream.write_all(bytes_of(head), kPatience);
  if (!begun || asked.method == "HEAD") {
    co_return begun;
  }
  if (answer.image) {
    ++fetched_.downloads;
  }
  if (!answer.body) {
    auto sent = co_await stream.write_all(bytes_of(answer.text), kPatience);
    co_return sent;
  }
  const bool lost_before = lost_;
  auto sent = co_await send_body(stream, answer, first, length);
  active();
  if (sent && answer.image && first + length == size && behaviour_.length == 1 && !endless) {
    unseen = lost_ != lost_before;
    fetched_.whole = fetched_.whole || !unseen;
  }
  co_return sent;
}

asio::awaitable<Result<>> HttpServer::send_body(Stream& stream, const Reply& reply, std::uint64_t first,
                                                std::uint64_t length) {
  const auto body = reply.body;
  if (!reply.image) {
    auto sent = co_await send_piece(stream, *body, first, length);
    co_return sent;
  }
  if (behaviour_.drip) {
    auto dripped = co_await drip(stream, *body, first, length);
    co_return dripped;
  }
  const auto part = [&](int percent) { return body->size() * static_cast<std::uint64_t>(percent) / 100; };
  const auto stop = behaviour_.cut_at              ? part(*behaviour_.cut_at)
                    : behaviour_.stall_at          ? part(*behaviour_.stall_at)
                    : behaviour_.loss_at && !lost_ ? part(*behaviour_.loss_at)
                                                   : first + length;
  const auto until = std::min(first + length, std::max(first, stop));
  auto sent = co_await send_piece(stream, *body, first, until - first);
  if (!sent || until == first + length) {
    if (sent && behaviour_.endless) {
      auto flooded = co_await flood(stream);
      co_return flooded;
    }
    if (sent && behaviour_.length > 1) {
      auto held = co_await hold(stream);
      co_return held;
    }
    co_return sent;
  }
  if (behaviour_.loss_at && !lost_) {
    lost_ = true;
    note("the " + enum_name(behaviour_.loss) + " is cut after " + std::to_string(until) + " bytes");
    co_await cut_in_the_middle(on_loss, behaviour_.loss, fetched_);
    if (!fetched_.lost) {
      note(fetched_.trouble);
    }
    if (behaviour_.loss == Loss::link) {
      auto rest = co_await send_piece(stream, *body, until, first + length - until);
      co_return rest;
    }
    co_return Error{ErrorKind::closed, "the power was cut", {}};
  }
  if (behaviour_.stall_at) {
    auto held = co_await hold(stream);
    co_return held;
  }
  note("the connection is ended after " + std::to_string(until) + " bytes");
  co_return Error{ErrorKind::closed, "cut as planned", {}};
}

asio::awaitable<Result<>> HttpServer::send_piece(Stream& stream, const images::ByteSource& body, std::uint64_t offset,
                                                 std::uint64_t size) {
  Bytes piece(static_cast<std::size_t>(std::min(size, kPiece)));
  while (size > 0) {
    const std::span<std::byte> space{piece.data(), static_cast<std::size_t>(std::min(size, kPiece))};
    const auto read = body.read_at(offset, space);
    if (!read || *read == 0) {
      co_return read ? Error{ErrorKind::io, "the image ended early", {}} : read.error();
    }
    const std::span<const std::byte> bytes{piece.data(), *read};
    const auto sent = co_await stream.write_all(bytes, kPatience);
    if (!sent) {
      note("the device ended the download after " + std::to_string(fetched_.bytes) +
           " bytes: " + wire::printable(sent.error().what, 200));
      co_return sent;
    }
    fetched_.bytes += *read;
    active();
    offset += *read;
    size -= *read;
  }
  co_return Result<>{};
}

void HttpServer::gave_up(milliseconds began) {
  const auto took = context_.network.elapsed() - began;
  fetched_.gave_up_after = took;
  fetched_.release(context_.network.elapsed(), false);
  note("the device ended the download after " + std::to_string(took.count()) + " ms");
}

/// Says nothing more until the device ends the connection.
asio::awaitable<Result<>> HttpServer::hold(Stream& stream) {
  const auto began = context_.network.elapsed();
  const auto until = began + settings_.hold;
  Bytes chunk(1024);
  const std::span<std::byte> space{chunk};
  fetched_.hold();
  note("nothing more is sent");
  while (context_.network.elapsed() < until) {
    const auto left = until - context_.network.elapsed();
    const auto read = co_await stream.read_some(space, left);
    active();
    if (!read && read.error().kind == ErrorKind::cancelled) {
      co_return read.error();
    }
    if (!read && read.error().kind != ErrorKind::timed_out) {
      gave_up(began);
      co_return read.error();
    }
  }
  fetched_.release(context_.network.elapsed(), true);
  note("the device was still waiting after " + std::to_string(settings_.hold.count()) + " ms");
  co_return Error{ErrorKind::closed, "held as long as planned", {}};
}

asio::awaitable<Result<>> HttpServer::drip(Stream& stream, const images::ByteSource& body, std::uint64_t first,
                                           std::uint64_t length) {
  const auto began = context_.network.elapsed();
  fetched_.hold();
  Bytes one(1);
  const std::span<std::byte> space{one};
  while (length > 0 && context_.network.elapsed() - began < settings_.hold) {
    const auto read = body.read_at(first, space);
    if (!read || *read == 0) {
      co_return Error{ErrorKind::io, "the image cannot be read", {}};
    }
    const auto sent = co_await stream.write_all(space, kPatience);
    if (!sent) {
      if (sent.error().kind != ErrorKind::cancelled) {
        gave_up(began);
      }
      co_return sent;
    }
    ++fetched_.bytes;
    active();
    ++first;
    --length;
    const auto waited = co_await context_.network.wait(kDrop);
    if (!waited) {
      co_return waited;
    }
  }
  fetched_.release(context_.network.elapsed(), true);
  note("the device was still reading after " + std::to_string(settings_.hold.count()) + " ms");
  co_return Error{ErrorKind::closed, "dripped as long as planned", {}};
}

/// Zeros without end.
asio::awaitable<Result<>> HttpServer::flood(Stream& stream) {
  const auto began = context_.network.elapsed();
  fetched_.hold();
  const Bytes zeros(kPiece);
  const std::span<const std::byte> piece{zeros};
  std::uint64_t flooded = 0;
  while (flooded < kMostFlood && context_.network.elapsed() - began < settings_.hold) {
    const auto sent = co_await stream.write_all(piece, kPatience);
    if (!sent) {
      if (sent.error().kind != ErrorKind::cancelled) {
        gave_up(began);
      }
      co_return sent;
    }
    flooded += zeros.size();
    fetched_.bytes += zeros.size();
    active();
  }
  fetched_.release(context_.network.elapsed(), true);
  note("the device took " + std::to_string(flooded) + " bytes behind the image and was still reading");
  co_return Error{ErrorKind::closed, "flooded as long as planned", {}};
}

}  // namespace assay::probes::update
