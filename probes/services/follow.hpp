#pragma once

#include <string>

#include "harness/probe/network.hpp"
#include "probes/services/sighting.hpp"
#include "probes/sessions/channel.hpp"

/// What comes after recognition: one short conversation in the service's own protocol that confirms it and asks what
/// logins it offers. Each sets `sighting.protocol` only on an answer that its parser understood.
namespace assay::probes::services {

struct Place {
  std::string address;
  Endpoint endpoint;
  bool tls = false;  // inside a TLS session
  sessions::Timers timers;

  /// A credential given here would be readable on the wire.
  bool clear() const { return !tls; }
};

/// `first` is what the device has already said on the channel.
asio::awaitable<Result<>> follow_ssh(sessions::Channel& channel, const Place& place, std::string first,
                                     Sighting& sighting);
asio::awaitable<Result<>> follow_telnet(sessions::Channel& channel, const Place& place, std::string first,
                                        Sighting& sighting);

/// FTP or SMTP, told apart by what they answer. The channel has said its greeting and nothing was sent.
asio::awaitable<Result<>> follow_reply_lines(sessions::Channel& channel, const Place& place, std::string greeting,
                                             Sighting& sighting);
asio::awaitable<Result<>> follow_mqtt(sessions::Channel& channel, const Place& place, std::string first,
                                      Sighting& sighting);
asio::awaitable<Result<>> follow_rtsp(sessions::Channel& channel, const Place& place, std::string first,
                                      Sighting& sighting);

/// Something waits for a command: asks it to join two words as only a command interpreter does. Changes nothing.
asio::awaitable<Result<>> follow_shell(sessions::Channel& channel, const Place& place, Sighting& sighting);

/// Sends a GET with a token of ours; only an answer with that token names CoAP.
asio::awaitable<Result<>> follow_coap_tcp(sessions::Channel& channel, const Place& place, Sighting& sighting);

/// Facts of one HTTP response. Returns the path of a redirect to be followed on this endpoint, or nothing.
std::string note_http(const wire::HttpResponse& response, const Place& place, std::string_view path,
                      Sighting& sighting);

/// The logins that it asks for.
void note_http_logins(const wire::HttpResponse& response, const Place& place, std::string_view path,
                      Sighting& sighting);

json::array listed(const std::vector<std::string>& names);

/// The first requests of the ladder.
std::string http_get(const Place& place, std::string_view path);
std::string rtsp_options(const Place& place);
std::string mqtt_hello(std::uint8_t level);
std::string coap_tcp_hello();

}  // namespace assay::probes::services
