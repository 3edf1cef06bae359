#pragma once

#include "probes/update/servers/coap_server.hpp"
#include "probes/update/servers/server.hpp"
#include "probes/update/transport.hpp"

/// The transports that there are, and what they share.
namespace assay::probes::update {

std::unique_ptr<Transport> make_pull(ProbeContext& context, const UpdateMechanism& mechanism, const Files& files);
std::unique_ptr<Transport> make_hawkbit(ProbeContext& context, const UpdateMechanism& mechanism, const Files& files);
std::unique_ptr<Transport> make_mqtt(ProbeContext& context, const UpdateMechanism& mechanism, const Files& files);
std::unique_ptr<Transport> make_coap(ProbeContext& context, const UpdateMechanism& mechanism, const Files& files);
std::unique_ptr<Transport> make_lwm2m(ProbeContext& context, const UpdateMechanism& mechanism, const Files& files);
std::unique_ptr<Transport> make_tftp(ProbeContext& context, const UpdateMechanism& mechanism);
std::unique_ptr<Transport> make_mender(ProbeContext& context, const UpdateMechanism& mechanism, const Files& files);
std::unique_ptr<Transport> make_upload(ProbeContext& context, const UpdateMechanism& mechanism);
std::unique_ptr<Transport> make_exec(ProbeContext& context, const UpdateMechanism& mechanism);

/// How long a download that never ends is kept up: long enough that a device with a bound shows it.
milliseconds hold_time(const UpdateMechanism& mechanism);

/// Bytes behind an image that never ends, as far as it goes on by datagrams.
std::uint64_t flood_behind(std::uint64_t size);

/// Of our server for it.
HttpServer::Settings settings_for(const UpdateMechanism& mechanism, const Files& files);

/// Why our server cannot play it with what was given, empty when it can.
std::string cannot_serve(const UpdateMechanism& mechanism, const Behaviour& behaviour);

/// What the last exchange with our server showed.
json::object served_facts(const HttpServer& server, const UpdateMechanism& mechanism);

/// Why a CoAP server cannot play it, empty when it can.
std::string cannot_by_coap(const UpdateMechanism& mechanism, const Behaviour& behaviour);

/// What our CoAP server proves itself by.
CoapSecurity coap_security(const UpdateMechanism& mechanism, const Files& files);

/// Why a server cannot play it whose protocol ("CoAP without DTLS") knows neither certificates nor redirects, empty
/// when it can.
std::string cannot_in_the_clear(const Behaviour& behaviour, const std::string& protocol);

/// What the last exchange with our CoAP server showed.
json::object coap_facts(const CoapServer& server, const UpdateMechanism& mechanism);

/// By the laboratory's recipe. An error when there is none, or when it did not succeed: then nothing was lost.
asio::awaitable<Result<>> cut_off(ProbeContext& context, Loss loss);

}  // namespace assay::probes::update
