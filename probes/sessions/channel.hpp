#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "harness/probe/network.hpp"
#include "harness/probe/transcript.hpp"
#include "probes/wire/http.hpp"

/// One connection of a probe whose every byte goes to the transcript, with the few ways of waiting that all probes
/// need. Every wait is bounded in time, bytes and number of reads, whatever the device does.
namespace assay::sessions {

/// Waiting times that follow the measured round trip instead of fixed seconds.
struct Timers {
  milliseconds banner{300};  // for a device that speaks first
  milliseconds quiet{300};   // silence that ends a burst
  milliseconds reply{5000};  // for one reply
};

Timers timers_for(const Network& network);

class Channel {
 public:
  Channel(std::unique_ptr<Stream> stream, Transcript& transcript, milliseconds write_within)
      : stream_(std::move(stream)), transcript_(transcript), write_within_(write_within) {}

  asio::awaitable<Result<>> send(std::string bytes);

  /// Sends bytes that hold a secret; the transcript gets `shown` instead.
  asio::awaitable<Result<>> send_concealed(std::string bytes, std::string shown);

  /// A last word whose fate does not matter: the peer may be gone, and nothing rests on it.
  asio::awaitable<void> say_goodbye(std::string bytes);

  /// From now on what is received is put aside, at most 64 KiB of it, for secrets in it to be found before the
  /// transcript gets it.
  void hold() { held_ = Held{}; }

  bool holds() const { return held_.has_value(); }

  /// What was put aside.
  std::string held() const { return held_ ? held_->bytes : std::string{}; }

  /// In the place of what was put aside the transcript gets `note` and, as received, `bytes`.
  void hold_instead(std::string bytes, std::string note);

  /// The transcript gets what was put aside, and what comes from now on at once.
  void let_go();

  /// What comes within the time, at least one byte.
  asio::awaitable<Result<std::string>> receive(milliseconds within);

  /// Waits `first` for a beginning, then reads until `quiet` of silence, the end of the stream or 64 KiB. An error
  /// only when nothing came.
  asio::awaitable<Result<std::string>> receive_burst(milliseconds first, milliseconds quiet);

  /// As `receive_burst`, but ends at once when a parser knows what was said.
  asio::awaitable<Result<std::string>> receive_speech(milliseconds first, milliseconds quiet);

  /// As `receive_burst`, but ends at once when what came is enough; null: never.
  asio::awaitable<Result<std::string>> receive_until(milliseconds first, milliseconds quiet,
                                                     bool (*enough)(std::string_view));

  /// Gives the stream away, for TLS to begin on it; the channel is at its end then.
  std::unique_ptr<Stream> release() { return std::move(stream_); }

  /// The peer closed or cut the stream.
  bool ended() const { return ended_; }

  /// Time that the reads of this channel took, silences at their full length.
  milliseconds spent() const { return spent_; }

 private:
  struct Held {
    std::string bytes;
    std::size_t left_out = 0;  // bytes beyond the limit
    std::string note{};        // that stands before them
  };

  void note_received(std::span<const std::byte> bytes);

  std::unique_ptr<Stream> stream_;
  Transcript& transcript_;
  std::optional<Held> held_;
  milliseconds write_within_;
  milliseconds spent_{0};
  bool ended_ = false;
  // Of a read; here, for a coroutine's frame of its size costs a long way to the heap each time.
  std::array<std::byte, 4096> buffer_;
};

using ChannelResult = Result<std::unique_ptr<Channel>>;

asio::awaitable<ChannelResult> open_channel(Network& network, Endpoint to, Transcript& transcript);

/// `session` is filled in when the handshake finished.
asio::awaitable<ChannelResult> open_tls_channel(Network& network, Endpoint to, const TlsOptions& options,
                                                Transcript& transcript, TlsSession& session);

/// One of the two. `session` is filled in where a handshake finished.
asio::awaitable<ChannelResult> open_channel(Network& network, Endpoint to, bool tls, Transcript& transcript,
                                            TlsSession& session);

/// TLS on a connection that already speaks. Takes the channel.
asio::awaitable<ChannelResult> upgrade_channel(Network& network, std::unique_ptr<Channel> over, Transcript& transcript,
                                               TlsSession& session);

struct HttpAnswer {
  wire::HttpResponse response;
  bool understood = false;  // false: `raw` is not HTTP
  std::string raw;          // the first 4 KiB
};

/// Reads one response that begins with `so_far`. An error only when no byte came at all.
asio::awaitable<Result<HttpAnswer>> receive_http(Channel& channel, milliseconds within, std::string so_far = {});

/// Host header for an address and a port: IPv6 in brackets, the scheme's own port left out.
std::string host_header(std::string_view address, std::uint16_t port, bool tls);

/// Errors that end a probe: ours, the user's, or the end of the run; not the device's answers.
bool ends_probe(ErrorKind kind);

/// Bytes nobody can guess, for tokens, client ids and account names that no device has.
std::string random_bytes(std::size_t count);
std::string random_word(std::size_t length);

}  // namespace assay::sessions
