#include <set>

#include "harness/load/check.hpp"
#include "harness/load/parts.hpp"
#include "harness/load/read.hpp"

/// payloads/1.
namespace assay {

namespace {

constexpr std::size_t kAddressBytes = 4;
constexpr std::size_t kLargestRequest = 1400;  // one packet on every link

/// Hexadecimal with dots, or text that stands for itself.
BytePattern pattern_of(const Node& node) {
  if (const auto* text = find(node, "text")) {
    return {text->text, std::string(text->text.size(), '\xff')};
  }
  return parse_pattern(text_of(node, "hex")).value_or(BytePattern{});
}

std::optional<std::uint16_t> small_of(const Node& node, std::string_view key) {
  const auto value = integer_of(node, key, -1);
  return value >= 0 ? std::optional{static_cast<std::uint16_t>(value)} : std::nullopt;
}

Payload payload_of(const Node& node, Faults& faults) {
  Payload out;
  out.id = text_of(node, "id");
  out.protocol = text_of(node, "protocol");
  out.source = text_of(node, "source");
  for (const auto& port : child(node, "ports").items) {
    out.ports.push_back(static_cast<std::uint16_t>(integer_of(port).value_or(0)));
  }
  out.request = pattern_of(child(node, "request")).bytes;
  const auto length = static_cast<std::size_t>(integer_of(node, "pad_to", 0));
  if (length > out.request.size()) {
    out.request.resize(length, '\0');
  }
  for (const auto& answer : child(node, "answers").items) {
    out.answers.push_back(pattern_of(answer));
  }
  out.from_port = small_of(node, "from_port");
  out.address_at = small_of(node, "address_at");
  if (out.request.size() > kLargestRequest) {
    faults.add(place_of(node, "request"), "a request has at most " + std::to_string(kLargestRequest) + " bytes");
  }
  if (out.address_at && *out.address_at + kAddressBytes > out.request.size()) {
    faults.add(place_of(node, "address_at"), "there are no four bytes at this offset of the request");
  }
  return out;
}

}  // namespace

PayloadList payloads_of(const Node& root, Faults& faults) {
  PayloadList out{text_of(root, "id"), text_of(root, "title"), text_of(root, "source"), {}};
  std::set<std::string> seen;
  for (const auto& node : child(root, "payloads").items) {
    out.payloads.push_back(payload_of(node, faults));
    if (!seen.insert(out.payloads.back().id).second) {
      faults.add(place_of(node, "id"), "the id \"" + out.payloads.back().id + "\" is there twice");
    }
  }
  return out;
}

Loaded<PayloadList> load_payload_list(const SourceText& source) {
  Faults faults(source.path);
  const auto root = read_yaml(source.text, faults);
  if (!root || !check_file(*root, "payloads/1", faults)) {
    return {std::nullopt, faults.errors()};
  }
  auto list = payloads_of(*root, faults);
  if (!faults.empty()) {
    return {std::nullopt, faults.errors()};
  }
  return {std::move(list), {}};
}

}  // namespace assay
