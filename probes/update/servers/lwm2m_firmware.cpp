#include "probes/update/servers/lwm2m_firmware.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "probes/wire/bytes.hpp"

namespace assay::probes::update {

namespace {

constexpr milliseconds kAnswerWithin{10000};  // a block that is checked and written to flash takes its time
constexpr std::uint8_t kTooLarge = 0x8d;
constexpr std::uint32_t kAccept = 17;

constexpr std::array<std::string_view, 12> kResults = {
    "none",
    "updated",
    "not enough flash memory",
    "out of memory",
    "connection lost",
    "integrity check failed",
    "unsupported package type",
    "invalid address",
    "update failed",
    "unsupported protocol",
    "cancelled",
    "deferred",
};

Error refused(const wire::CoapMessage& answer) {
  const auto words = answer.payload.empty() ? std::string{} : " (" + wire::printable(answer.payload, 100) + ")";
  return {ErrorKind::refused, wire::coap_code(answer.code) + words, {}};
}

bool is_good(std::uint8_t code) {
  return code >> 5U == 2;
}

Result<std::string> read_part(const Firmware::Push& push, std::uint64_t offset, std::uint64_t length) {
  auto part = images::read_text(*push.image, offset, length);
  if (!part) {
    return part.error();
  }
  const auto whole = push.image->size() + push.behind;
  const auto wanted = offset < whole ? std::min(length, whole - offset) : 0;
  part->resize(static_cast<std::size_t>(wanted), '\0');
  return part;
}

}  // namespace

std::string result_words(std::int64_t result) {
  const bool known = result >= 0 && static_cast<std::size_t>(result) < kResults.size();
  return std::to_string(result) +
         (known ? " (" + std::string{kResults[static_cast<std::size_t>(result)]} + ")" : std::string{});
}

asio::awaitable<Result<wire::CoapMessage>> Firmware::ask(wire::CoapMessage request) {
  const auto& client = registrar_.client();
  if (!client) {
    co_return Error{ErrorKind::unreachable, "the device is not registered", {}};
  }
  const auto at = client->port;
  auto answer = co_await server_.port().ask(at, std::move(request), kAnswerWithin);
  co_return answer;
}

asio::awaitable<Result<>> Firmware::change(wire::CoapMessage request) {
  const auto answer = co_await ask(std::move(request));
  if (!answer) {
    co_return answer.error();
  }
  co_return is_good(answer->code) ? Result<>{} : Result<>{refused(*answer)};
}

asio::awaitable<Result<std::string>> Firmware::read(std::string path, bool number) {
  const auto root = registrar_.client() ? registrar_.client()->root : std::string{};
  auto request = wire::coap_request(wire::kCoapGet, root + path);
  wire::add_option(request, kAccept, wire::coap_number(wire::kPlainText));
  const auto answer = co_await ask(std::move(request));
  if (!answer) {
    co_return answer.error();
  }
  const auto value = answer->code == wire::kCoapContent ? wire::lwm2m_value(*answer, number) : std::nullopt;
  if (!value) {
    co_return refused(*answer);
  }
  co_return *value;
}

asio::awaitable<Result<FirmwareState>> Firmware::state() {
  FirmwareState out;
  const std::pair<const char*, std::int64_t*> parts[] = {{"/5/0/3", &out.state}, {"/5/0/5", &out.result}};
  for (const auto& [path, into] : parts) {
    std::string name{path};
    const auto text = co_await read(std::move(name), true);
    if (!text) {
      co_return text.error();
    }
    const auto* end = text->data() + text->size();
    if (std::from_chars(text->data(), end, *into).ptr != end || text->empty()) {
      co_return Error{ErrorKind::protocol, "resource " + std::string{path} + " is no number", {}};
    }
  }
  co_return out;
}

asio::awaitable<Result<>> Firmware::write_address(std::string address) {
  const auto root = registrar_.client() ? registrar_.client()->root : std::string{};
  auto request = wire::coap_request(wire::kCoapPut, root + "/5/0/1");
  wire::add_option(request, wire::kCoapContentFormat, wire::coap_number(wire::kPlainText));
  request.payload = std::move(address);
  auto done = co_await change(std::move(request));
  co_return done;
}

asio::awaitable<Result<>> Firmware::execute() {
  const auto root = registrar_.client() ? registrar_.client()->root : std::string{};
  auto request = wire::coap_request(wire::kCoapPost, root + "/5/0/2");
  auto done = co_await change(std::move(request));
  co_return done;
}

asio::awaitable<Result<>> Firmware::write_image(Push push) {
  const auto whole = push.image->size() + push.behind;
  const auto until = std::min(push.until, whole);
  wire::CoapBlock block;
  for (std::uint64_t offset = 0; offset < until || offset == 0;) {
    auto part = read_part(push, offset, block.size());
    if (!part) {
      co_return part.error();
    }
    if (until < whole && offset + block.size() >= whole) {
      break;  // the block that would be the last one is never written: the image would be whole
    }
    const auto length = part->size();
    const auto root = registrar_.client() ? registrar_.client()->root : std::string{};
    auto request = wire::coap_request(wire::kCoapPut, root + "/5/0/0");
    block.number = static_cast<std::uint32_t>(offset >> (4U + block.exponent));
    block.more = offset + length < whole;
    wire::add_option(request, wire::kCoapContentFormat, wire::coap_number(wire::kOpaque));
    wire::add_option(request, wire::kCoapBlock1, wire::coap_block(block));
    if (offset == 0) {
      wire::add_option(request, wire::kCoapSize1, wire::coap_number(static_cast<std::uint32_t>(whole)));
    }
    request.payload = std::move(*part);
    const auto answer = co_await ask(std::move(request));
    if (!answer) {
      co_return answer.error();
    }
    const auto* option = wire::find_option(*answer, wire::kCoapBlock1);
    const auto told = option == nullptr ? std::nullopt : wire::coap_block_of(option->value);
    const bool smaller = told && told->exponent < block.exponent;
    if (answer->code == kTooLarge && smaller && offset == 0) {  // RFC 7959, 2.9.3: it wants smaller blocks
      block.exponent = told->exponent;
      continue;
    }
    if (!is_good(answer->code)) {
      co_return refused(*answer);
    }
    offset += length;
    if (smaller) {
      block.exponent = told->exponent;
    }
    if (length == 0 || (push.goes_on && !push.goes_on(offset))) {
      break;  // an image without content, or enough of it
    }
  }
  co_return Result<>{};
}

}  // namespace assay::probes::update
