#include "probes/update/servers/lwm2m_registrar.hpp"

#include "probes/wire/bytes.hpp"

namespace assay::probes::update {

namespace {

constexpr std::string_view kDirectory = "/rd";
constexpr unsigned kFirmwareObject = 5;
constexpr std::uint8_t kForbidden = 0x83;

}  // namespace

std::optional<CoapReply> Registrar::answer(const wire::CoapMessage& request, std::uint16_t from) {
  const auto path = wire::coap_path(request);
  if (path != kDirectory && !path.starts_with(std::string{kDirectory} + "/")) {
    return std::nullopt;
  }
  if (path == kDirectory && request.code == wire::kCoapPost) {
    return enroll(request, from);
  }
  const bool known = client_ && path == std::string{kDirectory} + "/" + std::to_string(client_->number);
  if (!known) {
    return of_code(wire::kCoapNotFound);
  }
  if (request.code == wire::kCoapDelete) {
    journal_.note("lwm2m: it deregistered");
    client_.reset();
    return of_code(wire::kCoapDeleted);
  }
  client_->port = from;
  return of_code(request.code == wire::kCoapPost ? wire::kCoapChanged : wire::kCoapNotAllowed);
}

CoapReply Registrar::enroll(const wire::CoapMessage& request, std::uint16_t from) {
  const auto told = wire::read_lwm2m_registration(request);
  const auto words = wire::printable(told.endpoint, 100) + ", LwM2M " + wire::printable(told.version, 20) + ", " +
                     wire::printable(told.objects, 300);
  if (!endpoint_.empty() && told.endpoint != endpoint_) {
    journal_.note("lwm2m: a registration of somebody else: " + words);
    return of_code(kForbidden);
  }
  if (!wire::has_lwm2m_object(told.objects, kFirmwareObject)) {
    journal_.note("lwm2m: a registration without object 5: " + words);
    return of_code(wire::kCoapBadRequest);
  }
  ++registrations_;
  journal_.note("lwm2m: it registered from udp/" + std::to_string(from) + ": " + words);
  client_ = Client{told, wire::lwm2m_root(told.objects), from, registrations_, clock_.elapsed()};
  auto out = of_code(wire::kCoapCreated);
  wire::add_option(out.message, wire::kCoapLocationPath, std::string{kDirectory.substr(1)});
  wire::add_option(out.message, wire::kCoapLocationPath, std::to_string(registrations_));
  return out;
}

}  // namespace assay::probes::update
