#pragma once

#include <memory>
#include <utility>

#include "probes/update/transports/transports.hpp"

/// What all transports have in common whose device comes to our HTTP server for everything.
namespace assay::probes::update {

class ServedTransport : public Transport {
 public:
  ServedTransport(ProbeContext& context, const UpdateMechanism& mechanism, const Files& files)
      : mechanism_(mechanism), server_(context, settings_for(mechanism, files)) {
    server_.on_loss = [&context](Loss loss) { return cut_off(context, loss); };
  }

  asio::awaitable<Result<>> open() override {
    const auto port = mechanism_.serve->port;
    auto opened = co_await server_.open(port);
    co_return opened;
  }

  std::string cannot(const Behaviour& behaviour) const override { return cannot_serve(mechanism_, behaviour); }

  const Fetched& fetched() const override { return server_.fetched(); }

  std::string reported() const override { return {}; }

  bool final_word() const override { return false; }

  bool says_success() const override { return false; }

  std::string log() const override { return server_.log(); }

  asio::awaitable<void> withdraw() override { co_await server_.withdraw(); }

  asio::awaitable<void> close() override { co_await server_.close(); }

 protected:
  const UpdateMechanism& mechanism_;
  HttpServer server_;
};

}  // namespace assay::probes::update
