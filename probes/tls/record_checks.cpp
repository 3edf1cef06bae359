#include "probes/tls/record_checks.hpp"

#include <algorithm>

#include "probes/wire/bytes.hpp"

namespace assay::probes::tls {

namespace {

namespace message = wire::record;

constexpr std::uint8_t kApplicationData = 23;
constexpr std::uint8_t kHelloRequest = 0;
constexpr char kCloseNotify[] = "\x01";  // a warning, and its number, which is 0
constexpr std::size_t kAlertSize = 2;
constexpr std::size_t kMessageHead = 4;

bool alert_came(const wire::TlsRecordLog& log) {
  const auto& records = log.records();
  return std::any_of(records.begin(), records.begin() + static_cast<std::ptrdiff_t>(log.whole()),
                     [](const auto& one) { return one.type == message::kAlert; });
}

/// A record under new keys has come, which is the server's Finished.
bool finished_came(const wire::TlsRecordLog& log) {
  const auto& records = log.records();
  const auto end = records.begin() + static_cast<std::ptrdiff_t>(log.whole());
  const auto changed =
      std::find_if(records.begin(), end, [](const auto& one) { return one.type == message::kChangeCipherSpec; });
  return alert_came(log) || std::any_of(changed, end, [](const auto& one) { return one.type == message::kHandshake; });
}

/// The messages of a flight, for the hash of the handshake; what a server may say at any time is no part of it.
std::string messages_of(std::string_view flight) {
  std::string all;
  for (const auto& one : wire::whole_records(flight)) {
    if (one.type == message::kHandshake) {
      all += one.body;
    }
  }
  std::string out;
  wire::Reader reader{all};
  while (reader.rest().size() >= kMessageHead) {
    const auto whole = reader.rest();
    const auto type = reader.u8();
    const std::size_t size = reader.u24();
    reader.take(size);
    if (!reader.failed() && type != kHelloRequest) {
      out += whole.substr(0, kMessageHead + size);
    }
  }
  return out;
}

/// What came under the server's keys after so many records: "alert bad_record_mac, the end of the connection".
std::string text_of(const Heard& heard, CbcDirection& server, std::size_t after = 0) {
  std::string out;
  auto records = wire::whole_records(heard.bytes);
  records.erase(records.begin(), records.begin() + static_cast<std::ptrdiff_t>(std::min(after, records.size())));
  for (const auto& one : records) {
    const auto content = server.open(one.type, one.body);
    const bool alert = one.type == message::kAlert && content && content->size() == kAlertSize;
    out += alert                           ? "alert " + wire::tls_alert_name(static_cast<std::uint8_t>(content->back()))
           : content                       ? "a record of type " + std::to_string(one.type)
           : one.body.size() == kAlertSize ? "an alert in clear"
                                           : "a record that the keys do not open";
    out += ", ";
  }
  switch (heard.end) {
    case Heard::End::closed:
      return out + "the end of the connection";
    case Heard::End::reset:
      return out + "a reset";
    case Heard::End::not_tls:
      return out + "bytes that are no TLS";
    default:
      return out + "silence";
  }
}

}  // namespace

RecordChecks::RecordChecks(NewExchange exchange) : exchange_(std::move(exchange)) {
  decide(WeaknessState::unknown, "not asked");
}

void RecordChecks::decide(WeaknessState state, const std::string& why) {
  results_.clear();
  for (const auto* name : {"tls_poodle", "zombie_poodle", "goldendoodle"}) {
    results_.push_back({name, state, why});
  }
}

void RecordChecks::plan(sessions::Jobs& jobs, HelloWish wish) {
  wish_ = std::move(wish);
  begin_round(jobs, jobs.width() > 1);  // one at a time a try that fails costs more than a silence
}

void RecordChecks::begin_round(sessions::Jobs& jobs, bool ends) {
  auto& round = rounds_.emplace_back();
  round.ends = ends;
  for (std::size_t index = 0; index < kFlaws; ++index) {
    const auto flaw = static_cast<Flaw>(index);
    jobs.add([this, &jobs, &round, flaw] { return ask(jobs, round, flaw); });
  }
}

asio::awaitable<void> RecordChecks::ask(sessions::Jobs& jobs, Round& round, Flaw flaw) {
  if (!round.failed && !over_) {
    co_await ask_in_session(round, flaw);
  }
  if (--round.left == 0) {
    end_round(jobs, round);
  }
}

bool RecordChecks::fail(const Exchange& line, std::string why) {
  if (line.over()) {
    over_ = line.over();
  }
  trouble_ = std::move(why);
  return false;
}

asio::awaitable<void> RecordChecks::ask_in_session(Round& round, Flaw flaw) {
  auto line = exchange_();
  line.keep_bytes();
  const auto hello = make_hello(wish_);
  auto title = "a session with CBC, then a record with " + std::string{flaw_name(flaw)};
  const bool begun = co_await line.begin(std::move(title), hello);
  if (!begun) {
    round.failed = !fail(line, line.why());
    co_return;
  }
  Session session;
  auto bytes = end_of_handshake(line, hello, session);
  std::string answer;
  if (!bytes.empty() && round.ends) {
    answer = co_await answer_at_once(line, std::move(bytes), session, flaw);
  } else if (!bytes.empty()) {
    const bool finished = co_await finish(line, std::move(bytes), session);
    if (finished) {
      answer = co_await answer_to(line, session, flaw);
    }
  }
  if (line.over()) {
    over_ = line.over();
  }
  round.failed = round.failed || answer.empty();
  sessions_ += answer.empty() ? 0 : 1;
  round.answers[static_cast<std::size_t>(flaw)] = std::move(answer);
}

/// The client's second flight; "" when there can be none: `trouble_`.
std::string RecordChecks::end_of_handshake(Exchange& line, const wire::TlsHello& hello, Session& session) {
  const auto& flight = line.flight();
  const auto& answer = *flight.hello();
  const auto version = answer.version;
  const auto suite = cbc_suite(answer.suite, version);
  const auto key = suite ? client_key(flight, hello.version) : std::nullopt;
  auto& keys = session.keys;
  keys = key ? cbc_keys(*suite, version, key->premaster, hello.random, answer.random) : std::nullopt;
  if (!keys) {
    fail(line, "the key exchange could not be made: " + wire::tls_suite_name(answer.suite));
    return {};
  }
  setting_ = wire::tls_suite_name(answer.suite) + " in " + wire::tls_version_name(version);
  const auto own = no_certificate(flight) + key->message;
  const auto before = wire::tls_hello_message(hello) + messages_of(line.flight_bytes()) + own;
  const auto finished = finished_message(*suite, version, keys->master, true, before);
  return wire::tls_record(message::kHandshake, version, own) + wire::change_cipher_spec_record(version) +
         keys->client.seal(message::kHandshake, finished);
}

/// The server's Finished has come, under its keys. Else `trouble_`.
bool RecordChecks::is_finished(const Exchange& line, const Heard& heard, Session& session) {
  bool changed = false;
  for (const auto& one : wire::whole_records(heard.bytes)) {
    ++session.handshake;
    if (changed && session.keys->server.open(one.type, one.body)) {
      return true;
    }
    changed = changed || one.type == message::kChangeCipherSpec;
  }
  return fail(line, "no handshake was finished with " + setting_ + ": " + heard.text());
}

asio::awaitable<std::string> RecordChecks::answer_at_once(Exchange& line, std::string bytes, Session& session,
                                                          Flaw flaw) {
  bytes += session.keys->client.seal(kApplicationData, {}, flaw);
  auto what = "ClientKeyExchange, ChangeCipherSpec, Finished, a record of no content with " +
              std::string{flaw_name(flaw)} + ", the end of our side";
  co_await line.say_last(std::move(bytes), std::move(what));
  const auto within = std::min(line.patience(), 2 * line.moment());
  const auto heard = co_await line.hear(within, &never_enough);
  co_return is_finished(line, heard, session) ? text_of(heard, session.keys->server, session.handshake) : std::string{};
}

asio::awaitable<bool> RecordChecks::finish(Exchange& line, std::string bytes, Session& session) {
  co_await line.say(std::move(bytes), "ClientKeyExchange, ChangeCipherSpec, Finished");
  const auto patience = line.patience();
  const auto heard = co_await line.hear(patience, &finished_came);
  if (!is_finished(line, heard, session)) {
    co_return false;
  }
  // A record takes less work than that answer did. Only a record that is taken costs this silence.
  constexpr milliseconds kSlack{100};
  const bool confirms = rounds_.size() > 1;  // what is said to be shown rests on no haste
  session.silence = confirms ? patience : std::min(patience, std::chrono::ceil<milliseconds>(2 * heard.took) + kSlack);
  co_return true;
}

asio::awaitable<std::string> RecordChecks::answer_to(Exchange& line, Session& session, Flaw flaw) {
  const auto silence = session.silence;
  auto& keys = *session.keys;
  auto record = keys.client.seal(kApplicationData, {}, flaw);
  auto what = "a record of no content with " + std::string{flaw_name(flaw)};
  co_await line.say(std::move(record), std::move(what));
  const auto heard = co_await line.hear(silence, &alert_came);
  auto out = text_of(heard, keys.server);
  if (heard.end == Heard::End::enough || heard.end == Heard::End::alert) {
    // How the connection ends after its alert is a part of the answer.
    const auto after = co_await line.hear(silence, &never_enough);
    out = out.substr(0, out.rfind(", ")) + ", " + text_of(after, keys.server);
  } else if (heard.end == Heard::End::silence) {
    auto bye = keys.client.seal(message::kAlert, std::string_view{kCloseNotify, kAlertSize});
    co_await line.say(std::move(bye), "close_notify");
  }
  co_return out;
}

void RecordChecks::end_round(sessions::Jobs& jobs, const Round& round) {
  const auto& answers = round.answers;
  if (over_) {
    decide(WeaknessState::unknown, trouble_);
  } else if (round.ends) {
    const bool refused = !round.failed && answers[0] != answers[1] &&
                         std::all_of(answers.begin() + 1, answers.end(),
                                     [](const std::string& one) { return one.starts_with("alert "); });
    if (refused) {
      compare_rounds(jobs, round);
    } else {
      rounds_.clear();
      begin_round(jobs, false);
    }
  } else if (round.failed) {
    decide(WeaknessState::unknown, trouble_);
  } else {
    compare_rounds(jobs, round);
  }
}

/// A right record is answered otherwise where our side ends behind it.
bool RecordChecks::same_wrongs(const Round& one, const Round& other) {
  const auto from = one.ends || other.ends ? 1 : 0;
  return std::equal(one.answers.begin() + from, one.answers.end(), other.answers.begin() + from);
}

void RecordChecks::compare_rounds(sessions::Jobs& jobs, const Round& round) {
  const auto& answers = round.answers;
  alerts_["wrong_mac"] = answers[static_cast<std::size_t>(Flaw::mac)];
  alerts_["wrong_padding"] = answers[static_cast<std::size_t>(Flaw::padding)];
  const bool wrongs_alike =
      std::all_of(answers.begin() + 2, answers.end(), [&](const std::string& one) { return one == answers[1]; });
  if (answers[0] == answers[1]) {
    decide(WeaknessState::unknown, "a right record is answered like one with a wrong MAC: " + answers[0]);
  } else if (rounds_.size() == 1) {
    wrongs_alike ? judge(round) : begin_round(jobs, false);
  } else if (rounds_.size() == 2 && !wrongs_alike && !same_wrongs(rounds_.front(), round)) {
    begin_round(jobs, false);  // the first one was hurried, and that may be all that is other
  } else if (!same_wrongs(rounds_[rounds_.size() - 2], round)) {
    decide(WeaknessState::unknown, "answers to wrong records differ, but not twice in the same way");
  } else {
    judge(round);
  }
}

void RecordChecks::judge(const Round& round) {
  const auto& answers = round.answers;
  const auto of = [&](Flaw flaw) -> const std::string& { return answers[static_cast<std::size_t>(flaw)]; };
  const bool padding_taken = of(Flaw::padding) == of(Flaw::none);
  const bool byte_taken = of(Flaw::first_padding) == of(Flaw::none);
  decide("tls_poodle", padding_taken || byte_taken, answers, padding_taken ? Flaw::padding : Flaw::first_padding,
         Flaw::none);
  const bool padding_told = !padding_taken && of(Flaw::padding) != of(Flaw::both);
  const bool byte_told = !byte_taken && of(Flaw::first_padding) != of(Flaw::both);
  decide("zombie_poodle", padding_told || byte_told, answers, padding_told ? Flaw::padding : Flaw::first_padding,
         Flaw::both);
  decide("goldendoodle", of(Flaw::mac) != of(Flaw::both), answers, Flaw::mac, Flaw::both);
}

void RecordChecks::decide(std::string_view name, bool shown, const Answers& answers, Flaw one, Flaw other) {
  const auto found =
      std::find_if(results_.begin(), results_.end(), [&](const Weakness& result) { return result.name == name; });
  const auto sessions = std::to_string(sessions_) + " sessions with " + setting_ + ": ";
  const auto said = [&](Flaw flaw) {
    return std::string{flaw_name(flaw)} + " was answered with " + answers[static_cast<std::size_t>(flaw)];
  };
  found->state = shown ? WeaknessState::shown : WeaknessState::not_shown;
  found->why = sessions + (shown ? said(one) + "; " + said(other) : said(Flaw::mac) + "; " + said(Flaw::none));
}

}  // namespace assay::probes::tls
