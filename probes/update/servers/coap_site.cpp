#include "probes/update/servers/coap_site.hpp"

#include <algorithm>

#include "probes/update/transports/transports.hpp"
#include "probes/wire/bytes.hpp"

namespace assay::probes::update {

namespace {

constexpr std::size_t kMostPorts = 64;
constexpr std::size_t kMostPaths = 64;
constexpr std::size_t kMostWords = 200;
constexpr std::uint32_t kOctets = 42;  // application/octet-stream
constexpr std::uint32_t kJson = 50;
constexpr std::uint8_t kSmallest = 0;  // exponent of a block of 16 bytes
constexpr std::uint8_t kLargest = 6;
constexpr std::size_t kEtagBytes = 8;
constexpr milliseconds kSilence{4000};  // no question for so long: a device that lost an answer asks again sooner

std::uint8_t code_of_status(int status) {
  return status >= 500 ? wire::kCoapUnavailable : wire::kCoapNotFound;
}

/// The name of one state of a resource (RFC 7252, 5.10.6).
std::string etag_of(const images::ByteSource& body) {
  const auto digest = images::sha256_of(body);
  return digest ? digest->substr(0, kEtagBytes) : std::string(1, '\0');
}

std::string words_of(const wire::CoapMessage& request) {
  std::string out;
  for (const auto& option : request.options) {
    if (option.number == wire::kCoapUriQuery && out.size() < kMostWords) {
      out += (out.empty() ? "" : "&") + wire::printable(option.value, 100);
    }
  }
  return out;
}

}  // namespace

CoapSite::CoapSite(const Network& clock, Journal& journal, Inputs inputs)
    : clock_(clock), journal_(journal), in_(std::move(inputs)) {}

void CoapSite::seen(std::uint16_t from) {
  fetched_.ask(clock_.elapsed());
  if (ports_.size() < kMostPorts) {
    ports_.insert(from);
  }
  fetched_.connections = static_cast<std::int64_t>(ports_.size());
  fetched_.over = in_.over ? in_.over(from) : "coap";
}

CoapReply CoapSite::answer(const wire::CoapMessage& request, std::uint16_t from) {
  seen(from);
  const auto path = wire::coap_path(request);
  if (asked_paths_.size() < kMostPaths) {
    asked_paths_.insert(path);
  }
  if (auto words = words_of(request); !words.empty()) {
    fetched_.agent = std::move(words);
  }
  const auto* option = wire::find_option(request, wire::kCoapBlock2);
  const auto block =
      option == nullptr ? wire::CoapBlock{} : wire::coap_block_of(option->value).value_or(wire::CoapBlock{0, true, 7});
  const bool first = block.number == 0;
  if (first) {
    journal_.note(wire::printable(fetched_.over + " " + wire::coap_code(request.code) + " " + path, 300) +
                  " from udp/" + std::to_string(from) + (fetched_.agent.empty() ? "" : " with " + fetched_.agent));
  }
  if (request.code != wire::kCoapGet) {
    return of_code(wire::kCoapNotAllowed);
  }
  if (block.exponent > kLargest) {
    return of_code(wire::kCoapBadRequest);
  }
  if (fetched_.holding && first) {
    gave_up(fetched_.last);  // it begins with something else
  }
  if (in_.offer.behaviour.status != 0) {
    return of_code(code_of_status(in_.offer.behaviour.status));
  }
  if (path == in_.image_path) {
    return image(request, from, block);
  }
  const auto page = std::find_if(in_.pages.begin(), in_.pages.end(), [&](const auto& one) { return one.path == path; });
  if (page == in_.pages.end()) {
    return of_code(wire::kCoapNotFound);
  }
  const images::MemorySource body{page->text};
  return piece(body, block, page->text.starts_with('{') ? kJson : kOctets, option != nullptr);
}

/// The byte from which on the image is not given as it ought to be.
std::optional<std::uint64_t> CoapSite::stop() const {
  const auto& behaviour = in_.offer.behaviour;
  const auto percent = behaviour.cut_at              ? behaviour.cut_at
                       : behaviour.stall_at          ? behaviour.stall_at
                       : behaviour.loss_at && !lost_ ? behaviour.loss_at
                                                     : std::nullopt;
  return percent ? std::optional{current_->size() * static_cast<std::uint64_t>(*percent) / 100} : std::nullopt;
}

CoapReply CoapSite::image(const wire::CoapMessage& request, std::uint16_t from, const wire::CoapBlock& block) {
  const auto& behaviour = in_.offer.behaviour;
  if (block.number == 0 || !current_) {
    current_ = behaviour.second && fetched_.downloads == 0 ? in_.offer.genuine : in_.offer.image;
    etag_ = etag_of(*current_);
    ++fetched_.downloads;
  }
  if (block.number > 0 && fetched_.released && fetched_.held_to_the_end) {
    return of_code(wire::kCoapUnavailable);  // it was kept for as long as planned
  }
  const auto offset = block.offset();
  const auto size = current_->size();
  // A block that would be the last one is never given: the image would be whole.
  if (const auto at = stop(); at && offset < size && (offset >= *at || offset + block.size() >= size)) {
    if (behaviour.loss_at) {
      lost_ = true;
      journal_.note("the " + enum_name(behaviour.loss) + " is cut after " + std::to_string(offset) + " bytes");
      fetched_.begin_cut();
      if (in_.on_loss) {
        in_.on_loss();
      }
      CoapReply nothing;
      nothing.way = CoapReply::Way::silence;
      return nothing;
    }
    if (behaviour.stall_at) {
      return beyond(request, from, size);
    }
    journal_.note("after " + std::to_string(offset) + " bytes the server is out of order");
    return of_code(wire::kCoapUnavailable);
  }
  if (offset >= size && size > 0) {
    return beyond(request, from, size);
  }
  auto asked = block;
  CoapReply out;
  if (behaviour.drip) {
    begin_holding();
    asked.exponent = kSmallest;
    asked.number = static_cast<std::uint32_t>(offset >> 4U);
    out.after = kDrop;
  }
  const auto after = out.after;
  out = piece(*current_, asked, kOctets, wire::find_option(request, wire::kCoapBlock2) != nullptr);
  out.after = after;
  fetched_.bytes += out.message.payload.size();
  if (offset + out.message.payload.size() >= size && !behaviour.endless) {
    fetched_.whole = true;
  }
  return out;
}

/// Behind the end of the image, or of what is given of it.
CoapReply CoapSite::beyond(const wire::CoapMessage& request, std::uint16_t from, std::uint64_t size) {
  const auto& behaviour = in_.offer.behaviour;
  const auto* option = wire::find_option(request, wire::kCoapBlock2);
  const auto block =
      option == nullptr ? wire::CoapBlock{} : wire::coap_block_of(option->value).value_or(wire::CoapBlock{});
  if (behaviour.endless) {
    begin_holding();
    if (block.offset() > size + flood_behind(size) || block.number + 1 >= wire::kMostCoapBlocks) {
      if (fetched_.holding) {
        journal_.note("the device took " + std::to_string(block.offset() - size) +
                      " bytes behind the image and was still asking");
        release(true);
      }
      return of_code(wire::kCoapUnavailable);
    }
    auto out = of_code(wire::kCoapContent);
    out.message.payload.assign(block.size(), '\0');
    wire::add_option(out.message, wire::kCoapEtag, etag_);
    wire::add_option(out.message, wire::kCoapContentFormat, wire::coap_number(kOctets));
    wire::add_option(out.message, wire::kCoapBlock2, wire::coap_block({block.number, true, block.exponent}));
    fetched_.bytes += block.size();
    return out;
  }
  if (behaviour.stall_at) {
    begin_holding();
    if (!promise_) {
      journal_.note("after " + std::to_string(block.offset()) + " bytes the next block is promised and does not come");
    }
    promise_ = Promise{from, request.token};
    CoapReply out;
    out.way = CoapReply::Way::promise;
    return out;
  }
  return of_code(wire::kCoapBadRequest);
}

/// One block. The end of the image says so, unless something else was promised.
CoapReply CoapSite::piece(const images::ByteSource& body, const wire::CoapBlock& block, std::uint32_t format,
                          bool asked) {
  const auto& behaviour = in_.offer.behaviour;
  const bool is_image = &body == current_.get();
  const auto size = body.size();
  const auto content = images::read_text(body, block.offset(), block.size());
  if (!content || (block.number > 0 && content->empty())) {
    return of_code(wire::kCoapBadRequest);
  }
  auto out = of_code(wire::kCoapContent);
  out.message.payload = *content;
  const bool endless = is_image && behaviour.endless;
  if (endless) {
    out.message.payload.resize(block.size(), '\0');  // a block that more follow is a whole one
  }
  const bool more = block.offset() + content->size() < size || endless;
  wire::add_option(out.message, wire::kCoapEtag, is_image ? etag_ : etag_of(body));
  wire::add_option(out.message, wire::kCoapContentFormat, wire::coap_number(format));
  if (asked || more) {
    wire::add_option(out.message, wire::kCoapBlock2, wire::coap_block({block.number, more, block.exponent}));
  }
  if (block.number == 0 && !endless) {
    const auto said = size * static_cast<std::uint64_t>(is_image ? behaviour.length : 1);
    wire::add_option(out.message, wire::kCoapSize2, wire::coap_number(static_cast<std::uint32_t>(said)));
  }
  return out;
}

void CoapSite::begin_holding() {
  if (fetched_.holding || fetched_.released) {
    return;
  }
  fetched_.hold();
  holding_since_ = clock_.elapsed();
  if (in_.on_holding) {
    in_.on_holding();
  }
}

void CoapSite::release(bool held) {
  fetched_.release(clock_.elapsed(), held);
  promise_.reset();
}

void CoapSite::gave_up(milliseconds at) {
  const auto took = std::max(at - holding_since_, milliseconds{0});
  fetched_.gave_up_after = took;
  journal_.note("the device ended the download after " + std::to_string(took.count()) + " ms");
  release(false);
}

std::optional<CoapSite::Promise> CoapSite::look() {
  const auto now = clock_.elapsed();
  if (!fetched_.holding) {
    return std::nullopt;
  }
  if (!promise_ && now - fetched_.last > kSilence) {
    gave_up(fetched_.last);
    return std::nullopt;
  }
  if (now - holding_since_ < in_.hold) {
    return std::nullopt;
  }
  if (promise_) {
    return promise_;
  }
  journal_.note("the device was still asking after " + std::to_string(in_.hold.count()) + " ms");
  release(true);
  return std::nullopt;
}

void CoapSite::end_cut(const Result<>& done) {
  fetched_.end_cut(in_.offer.behaviour.loss, done);
  if (!done) {
    journal_.note(fetched_.trouble);
  }
}

void CoapSite::learn(bool waited) {
  if (!fetched_.holding) {
    return;
  }
  journal_.note(waited ? "the device was still waiting after " + std::to_string(in_.hold.count()) + " ms"
                       : "the device did not wait for the answer any more");
  release(waited);
}

}  // namespace assay::probes::update
