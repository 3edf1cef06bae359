#include "probes/tls/picture.hpp"

#include <algorithm>

#include "probes/sessions/certificate.hpp"
#include "probes/wire/bytes.hpp"
#include "probes/wire/tls_build.hpp"

namespace assay::probes::tls {

namespace {

constexpr std::size_t kMostDh = 8;
constexpr std::size_t kPublics = 2;

void add(std::vector<std::uint16_t>& list, std::uint16_t value) {
  if (std::find(list.begin(), list.end(), value) == list.end()) {
    list.push_back(value);
  }
}

/// RFC 8446, 4.1.3: the last eight bytes of a random of a server that could have done better.
bool has_sentinel(std::string_view random) {
  using namespace std::string_view_literals;
  return random.ends_with("DOWNGRD\x01"sv) || random.ends_with("DOWNGRD\x00"sv);
}

/// "771,49199,65281-11": version, suite and extensions as decimal numbers, the text that JA3S hashes.
std::string ja3s_text(const wire::ServerHello& hello) {
  auto out = std::to_string(hello.legacy_version) + "," + std::to_string(hello.suite) + ",";
  for (std::size_t index = 0; index < hello.order.size(); ++index) {
    out += (index == 0 ? "" : "-") + std::to_string(hello.order[index]);
  }
  return out;
}

}  // namespace

KeyKind key_kind(std::uint16_t suite) {
  const auto parts = wire::suite_parts(suite);
  if (parts.ecdsa) {
    return KeyKind::ecdsa;
  }
  if (parts.dss) {
    return KeyKind::dss;
  }
  return parts.rsa_signed || parts.rsa_transport ? KeyKind::rsa : KeyKind::other;
}

bool Picture::wants_certificate(std::uint16_t suite) const {
  const auto parts = wire::suite_parts(suite);
  const bool has_none = parts.anonymous || parts.tls13 || (parts.psk && !parts.rsa_transport);
  return !has_none && !chain_of.contains(key_kind(suite));
}

bool Picture::wants_exchange(std::uint16_t suite) const {
  const auto parts = wire::suite_parts(suite);
  return parts.ephemeral_dh && !dh_reused(parts.export_grade);
}

bool Picture::strike_out(HelloWish& wish) const {
  bool some = false;
  const auto leave_out = [&](std::vector<std::uint16_t>& offer, const std::vector<std::uint16_t>& seen) {
    auto left = offer;
    const auto out =
        std::erase_if(left, [&](std::uint16_t one) { return std::find(seen.begin(), seen.end(), one) != seen.end(); });
    if (out > 0 && !left.empty()) {
      offer = std::move(left);
      some = true;
    }
  };
  if (wish.version == wire::kTls13) {
    leave_out(wish.groups, groups13);
  } else if (wish.version == wire::kTls12) {
    leave_out(wish.groups, groups);
    leave_out(wish.signatures, signatures);
  }
  return some;
}

void Picture::look(std::string_view name, std::optional<bool> yes, std::string why) {
  behaviour.insert_or_assign(std::string{name}, Look{yes, std::move(why)});
}

void Picture::decline(std::string_view what, const Reply& reply) {
  alerts.insert_or_assign(std::string{what}, reply.hello() ? "went on" : reply.why);
}

void Picture::look_at(std::string_view name, const Reply& reply, std::string why_yes) {
  if (reply.hello()) {
    look(name, true, std::move(why_yes));
  } else if (reply.answer == Answer::refused || reply.answer == Answer::cut) {
    look(name, false, reply.why);
  } else {
    look(name, std::nullopt, reply.why);
  }
}

std::optional<bool> Picture::dh_reused(bool export_grade) const {
  std::optional<bool> out;
  for (const auto& one : dh) {
    if (one.export_grade == export_grade && one.publics.size() == kPublics) {
      out = out.value_or(false) || one.publics.front() == one.publics.back();
    }
  }
  return out;
}

std::optional<std::size_t> Picture::add_chain(const std::vector<std::string>& chain) {
  const auto known = std::find(chains.begin(), chains.end(), chain);
  const auto index = static_cast<std::size_t>(known - chains.begin());
  if (known == chains.end() && index == kMostChains) {
    // A server may make a certificate for each connection; each costs time to judge and room to keep.
    std::string all;
    for (const auto& der : chain) {
      all += sessions::sha256_hex(der);
    }
    chains_left_out.insert(sessions::sha256_hex(all));
    return std::nullopt;
  }
  if (known == chains.end()) {
    chains.push_back(chain);
  }
  return index;
}

void Picture::note_dh(const wire::ServerKeyExchange& exchange, bool export_grade) {
  auto found = std::find_if(dh.begin(), dh.end(), [&](const DhParameters& one) { return one.p == exchange.dh_p; });
  if (found == dh.end() && dh.size() < kMostDh) {
    found = dh.insert(found, {exchange.dh_p, exchange.dh_g, export_grade, {}});
  }
  if (found != dh.end() && found->publics.size() < kPublics && !exchange.dh_public.empty()) {
    found->publics.push_back(exchange.dh_public);
  }
}

void Picture::note(std::uint16_t version, const wire::TlsFlight& flight) {
  if (!flight.hello()) {
    return;
  }
  const auto& hello = *flight.hello();
  if (ja3s.empty() && !hello.retry) {
    ja3s = ja3s_text(hello);
  }
  for (const auto type : hello.order) {
    extensions.insert(type);
  }
  if (const auto scts = hello.extensions.find(wire::extension::kSct); scts != hello.extensions.end()) {
    sct_list = scts->second;
  }
  if (has_sentinel(hello.random)) {
    sentinels.insert(version);
  }
  if (wire::tls_age(hello.version) == wire::kTls13) {
    if (hello.group != 0) {
      add(groups13, hello.group);
    }
    return;
  }
  if (!flight.certificates().empty()) {
    if (const auto index = add_chain(flight.certificates())) {
      chain_of.emplace(key_kind(hello.suite), *index);
    }
  }
  if (flight.certificate_request()) {
    certificate_request = flight.certificate_request();
    if (!client_certificate.asked) {
      client_certificate = {true, std::nullopt, "asked for, and no handshake went further", {}};
    }
  }
  if (flight.done() && !client_certificate.asked) {
    client_certificate.required = false;
    client_certificate.why = "none was asked for";
  }
  if (flight.ocsp_response()) {
    ocsp_response = flight.ocsp_response();
  }
  if (!flight.key_exchange()) {
    return;
  }
  const auto& exchange = *flight.key_exchange();
  using Kind = wire::ServerKeyExchange::Kind;
  if (exchange.kind == Kind::named_group) {
    add(groups, exchange.group);
  }
  explicit_curve = explicit_curve || exchange.kind == Kind::explicit_curve;
  psk_hint = psk_hint || !exchange.psk_hint.empty();
  if (exchange.kind == Kind::dh) {
    note_dh(exchange, wire::suite_parts(hello.suite).export_grade);
  }
  if (exchange.signature) {
    add(signatures, *exchange.signature);
  }
}

}  // namespace assay::probes::tls
