#pragma once

#include <memory>
#include <string>

#include "probes/sessions/channel.hpp"
#include "probes/wire/ssh.hpp"
#include "probes/wire/ssh_kex.hpp"

namespace assay::probes::ssh {

/// What this probe has used of the device, for its coverage.
struct Effort {
  std::int64_t connections = 0;  // that were accepted
  std::int64_t writes = 0;       // each of them a round trip at most
  std::int64_t dropped = 0;      // connections that ended before the server had introduced itself
};

/// What all conversations of one observation share. Lives as long as the observation.
struct Door {
  Network& network;
  Endpoint endpoint;
  Transcript& transcript;
  Effort effort;
};

/// Servers turn connections away when too many are not logged in (MaxStartups), so who is turned away comes again,
/// later.
inline constexpr int kAttempts = 3;

/// The pause before an attempt, none before the first (0).
asio::awaitable<Result<>> pause_before(Door& door, int attempt);

bool turned_away(const Error& error);

/// Our half of every introduction.
inline constexpr std::string_view kOurIdent = "SSH-2.0-Assay\r\n";

/// One connection before encryption. Bounded: 128 KiB kept, each wait within the patience, and the patience is for the
/// whole conversation, so that a device that drips bytes ends it too.
class Conversation {
 public:
  /// Connects and reads the server's identification, in as many attempts as it takes or are allowed.
  static asio::awaitable<Result<std::unique_ptr<Conversation>>> open(Door& door);

  Conversation(Door& door, std::unique_ptr<sessions::Channel> channel);

  const wire::SshIdent& ident() const { return ident_; }

  /// Printable lines that came before the identification; empty for none.
  const std::string& preamble() const { return preamble_; }

  asio::awaitable<Result<>> send(std::string bytes);

  /// The payload of the next packet that means something. A DISCONNECT is an error `closed` with the server's words.
  asio::awaitable<Result<std::string>> packet();

  /// Introduces us and reads the server's lists.
  asio::awaitable<Result<wire::SshKexInit>> offer();

  /// The two public keys of a server that takes protocol 1; introduces us as a client of it.
  asio::awaitable<Result<wire::Ssh1Keys>> protocol1_keys();

 private:
  asio::awaitable<Result<>> read_ident();
  asio::awaitable<Result<>> more();

  Door& door_;
  std::unique_ptr<sessions::Channel> channel_;
  std::string buffer_;
  wire::SshIdent ident_;
  std::string preamble_;
};

/// How long one conversation may take.
milliseconds patience_of(const Network& network);

}  // namespace assay::probes::ssh
