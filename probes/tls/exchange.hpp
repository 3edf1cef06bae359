#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "probes/tls/asker.hpp"
#include "probes/wire/tls_records.hpp"

/// One connection that goes on after the server's flight, in TLS 1.2 and before.
namespace assay::probes::tls {

/// What came after something was said, by kind alone.
struct Heard {
  enum class End : std::uint8_t { enough, alert, closed, reset, silence, not_tls };

  End end = End::silence;
  wire::TlsRecordLog log;
  std::chrono::nanoseconds took{0};  // from when listening began
  std::string bytes;                 // that were heard, where they are kept

  /// "alert bad_record_mac", "silence", "2 records, then reset": two answers that read the same are the same to a
  /// client.
  std::string text() const;
};

/// Listens on until the connection ends or the time is up.
bool never_enough(const wire::TlsRecordLog& log);

/// The message of a client that is asked for a certificate and has none (RFC 5246, 7.4.6); "" when it was not asked.
std::string no_certificate(const wire::TlsFlight& flight);

class Exchange {
 public:
  /// Sees bytes that must be kept nowhere, packet captures included.
  using Forget = std::function<void(std::string_view)>;

  Exchange(TcpAsker& asker, Transcript& transcript, Forget forget)
      : asker_(asker), transcript_(transcript), forget_(std::move(forget)) {}

  /// From now on only sizes of what is received are kept: it may be memory of the device.
  void keep_sizes_only() { sizes_only_ = true; }

  /// From now on the bytes of flights and of what is heard are kept, for whoever has the keys.
  void keep_bytes() { keeps_bytes_ = true; }

  /// Sends the hello and reads the server's flight to its end; once more, with more patience, when there was no answer.
  /// False when there is none: `why()`.
  asio::awaitable<bool> begin(std::string title, const wire::TlsHello& hello);

  /// A peer that is gone shows in what is heard then.
  asio::awaitable<void> say(std::string bytes, std::string what);

  /// The same, and ends our side behind it: who waits for more after that has no reason to.
  asio::awaitable<void> say_last(std::string bytes, std::string what);

  /// Listens until an alert, the end of the stream, `enough`, or `within` has passed.
  asio::awaitable<Heard> hear(milliseconds within, bool (*enough)(const wire::TlsRecordLog&));

  /// How long a server that means to answer at once may take: less than `patience`, for answers whose absence is the
  /// expected one.
  milliseconds moment() const { return asker_.moment(); }

  milliseconds patience() const { return asker_.patience(); }

  /// The longest that any answer is waited for, whatever others took.
  milliseconds longest() const { return asker_.longest(); }

  /// The shortest time in which a hello was answered.
  std::chrono::nanoseconds fastest() const { return asker_.cost().fastest; }

  /// Others wait for the end of this connection.
  bool is_waited_for() const { return asker_.serves() == Serves::queue; }

  const wire::TlsFlight& flight() const { return flight_; }

  /// The flight as it came, where it is kept.
  const std::string& flight_bytes() const { return flight_bytes_; }

  /// Why there is no flight, for a person.
  const std::string& why() const { return why_; }

  /// The run is over: cancelled, deadline, out of scope.
  const std::optional<Error>& over() const { return over_; }

 private:
  asio::awaitable<bool> try_to_begin(const std::string& title, const wire::TlsHello& hello);
  asio::awaitable<void> read_flight();
  void take_error(const Error& error);
  void note_received(std::span<const std::byte> bytes);

  TcpAsker& asker_;
  Transcript& transcript_;
  Forget forget_;
  std::unique_ptr<Stream> stream_;
  wire::TlsFlight flight_;
  std::string why_;
  std::optional<Error> over_;
  int tries_ = 0;
  std::string flight_bytes_;
  bool sizes_only_ = false;
  bool keeps_bytes_ = false;
};

}  // namespace assay::probes::tls
