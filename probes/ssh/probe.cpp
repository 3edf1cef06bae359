#include "harness/probe/probe.hpp"

#include "probes/sessions/fact_sheet.hpp"
#include "probes/sessions/ssh_session.hpp"
#include "probes/ssh/looks.hpp"
#include "probes/ssh/public_values.hpp"
#include "probes/wire/bytes.hpp"

namespace assay::probes::ssh {

namespace {

constexpr ParameterSpec kParameters[] = {
    {"group_exchange", ValueKind::boolean, "true",
     "ask a group exchange for 1024, 2048 and 3072 bits, one connection each"},
    {"auth_methods", ValueKind::boolean, "true",
     "finish one key exchange and ask for the login methods of a user nobody has; no password is sent"},
};

constexpr FactSpec kFacts[] = {
    {"ssh.protocol", ValueKind::text, "protocol version the server introduces itself with: 2.0, 1.99 (both), 1.5"},
    {"ssh.software", ValueKind::text, "software version of its introduction"},
    {"ssh.comment", ValueKind::text, "comment of its introduction; absent: none"},
    {"ssh.preamble", ValueKind::text, "lines before its introduction; absent: none"},
    {"ssh.kex", ValueKind::list, "key exchange methods and markers, as listed"},
    {"ssh.host_key_algorithms", ValueKind::list, "host key algorithms, as listed"},
    {"ssh.ciphers_to_server", ValueKind::list, "ciphers towards the server, as listed"},
    {"ssh.ciphers_to_client", ValueKind::list, "ciphers towards the client, as listed"},
    {"ssh.macs_to_server", ValueKind::list, "MACs towards the server, as listed"},
    {"ssh.macs_to_client", ValueKind::list, "MACs towards the client, as listed"},
    {"ssh.compression_to_server", ValueKind::list, "compression towards the server, as listed"},
    {"ssh.compression_to_client", ValueKind::list, "compression towards the client, as listed"},
    {"ssh.markers", ValueKind::list,
     "names in the list of key exchanges that are markers, strict key exchange among them"},
    {"ssh.gssapi", ValueKind::list, "key exchange methods that go through GSSAPI; absent: none listed"},
    {"ssh.terrapin_precondition", ValueKind::boolean,
     "a cipher mode that CVE-2023-48795 needs is listed and strict key exchange is not; says nothing of a client"},
    {"ssh.host_keys", ValueKind::list,
     "keys shown, one for each kind listed: type, kind, bits, certificate, fingerprint (SHA-256), algorithms, "
     "exchange; key_sha256 is of the same key's SubjectPublicKeyInfo, key_flaws: [{name, why}] give its private half "
     "away, known_key: {where, source, confidence} says who else holds it. "
     "That the server holds the private half is not checked"},
    {"ssh.host_keys_unseen", ValueKind::list,
     "kinds that are listed and were not shown, with the reason; absent: none"},
    {"ssh.fixed_groups", ValueKind::list, "groups of fixed size among the key exchanges: method, bits; absent: none"},
    {"ssh.group_exchange", ValueKind::list,
     "what was given for each size asked for (least 1024, most 8192): method, asked, given, bits, known_as; absent: no "
     "group "
     "exchange is listed"},
    {"ssh.protocol1", ValueKind::object,
     "what a client of protocol 1 is shown: host_key_bits, server_key_bits, ciphers, auths; absent: not spoken"},
    {"ssh.auth_methods", ValueKind::list,
     "login methods that can continue for a user nobody has: password, publickey, keyboard-interactive, hostbased, "
     "gssapi-with-mic"},
    {"ssh.auth_none", ValueKind::boolean, "a user nobody has is let in without credentials"},
    {"ssh.auth_banner", ValueKind::text, "what is shown before the login; absent: nothing"},
};

bool flag(const ProbeContext& context, std::string_view name) {
  const auto* value = context.parameters.if_contains(name);
  return value == nullptr || !value->is_bool() || value->get_bool();
}

/// One observation from beginning to end.
class Observation {
 public:
  Observation(ProbeContext& context, Door& door, sessions::FactSheet& sheet)
      : context_(context), door_(door), sheet_(sheet) {}

  asio::awaitable<Result<>> run() {
    auto first = co_await Conversation::open(door_);
    if (!first) {
      sheet_.rest_unobserved(first.error().what);
      co_return first.error();
    }
    record_ident(**first);
    const auto protocol = (*first)->ident().protocol;
    if (protocol.starts_with("1.")) {
      co_await look_at_protocol1();
    } else {
      sheet_.absent("ssh.protocol1");
    }
    if (protocol.starts_with("1.") && protocol != "1.99") {
      sheet_.rest_absent();  // RFC 4253 section 5.1: it speaks no protocol 2, so it has none of the rest
      co_return Result<>{};
    }
    auto offer = co_await (*first)->offer();
    if (!offer) {
      sheet_.rest_unobserved(offer.error().what);
      co_return offer.error();
    }
    offer_ = std::move(*offer);
    record_offer();
    co_await look_at_host_keys(std::move(*first));
    co_await look_at_groups();
    co_await look_at_logins();
    co_return Result<>{};
  }

 private:
  void record_ident(const Conversation& conversation) {
    const auto& ident = conversation.ident();
    sheet_.fact("ssh.protocol", json::string(ident.protocol));
    sheet_.text("ssh.software", ident.software);
    sheet_.text("ssh.comment", ident.comment);
    sheet_.text("ssh.preamble", conversation.preamble());
  }

  void record_offer() {
    const std::pair<const char*, const std::vector<std::string>*> kLists[] = {
        {"ssh.kex", &offer_.kex},
        {"ssh.host_key_algorithms", &offer_.host_key},
        {"ssh.ciphers_to_server", &offer_.cipher_to_server},
        {"ssh.ciphers_to_client", &offer_.cipher_to_client},
        {"ssh.macs_to_server", &offer_.mac_to_server},
        {"ssh.macs_to_client", &offer_.mac_to_client},
        {"ssh.compression_to_server", &offer_.compression_to_server},
        {"ssh.compression_to_client", &offer_.compression_to_client}};
    for (const auto& [key, list] : kLists) {
      sheet_.fact(key, to_json(*list));
    }
    sheet_.fact("ssh.markers", to_json(markers_of(offer_.kex)));
    json::array gssapi;
    json::array groups;
    for (const auto& name : offer_.kex) {
      if (name.starts_with("gss-")) {
        gssapi.push_back(json::string(name));
      }
      if (const auto bits = fixed_group_bits(name); bits > 0) {
        groups.push_back({{"method", json::string(name)}, {"bits", bits}});
      }
    }
    list_or_absent("ssh.gssapi", std::move(gssapi));
    list_or_absent("ssh.fixed_groups", std::move(groups));
    sheet_.fact("ssh.terrapin_precondition", has_terrapin_precondition(offer_));
  }

  void list_or_absent(std::string_view key, json::array list) {
    if (list.empty()) {
      sheet_.absent(key);
    } else {
      sheet_.fact(key, std::move(list));
    }
  }

  /// A conversation that has come as far as the lists.
  asio::awaitable<Result<std::unique_ptr<Conversation>>> another() {
    auto next = co_await Conversation::open(door_);
    if (!next) {
      co_return next.error();
    }
    auto lists = co_await (*next)->offer();
    if (!lists) {
      co_return lists.error();
    }
    co_return std::move(*next);
  }

  asio::awaitable<Result<json::object>> host_key_of(const Family& family, std::unique_ptr<Conversation> conversation) {
    if (conversation == nullptr) {
      auto next = co_await another();
      if (!next) {
        co_return next.error();
      }
      conversation = std::move(*next);
    }
    door_.transcript.note("host key for " + family.name);
    const auto& keys = context_.library.known_keys();
    auto entry = co_await look_at_host_key(*conversation, offer_, family, keys);
    co_return entry;
  }

  asio::awaitable<void> look_at_host_keys(std::unique_ptr<Conversation> first) {
    json::array shown;
    json::array unseen;
    for (const auto& family : families_of(offer_.host_key)) {
      auto entry = co_await host_key_of(family, std::move(first));
      first = nullptr;
      if (entry) {
        shown.push_back(std::move(*entry));
      } else {
        unseen.push_back({{"family", json::string(family.name)}, {"reason", json::string(entry.error().what)}});
      }
    }
    if (shown.empty()) {
      sheet_.unobserved("ssh.host_keys", unseen.empty()
                                             ? "the server lists no host key algorithm"
                                             : std::string{std::string_view{unseen[0].at("reason").get_string()}});
    } else {
      sheet_.fact("ssh.host_keys", std::move(shown));
    }
    list_or_absent("ssh.host_keys_unseen", std::move(unseen));
  }

  asio::awaitable<void> look_at_groups() {
    std::string method;
    for (const auto* name : {"diffie-hellman-group-exchange-sha1", "diffie-hellman-group-exchange-sha256"}) {
      if (std::find(offer_.kex.begin(), offer_.kex.end(), name) != offer_.kex.end()) {
        method = name;
      }
    }
    if (method.empty()) {
      sheet_.absent("ssh.group_exchange");
      co_return;
    }
    if (!flag(context_, "group_exchange")) {
      sheet_.unobserved("ssh.group_exchange", "this was not asked for");
      co_return;
    }
    json::array given;
    for (const auto bits : kAskedSizes) {
      auto next = co_await another();
      Result<json::object> entry = Error{ErrorKind::internal, "not asked", {}};
      if (next) {
        door_.transcript.note("group exchange for " + std::to_string(bits) + " bits");
        auto looked = co_await look_at_group(**next, offer_, method, bits);
        entry = std::move(looked);
      } else {
        entry = next.error();
      }
      if (!entry) {
        sheet_.unobserved("ssh.group_exchange", entry.error().what);
        co_return;
      }
      given.push_back(std::move(*entry));
    }
    sheet_.fact("ssh.group_exchange", std::move(given));
  }

  asio::awaitable<void> look_at_protocol1() {
    auto next = co_await Conversation::open(door_);
    Result<wire::Ssh1Keys> keys = Error{ErrorKind::internal, "not asked", {}};
    if (next) {
      door_.transcript.note("as a client of protocol 1");
      auto shown = co_await (*next)->protocol1_keys();
      keys = std::move(shown);
    } else {
      keys = next.error();
    }
    if (!keys) {
      sheet_.unobserved("ssh.protocol1", keys.error().what);
      co_return;
    }
    sheet_.fact("ssh.protocol1", json::object{{"host_key_bits", keys->host_key_bits},
                                              {"server_key_bits", keys->server_key_bits},
                                              {"host_key_fingerprint", json::string(fingerprint(keys->host_key))},
                                              {"ciphers", names_of_bits(keys->ciphers, kSsh1Ciphers)},
                                              {"auths", names_of_bits(keys->auths, kSsh1Auths)}});
  }

  static constexpr std::string_view kSsh1Ciphers[] = {"none", "idea", "des", "3des", "tss", "rc4", "blowfish"};
  static constexpr std::string_view kSsh1Auths[] = {"", "rhosts", "rsa", "password", "rhosts-rsa", "tis", "kerberos"};

  static json::array names_of_bits(std::uint32_t mask, std::span<const std::string_view> names) {
    json::array out;
    for (std::size_t bit = 0; bit < 32; ++bit) {
      if ((mask >> bit & 1U) != 0) {
        const bool known = bit < names.size() && !names[bit].empty();
        out.push_back(json::string(known ? std::string{names[bit]} : "number " + std::to_string(bit)));
      }
    }
    return out;
  }

  asio::awaitable<void> look_at_logins() {
    if (!flag(context_, "auth_methods")) {
      logins_unobserved("this was not asked for");
      co_return;
    }
    const std::string user = "assay-" + sessions::random_word(10);  // says whose it is, in the device's log too
    auto permit = co_await door_.network.permit_login(door_.endpoint, user);
    if (!permit) {
      logins_unobserved(permit.error().what);
      co_return;
    }
    Result<sessions::SshWelcome> welcome = Error{ErrorKind::internal, "not asked", {}};
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      auto paused = co_await pause_before(door_, attempt);
      if (!paused) {
        break;
      }
      auto answer = co_await ask_methods_of(user);
      welcome = std::move(answer);
      if (welcome || !turned_away(welcome.error())) {
        break;
      }
      ++door_.effort.dropped;
    }
    if (welcome) {
      record_welcome(*welcome);
    } else {
      logins_unobserved(welcome.error().what);
    }
  }

  asio::awaitable<Result<sessions::SshWelcome>> ask_methods_of(std::string user) {
    auto channel = co_await sessions::open_channel(door_.network, door_.endpoint, door_.transcript);
    if (!channel) {
      co_return channel.error();
    }
    ++door_.effort.connections;
    door_.transcript.note("login methods of the user " + user + ", by a whole key exchange");
    const auto patience = patience_of(door_.network);
    auto welcome = co_await sessions::ask_ssh_methods(**channel, std::move(user), patience);
    co_return welcome;
  }

  void logins_unobserved(const std::string& reason) {
    for (const auto* key : {"ssh.auth_methods", "ssh.auth_none", "ssh.auth_banner"}) {
      sheet_.unobserved(key, reason);
    }
  }

  void record_welcome(const sessions::SshWelcome& welcome) {
    std::string note = welcome.let_in ? "let in without credentials" : "refused, can continue:";
    for (const auto& method : welcome.methods) {
      note += " " + method;
    }
    door_.transcript.note(note + (welcome.partial ? " (partial success)" : ""));
    sheet_.fact("ssh.auth_none", welcome.let_in);
    sheet_.fact("ssh.auth_methods", to_json(welcome.methods));
    sheet_.text("ssh.auth_banner", wire::printable(welcome.banner, 2048));
  }

  ProbeContext& context_;
  Door& door_;
  sessions::FactSheet& sheet_;
  wire::SshKexInit offer_;
};

class Ssh final : public Probe {
 public:
  asio::awaitable<Result<>> observe(ProbeContext& context) override {
    sessions::FactSheet sheet{context.record, kFacts};
    if (!context.endpoint || context.endpoint->transport != Transport::tcp) {
      Result<> wrong = Error{ErrorKind::bad_input, "probe ssh needs a TCP endpoint such as tcp/22", {}};
      sheet.rest_unobserved(wrong.error().what);
      co_return wrong;
    }
    Transcript transcript{"SSH of " + context.endpoint->text(), 512 * 1024};
    Door door{context.network, *context.endpoint, transcript, {}};
    Observation observation{context, door, sheet};
    auto ended = co_await observation.run();
    context.record.coverage("ssh", json::object{{"connections", door.effort.connections},
                                                {"writes", door.effort.writes},
                                                {"dropped", door.effort.dropped}});
    const auto digest = context.record.artifact("ssh", "text/plain; charset=utf-8", transcript.text());
    sheet.evidence_for_values("ssh.", digest);
    co_return ended;
  }
};

std::unique_ptr<Probe> make() {
  return std::make_unique<Ssh>();
}

}  // namespace

extern const ProbeDescriptor kDescriptor;
const ProbeDescriptor kDescriptor{
    .id = "ssh",
    .summary = "Reads what an SSH server offers, shows and asks for, without logging in.",
    .version = 1,
    .intrusiveness = Intrusiveness::benign,
    .exclusive = Exclusive::login,
    .subject = ProbeSubject::endpoint,
    .deadline = milliseconds{300'000},
    .parameters = kParameters,
    .facts = kFacts,
    .make = &make,
};

}  // namespace assay::probes::ssh
