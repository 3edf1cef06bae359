#include "harness/probe/probe.hpp"

#include <algorithm>
#include <cmath>

#include "probes/resistance/siege.hpp"
#include "probes/sessions/fact_sheet.hpp"
#include "probes/wire/bytes.hpp"

namespace assay::probes::resistance {

namespace {

constexpr ParameterSpec kParameters[] = {
    {"attempts", ValueKind::integer, "250",
     "logins at most, right ones too; never more than the pace's guesses_per_login"},
    {"seconds", ValueKind::integer, "120", "time for them", true},
    {"recover", ValueKind::integer, "90",
     "seconds to wait at most for a block to end: the one that is met at the beginning, the first and the second",
     true},
    {"sources", ValueKind::integer, "4", "other addresses of ours to try at most, of those that lab.sources allows"},
    {"account", ValueKind::text, "\"\"",
     "role or user name of the DUT file's account to guess at; empty: the first that gets in; \"none\": a name that no "
     "device has"},
};

constexpr FactSpec kFacts[] = {
    {"resistance.dialect", ValueKind::text, "how one logs in here; absent: no login that this probe knows"},
    {"resistance.account", ValueKind::object,
     "whose password was guessed at: known (an account of the DUT file that got in before) and its role; a device may "
     "guard accounts that it has otherwise than a name that it has not"},
    {"resistance.attempts", ValueKind::integer, "logins made, right ones and those that went out twice too"},
    {"resistance.reaction", ValueKind::object,
     "what wrong logins brought about: seen, sign, after (wrong logins), after_most (with those before the attack, "
     "which may have counted), seconds (that the first series lasted), repeated (it came again at that place from a "
     "fresh start, or sooner, where the device says that it holds), sooner, afresh (what that was), grows (none, "
     "linear, exponential: small delays; block: the second was longer than the first), bound (account, source, "
     "account_and_source, everything, source_or_all, "
     "unknown), silent (the right password is refused, wrong ones as ever), says"},
    {"resistance.let_in", ValueKind::object,
     "wrong passwords that got in: after (logins before the first), times (two end the measure), by_page (what they "
     "got is for people, on the web or by telnet, and may tell of a lock); never a reaction; absent: none did"},
    {"resistance.delays", ValueKind::list, "milliseconds from each wrong login of the first series to its answer"},
    {"resistance.rate", ValueKind::object,
     "wrong logins from one address: attempts, seconds, per_day with per_day_low (0: no lower bound follows) and "
     "per_day_high, by_device (the device held them back), basis (what it rests on, and what would settle the rest)"},
    {"resistance.rate_together", ValueKind::object,
     "the same of several addresses of ours, where they are not held together: addresses, attempts, seconds, "
     "per_day_low, per_day_high, basis; absent: no other address was tried or took a wrong login"},
    {"resistance.recovery", ValueKind::object,
     "how long it blocked: seen (its end), seconds_least, seconds_most; again: the same of the next block at that "
     "place"},
    {"resistance.right_password", ValueKind::object,
     "the known account's right password: in_attack (it still gets in after the wrong ones), lifts (and ends the "
     "reaction)"},
    {"resistance.resets", ValueKind::boolean, "a right login wipes off the wrong ones before it"},
    {"resistance.per_connection", ValueKind::integer,
     "wrong logins after which the device ends each connection; absent: no such number showed"},
    {"resistance.sources", ValueKind::list,
     "other addresses of ours: address, reached (a wrong login from there was refused as usual before the attack), "
     "wrong "
     "(logins on the account taken as usual after it), held (null: not known)"},
};

std::int64_t number(const ProbeContext& context, std::string_view name, std::int64_t least, std::int64_t most) {
  const auto* value = context.parameters.if_contains(name);
  return value != nullptr && value->is_int64() ? std::clamp(value->get_int64(), least, most) : least;
}

Means means_of(const ProbeContext& context) {
  constexpr std::int64_t kDay = 86'400;
  Means out;
  const std::int64_t allowed = guesses_allowed(context.dut.pace);
  out.attempts = std::min(number(context, "attempts", 1, 100'000), std::max<std::int64_t>(allowed, 1));
  out.time = std::chrono::seconds{number(context, "seconds", 1, kDay)};
  out.recover = std::chrono::seconds{number(context, "recover", 0, kDay)};
  out.sources = number(context, "sources", 0, 64);
  return out;
}

std::vector<Known> accounts_of(const ProbeContext& context) {
  std::vector<Known> out;
  const auto* value = context.parameters.if_contains("account");
  const auto wanted =
      value != nullptr && value->is_string() ? std::string_view{value->get_string()} : std::string_view{};
  for (const auto& account : context.dut.accounts) {
    if (!account.secret.empty() && (wanted.empty() || wanted == account.role || wanted == account.username)) {
      out.push_back({account.role, account.username, account.secret});
    }
  }
  return out;
}

std::string hold_words(const Series& first) {
  return first.sign ? std::string{enum_name(*first.sign)} : std::string{};
}

double seconds_of(milliseconds time) {
  return static_cast<double>(time.count()) / 1000;
}

/// The first series came after logins of names that nobody has and may have been cut short by them; the second began
/// anew, and what it took is the threshold. What came sooner was no fresh start.
void record_threshold(json::object& reaction, const Seen& seen) {
  const auto first = seen.first->wrong;
  const bool anew = seen.repeated && !seen.silent && !seen.sooner;
  const auto threshold = anew ? seen.second->wrong : first;
  const bool apart = seen.bound == Bound::account || seen.bound == Bound::account_and_source;
  reaction["after"] = threshold;
  reaction["after_most"] = std::max(threshold, anew || apart ? first : first + Siege::kControls);
}

void record_reaction(sessions::FactSheet& sheet, const Seen& seen) {
  if (!seen.first) {
    return;
  }
  const auto& first = *seen.first;
  json::object reaction{{"seen", first.sign.has_value() || seen.silent}, {"silent", seen.silent}};
  record_threshold(reaction, seen);
  reaction["seconds"] = seconds_of(first.lasted);
  if (first.sign || seen.silent) {
    reaction["sign"] = seen.silent ? std::string{"locked"} : hold_words(first);
    reaction["repeated"] = seen.repeated;
    reaction["sooner"] = seen.sooner;
    reaction["grows"] = grows(seen.blocks) ? std::string_view{"block"} : std::string_view{enum_name(seen.growth)};
    reaction["bound"] = enum_name(seen.bound);
    reaction["says"] = wire::printable(first.says, 200);
    if (seen.second) {
      reaction["afresh"] = seen.afresh;
      reaction["after_again"] = seen.second->wrong;
    }
  }
  sheet.fact("resistance.reaction", std::move(reaction));
  json::array delays;
  for (const auto time : first.each) {
    delays.emplace_back(time.count());
  }
  for (const auto time : first.slow) {
    delays.emplace_back(time.count());
  }
  sheet.fact("resistance.delays", std::move(delays));
}

void record_together(sessions::FactSheet& sheet, const Seen& seen, const Rate& one) {
  std::vector<Addressed> others;
  const bool apart = seen.repeated && seen.bound == Bound::source;
  for (const auto& at : seen.sources) {
    if (!at.each.empty() && (apart ? at.reacted : !seen.first->sign && !at.reacted)) {
      others.push_back({at.each});
    }
  }
  const auto rate = together(one, others);
  if (!rate) {
    sheet.absent("resistance.rate_together");
    return;
  }
  json::object out{{"addresses", std::ssize(others) + 1}, {"attempts", rate->attempts}, {"seconds", rate->seconds}};
  out["per_day_low"] = static_cast<std::int64_t>(std::floor(rate->low));
  out["per_day_high"] = static_cast<std::int64_t>(std::ceil(rate->high));
  out["basis"] = rate->basis;
  sheet.fact("resistance.rate_together", std::move(out));
}

void record_rate(sessions::FactSheet& sheet, const Seen& seen) {
  if (!seen.first) {
    return;
  }
  Measured measured;
  measured.each = seen.first->each;
  measured.slow = seen.first->slow;
  measured.blocks = seen.blocks;
  // The login that showed the end of a block is one that it let through.
  measured.after = seen.sooner ? std::max<std::int64_t>(seen.second->wrong, 1) : seen.first->wrong;
  // Only what came again holds anybody back.
  const bool holds = seen.repeated && (seen.first->sign || seen.silent);
  const bool slows = holds && seen.first->sign == Sign::slow;
  const bool reacted = seen.first->sign || seen.silent;
  measured.hold = slows ? Hold::slows : holds ? Hold::blocks : reacted ? Hold::once : Hold::none;
  if (measured.hold == Hold::none || measured.hold == Hold::once) {
    measured.slow.clear();
  }
  const auto rate = rate_of(measured);
  if (!rate) {
    sheet.unobserved("resistance.rate", "no wrong login was answered as usual");
    return;
  }
  json::object out{{"attempts", rate->attempts}, {"seconds", rate->seconds}, {"by_device", rate->by_device}};
  out["per_day"] = rate->per_day ? json::value(std::llround(*rate->per_day)) : json::value(nullptr);
  out["per_day_low"] = static_cast<std::int64_t>(std::floor(rate->low));
  out["per_day_high"] = static_cast<std::int64_t>(std::ceil(rate->high));
  out["basis"] = rate->basis;
  sheet.fact("resistance.rate", std::move(out));
  record_together(sheet, seen, *rate);
}

json::object object_of(const Block& block) {
  json::object out{{"seen", block.most.has_value()}, {"seconds_least", seconds_of(block.least)}};
  out["seconds_most"] = block.most ? json::value(seconds_of(*block.most)) : json::value(nullptr);
  return out;
}

void record_recovery(sessions::FactSheet& sheet, const Seen& seen) {
  if (seen.blocks.empty()) {
    return;
  }
  auto out = object_of(seen.blocks.front());
  if (seen.blocks.size() > 1) {
    out["again"] = object_of(seen.blocks[1]);
  }
  sheet.fact("resistance.recovery", std::move(out));
}

void record_known(sessions::FactSheet& sheet, const Seen& seen) {
  json::object account{{"known", seen.known.has_value()}};
  account["role"] = seen.known ? wire::printable(seen.known->role, 64) : std::string{};
  sheet.fact("resistance.account", std::move(account));
  if (!seen.known) {
    sheet.absent("resistance.right_password");
    return;
  }
  if (seen.right_in_attack) {
    json::object out{{"in_attack", *seen.right_in_attack}};
    out["lifts"] = seen.right_lifts ? json::value(*seen.right_lifts) : json::value(nullptr);
    sheet.fact("resistance.right_password", std::move(out));
  } else if (!seen.right_unclear.empty()) {
    sheet.unobserved("resistance.right_password",
                     "the right login got an answer that means neither yes nor no: " + seen.right_unclear);
  }
}

void record_let_in(sessions::FactSheet& sheet, const Seen& seen, bool by_page) {
  if (seen.let_in.times > 0) {
    sheet.fact("resistance.let_in",
               json::object{{"after", seen.let_in.after}, {"times", seen.let_in.times}, {"by_page", by_page}});
  } else if (seen.first) {
    sheet.absent("resistance.let_in");
  }
}

/// `by_page`: what a login gets is for people.
void record(sessions::FactSheet& sheet, const Seen& seen, bool by_page, const Result<>& ended) {
  sheet.fact("resistance.attempts", seen.made);
  record_let_in(sheet, seen, by_page);
  const auto why = !ended ? ended.error().what : seen.why_stopped;
  if (!seen.first) {
    sheet.rest_unobserved(why.empty() ? "no wrong login was made" : why);
    return;
  }
  record_known(sheet, seen);
  record_reaction(sheet, seen);
  record_rate(sheet, seen);
  record_recovery(sheet, seen);
  if (seen.resets) {
    sheet.fact("resistance.resets", *seen.resets);
  }
  if (const auto each = per_connection(seen.used_up)) {
    sheet.fact("resistance.per_connection", *each);
  } else {
    sheet.absent("resistance.per_connection");
  }
  json::array sources;
  for (const auto& source : seen.sources) {
    json::object at{{"address", source.address}, {"reached", source.reached}, {"wrong", source.wrong}};
    at["held"] = source.held ? json::value(*source.held) : json::value(nullptr);
    sources.push_back(std::move(at));
  }
  sheet.fact("resistance.sources", std::move(sources));
  const bool reacted = seen.first->sign || seen.silent;
  const std::string nothing = reacted ? "the logins that are left did not suffice for it" : "nothing reacted";
  sheet.rest_unobserved(why.empty() ? nothing : why);
}

void record_coverage(Recorder& record, const Means& means, const Seen& seen) {
  json::object coverage{
      {"attempts", seen.made}, {"allowed", means.attempts}, {"connections", std::ssize(seen.used_up) + 1}};
  coverage["wrong_in_a_row"] = seen.first ? seen.first->wrong : 0;
  coverage["other_sources"] = std::ssize(seen.sources);
  if (!seen.why_stopped.empty()) {
    coverage["stopped_because"] = seen.why_stopped;
  }
  record.coverage("guessing", std::move(coverage));
}

void record_no_login(sessions::FactSheet& sheet, const credentials::Detection& found) {
  sheet.absent("resistance.dialect");
  sheet.fact("resistance.attempts", 0);
  if (!found.other_login.empty()) {
    sheet.rest_unobserved("there is a login that this probe does not know: " + found.other_login);
  } else if (!found.doubt.empty()) {
    sheet.rest_unobserved(found.doubt);
  } else {
    sheet.rest_absent();
  }
}

/// Where no password lets anybody in, there is none to guess.
void record_shut(sessions::FactSheet& sheet, const credentials::Detection& found) {
  sheet.fact("resistance.dialect", found.dialect ? json::string(found.dialect->name()) : json::string(found.spoken));
  sheet.fact("resistance.attempts", 0);
  sheet.rest_absent();
}

/// Why the endpoint may just hold us, so that its login does not show; empty: nothing says so.
std::string held_now(const Result<credentials::Detection>& found) {
  if (!found) {
    return sessions::ends_probe(found.error().kind) ? std::string{} : found.error().what;
  }
  if (found->dialect || found->open || !found->shut.empty()) {
    return {};
  }
  if (!found->held.empty()) {
    return found->held;
  }
  return found->silent ? "it said nothing, neither unasked nor when it was asked" : std::string{};
}

/// A device that was guessed at before may hold us still: the end of that is waited for as that of a block of ours.
/// `held` says why no login showed until then.
asio::awaitable<Result<credentials::Detection>> detect_free(ProbeContext& context, credentials::Door& door,
                                                            milliseconds recover, std::string& held) {
  constexpr milliseconds kFirst{5000};
  constexpr milliseconds kLongest{30'000};
  milliseconds waited{0};
  for (auto step = kFirst;; step = std::min(step * 2, kLongest)) {
    auto found = co_await credentials::detect(door);
    const auto why = held_now(found);
    if (why.empty()) {
      co_return found;
    }
    step = std::min(step, recover - waited);
    if (step <= milliseconds{0}) {
      held = "no login showed, for the device holds us or is busy (" + why + "), and that did not end in " +
             std::to_string(waited.count() / 1000) + " s (parameter recover)";
      co_return found;
    }
    auto paused = co_await context.network.wait(step);
    if (!paused) {
      co_return paused.error();
    }
    waited += step;
  }
}

asio::awaitable<Result<>> observe_login(ProbeContext& context, credentials::Door& door, std::vector<Known> accounts,
                                        sessions::FactSheet& sheet) {
  const auto means = means_of(context);
  std::string held;
  auto found = co_await detect_free(context, door, means.recover, held);
  if (!found && held.empty()) {
    sheet.rest_unobserved(found.error().what);
    co_return found.error();
  }
  if (!held.empty()) {
    sheet.fact("resistance.attempts", 0);
    sheet.rest_unobserved(held);
    co_return Result<>{};
  }
  if (found->open) {
    sheet.fact("resistance.attempts", 0);
    sheet.rest_unobserved("nobody has to guess: " + found->open_proof);
    co_return Result<>{};
  }
  if (!found->shut.empty()) {
    record_shut(sheet, *found);
    door.transcript.note(found->shut);
    co_return Result<>{};
  }
  if (!found->dialect) {
    record_no_login(sheet, *found);
    co_return Result<>{};
  }
  sheet.fact("resistance.dialect", json::string(found->dialect->name()));
  Siege siege{context, door, *found->dialect, means};
  auto ended = co_await siege.run(std::move(accounts));
  record(sheet, siege.seen(), found->dialect->is_for_people(), ended);
  record_coverage(context.record, means, siege.seen());
  co_return ended;
}

class Resistance final : public Probe {
 public:
  asio::awaitable<Result<>> observe(ProbeContext& context) override {
    sessions::FactSheet sheet{context.record, kFacts};
    if (!context.endpoint || context.endpoint->transport != Transport::tcp) {
      Error wrong{ErrorKind::bad_input, "probe resistance needs a TCP endpoint such as tcp/80", {}};
      sheet.rest_unobserved(wrong.what);
      co_return wrong;
    }
    auto accounts = accounts_of(context);
    Transcript transcript{"wrong logins on " + context.endpoint->text(), 512 * 1024};
    for (const auto& account : accounts) {
      context.record.conceal(account.secret);
      transcript.conceal(account.secret);
    }
    credentials::Door door{context.network,   context.record,
                           transcript,        context.target.address,
                           *context.endpoint, sessions::timers_for(context.network),
                           &context.dut};
    auto ended = co_await observe_login(context, door, std::move(accounts), sheet);
    const auto digest = context.record.transcript("guessing", transcript);
    sheet.evidence_for_values("resistance.", digest);
    co_return ended;
  }
};

std::unique_ptr<Probe> make() {
  return std::make_unique<Resistance>();
}

}  // namespace

extern const ProbeDescriptor kDescriptor;
const ProbeDescriptor kDescriptor{
    .id = "resistance",
    .summary =
        "Measures how one login bears guessing: how many wrong ones it takes, what then holds whom, and for how long.",
    .version = 2,
    .intrusiveness = Intrusiveness::intrusive,
    .exclusive = Exclusive::guesses,
    .subject = ProbeSubject::endpoint,
    .deadline = milliseconds{480'000},
    .parameters = kParameters,
    .facts = kFacts,
    .make = &make,
};

}  // namespace assay::probes::resistance
