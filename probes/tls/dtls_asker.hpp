#pragma once

#include <memory>
#include <optional>
#include <string>

#include "probes/tls/answer_time.hpp"
#include "probes/tls/asker.hpp"
#include "probes/wire/dtls.hpp"

/// Questions over datagrams (RFC 6347, 4.2): hello, cookie, hello with the cookie, flight; each from a port of its own.
namespace assay::probes::tls {

/// What all questions together showed of the transport.
struct DtlsHabits {
  std::int64_t verified = 0;            // questions in which a cookie was asked for
  std::int64_t unverified = 0;          // questions that got their answer without one
  std::size_t cookie_length = 0;        // bytes, of the last cookie
  std::int64_t endless = 0;             // questions in which no cookie was good enough
  std::int64_t server_repeats = 0;      // fragments that came again
  std::int64_t silences_explained = 0;  // questions without an answer while the server answered another one
};

/// The answer to one hello without a cookie, weighed.
struct Weighed {
  std::int64_t asked_bytes = 0;  // payload of the hello's datagram
  std::int64_t bytes = 0;        // payload of all that came
  std::int64_t datagrams = 0;    // that came
  std::int64_t later_bytes = 0;  // of these, sent again unasked
  bool cookie_asked = false;
  bool answered = false;
  std::optional<Error> ends;
};

/// What a server did with a cookie that it gave for another hello.
struct CookieTrial {
  std::optional<bool> taken;  // nothing: could not be told
  std::string why;
  std::optional<Error> ends;
};

class DtlsAsker final : public Asker {
 public:
  DtlsAsker(Network& network, Endpoint to, Transcript& transcript)
      : network_(network), to_(to), transcript_(transcript) {}

  /// A datagram as it is; where a cookie is asked for, that is where the question ends.
  asio::awaitable<Reply> ask(std::string title, std::string first_flight, Enough enough) override;

  /// A silence counts as `cut` when the server answers a hello that it has answered before; else as `silent`.
  asio::awaitable<Reply> ask(std::string title, const wire::TlsHello& hello, Enough enough) override;

  /// The same in two fragments.
  asio::awaitable<Reply> ask_in_fragments(std::string title, const wire::TlsHello& hello);

  asio::awaitable<Result<std::unique_ptr<TlsStream>>> shake_hands(std::string title,
                                                                  const TlsOptions& options) override;

  milliseconds patience() const override;

  milliseconds moment() const override { return patience(); }

  /// One hello without a cookie, never sent again, and all that comes: to the end of silence, and for `later` beyond it
  /// where no cookie was asked for, because what is repeated is sent to a forged address too.
  asio::awaitable<Weighed> weigh(const wire::TlsHello& hello, milliseconds later);

  /// Gets a cookie for one hello and shows it with another, from the same port or from another one.
  asio::awaitable<CookieTrial> try_cookie(const wire::TlsHello& first, const wire::TlsHello& second, bool other_port);

  const Cost& cost() const override { return cost_; }

  const DtlsHabits& habits() const { return habits_; }

 private:
  enum class Frames : std::uint8_t { whole, fragments, raw };
  struct Question;
  struct Talk;
  class Counted;

  asio::awaitable<Reply> ask(std::string title, const Question& question);
  asio::awaitable<void> converse(Talk& talk);
  asio::awaitable<bool> send_turn(Talk& talk);
  asio::awaitable<bool> listen(Talk& talk, milliseconds until_resend);
  bool take(Talk& talk, std::string_view datagram);
  bool take_cookie(Talk& talk);
  void note_validation(const wire::ServerHello& hello, bool had_cookie);
  asio::awaitable<bool> is_alive();
  asio::awaitable<void> explain_silence(Reply& reply);
  asio::awaitable<void> say_goodbye(Talk& talk);
  asio::awaitable<Result<>> send(Datagrams& socket, std::string datagram);
  milliseconds first_resend(bool with_cookie) const;

  Network& network_;
  Endpoint to_;
  Transcript& transcript_;
  Cost cost_;
  DtlsHabits habits_;
  AnswerTime verify_time_;
  AnswerTime flight_time_;
  std::optional<wire::TlsHello> known_;  // a hello that was answered
  // Of our records, over all questions: OpenSSL's listener remembers the numbers of one peer and drops the same ones of
  // the next.
  std::uint64_t number_ = 0;
  bool gone_ = false;  // it was not answered any more, asked again and again
};

}  // namespace assay::probes::tls
