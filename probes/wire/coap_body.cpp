#include "probes/wire/coap_body.hpp"

namespace assay::wire {

namespace {

constexpr std::uint8_t kLargestExponent = 6;

std::string etag_of(const CoapMessage& answer) {
  const auto* option = find_option(answer, kCoapEtag);
  return option == nullptr ? std::string{} : option->value;
}

}  // namespace

/// A server may answer with smaller blocks than it was asked for, counted in their own size.
bool CoapBody::goes_on(const CoapMessage& answer, const CoapBlock& block) const {
  const bool first = !code_;
  const bool fits = block.exponent <= kLargestExponent && block.offset() == text_.size() &&
                    (!block.more || answer.payload.size() == block.size());
  return fits && (first || (answer.code == *code_ && etag_of(answer) == etag_));
}

CoapBody::State CoapBody::take(const CoapMessage& answer) {
  const auto* option = find_option(answer, kCoapBlock2);
  if (option == nullptr && !code_) {
    text_ = answer.payload;
    return State::whole;
  }
  const auto block = option == nullptr ? std::nullopt : coap_block_of(option->value);
  if (!block || !goes_on(answer, *block)) {
    return State::broken;
  }
  if (block->number >= kMostBlocks) {
    return State::too_long;
  }
  code_ = answer.code;
  etag_ = etag_of(answer);
  text_ += answer.payload;
  next_ = {block->number + 1, false, block->exponent};
  return block->more ? State::more : State::whole;
}

CoapMessage CoapBody::ask_next(CoapMessage request) const {
  request.payload.clear();
  std::erase_if(request.options,
                [](const auto& option) { return option.number == kCoapBlock2 || option.number == kCoapContentFormat; });
  add_option(request, kCoapBlock2, coap_block(next_));
  return request;
}

}  // namespace assay::wire
