#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "probes/images/byte_source.hpp"
#include "probes/update/servers/coap_server.hpp"
#include "probes/update/servers/lwm2m_registrar.hpp"

/// The firmware object of a registered device (OMA LwM2M 1.0 to 1.2, object 5), as a server writes and reads it.
namespace assay::probes::update {

/// What the object's resources 3 and 5 say.
struct FirmwareState {
  std::int64_t state = 0;   // 0 idle, 1 downloading, 2 downloaded, 3 updating
  std::int64_t result = 0;  // 0 none, 1 done, 2 and more: why not
};

/// "5 (integrity check failed)", of resource 5.
std::string result_words(std::int64_t result);

class Firmware {
 public:
  Firmware(ProbeContext& context, CoapServer& server, const Registrar& registrar)
      : context_(context), server_(server), registrar_(registrar) {}

  /// A resource by its path below the client's root. `unreachable` when nobody is registered, `refused` with the code
  /// of an answer that holds no value, `timed_out`.
  asio::awaitable<Result<std::string>> read(std::string path, bool number);

  asio::awaitable<Result<FirmwareState>> state();

  /// An empty address gives up what is there. `refused` with the code.
  asio::awaitable<Result<>> write_address(std::string address);

  /// Where a write of the image begins and ends.
  struct Push {
    images::Source image;
    std::uint64_t until = 0;   // bytes that are written; fewer than the image has: it is interrupted
    std::uint64_t behind = 0;  // zeros behind the image
    std::function<bool(std::uint64_t written)> goes_on{};  // after each block; false: enough
  };

  /// Writes the image in blocks. `refused` with the code by which the device ended it.
  asio::awaitable<Result<>> write_image(Push push);

  asio::awaitable<Result<>> execute();

 private:
  asio::awaitable<Result<wire::CoapMessage>> ask(wire::CoapMessage request);
  asio::awaitable<Result<>> change(wire::CoapMessage request);

  ProbeContext& context_;
  CoapServer& server_;
  const Registrar& registrar_;
};

}  // namespace assay::probes::update
