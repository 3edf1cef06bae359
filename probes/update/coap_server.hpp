#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "probes/update/coap_site.hpp"

/// A CoAP server that the device was pointed at: a port with a site behind it, and the patience that a site has not.
namespace assay::probes::update {

class CoapServer {
 public:
  /// Answers what is none of a site's business; nothing for the rest.
  using Before = std::function<std::optional<CoapReply>(const wire::CoapMessage& request, std::uint16_t from)>;

  explicit CoapServer(ProbeContext& context, Before before = {});

  asio::awaitable<Result<>> open(std::uint16_t port);

  /// Puts an offer there. The power and the end of a hold are seen to.
  void serve(CoapSite::Inputs inputs);

  /// Who still waits for a promised answer gets one.
  asio::awaitable<void> withdraw();

  asio::awaitable<void> close();

  CoapPort& port() { return port_; }

  Journal& journal() { return journal_; }

  const Journal& journal() const { return journal_; }

  const CoapSite* site() const { return site_.get(); }

  /// "coap://updates.example:5683"
  std::string origin(const std::string& name) const;

  std::int64_t strangers() const { return port_.strangers(); }

 private:
  asio::awaitable<void> watch(std::shared_ptr<CoapSite> site);

  ProbeContext& context_;
  Before before_;
  Journal journal_;
  CoapPort port_;
  std::shared_ptr<CoapSite> site_;
};

}  // namespace assay::probes::update
