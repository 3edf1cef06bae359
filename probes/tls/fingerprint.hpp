#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "harness/model/json.hpp"
#include "probes/tls/asker.hpp"

/// The stack and its configuration by how nine fixed hellos are answered (docs/tls.md, "The fingerprint of a stack").
namespace assay::probes::tls {

/// What of one answer depends on stack and configuration alone, as text: version, suite, types of the extensions in
/// their order, ALPN, length of the session id, group and signature scheme; or how it was refused. Empty when the
/// answer settles nothing: silence, and no connection.
std::string answer_text(const Reply& reply);

class Fingerprint {
 public:
  static constexpr std::size_t kHellos = 9;
  using Answers = std::array<std::string, kHellos>;

  Fingerprint(Asker& asker, std::string server_name) : asker_(asker), server_name_(std::move(server_name)) {}

  /// Sends the hellos one after the other, each on a connection of its own; none is repeated.
  asio::awaitable<void> ask();

  /// The run is over.
  const std::optional<Error>& over() const { return over_; }

  const Answers& answers() const { return answers_; }

 private:
  Asker& asker_;
  std::string server_name_;
  Answers answers_;
  std::optional<Error> over_;
};

/// {ja3s, ja3s_md5} of the text that JA3S hashes; nothing of "".
json::object ja3s_facts(std::string_view text);

/// {stack, jarm_like, answers}: `stack` is "assay1:" and 32 digits of the SHA-256 of all answers; `jarm_like` is built
/// as JARM builds its own, of our hellos: three characters for suite and version of each, then 32 digits of the SHA-256
/// of the rest. Both are null while an answer settles nothing.
json::object fingerprint_facts(const Fingerprint::Answers& answers);

}  // namespace assay::probes::tls
