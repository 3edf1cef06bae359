#include "probes/sessions/channel.hpp"

#include <algorithm>
#include <random>
#include <utility>

#include "probes/wire/banner.hpp"
#include "probes/wire/bytes.hpp"

namespace assay::sessions {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMaximumBurst = 64U << 10U;
constexpr int kMaximumReads = 1024;  // a device that drips single bytes gets no more than this
constexpr std::size_t kKeptRaw = 4096;
constexpr milliseconds kSlice{500};

milliseconds since(Clock::time_point start) {
  return std::chrono::duration_cast<milliseconds>(Clock::now() - start);
}

}  // namespace

Timers timers_for(const Network& network) {
  const auto trip = network.round_trip(milliseconds{0});
  Timers timers;
  timers.banner = std::max(4 * trip, milliseconds{300});
  timers.quiet = std::max(4 * trip, milliseconds{300});
  timers.reply = network.reply_timeout();
  return timers;
}

asio::awaitable<Result<>> Channel::send(std::string bytes) {
  const auto view = wire::bytes_of(bytes);
  transcript_.sent(view);
  auto sent = co_await stream_->write_all(view, write_within_);
  co_return sent;
}

asio::awaitable<Result<>> Channel::send_concealed(std::string bytes, std::string shown) {
  const auto view = wire::bytes_of(bytes);
  transcript_.sent_concealed(view, wire::printable(shown, 4096));
  auto sent = co_await stream_->write_all(view, write_within_);
  co_return sent;
}

void Channel::note_received(std::span<const std::byte> bytes) {
  if (!held_) {
    transcript_.received(bytes);
    return;
  }
  const auto text = wire::text_of(bytes);
  const auto kept = text.substr(0, kMaximumBurst - std::min(kMaximumBurst, held_->bytes.size()));
  held_->bytes += kept;
  held_->left_out += text.size() - kept.size();
}

void Channel::hold_instead(std::string bytes, std::string note) {
  const auto left_out = bytes.size() - std::min(bytes.size(), kMaximumBurst);
  bytes.resize(bytes.size() - left_out);
  held_ = Held{std::move(bytes), left_out, std::move(note)};
}

void Channel::let_go() {
  const auto held = std::exchange(held_, std::nullopt);
  if (held && !held->note.empty()) {
    transcript_.note(held->note);
  }
  if (held && !held->bytes.empty()) {
    transcript_.received(wire::bytes_of(held->bytes));
  }
  if (held && held->left_out > 0) {
    transcript_.note(std::to_string(held->left_out) + " bytes more were received");
  }
}

asio::awaitable<void> Channel::say_goodbye(std::string bytes) {
  auto sent = co_await send(std::move(bytes));
  if (!sent) {
    transcript_.note("the goodbye could not be sent");
  }
}

asio::awaitable<Result<std::string>> Channel::receive(milliseconds within) {
  const std::span<std::byte> room{buffer_};
  for (;;) {
    // In slices, so that the length of a silence is known to the slice whatever clock the network has.
    const auto slice = std::min(within, kSlice);
    const auto start = Clock::now();
    auto count = co_await stream_->read_some(room, slice);
    const auto took = since(start);
    if (count) {
      spent_ += took;
      const auto got = room.first(std::min(*count, room.size()));
      note_received(got);
      co_return std::string{wire::text_of(got)};
    }
    const auto error = count.error();
    const bool silent = error.kind == ErrorKind::timed_out;
    spent_ += silent ? std::max(took, slice) : took;
    within -= slice;
    if (silent && within > milliseconds{0}) {
      continue;
    }
    if (!silent && !ended_) {
      ended_ = true;
      transcript_.note("the stream ended: " + std::string{name_of(error.kind)});
    }
    co_return error;
  }
}

asio::awaitable<Result<std::string>> Channel::receive_until(milliseconds first, milliseconds quiet,
                                                            bool (*enough)(std::string_view)) {
  std::string all;
  const auto start = Clock::now();
  const auto longest = first + 20 * quiet;
  for (int reads = 0; reads < kMaximumReads && all.size() < kMaximumBurst; ++reads) {
    const auto within = all.empty() ? first : quiet;
    auto part = co_await receive(within);
    if (!part) {
      if (all.empty()) {
        co_return part.error();
      }
      break;
    }
    all += *part;
    if (enough != nullptr && enough(all)) {
      break;
    }
    if (since(start) > longest) {
      break;
    }
  }
  co_return all;
}

asio::awaitable<Result<std::string>> Channel::receive_burst(milliseconds first, milliseconds quiet) {
  auto all = co_await receive_until(first, quiet, nullptr);
  co_return all;
}

asio::awaitable<Result<std::string>> Channel::receive_speech(milliseconds first, milliseconds quiet) {
  constexpr auto kKnown = [](std::string_view bytes) { return wire::recognise(bytes).speech != wire::Speech::unknown; };
  auto all = co_await receive_until(first, quiet, kKnown);
  co_return all;
}

asio::awaitable<ChannelResult> open_channel(Network& network, Endpoint to, Transcript& transcript) {
  transcript.note("connect " + to.text());
  const auto within = network.connect_timeout();
  auto stream = co_await network.connect_tcp(to, within);
  if (!stream) {
    transcript.note("no connection: " + std::string{name_of(stream.error().kind)});
    co_return stream.error();
  }
  co_return std::make_unique<Channel>(std::move(*stream), transcript, network.reply_timeout());
}

asio::awaitable<ChannelResult> open_tls_channel(Network& network, Endpoint to, const TlsOptions& options,
                                                Transcript& transcript, TlsSession& session) {
  transcript.note("connect " + to.text() + " with TLS");
  const auto within = network.connect_timeout() + network.reply_timeout();
  auto stream = co_await network.connect_tls(to, options, within);
  if (!stream) {
    transcript.note("no TLS session: " + wire::printable(stream.error().what, 256));
    co_return stream.error();
  }
  session = (*stream)->session();
  transcript.note("TLS session: " + session.version + " " + session.cipher + "; what follows was sent inside it");
  std::unique_ptr<Stream> plain = std::move(*stream);
  co_return std::make_unique<Channel>(std::move(plain), transcript, network.reply_timeout());
}

asio::awaitable<ChannelResult> open_channel(Network& network, Endpoint to, bool tls, Transcript& transcript,
                                            TlsSession& session) {
  if (tls) {
    const TlsOptions options;
    auto opened = co_await open_tls_channel(network, to, options, transcript, session);
    co_return opened;
  }
  auto opened = co_await open_channel(network, to, transcript);
  co_return opened;
}

asio::awaitable<ChannelResult> upgrade_channel(Network& network, std::unique_ptr<Channel> over, Transcript& transcript,
                                               TlsSession& session) {
  transcript.note("TLS begins on this connection");
  const auto within = network.reply_timeout();
  const TlsOptions options;
  auto plain = over->release();
  auto stream = co_await network.start_tls(std::move(plain), options, within);
  if (!stream) {
    transcript.note("no TLS session: " + wire::printable(stream.error().what, 256));
    co_return stream.error();
  }
  session = (*stream)->session();
  transcript.note("TLS session: " + session.version + " " + session.cipher + "; what follows was sent inside it");
  std::unique_ptr<Stream> inner = std::move(*stream);
  co_return std::make_unique<Channel>(std::move(inner), transcript, network.reply_timeout());
}

namespace {

bool is_packed(const wire::HttpResponse& response) {
  return response.packed || response.unpacked_from > 0;
}

/// Masks find no secret in what is compressed: the transcript gets the body as what it holds, or its length alone. What
/// is put aside begins with byte `from` of the response.
void hold_unpacked(Channel& channel, const wire::HttpReader& reader, std::size_t from) {
  const auto& response = reader.response();
  auto bytes = channel.held().substr(0, reader.head_size() - std::min(reader.head_size(), from));
  const auto size = std::to_string(response.packed ? response.body.size() : response.unpacked_from);
  if (response.packed) {
    channel.hold_instead(std::move(bytes), "the body, " + size + " bytes, came compressed and is left out below");
  } else {
    bytes += response.body;
    channel.hold_instead(std::move(bytes), "the body, " + size + " bytes, came compressed and stands below unpacked");
  }
}

}  // namespace

asio::awaitable<Result<HttpAnswer>> receive_http(Channel& channel, milliseconds within, std::string so_far) {
  using State = wire::HttpReader::State;
  HttpAnswer answer;
  wire::HttpReader reader;
  const bool held = channel.holds();
  if (!held) {
    channel.hold();  // until the head says how the body comes
  }
  auto state = reader.feed(so_far);
  answer.raw = so_far.substr(0, kKeptRaw);
  const auto start = Clock::now();
  for (int reads = 0; reads < kMaximumReads && state != State::done && state != State::malformed; ++reads) {
    auto part = co_await channel.receive(within);
    if (!part) {
      if (answer.raw.empty()) {
        if (!held) {
          channel.let_go();
        }
        co_return part.error();
      }
      // Silence in the middle leaves what came; only an end of the stream may end a body.
      if (part.error().kind != ErrorKind::timed_out || state == State::head) {
        reader.finish();
      }
      break;
    }
    answer.raw.append(part->substr(0, kKeptRaw - std::min(kKeptRaw, answer.raw.size())));
    state = reader.feed(*part);
    if (!held && state != State::head && !is_packed(reader.response())) {
      channel.let_go();
    }
    if (since(start) > 3 * within) {
      break;
    }
  }
  answer.understood = reader.state() == State::done || reader.state() == State::body;
  answer.response = reader.response();
  if (channel.holds() && answer.understood && is_packed(answer.response)) {
    hold_unpacked(channel, reader, so_far.size());
  }
  if (!held) {
    channel.let_go();
  }
  co_return answer;
}

std::string host_header(std::string_view address, std::uint16_t port, bool tls) {
  auto host = address.find(':') == std::string_view::npos ? std::string{address} : "[" + std::string{address} + "]";
  const std::uint16_t usual = tls ? 443 : 80;
  return port == usual ? host : host + ":" + std::to_string(port);
}

bool ends_probe(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::refused:
    case ErrorKind::unreachable:
    case ErrorKind::reset:
    case ErrorKind::closed:
    case ErrorKind::timed_out:
    case ErrorKind::protocol:
      return false;
    default:
      return true;
  }
}

std::string random_bytes(std::size_t count) {
  static thread_local std::random_device device;
  std::string out;
  while (out.size() < count) {
    wire::put_u8(out, device());
  }
  return out;
}

std::string random_word(std::size_t length) {
  static constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz234567";
  std::string out;
  for (const char c : random_bytes(length)) {
    out += kLetters[static_cast<unsigned char>(c) % kLetters.size()];
  }
  return out;
}

}  // namespace assay::sessions
