#pragma once

#include "harness/model/json.hpp"
#include "harness/model/known_key.hpp"
#include "probes/ssh/conversation.hpp"
#include "probes/ssh/offer.hpp"

/// The single questions of the probe, each one exchange on a connection of its own.
namespace assay::probes::ssh {

/// Goes through the key exchange until the server shows its host key, and no further: that it holds the private half is
/// not checked. Yields the entry of `ssh.host_keys`; `keys` are those that others hold too.
asio::awaitable<Result<json::object>> look_at_host_key(Conversation& conversation, const wire::SshKexInit& offer,
                                                       const Family& family, const KnownKeys& keys);

/// Sizes that a group exchange is asked for.
inline constexpr std::uint32_t kAskedSizes[] = {1024, 2048, 3072};

/// What modulus the server gives when it is asked for `bits` and would be given any from 1024 to 8192. A server that
/// breaks off instead of giving one has refused: `given` is false then, with its words.
asio::awaitable<Result<json::object>> look_at_group(Conversation& conversation, const wire::SshKexInit& offer,
                                                    const std::string& method, std::uint32_t bits);

}  // namespace assay::probes::ssh
