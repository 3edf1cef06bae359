#include "probes/services/exchange.hpp"

namespace assay::probes::services {

namespace {

constexpr const Exchange* kAll[] = {&kDns,   &kSip,  &kXmpp, &kRedis, &kLdap, &kPostgres, &kAmqp, &kAmqp10, &kOpcua,
                                    &kMysql, &kImap, &kPop3, &kRfb,   &kAdb,  &kRdp,      &kSmb,  &kModbus};

}  // namespace

std::span<const Exchange* const> exchanges() {
  return kAll;
}

std::uint16_t nonce_number(std::string_view nonce) {
  wire::Reader reader{nonce};
  return reader.u16();
}

json::array listed(const std::vector<std::string>& names) {
  json::array out;
  for (const auto& name : names) {
    out.emplace_back(name);
  }
  return out;
}

const Exchange* suggested(std::string_view bytes) {
  for (const auto* exchange : kAll) {
    if (exchange->hint != nullptr && exchange->hint(bytes)) {
      return exchange;
    }
  }
  return nullptr;
}

}  // namespace assay::probes::services
