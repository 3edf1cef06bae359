#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probes/tls/asker.hpp"
#include "probes/tls/picture.hpp"
#include "probes/tls/suites.hpp"

/// Finished handshakes, by the library: what shows only within a session. They go into the picture: whether sessions
/// are resumed and by what, whether the client may ask for a new handshake, whether it needs a certificate.
namespace assay::probes::tls {

class Finished {
 public:
  Finished(Asker& asker, Network& network, Transcript& transcript, SuiteSurvey& survey, Picture& picture,
           std::string server_name)
      : asker_(asker),
        network_(network),
        transcript_(transcript),
        survey_(survey),
        picture_(picture),
        server_name_(std::move(server_name)) {}

  /// The first handshake, in the best version. Certificates of TLS 1.3 travel encrypted, and ALPN with them.
  asio::awaitable<void> shake_hands();

  /// Adds the handshakes that make sense for what the survey found.
  void plan(sessions::Jobs& jobs);

  /// Adds what some servers need a pause after, to be asked when nobody waits any more.
  void plan_last(sessions::Jobs& jobs);

  /// The first session.
  const std::optional<TlsSession>& session() const { return session_; }

  /// Why there is none.
  const std::string& failure() const { return failure_; }

  /// Everything that was given to resume a session by.
  const std::vector<TlsResumption>& given() const { return given_; }

  /// A ticket of TLS 1.2 or before, or null.
  const TlsResumption* old_ticket() const;

  const std::optional<Error>& over() const { return over_; }

 private:
  using Opened = Result<std::unique_ptr<TlsStream>>;

  TlsOptions wish() const;

  bool by_datagrams() const { return wire::is_dtls(survey_.family().tls12); }

  bool wants_shared_key() const;
  asio::awaitable<Opened> open(const TlsOptions& options, std::string title);
  asio::awaitable<void> close(TlsStream& stream);
  asio::awaitable<void> resume_old(bool tickets);
  const TlsResumption* of_old(bool ticket) const;
  asio::awaitable<void> resume_new();
  asio::awaitable<void> try_again(std::string_view name, const TlsOptions& options, bool renegotiates);
  asio::awaitable<void> renegotiate(TlsStream& stream);
  milliseconds a_moment() const;
  void take_first(TlsStream& stream, const Result<TlsResumption>& given);
  void take_failure(const Error& error);
  void look(std::string_view name, std::optional<bool> yes, std::string why);

  Asker& asker_;
  Network& network_;
  Transcript& transcript_;
  SuiteSurvey& survey_;
  Picture& picture_;
  std::string server_name_;
  std::optional<TlsSession> session_;
  std::string failure_;
  std::optional<Error> failed_;
  std::vector<TlsResumption> given_;
  std::optional<TlsOptions> last_;  // of the handshake that resumes by a ticket
  std::optional<Error> over_;
};

}  // namespace assay::probes::tls
