#include "probes/ssh/looks.hpp"

#include "probes/sessions/certificate.hpp"
#include "probes/sessions/public_key.hpp"
#include "probes/ssh/public_values.hpp"
#include "probes/wire/bytes.hpp"
#include "probes/wire/ssh_key.hpp"

namespace assay::probes::ssh {

namespace {

constexpr std::size_t kCookie = 16;
constexpr std::uint32_t kLeastSize = 1024;
constexpr std::uint32_t kMostSize = 8192;

Error not_understood(std::string what) {
  return Error{ErrorKind::protocol, std::move(what), {}};
}

/// Our lists: one method and one host key algorithm, everything else as the server has it, so that both must agree.
std::string our_offer(const wire::SshKexInit& theirs, const std::string& method, const std::string& host_key) {
  auto ours = theirs;
  ours.kex = {method};
  ours.host_key = {host_key};
  return wire::ssh_packet(wire::ssh_kexinit(ours, sessions::random_bytes(kCookie)));
}

/// What the key alone tells, by the digest that a certificate of the same key has too.
void note_key(std::string_view blob, const KnownKeys& keys, json::object& entry) {
  auto facts = sessions::public_key_facts(sessions::spki_of_ssh_key(blob));
  auto known = sessions::known_key_facts(keys, "ssh", sessions::sha256_hex(blob));
  if (const auto* digest = facts.if_contains("key_sha256"); digest != nullptr && known.is_null()) {
    known = sessions::known_key_facts(keys, "spki", digest->as_string());
  }
  if (!known.is_null()) {
    facts["known_key"] = std::move(known);
  }
  for (auto& [name, value] : facts) {
    entry[name] = std::move(value);
  }
}

json::object entry_of(const wire::SshKexReply& reply, const Family& family, const Method& method,
                      const KnownKeys& keys) {
  const auto key = wire::parse_ssh_key(reply.host_key);
  json::object out;
  out["type"] = json::string(key.type);
  out["kind"] = json::string(key.kind);
  out["bits"] = key.bits;
  out["certificate"] = key.certificate;
  out["fingerprint"] = json::string(fingerprint(reply.host_key));
  out["algorithms"] = to_json(family.algorithms);
  out["signed_with"] = json::string(reply.signature_algorithm);
  out["exchange"] = json::string(method.name);
  out["understood"] = key.state == wire::Parse::complete;
  note_key(reply.host_key, keys, out);
  return out;
}

/// Asks for a group and takes it.
asio::awaitable<Result<PublicValue>> value_in_given_group(Conversation& conversation) {
  auto request = wire::ssh_packet(wire::ssh_group_request(kLeastSize, 2048, kMostSize));
  auto sent = co_await conversation.send(std::move(request));
  if (!sent) {
    co_return sent.error();
  }
  auto payload = co_await conversation.packet();
  if (!payload) {
    co_return payload.error();
  }
  const auto group = wire::parse_ssh_group(*payload);
  if (group.state != wire::Parse::complete) {
    co_return not_understood("the server's answer to the request for a group is none");
  }
  co_return public_value_in(group.prime, group.generator);
}

asio::awaitable<Result<PublicValue>> value_for(Conversation& conversation, const Method& method) {
  if (method.exchange != Exchange::group_exchange) {
    co_return public_value(method);
  }
  auto value = co_await value_in_given_group(conversation);
  co_return value;
}

}  // namespace

asio::awaitable<Result<json::object>> look_at_host_key(Conversation& conversation, const wire::SshKexInit& offer,
                                                       const Family& family, const KnownKeys& keys) {
  const auto method = choose_method(offer.kex);
  if (method.name.empty()) {
    co_return Error{ErrorKind::unsupported, "the server offers no key exchange that this probe knows", {}};
  }
  auto lists = our_offer(offer, method.name, family.algorithms.front());
  auto sent = co_await conversation.send(std::move(lists));
  if (!sent) {
    co_return sent.error();
  }
  auto value = co_await value_for(conversation, method);
  if (!value) {
    co_return value.error();
  }
  const bool in_given_group = method.exchange == Exchange::group_exchange;
  const auto message = in_given_group ? wire::SshMessage::group_exchange_init : wire::SshMessage::kex_init;
  auto init = wire::ssh_packet(wire::ssh_kex_init(message, value->bytes, value->form));
  auto asked = co_await conversation.send(std::move(init));
  if (!asked) {
    co_return asked.error();
  }
  auto payload = co_await conversation.packet();
  if (!payload) {
    co_return payload.error();
  }
  const auto reply = wire::parse_ssh_kex_reply(*payload);
  if (reply.state != wire::Parse::complete) {
    co_return not_understood("the server's answer to our public value holds no host key");
  }
  co_return entry_of(reply, family, method, keys);
}

asio::awaitable<Result<json::object>> look_at_group(Conversation& conversation, const wire::SshKexInit& offer,
                                                    const std::string& method, std::uint32_t bits) {
  auto lists = our_offer(offer, method, offer.host_key.empty() ? std::string{} : offer.host_key.front());
  lists += wire::ssh_packet(wire::ssh_group_request(kLeastSize, bits, kMostSize));
  auto sent = co_await conversation.send(std::move(lists));
  if (!sent) {
    co_return sent.error();
  }
  json::object out{{"method", json::string(method)}, {"asked", static_cast<std::int64_t>(bits)}};
  auto payload = co_await conversation.packet();
  const bool broke_off = !payload && turned_away(payload.error());
  if (!payload && !broke_off) {
    co_return payload.error();
  }
  out["given"] = !broke_off;
  if (broke_off) {
    out["words"] = json::string(payload.error().what);
    co_return out;
  }
  const auto group = wire::parse_ssh_group(*payload);
  if (group.state != wire::Parse::complete) {
    co_return not_understood("the server's answer to the request for a group is none");
  }
  out["bits"] = group.bits;
  out["known_as"] = json::string(known_prime(group.prime));
  co_return out;
}

}  // namespace assay::probes::ssh
