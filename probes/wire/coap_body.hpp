#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "probes/wire/coap.hpp"

/// The body of an answer that comes in blocks (RFC 7959, 2.4).
namespace assay::wire {

/// Puts the blocks of one body together, in their order.
class CoapBody {
 public:
  enum class State : std::uint8_t {
    whole,   // nothing more is to come; so is an answer without blocks, whatever its code
    more,    // `ask_next` makes a request of the one before
    broken,  // it does not go on where it ended: another place, code or ETag, or a block that is not of its size
    too_long,
  };

  static constexpr std::uint32_t kMostBlocks = 128;  // of at most 1024 bytes

  /// Takes the next answer. Only after `more` there is another.
  State take(const CoapMessage& answer);

  /// The request for the next block: the options of the first one, and no payload.
  CoapMessage ask_next(CoapMessage request) const;

  /// What came until now.
  const std::string& text() const { return text_; }

 private:
  bool goes_on(const CoapMessage& answer, const CoapBlock& block) const;

  std::string text_;
  std::optional<std::uint8_t> code_;  // of the first answer
  std::string etag_;
  CoapBlock next_;
};

}  // namespace assay::wire
