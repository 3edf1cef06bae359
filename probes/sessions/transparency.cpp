#include "probes/sessions/transparency.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <memory>
#include <string>

#include <openssl/ct.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

#include "harness/model/freer.hpp"
#include "probes/wire/bytes.hpp"

namespace assay::sessions {

namespace {

constexpr std::size_t kLargestList = 65535 + 2;  // as long as its own length can say
constexpr int kMostShown = 16;
constexpr int kMostResponses = 16;
constexpr std::uint64_t kMillisecondsInSecond = 1000;

using List = std::unique_ptr<STACK_OF(SCT), Freer<SCT_LIST_free>>;

/// What OpenSSL leaves in its queue of errors belongs to nobody.
struct ClearErrors {
  ~ClearErrors() { ERR_clear_error(); }
};

const unsigned char* octets(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

json::value malformed() {
  return json::object{{"malformed", true}};
}

/// "2023-11-14T22:13:20Z"; empty when the year has more than four digits.
std::string time_text(std::uint64_t milliseconds) {
  const auto seconds = static_cast<std::time_t>(milliseconds / kMillisecondsInSecond);
  std::tm parts{};
  if (gmtime_r(&seconds, &parts) == nullptr || parts.tm_year > 9999 - 1900) {
    return {};
  }
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

json::object timestamp_facts(const SCT* sct) {
  unsigned char* id = nullptr;
  const auto size = SCT_get0_log_id(sct, &id);
  return {{"version", static_cast<int>(SCT_get_version(sct))},
          {"log_id", wire::hex({reinterpret_cast<const char*>(id), size})},
          {"time", time_text(SCT_get_timestamp(sct))}};
}

void add(const STACK_OF(SCT) * list, json::object& facts) {
  const int count = sk_SCT_num(list);
  facts["count"] = facts["count"].as_int64() + count;
  auto& shown = facts["scts"].as_array();
  for (int index = 0; index < count && shown.size() < kMostShown; ++index) {
    shown.push_back(timestamp_facts(sk_SCT_value(list, index)));
  }
}

json::object none_yet() {
  return {{"count", std::int64_t{0}}, {"scts", json::array{}}};
}

}  // namespace

json::value sct_list_facts(std::string_view list) {
  const ClearErrors clear;
  const auto* at = octets(list);
  const List parsed{list.size() > kLargestList ? nullptr : o2i_SCT_LIST(nullptr, &at, list.size())};
  if (!parsed) {
    return malformed();
  }
  auto out = none_yet();
  add(parsed.get(), out);
  return out;
}

json::value certificate_sct_facts(std::string_view certificate) {
  const ClearErrors clear;
  const auto* at = octets(certificate);
  const std::unique_ptr<X509, Freer<X509_free>> parsed{d2i_X509(nullptr, &at, static_cast<long>(certificate.size()))};
  if (!parsed || X509_get_ext_by_NID(parsed.get(), NID_ct_precert_scts, -1) < 0) {
    return nullptr;
  }
  const List list{static_cast<STACK_OF(SCT)*>(X509_get_ext_d2i(parsed.get(), NID_ct_precert_scts, nullptr, nullptr))};
  if (!list) {
    return malformed();
  }
  auto out = none_yet();
  add(list.get(), out);
  return out;
}

json::value ocsp_sct_facts(std::string_view response) {
  const ClearErrors clear;
  const auto* at = octets(response);
  const std::unique_ptr<OCSP_RESPONSE, Freer<OCSP_RESPONSE_free>> parsed{
      d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(response.size()))};
  const std::unique_ptr<OCSP_BASICRESP, Freer<OCSP_BASICRESP_free>> basic{
      parsed ? OCSP_response_get1_basic(parsed.get()) : nullptr};
  if (!basic) {
    return nullptr;
  }
  auto out = none_yet();
  bool there = false;
  for (int index = 0; index < std::min(OCSP_resp_count(basic.get()), kMostResponses); ++index) {
    auto* single = OCSP_resp_get0(basic.get(), index);
    if (OCSP_SINGLERESP_get_ext_by_NID(single, NID_ct_cert_scts, -1) < 0) {
      continue;
    }
    there = true;
    const List list{
        static_cast<STACK_OF(SCT)*>(OCSP_SINGLERESP_get1_ext_d2i(single, NID_ct_cert_scts, nullptr, nullptr))};
    if (!list) {
      return malformed();
    }
    add(list.get(), out);
  }
  return there ? json::value(std::move(out)) : json::value(nullptr);
}

}  // namespace assay::sessions
