#include "harness/probe/probe.hpp"

#include <algorithm>
#include <deque>

#include "probes/credentials/logins.hpp"
#include "probes/wire/bytes.hpp"

namespace assay::probes::credentials {

namespace {

constexpr ParameterSpec kParameters[] = {
    {"dictionary", ValueKind::text, "\"iot-common\"", "credential dictionary by id; empty: none"},
    {"vendor", ValueKind::boolean, "true", "try the DUT file's vendor_credentials first"},
    {"blank", ValueKind::boolean, "true", "try a blank password for the 20 likeliest user names of the dictionary"},
    {"derived", ValueKind::integer, "40",
     "pairs at most whose password is made of the identifiers of the sample (samples, device, password_samples), for "
     "the "
     "names of accounts and the likeliest of the dictionary; 0: none"},
    {"stop_at_first", ValueKind::boolean, "true", "stop when a pair was accepted"},
    {"connections", ValueKind::integer, "1",
     "connections on which logins may be on their way at once, at most 64; only where the pace has no interval between "
     "logins, and for logins with a name"},
    {"logins_on_a_connection", ValueKind::integer, "5",
     "logins that follow each other on one connection at most, where a server takes more than one: of FTP, and of SSH "
     "for "
     "one name"},
    {"resume_after", ValueKind::integer, "0",
     "seconds after which logins go on when the device showed a lockout, with those first that were not judged; 0: "
     "they "
     "do not go on"},
    {"communities", ValueKind::text, "\"snmp-communities\"",
     "dictionary of the communities that SNMP is asked with, before the passwords of the other one; empty: none"},
};

constexpr FactSpec kFacts[] = {
    {"credentials.dialect", ValueKind::text, "how one logs in here; absent: no login that this probe knows"},
    {"credentials.dialects", ValueKind::list, "every way of logging in here that was tried, in their order"},
    {"credentials.given_away", ValueKind::list,
     "what whoever asks is given without a login and may use to guess at leisure; looked for in IPMI alone"},
    {"credentials.open", ValueKind::boolean, "a random login succeeds, or a command line answers without any"},
    {"credentials.accepted", ValueKind::list,
     "pairs that work, each proved, confirmed and controlled: dialect, username (empty where a login has none), "
     "source, proof, secret (by what the laboratory knows it again; none where the name alone or any password was "
     "enough), must_change "
     "(true where a new password is demanded at once, by telnet, SSH or a page besides which nothing opens; what works "
     "before that was not looked at)"},
    {"credentials.tried", ValueKind::integer, "candidate pairs that were tried"},
    {"credentials.lockout", ValueKind::object,
     "whether the device stopped taking logins: observed, sign, after_attempts, account, resumed (times that logins "
     "went "
     "on after it)"},
    {"credentials.clear", ValueKind::boolean, "credentials travel without encryption"},
};

bool flag(const ProbeContext& context, std::string_view name) {
  const auto* value = context.parameters.if_contains(name);
  return value == nullptr || !value->is_bool() || value->get_bool();
}

constexpr std::int64_t kMostInARow = 1000;
constexpr std::int64_t kMostDerived = 1000;

/// A parameter that is a number of at least 1; what is less counts as 1.
std::int64_t count_of(const ProbeContext& context, std::string_view name) {
  const auto* value = context.parameters.if_contains(name);
  return value != nullptr && value->is_int64() ? std::max<std::int64_t>(value->get_int64(), 1) : 1;
}

milliseconds seconds_of(const ProbeContext& context, std::string_view name) {
  const auto* value = context.parameters.if_contains(name);
  const auto seconds = value != nullptr && value->is_int64() ? value->get_int64() : 0;
  return std::chrono::seconds{std::clamp<std::int64_t>(seconds, 0, 86'400)};
}

std::string text_of(const ProbeContext& context, std::string_view name, std::string fallback) {
  const auto* value = context.parameters.if_contains(name);
  return value != nullptr && value->is_string() ? std::string{std::string_view{value->get_string()}} : fallback;
}

CandidateOptions options_of(const ProbeContext& context) {
  CandidateOptions options;
  options.dictionary = text_of(context, "dictionary", options.dictionary);
  if (context.endpoint && context.endpoint->transport == Transport::udp) {
    options.communities = text_of(context, "communities", "snmp-communities");
  }
  options.vendor = flag(context, "vendor");
  options.blank = flag(context, "blank");
  options.sample = context.target.sample;
  if (const auto* most = context.parameters.if_contains("derived"); most != nullptr && most->is_int64()) {
    options.derived = static_cast<std::size_t>(std::clamp<std::int64_t>(most->get_int64(), 0, kMostDerived));
  }
  return options;
}

void record_coverage(Recorder& record, const Tally& tally, std::size_t candidates, json::object coverage) {
  coverage["candidates"] = static_cast<std::int64_t>(candidates);
  coverage["tried"] = tally.tried;
  coverage["skipped_budget"] = tally.skipped_budget;
  coverage["skipped_stopped"] = tally.skipped_stopped;
  coverage["accounts"] = std::ssize(tally.accounts);
  coverage["controls"] = tally.controls;
  coverage["unclear"] = tally.unclear;
  if (!tally.why_stopped.empty()) {
    coverage["stopped_because"] = tally.why_stopped;
  }
  record.coverage("login", std::move(coverage));
}

void record_lockout(sessions::FactSheet& sheet, const Tally& tally) {
  json::object lockout;
  const bool observed = !tally.lock_sign.empty();
  lockout["observed"] = observed;
  lockout["after_attempts"] = tally.refusals;
  if (observed) {
    lockout["sign"] = tally.lock_sign;
    lockout["account"] = wire::printable(tally.lock_account, 128);
    if (tally.resumed > 0) {
      lockout["resumed"] = tally.resumed;
    }
  }
  sheet.fact("credentials.lockout", std::move(lockout));
}

/// Why what was seen may not be all.
struct Doubt {
  std::string why;           // empty: none
  bool of_refusals = false;  // those that were seen may be none
};

void record(sessions::FactSheet& sheet, const Tally& tally, const Result<>& ended, const Doubt& doubt) {
  sheet.fact("credentials.tried", tally.tried);
  const bool open = tally.open && *tally.open;
  // A doubt takes nothing back that was seen: a login that was taken, a device that says it is locked.
  if (tally.open && (open || doubt.why.empty())) {
    sheet.fact("credentials.open", open);
  } else {
    sheet.unobserved("credentials.open", !ended              ? ended.error().what
                                         : doubt.why.empty() ? tally.why_stopped
                                                             : doubt.why);
  }
  if (!tally.accepted.empty()) {
    sheet.fact("credentials.accepted", tally.accepted);
  } else if (!ended) {
    sheet.unobserved("credentials.accepted", ended.error().what);
  } else if (!open && !doubt.why.empty()) {
    sheet.unobserved("credentials.accepted", doubt.why);
  } else if (!open && tally.tried == 0) {
    sheet.unobserved("credentials.accepted", tally.skipped_budget > 0    ? "the login budget of every account was spent"
                                             : tally.why_stopped.empty() ? "there was no pair to try"
                                                                         : tally.why_stopped);
  } else if (!open && tally.unclear > 0) {
    sheet.unobserved("credentials.accepted", !tally.doubt.empty()
                                                 ? tally.doubt
                                                 : std::to_string(tally.unclear) + " of " +
                                                       std::to_string(tally.tried) + " logins got no clear answer");
  } else {
    sheet.fact("credentials.accepted", json::array{});
  }
  if (doubt.of_refusals && tally.lock_sign.empty() && !open) {
    sheet.unobserved("credentials.lockout", doubt.why);
  } else if (tally.refusals > 0 || !tally.lock_sign.empty() || open) {
    record_lockout(sheet, tally);
  } else {
    sheet.unobserved("credentials.lockout", "no login was clearly refused");
  }
}

void record_no_dialect(sessions::FactSheet& sheet, const Detection& found) {
  if (found.silent) {
    sheet.rest_unobserved("the endpoint said nothing, neither unasked nor when it was asked");
    return;
  }
  sheet.absent("credentials.dialect");
  sheet.absent("credentials.dialects");
  sheet.absent("credentials.given_away");
  sheet.absent("credentials.clear");
  sheet.fact("credentials.tried", 0);
  if (!found.other_login.empty()) {
    sheet.rest_unobserved("there is a login that this probe does not know: " + found.other_login);
  } else if (!found.held.empty()) {
    sheet.rest_unobserved("no login showed, for the device holds us or is busy: " + found.held);
  } else if (!found.doubt.empty()) {
    sheet.rest_unobserved(found.doubt);
  } else {
    sheet.rest_absent();
  }
}

json::array names_of(const Detection& found) {
  json::array names;
  if (!found.dialect) {
    names.emplace_back(found.spoken);
    return names;
  }
  names.emplace_back(found.dialect->name());
  for (const auto& other : found.more) {
    names.emplace_back(other->name());
  }
  return names;
}

/// Nobody needs a password here, or nobody gets in by one.
void record_settled(sessions::FactSheet& sheet, bool open) {
  sheet.fact("credentials.open", open);
  sheet.fact("credentials.accepted", json::array{});
  sheet.fact("credentials.tried", 0);
  sheet.absent("credentials.lockout");
}

/// Whether credentials travel in clear, where that is known before any login.
void record_way(sessions::FactSheet& sheet, const Detection& found) {
  if (!found.way_doubt.empty()) {
    return;
  }
  if (found.dialect) {
    bool clear = found.dialect->clear();
    for (const auto& other : found.more) {
      clear = clear || other->clear();
    }
    sheet.fact("credentials.clear", clear);
  } else {
    sheet.absent("credentials.clear");
  }
}

/// The same once logins were tried: one that was refused or taken on this way has shown it.
void record_way_after(sessions::FactSheet& sheet, const Tally& tally, bool clear, const std::string& doubt,
                      bool refusals_count) {
  const bool understood =
      (tally.refusals > 0 && refusals_count) || !tally.accepted.empty() || (tally.open && *tally.open);
  if (understood) {
    sheet.fact("credentials.clear", clear);
  } else {
    sheet.unobserved("credentials.clear", doubt);
  }
}

/// What is known without a single login. True: no login is needed any more.
bool record_without_logins(ProbeContext& context, sessions::FactSheet& sheet, const Detection& found,
                           std::size_t candidates) {
  Tally none;
  none.skipped_stopped = static_cast<std::int64_t>(candidates);
  if (found.open || !found.shut.empty()) {
    record_settled(sheet, found.open);
    sheet.fact("credentials.given_away", found.dialect ? found.dialect->given_away() : json::array{});
    none.why_stopped = found.open ? found.open_proof : found.shut;
    if (!found.way_doubt.empty()) {
      sheet.unobserved("credentials.clear", found.way_doubt);
    }
    if (!found.open) {
      candidates = 0;  // there is nothing that a password could be tried on
      none.skipped_stopped = 0;
    }
  } else if (!found.dialect) {
    const auto& doubt = found.doubt.empty() ? found.way_doubt : found.doubt;
    sheet.fact("credentials.tried", 0);
    sheet.rest_unobserved(doubt);
    none.why_stopped = doubt;
  } else {
    return false;
  }
  record_coverage(context.record, none, candidates, {});
  return true;
}

/// What all logins of one endpoint showed together.
struct Series {
  Tally tally;
  std::string doubt;
  std::size_t candidates = 0;
  bool clear = false;
  json::array given;
  json::object left_out;
};

/// What the record and its transcripts leave out. Of passwords with one or two characters only the transcripts do.
class Masks {
 public:
  explicit Masks(const std::vector<Candidate>& candidates) {
    const auto secrets = concealable(candidates);
    auto list = std::make_shared<Concealment>();
    for (const auto& secret : secrets.everywhere) {
      list->add(secret);
      add_short(secret);
    }
    for (const auto& secret : secrets.as_they_are) {
      list->add(secret.reveal(), secret.name());
      add_short(secret);
    }
    for (const auto& secret : secrets.in_bytes) {
      list->add_in_bytes(secret);
    }
    list_ = std::move(list);
  }

  void apply(Recorder& record) const { record.conceal_all(list_); }

  void apply(Transcript& transcript) const {
    transcript.conceal_all(list_);
    for (const auto& secret : short_) {
      transcript.conceal(secret.reveal(), secret.name());
    }
  }

 private:
  void add_short(const Secret& secret) {
    if (secret.reveal().size() < kShortestConcealed) {
      short_.push_back(secret);
    }
  }

  std::shared_ptr<const Concealment> list_;
  std::vector<Secret> short_;
};

/// Doors to the same endpoint, each with a transcript of its own, for logins on several connections.
class Doors {
 public:
  Doors(const Door& first, const std::vector<Candidate>& candidates, Masks masks)
      : first_(first), candidates_(candidates), masks_(std::move(masks)) {}

  Door& another() {
    auto& transcript = transcripts_.emplace_back(
        "logins on " + first_.endpoint.text() + ", row " + std::to_string(transcripts_.size() + 1), kTranscript);
    masks_.apply(transcript);
    auto& door = doors_.emplace_back(
        Door{first_.network, first_.record, transcript, first_.address, first_.endpoint, first_.timers, first_.dut});
    door.logins_on_a_connection = first_.logins_on_a_connection;
    return door;
  }

  const std::vector<Candidate>& candidates() const { return candidates_; }

  void record(sessions::FactSheet& sheet) const {
    for (const auto& transcript : transcripts_) {
      sheet.evidence_for_values("credentials.", first_.record.transcript("logins", transcript));
    }
  }

 private:
  static constexpr std::size_t kTranscript = 64 * 1024;

  const Door& first_;
  const std::vector<Candidate>& candidates_;
  Masks masks_;
  std::deque<Transcript> transcripts_;
  std::deque<Door> doors_;
};

/// The logins of one dialect, added to those before it. None is tried any more once the device shows a lockout, and
/// what was left out is counted.
asio::awaitable<Result<>> try_dialect(ProbeContext& context, Door& door, Dialect& dialect, Doors& doors,
                                      Series& series) {
  const auto& all = doors.candidates();
  auto candidates = dialect.names_accounts() ? with_names(all) : without_names(all);
  const auto count = candidates.size();
  series.candidates += count;
  series.clear = series.clear || dialect.clear();
  Result<> ended;
  Tally tally;
  if (series.tally.lock_sign.empty()) {
    const LoginOptions options{.stop_at_first = flag(context, "stop_at_first"),
                               .connections = static_cast<std::size_t>(count_of(context, "connections")),
                               .resume_after = seconds_of(context, "resume_after"),
                               .another_door = [&doors]() -> Door& { return doors.another(); }};
    Logins logins{context, door, dialect, std::move(candidates), options};
    ended = co_await logins.run();
    tally = logins.tally();
  } else {
    tally.skipped_stopped = static_cast<std::int64_t>(count);
  }
  if (series.doubt.empty()) {
    series.doubt = dialect.doubt();
  }
  for (auto& entry : dialect.given_away()) {
    series.given.push_back(entry);
  }
  for (const auto& entry : dialect.left_out()) {
    series.left_out[entry.key()] = entry.value();
  }
  if (series.candidates == count) {
    series.tally = std::move(tally);
  } else {
    series.tally.absorb(tally);
  }
  co_return ended;
}

asio::awaitable<Result<>> try_dialects(ProbeContext& context, Door& door, Detection& found, Doors& doors,
                                       sessions::FactSheet& sheet) {
  Series series;
  auto ended = co_await try_dialect(context, door, *found.dialect, doors, series);
  for (std::size_t i = 0; ended && i < found.more.size(); ++i) {
    ended = co_await try_dialect(context, door, *found.more[i], doors, series);
  }
  if (!found.way_doubt.empty()) {
    record_way_after(sheet, series.tally, series.clear, found.way_doubt, series.doubt.empty());
  }
  sheet.fact("credentials.given_away", series.given);
  record(sheet, series.tally, ended, {series.doubt.empty() ? found.doubt : series.doubt, !series.doubt.empty()});
  record_coverage(context.record, series.tally, series.candidates, std::move(series.left_out));
  co_return ended;
}

asio::awaitable<Result<>> observe_login(ProbeContext& context, Door& door, Doors& doors, sessions::FactSheet& sheet) {
  auto found = co_await detect(door);
  if (!found) {
    sheet.rest_unobserved(found.error().what);
    co_return found.error();
  }
  if (!found->dialect && found->spoken.empty()) {
    record_no_dialect(sheet, *found);
    co_return Result<>{};
  }
  sheet.fact("credentials.dialect",
             found->dialect ? json::string(found->dialect->name()) : json::string(found->spoken));
  sheet.fact("credentials.dialects", names_of(*found));
  record_way(sheet, *found);
  if (const auto& settled = found->open ? found->open_proof : found->shut; !settled.empty()) {
    door.transcript.note(settled);
  }
  if (record_without_logins(context, sheet, *found, doors.candidates().size())) {
    co_return Result<>{};
  }
  auto ended = co_await try_dialects(context, door, *found, doors, sheet);
  co_return ended;
}

class Credentials final : public Probe {
 public:
  asio::awaitable<Result<>> observe(ProbeContext& context) override {
    sessions::FactSheet sheet{context.record, kFacts};
    auto candidates = make_candidates(context.dut, context.library, options_of(context));
    Result<> ready;
    if (!candidates) {
      ready = candidates.error();
    } else if (!context.endpoint) {
      ready = Error{ErrorKind::bad_input, "probe credentials needs an endpoint such as tcp/80 or udp/161", {}};
    }
    if (!ready) {
      sheet.rest_unobserved(ready.error().what);
      co_return ready;
    }
    Transcript transcript{"logins on " + context.endpoint->text(), 512 * 1024};
    const Masks masks{*candidates};
    masks.apply(context.record);
    masks.apply(transcript);
    Door door{context.network,   context.record,
              transcript,        context.target.address,
              *context.endpoint, sessions::timers_for(context.network),
              &context.dut};
    door.logins_on_a_connection = static_cast<int>(std::min(count_of(context, "logins_on_a_connection"), kMostInARow));
    Doors doors{door, *candidates, masks};
    auto ended = co_await observe_login(context, door, doors, sheet);
    sheet.evidence_for_values("credentials.", context.record.transcript("logins", transcript));
    doors.record(sheet);
    co_return ended;
  }
};

std::unique_ptr<Probe> make() {
  return std::make_unique<Credentials>();
}

}  // namespace

extern const ProbeDescriptor kDescriptor;
const ProbeDescriptor kDescriptor{
    .id = "credentials",
    .summary = "Tries default credentials on one login, slowly, and proves every hit.",
    .version = 2,
    .intrusiveness = Intrusiveness::intrusive,
    .exclusive = Exclusive::guesses,
    .subject = ProbeSubject::endpoint,
    .deadline = milliseconds{3'600'000},
    .parameters = kParameters,
    .facts = kFacts,
    .make = &make,
};

}  // namespace assay::probes::credentials
