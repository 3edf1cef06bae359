#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "probes/update/servers/coap_site.hpp"
#include "probes/update/servers/dtls_listener.hpp"

/// A CoAP server that the device was pointed at: a port with a site behind it, and the patience that a site has not.
namespace assay::probes::update {

/// What our server proves itself by where it speaks DTLS: one of the two.
struct CoapSecurity {
  std::optional<SharedKey> psk;
  std::optional<TlsIdentity> genuine, misnamed, expired;

  bool any() const { return psk || genuine; }
};

class CoapServer {
 public:
  /// Answers what is none of a site's business; nothing for the rest.
  using Before = std::function<std::optional<CoapReply>(const wire::CoapMessage& request, std::uint16_t from)>;

  /// `name` is that which the device asks for; empty: our address. Without any `security` CoAP is spoken in clear.
  CoapServer(ProbeContext& context, std::string name, CoapSecurity security, Before before = {});

  asio::awaitable<Result<>> open(std::uint16_t port);

  /// Puts an offer there. The power and the end of a hold are seen to. `bad_input` when what is to be shown cannot be.
  Result<> serve(CoapSite::Inputs inputs);

  /// What the device did about what is there, or was there last.
  const Fetched& fetched() const;

  /// Of DTLS; null without.
  std::string over(std::uint16_t port) const { return dtls_ == nullptr ? "coap" : dtls_->over(port); }

  const DtlsSeen* seen() const { return dtls_ == nullptr ? nullptr : &dtls_->seen(); }

  /// Who still waits for a promised answer gets one, and our server is itself again.
  asio::awaitable<void> withdraw();

  asio::awaitable<void> close();

  CoapPort& port() { return port_; }

  Journal& journal() { return journal_; }

  const Journal& journal() const { return journal_; }

  const CoapSite* site() const { return site_.get(); }

  /// "coaps://updates.example:5684", or with `how` "http" the one that the device ought not to go to.
  std::string origin(const std::string& how = {}) const;

  std::int64_t strangers() const { return port_.strangers(); }

 private:
  asio::awaitable<void> watch(std::shared_ptr<CoapSite> site);
  asio::awaitable<void> cut(std::shared_ptr<CoapSite> site);
  Result<DtlsTerms> terms(const Behaviour& behaviour) const;
  std::string host() const;

  ProbeContext& context_;
  std::string name_;
  CoapSecurity security_;
  Before before_;
  Journal journal_;
  CoapPort port_;
  DtlsListener* dtls_ = nullptr;  // the port's
  std::shared_ptr<CoapSite> site_;
  mutable Fetched fetched_;  // of the site and of DTLS together
};

}  // namespace assay::probes::update
