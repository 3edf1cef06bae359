#include "harness/model/endpoint.hpp"

#include <charconv>

namespace assay {

std::string Endpoint::text() const {
  return enum_name(transport) + "/" + std::to_string(port);
}

std::optional<Endpoint> Endpoint::parse(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) {
    return std::nullopt;
  }
  const auto transport = enum_from<Transport>(text.substr(0, slash));
  const auto digits = text.substr(slash + 1);
  std::uint16_t port = 0;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (!transport || failed != std::errc{} || end != digits.data() + digits.size() || port == 0) {
    return std::nullopt;
  }
  return Endpoint{*transport, port};
}

Result<> Endpoint::read(const json::value& value, const std::string& pointer) {
  const auto parsed = value.is_string() ? parse(std::string_view{value.get_string()}) : std::nullopt;
  if (!parsed) {
    return detail::json_error(pointer, "an endpoint such as tcp/443");
  }
  *this = *parsed;
  return {};
}

std::string state_after(std::string_view state, std::string_view trigger) {
  return std::string{state} + "+" + std::string{trigger};
}

std::string state_before(std::string_view state) {
  return std::string{state.substr(0, state.find('+'))};
}

bool is_same_place(const Target& one, const Target& other) {
  return one.sample == other.sample && one.vantage == other.vantage && one.address == other.address &&
         state_before(one.state) == state_before(other.state);
}

}  // namespace assay
