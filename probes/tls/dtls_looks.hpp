#pragma once

#include <optional>

#include "probes/tls/dtls_asker.hpp"
#include "probes/tls/looks.hpp"

/// The questions that only datagrams pose: who validates an address, and how.
namespace assay::probes::tls {

class DtlsLooks {
 public:
  DtlsLooks(DtlsAsker& asker, const Looks& looks, SuiteSurvey& survey, Picture& picture)
      : asker_(asker), looks_(looks), survey_(survey), picture_(picture) {}

  /// Adds the questions; each is asked in a hello that the server is known to take.
  void plan(sessions::Jobs& jobs);

  const std::optional<Error>& over() const { return over_; }

 private:
  asio::awaitable<void> weigh();
  asio::awaitable<void> change_cookie(std::string_view name, bool other_port);
  asio::awaitable<void> offer_connection_id();
  asio::awaitable<void> offer_fragments();
  asio::awaitable<void> see_psk_hint();
  HelloWish short_wish() const;

  void end_if(const std::optional<Error>& ends) { over_ = ends ? ends : over_; }

  void look(std::string_view name, std::optional<bool> yes, std::string why);

  DtlsAsker& asker_;
  const Looks& looks_;
  SuiteSurvey& survey_;
  Picture& picture_;
  std::optional<Error> over_;
};

}  // namespace assay::probes::tls
