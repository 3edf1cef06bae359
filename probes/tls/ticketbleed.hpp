#pragma once

#include <string>
#include <vector>

#include "probes/tls/exchange.hpp"
#include "probes/tls/picture.hpp"
#include "probes/tls/suites.hpp"
#include "probes/tls/weaknesses.hpp"

namespace assay::probes::tls {

/// CVE-2016-9244: a ticket of TLS 1.2 or before, beside a session id shorter than 32 bytes, which is as sound as any
/// hello. The server says the session id again with which a client resumes by a ticket (RFC 5077, 3.4): as it was sent,
/// or as 32 bytes of which the last were never sent. `ticket` is null when none was given.
class Ticketbleed {
 public:
  Ticketbleed(SuiteSurvey& survey, const Picture& picture, std::string server_name)
      : survey_(survey), picture_(picture), server_name_(std::move(server_name)) {}

  asio::awaitable<void> ask(Exchange line, const TlsResumption* ticket);

  const std::vector<Weakness>& results() const { return results_; }

  /// The run is over.
  const std::optional<Error>& over() const { return over_; }

 private:
  std::optional<HelloWish> old_wish() const;
  bool old_settled() const;
  void decide(WeaknessState state, std::string why);
  void without(const TlsResumption* ticket, bool any);

  SuiteSurvey& survey_;
  const Picture& picture_;
  std::string server_name_;
  std::vector<Weakness> results_{{"ticketbleed", WeaknessState::unknown, "not asked"}};
  std::optional<Error> over_;
};

}  // namespace assay::probes::tls
