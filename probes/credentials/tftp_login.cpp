#include <algorithm>

#include "probes/credentials/dialects.hpp"
#include "probes/wire/bytes.hpp"
#include "probes/wire/tftp.hpp"

/// TFTP knows no login: whoever asks is served. Asked for are names that devices keep their settings and images under;
/// only the first block of a file is taken, and none of it is kept.
namespace assay::probes::credentials {

namespace tftp {

namespace {

constexpr std::string_view kFiles[] = {"config.bin",     "config.xml",   "config.cfg", "backup.cfg", "startup-config",
                                       "running-config", "firmware.bin", "uImage",     "pxelinux.0", "boot.cfg"};
constexpr milliseconds kSilence{1500};
constexpr int kRounds = 2;

/// The first answer to a request for a file; each file from a port of ours of its own, as servers tell transfers apart.
asio::awaitable<Result<wire::TftpParse>> ask(Door& door, std::string file) {
  auto socket = co_await door.network.open_udp(door.endpoint);
  if (!socket) {
    co_return socket.error();
  }
  const auto within = std::max(kSilence, 2 * door.timers.quiet);
  for (int round = 0; round < kRounds; ++round) {
    const auto request = wire::tftp_read_request(file);
    const auto view = wire::bytes_of(request);
    door.transcript.sent(view);
    auto sent = co_await (*socket)->send(view);
    if (!sent) {
      co_return sent.error();
    }
    auto received = co_await (*socket)->receive(within);
    if (!received && received.error().kind != ErrorKind::timed_out) {
      co_return received.error();
    }
    if (!received) {
      continue;
    }
    const auto answer = wire::parse_tftp(wire::text_of(received->payload));
    // The contents of a file are the owner's, and may hold secrets.
    door.transcript.note("received " + std::to_string(received->payload.size()) + " bytes: " +
                         (answer.state != wire::Parse::complete        ? "not TFTP"
                          : answer.kind == wire::TftpParse::Kind::data ? "the first block of the file"
                                                                       : "error " + std::to_string(answer.number)));
    co_return answer;
  }
  co_return Error{ErrorKind::timed_out, "no answer", {}};
}

asio::awaitable<Result<Detection>> find(Door& door) {
  Detection found;
  const auto nobody = "assay-" + sessions::random_word(12);
  auto control = co_await ask(door, nobody);
  if (!control) {
    if (sessions::ends_probe(control.error().kind)) {
      co_return control.error();
    }
    found.silent = control.error().kind == ErrorKind::timed_out;
    co_return found;
  }
  if (control->state != wire::Parse::complete) {
    co_return found;
  }
  found.spoken = "tftp";
  if (control->kind == wire::TftpParse::Kind::data) {
    found.doubt = "a file of a random name is given too, so that a file says nothing";
    co_return found;
  }
  bool refused = control->number == 2;
  for (const auto name : kFiles) {
    const std::string file{name};
    auto answer = co_await ask(door, file);
    if (!answer && sessions::ends_probe(answer.error().kind)) {
      co_return answer.error();
    }
    if (answer && answer->state == wire::Parse::complete && answer->kind == wire::TftpParse::Kind::data) {
      found.open = true;
      found.open_proof = "the file " + file + " is given to anybody: a first block of " + std::to_string(answer->size) +
                         " bytes; a file of a random name is not";
      co_return found;
    }
    refused = refused && answer && answer->number == 2;
  }
  found.shut = refused ? "no file may be read" : "";
  found.doubt = refused ? ""
                        : "anybody may ask for files, and none of the " + std::to_string(std::size(kFiles)) +
                              " usual names is there";
  co_return found;
}

}  // namespace

}  // namespace tftp

asio::awaitable<Result<Detection>> detect_tftp(Door& door) {
  return tftp::find(door);
}

}  // namespace assay::probes::credentials
