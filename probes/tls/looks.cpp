#include "probes/tls/looks.hpp"

#include <algorithm>

#include "probes/sessions/channel.hpp"

namespace assay::probes::tls {

namespace {

constexpr std::uint8_t kUnrecognizedName = 112;
constexpr std::uint8_t kInappropriateFallback = 86;

std::vector<std::uint16_t> chosen(const VersionFacts& facts, const std::function<bool(const wire::SuiteParts&)>& fits) {
  std::vector<std::uint16_t> out;
  for (const auto suite : facts.suites) {
    if (fits(wire::suite_parts(suite))) {
      out.push_back(suite);
    }
  }
  return out;
}

bool shows_exchange(const wire::TlsFlight& flight) {
  return flight.key_exchange().has_value() || flight.done();
}

std::optional<std::uint16_t> group13(const wire::TlsFlight& flight) {
  const auto group = flight.hello()->group;
  return group == 0 ? std::nullopt : std::optional{group};
}

std::optional<std::uint16_t> group12(const wire::TlsFlight& flight) {
  const auto& exchange = flight.key_exchange();
  const bool named = exchange && exchange->kind == wire::ServerKeyExchange::Kind::named_group;
  return named ? std::optional{exchange->group} : std::nullopt;
}

std::optional<std::uint16_t> signature12(const wire::TlsFlight& flight) {
  return flight.key_exchange() ? flight.key_exchange()->signature : std::nullopt;
}

void erase_all(std::vector<std::uint16_t>& from, const std::vector<std::uint16_t>& these) {
  std::erase_if(from, [&](std::uint16_t one) { return std::find(these.begin(), these.end(), one) != these.end(); });
}

}  // namespace

void Looks::look(std::string_view name, std::optional<bool> yes, std::string why) {
  picture_.look(name, yes, std::move(why));
}

asio::awaitable<Reply> Looks::ask(std::string title, const wire::TlsHello& hello, Enough enough) {
  auto reply = co_await asker_.ask(std::move(title), hello, std::move(enough));
  if (reply.ends) {
    over_ = reply.ends;
  }
  if (reply.hello() && reply.flight.hello()) {
    picture_.note(reply.flight.hello()->version, reply.flight);
  }
  co_return reply;
}

/// Asks, strikes out what was chosen, asks again, until the server refuses or can only repeat itself.
asio::awaitable<void> Looks::strike_out(List list) {
  auto& left = list.wish.*list.field;
  auto chosen = *list.seen;
  erase_all(left, chosen);
  if (list.signs_along) {
    erase_all(list.wish.signatures, picture_.signatures);
    list.signs_along = !list.wish.signatures.empty();
    list.wish.signatures = list.signs_along ? list.wish.signatures : all_signatures();
  }
  bool asked_twice = false;
  bool keeping = false;
  while (!left.empty() && !over_) {
    auto wish = list.wish;
    if (keeping) {
      auto& offer = wish.*list.field;
      offer.insert(offer.end(), chosen.begin(), chosen.end());
    }
    const auto hello = make_hello(wish);
    auto title = list.name + ", " + std::to_string(left.size()) + " offered";
    const auto reply = co_await ask(std::move(title), hello, list.enough);
    const bool no = reply.answer == Answer::refused || (reply.answer == Answer::cut && asked_twice);
    if (no && list.signs_along) {
      list.signs_along = false;  // the refusal may be for want of a signature
      list.wish.signatures = all_signatures();
      continue;
    }
    if (no) {
      if (!list.needs_chosen || keeping || chosen.empty()) {
        break;
      }
      keeping = true;  // the refusal may be for want of one that was struck out
      continue;
    }
    if (!reply.hello()) {
      if (asked_twice || reply.ends) {
        look(list.name, std::nullopt, reply.why);
        co_return;
      }
      asked_twice = true;
      continue;
    }
    if (const auto signature = signature12(reply.flight); signature && list.signs_along) {
      std::erase(list.wish.signatures, *signature);
      list.signs_along = list.wish.signatures.size() > 1;
    }
    const auto code = list.shown(reply.flight);
    const bool again = code && std::find(chosen.begin(), chosen.end(), *code) != chosen.end();
    if (!code || (again && keeping)) {
      break;
    }
    chosen.push_back(*code);
    if (std::erase(left, *code) == 0) {
      look("honours_" + list.name, false, "chose " + std::to_string(*code) + ", which was not offered");
      co_return;
    }
    asked_twice = false;
  }
  *list.settled = !over_;
  if (!over_) {
    look("honours_" + list.name, true, "only what was offered was chosen");
  }
}

void Looks::plan_newest(sessions::Jobs& jobs) {
  const auto newest = survey_.family().newest;
  const auto& facts = survey_.facts(newest);
  if (newest_planned_ || facts.suites.empty()) {
    return;
  }
  newest_planned_ = true;
  HelloWish wish;
  wish.version = newest;
  wish.server_name = server_name_;
  wish.suites = facts.suites;
  List list{"groups_13",       wish, &HelloWish::groups, &group13, &at_hello, &picture_.groups13_settled, false,
            &picture_.groups13};
  jobs.add_next([this, list = std::move(list)]() { return strike_out(list); });
}

void Looks::plan_lists(sessions::Jobs& jobs) {
  const auto& family = survey_.family();
  plan_newest(jobs);
  List groups;
  for (const auto version : family.old) {
    const auto& facts = survey_.facts(version);
    HelloWish wish;
    wish.version = version;
    wish.server_name = server_name_;
    // With an ECDSA certificate stacks want its curve among the groups too (RFC 8422, 5.3), so RSA shows more.
    wish.suites = chosen(facts, [](const auto& parts) { return parts.ephemeral_ec && parts.rsa_signed; });
    const bool by_ecdsa = wish.suites.empty();
    if (by_ecdsa) {
      wish.suites = chosen(facts, [](const auto& parts) { return parts.ephemeral_ec; });
    }
    if (!wish.suites.empty()) {
      groups = {
          "groups",        wish, &HelloWish::groups, &group12, &shows_exchange, &picture_.groups_settled, by_ecdsa,
          &picture_.groups};
      break;
    }
  }
  const auto signing = chosen(survey_.facts(family.tls12), [](const auto& parts) {
    return (parts.ephemeral_ec || parts.ephemeral_dh) && !parts.anonymous && !parts.psk;
  });
  List signatures;
  if (!signing.empty()) {
    HelloWish wish;
    wish.version = family.tls12;
    wish.server_name = server_name_;
    wish.suites = signing;
    signatures = {"signature_algorithms",       wish,  &HelloWish::signatures, &signature12, &shows_exchange,
                  &picture_.signatures_settled, false, &picture_.signatures};
    const bool few =
        picture_.signatures.size() < 2;  // else most were seen, and the next refusal would be for want of one
    groups.signs_along =
        few && groups.wish.version == family.tls12 && !groups.needs_chosen && !wire::is_dtls(family.tls12);
  }
  jobs.add([this, groups = std::move(groups), signatures = std::move(signatures)]() {
    return strike_out_both(groups, signatures);
  });
}

/// A signature that the answers to the first list have shown need not be asked for again.
asio::awaitable<void> Looks::strike_out_both(List groups, List signatures) {
  if (groups.field != nullptr) {
    co_await strike_out(std::move(groups));
  }
  if (signatures.field == nullptr) {
    co_return;
  }
  co_await strike_out(std::move(signatures));
}

HelloWish Looks::known_wish() const {
  HelloWish wish;
  wish.server_name = server_name_;
  for (const auto version : survey_.family().old) {
    const auto found = survey_.versions().find(version);
    if (found != survey_.versions().end() && !found->second.suites.empty()) {
      wish.version = version;
      wish.suites = found->second.suites;
      return wish;
    }
  }
  wish.version = survey_.family().newest;
  if (const auto found = survey_.versions().find(wish.version); found != survey_.versions().end()) {
    wish.suites = found->second.suites;
  }
  return wish;
}

void Looks::plan(sessions::Jobs& jobs) {
  const auto known = known_wish();
  if (known.suites.empty()) {
    return;
  }
  plan_lists(jobs);
  jobs.add([this] { return prefer(); });
  plan_changes(jobs, known);
  jobs.add([this] { return name_server("wrong_server_name", "probe.invalid"); });
  if (!server_name_.empty()) {
    jobs.add([this] { return name_server("no_server_name", ""); });
  }
  jobs.add([this] { return fall_back(); });
  if (known.version == survey_.family().newest) {
    return;
  }
  jobs.add([this] { return show_dh(false); });
  jobs.add([this] { return show_dh(true); });
}

void Looks::plan_changes(sessions::Jobs& jobs, const HelloWish& known) {
  const bool dtls = wire::is_dtls(known.version);
  const auto add = [&](Changes changes) {
    if (dtls) {  // a datagram less is worth less than a hello that is like others
      for (auto& change : changes) {
        jobs.add([this, &jobs, one = Changes{change}] { return ask_changes(jobs, one); });
      }
    } else {
      jobs.add([this, &jobs, all = std::move(changes)] { return ask_changes(jobs, all); });
    }
  };
  auto any = changes_of_any_version(!dtls);
  if (known.version == survey_.family().newest) {
    add(std::move(any));
    return;
  }
  any.push_back(compression_offer());
  add(std::move(any));
  const bool cbc = std::any_of(known.suites.begin(), known.suites.end(),
                               [](std::uint16_t suite) { return wire::suite_parts(suite).cbc; });
  if (!cbc) {
    look("encrypt_then_mac", std::nullopt, "no suite with CBC is taken");
    look("truncated_hmac", std::nullopt, "no suite with CBC is taken");
  }
  add(changes_of_old_versions(cbc));
}

/// In one hello; each alone where that one is not taken.
asio::awaitable<void> Looks::ask_changes(sessions::Jobs& jobs, Changes changes) {
  auto wish = known_wish();
  for (const auto& change : changes) {
    if (change.in_wish != nullptr) {
      change.in_wish(wish);
    }
  }
  auto hello = make_hello(wish);
  std::string title;
  for (const auto& change : changes) {
    change.in_hello(hello, wish);
    title += (title.empty() ? "" : ", ") + std::string{change.title};
  }
  const auto reply = co_await ask(std::move(title), hello, changes.front().enough);
  if (!reply.hello() && changes.size() > 1) {
    for (const auto& change : changes) {
      jobs.add([this, &jobs, one = Changes{change}] { return ask_changes(jobs, one); });
    }
    co_return;
  }
  for (const auto& change : changes) {
    change.read(reply, wish, picture_);
  }
}

/// What the first question of a version has shown of the order already. The suite that was chosen of all, against one
/// that stood before it there and is taken too: only the server's own order explains that. Else one that stood behind
/// it, to be offered before it.
Looks::Order Looks::order_seen(std::uint16_t version, const std::vector<std::uint16_t>& suites) {
  const auto offered = survey_.offered_at_once(version);
  const auto place = [&](std::uint16_t suite) { return std::find(offered.begin(), offered.end(), suite); };
  const auto chosen = suites.front();
  if (place(chosen) == offered.end() || chosen != survey_.facts(version).suites.front()) {
    return {};
  }
  Order out;
  for (const auto suite : suites) {
    out.by_server = out.by_server || place(suite) < place(chosen);
    if (place(suite) > place(chosen) && place(suite) != offered.end()) {
      out.behind = suite;
    }
  }
  return out;
}

/// Two suites both ways round: a server that chooses one of them twice goes by its own order. The first question of the
/// version has shown one way, if not both.
asio::awaitable<void> Looks::prefer() {
  for (const auto& [version, facts] : survey_.versions()) {
    // Some servers move ChaCha20 to the front for clients that do: it proves nothing.
    std::vector<std::uint16_t> suites;
    for (const auto suite : facts.suites) {
      if (wire::suite_parts(suite).name.find("CHACHA20") == std::string_view::npos) {
        suites.push_back(suite);
      }
    }
    if (suites.size() < 2 || version == wire::kSsl2 || picture_.preference) {
      continue;
    }
    const auto seen = order_seen(version, suites);
    if (seen.by_server) {
      picture_.preference = "server";
      continue;
    }
    HelloWish wish;
    wish.version = version;
    wish.server_name = server_name_;
    std::vector<std::uint16_t> picks;
    const auto other = seen.behind.value_or(suites.back());
    if (seen.behind) {
      picks.push_back(suites.front());
    }
    for (const bool reversed : {false, true}) {
      if (!reversed && seen.behind) {
        continue;
      }
      wish.suites = {suites.front(), other};
      if (reversed) {
        std::reverse(wish.suites.begin(), wish.suites.end());
      }
      const auto hello = make_hello(wish);
      const auto reply = co_await ask("order of suites", hello, &at_hello);
      if (reply.hello() && reply.flight.hello()) {
        picks.push_back(reply.flight.hello()->suite);
      }
    }
    if (picks.size() == 2) {
      picture_.preference = picks.front() == picks.back() ? "server" : "client";
    }
  }
}

/// RFC 7507: a client that says it fell back is refused by a server that could do better.
asio::awaitable<void> Looks::fall_back() {
  std::vector<std::uint16_t> taken;
  for (const auto& [version, facts] : survey_.versions()) {
    if (!facts.suites.empty() && version != wire::kSsl2) {
      taken.push_back(version);
    }
  }
  if (taken.size() < 2) {
    look("fallback_scsv", std::nullopt, "only one version is taken, so there is nothing to fall back to");
    co_return;
  }
  HelloWish wish;
  wish.version = taken[taken.size() - 2];
  wish.server_name = server_name_;
  wish.suites = survey_.facts(wish.version).suites;
  wish.suites.push_back(wire::kFallbackScsv);
  const auto hello = make_hello(wish);
  const auto reply = co_await ask("fallback signal", hello, &at_hello);
  picture_.decline("inappropriate_fallback", reply);
  const auto refusal = reply.flight.refusal();
  if (reply.hello()) {
    look("fallback_scsv", false, "the handshake went on in " + wire::tls_version_name(wish.version));
  } else if (refusal && refusal->alert == kInappropriateFallback) {
    look("fallback_scsv", true, reply.why);
  } else if (reply.answer == Answer::refused) {
    look("fallback_scsv", false, "refused otherwise: " + reply.why);
  } else {
    look("fallback_scsv", std::nullopt, reply.why);
  }
}

asio::awaitable<void> Looks::name_server(std::string name_of_look, std::string name) {
  auto wish = known_wish();
  wish.server_name = std::move(name);
  const auto hello = make_hello(wish);
  const auto reply = co_await ask("server name \"" + wish.server_name + "\"", hello, &at_end);
  if (name_of_look == "wrong_server_name") {
    picture_.decline(name_of_look, reply);
  }
  if (reply.hello() && reply.flight.hello()) {
    const auto known = picture_.chain_of.find(key_kind(reply.flight.hello()->suite));
    const bool other = known != picture_.chain_of.end() && !reply.flight.certificates().empty() &&
                       picture_.chains[known->second] != reply.flight.certificates();
    look(name_of_look, true, other ? "another certificate was sent" : "the same certificate was sent");
    co_return;
  }
  const auto refusal = reply.flight.refusal();
  const bool by_name = refusal && refusal->alert == kUnrecognizedName;
  picture_.look_at(name_of_look, reply, {});
  if (by_name) {
    look(name_of_look, false, "alert unrecognized_name");
  }
}

/// The parameters of finite-field key exchange, until two public values were seen: one that comes again is one of its
/// weaknesses.
asio::awaitable<void> Looks::show_dh(bool export_grade) {
  for (auto newest = survey_.versions().rbegin(); newest != survey_.versions().rend(); ++newest) {
    const auto version = newest->first;
    HelloWish wish;
    wish.version = version;
    wish.server_name = server_name_;
    wish.suites = chosen(survey_.facts(version),
                         [&](const auto& parts) { return parts.ephemeral_dh && parts.export_grade == export_grade; });
    if (wish.suites.empty()) {
      continue;
    }
    for (int round = 0; round < 2 && !picture_.dh_reused(export_grade); ++round) {
      const auto hello = make_hello(wish);
      const auto reply = co_await ask("finite-field key exchange", hello, &shows_exchange);
    }
    if (const auto same = picture_.dh_reused(export_grade)) {
      look("dh_public_reused", *same, *same ? "the same public value twice" : "a new public value each time");
      co_return;
    }
  }
}

}  // namespace assay::probes::tls
