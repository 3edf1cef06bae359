#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "probes/tls/asker.hpp"

/// How a talk with a TCP service begins, and how many questions at once it is given.
namespace assay::probes::tls {

using Question = std::function<asio::awaitable<Reply>()>;

/// The first answer to `question`; where it is no TLS, the first after an upgrade that the service may know. `name` is
/// what the service is called. The connection of an answer without an upgrade is held, for the question after it.
asio::awaitable<Reply> ask_first(TcpAsker& asker, std::uint16_t port, std::string name, Question question);

/// Questions at once for a device whose answer takes so long beyond the round trip: a handshake that costs a fifth of
/// a second is a microcontroller's, and each further one at the same time only makes it slower.
std::size_t width_for(const Network& network, std::chrono::nanoseconds answer);

/// The same after the second question, which has shown how many the server serves.
asio::awaitable<std::size_t> width_beside(TcpAsker& asker, std::size_t width);

}  // namespace assay::probes::tls
