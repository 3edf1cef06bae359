#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "harness/probe/network.hpp"
#include "harness/probe/transcript.hpp"

/// Plain protocols in which a client asks for TLS.
namespace assay::probes::tls {

/// One dialect: what is read and said before TLS begins.
struct UpgradeDialect {
  std::string_view name;
  std::span<const std::uint16_t> ports;  // where a service that says nothing first is asked in this dialect
  /// The greeting belongs to this dialect; null: the server says nothing first.
  bool (*greets)(std::string_view bytes) = nullptr;

  /// Steps after the greeting: what is said, and whether what has come since agrees.
  struct Step {
    std::string_view say;
    bool (*agrees)(std::string_view bytes) = nullptr;
    std::string_view after_name;  // when not empty, the server's name and then this follow `say`
  };

  std::span<const Step> steps;
};

std::span<const UpgradeDialect* const> upgrade_dialects();

/// The dialect of a greeting or, where there is none, of the port; null: none.
const UpgradeDialect* dialect_for(std::string_view greeting, std::uint16_t port);

/// Takes a new connection to where TLS begins. `name` is the server's, for a dialect that has to say it; empty: not
/// known. `protocol` when the service does not agree.
asio::awaitable<Result<>> begin_upgrade(Stream& stream, const UpgradeDialect& dialect, const std::string& name,
                                        Transcript& transcript, milliseconds within);

}  // namespace assay::probes::tls
