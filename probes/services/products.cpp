#include "probes/services/products.hpp"

#include "probes/wire/bytes.hpp"
#include "probes/wire/fingerprint.hpp"

namespace assay::probes::services {

namespace {

std::string detail(const Sighting& sighting, std::string_view key) {
  const auto* value = sighting.details.if_contains(key);
  return value != nullptr && value->is_string() ? std::string{std::string_view{value->get_string()}} : std::string{};
}

std::string realm_of(const Sighting& sighting) {
  for (const auto& login : sighting.logins) {
    const auto* realm = login.is_object() ? login.get_object().if_contains("realm") : nullptr;
    if (realm != nullptr && realm->is_string()) {
      return std::string{std::string_view{realm->get_string()}};
    }
  }
  return {};
}

/// What a fingerprint's field stands for in this service; empty when it has none.
std::string field_of(const Sighting& sighting, std::string_view field) {
  constexpr std::size_t kBannerPart = 256;
  if (field == "banner") {
    return wire::printable(sighting.banner, kBannerPart);
  }
  if (field == "software") {
    return sighting.protocol == "ssh" ? sighting.product + "_" + sighting.version : std::string{};
  }
  if (field == "product") {
    return sighting.product.empty() ? std::string{} : sighting.product + " " + sighting.version;
  }
  if (field == "realm") {
    return realm_of(sighting);
  }
  return detail(sighting, field);
}

}  // namespace

ProductName product_of(std::span<const Fingerprint> fingerprints, const Sighting& sighting) {
  ProductName out;
  if (!sighting.identified()) {
    return out;
  }
  for (const auto& print : fingerprints) {
    const auto text = field_of(sighting, print.field);
    const auto match = text.empty() ? std::nullopt : wire::match_pattern(print.pattern, text);
    if (!match) {
      continue;
    }
    if (out.product.empty()) {
      out.product = print.product;
      out.version = match->version + match->update;
      out.cpe = wire::cpe_name(print.cpe, *match);
    }
    if (out.os_hint.empty()) {
      out.os_hint = print.os_hint;
    }
  }
  return out;
}

}  // namespace assay::probes::services
