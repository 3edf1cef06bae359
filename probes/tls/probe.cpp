#include "harness/probe/probe.hpp"

#include <algorithm>

#include "harness/model/never_kept.hpp"
#include "probes/sessions/certificate.hpp"
#include "probes/sessions/channel.hpp"
#include "probes/sessions/fact_sheet.hpp"
#include "probes/tls/dtls_looks.hpp"
#include "probes/tls/fingerprint.hpp"
#include "probes/tls/finished.hpp"
#include "probes/tls/looks.hpp"
#include "probes/tls/opening.hpp"
#include "probes/tls/report.hpp"
#include "probes/tls/ticketbleed.hpp"

namespace assay::probes::tls {

namespace {

constexpr ParameterSpec kParameters[] = {
    {"look_at", ValueKind::text, "\"all\"",
     "\"all\"; \"suites\": versions and suites alone, in the fewest questions; \"fingerprint\": nothing but what tells "
     "stacks apart, in ten connections"},
    {"server_name", ValueKind::text, "\"\"", "name that is asked for (SNI); \"\": none"},
};

constexpr std::size_t kTranscriptLimit = 1024 * 1024;
constexpr std::size_t kFew = 4;         // questions at once
constexpr std::size_t kQueuedRows = 3;  // of questions for one version, for each ends with one refusal

/// One survey of one endpoint.
class Survey {
 public:
  explicit Survey(ProbeContext& context)
      : context_(context),
        transcript_("TLS on " + context.endpoint->text(), kTranscriptLimit),
        effort_{context.endpoint->transport == Transport::udp ? dtls_family() : tls_family(), 1,
                std::string{context.parameters.at("server_name").as_string()}} {
    if (context.endpoint->transport == Transport::udp) {
      dtls_.emplace(context.network, *context.endpoint, transcript_);
    } else {
      tcp_.emplace(context.network, *context.endpoint, transcript_);
    }
    suites_.emplace(
        asker(), jobs_, effort_,
        [this](std::uint16_t version, const Reply& reply) { picture_.note(version, reply.flight); },
        [this](const wire::TlsFlight& flight) {
          if (flight.ssl2() || flight.done()) {
            return true;
          }
          const auto suite = flight.hello()->suite;
          const bool exchange = picture_.wants_exchange(suite) || (along_ && wire::suite_parts(suite).ephemeral_ec);
          return !picture_.wants_certificate(suite) && (flight.key_exchange() || !exchange);
        });
    looks_.emplace(asker(), *suites_, picture_, effort_.server_name);
    finished_.emplace(asker(), context.network, transcript_, *suites_, picture_, effort_.server_name);
    if (tcp_) {
      ticketbleed_.emplace(*suites_, picture_, effort_.server_name);
    }
  }

  asio::awaitable<Result<>> run(sessions::FactSheet& sheet);

 private:
  Asker& asker() { return dtls_ ? static_cast<Asker&>(*dtls_) : *tcp_; }

  asio::awaitable<Reply> begin();
  asio::awaitable<void> see_width(const Reply& first);
  asio::awaitable<void> ask_everything();
  asio::awaitable<void> go_on();
  asio::awaitable<void> finish_by_datagrams();
  asio::awaitable<void> look_further();
  void plan_rest();
  asio::awaitable<void> shake_hands();
  void record(sessions::FactSheet& sheet);
  void record_fingerprint(sessions::FactSheet& sheet);

  ProbeContext& context_;
  Transcript transcript_;
  std::optional<TcpAsker> tcp_;  // one of the two
  std::optional<DtlsAsker> dtls_;
  Effort effort_;
  sessions::Jobs jobs_;
  Picture picture_;
  std::optional<SuiteSurvey> suites_;
  std::optional<Looks> looks_;
  std::optional<Finished> finished_;
  std::optional<Ticketbleed> ticketbleed_;  // with TCP alone
  std::optional<Fingerprint> fingerprint_;  // where it is asked for alone
  std::size_t width_ = 1;
  bool rest_planned_ = false;
  bool hands_shaken_ = false;
  bool along_ = false;  // suites, groups and signature schemes are struck out in the same hellos
  std::optional<Error> over_;
};

asio::awaitable<Reply> Survey::begin() {
  const Question question = [this] { return suites_->begin(); };
  if (!tcp_) {
    auto reply = co_await question();
    co_return reply;
  }
  auto name = effort_.server_name.empty() ? context_.target.address : effort_.server_name;
  auto reply = co_await ask_first(*tcp_, context_.endpoint->port, std::move(name), question);
  co_return reply;
}

/// How many questions at once. Over datagrams one: a device that serves one peer drops the others, and looks dead.
asio::awaitable<void> Survey::see_width(const Reply& first) {
  width_ = dtls_ ? 1 : width_for(context_.network, first.took);
  if (!tcp_) {
    co_return;
  }
  if (width_ > 1 && first.hello()) {
    co_await suites_->ask_newest();
  }
  width_ = co_await width_beside(*tcp_, width_);
}

asio::awaitable<void> Survey::ask_everything() {
  const bool all = context_.parameters.at("look_at").as_string() == "all";
  jobs_.set_width(width_);
  // Side by side the first answers would show the same, and each row's refusal would be asked for twice.
  along_ = all && tcp_ && width_ <= kFew;
  if (along_) {
    suites_->strike_out_along([this](HelloWish& wish) { return picture_.strike_out(wish); });
  }
  suites_->set_width(tcp_ && tcp_->serves() == Serves::queue ? std::min(width_, kQueuedRows) : width_);
  suites_->plan();
  if (all && tcp_) {
    // Nothing waits for the slowest of what can be asked beside it.
    suites_->when_done([this] { looks_->plan_newest(jobs_); }, [this] { plan_rest(); });
    jobs_.add([this] { return shake_hands(); });
  }
  co_await jobs_.run();
  co_await suites_->settle();
  over_ = suites_->over();
  if (!over_) {
    over_ = finished_->over();
  }
  if (over_ || !all) {
    co_return;
  }
  co_await look_further();
}

/// What rests on versions and suites, and what rests on a whole handshake too.
void Survey::plan_rest() {
  looks_->plan(jobs_);
  rest_planned_ = true;
  if (hands_shaken_) {
    finished_->plan(jobs_);
  }
}

asio::awaitable<void> Survey::shake_hands() {
  co_await finished_->shake_hands();
  hands_shaken_ = true;
  if (rest_planned_) {
    finished_->plan(jobs_);
  }
}

asio::awaitable<void> Survey::look_further() {
  if (!rest_planned_) {
    plan_rest();
  }
  co_await jobs_.run();
  over_ = looks_->over();
  if (tcp_ && !over_) {
    co_await go_on();
  }
  if (over_ || tcp_) {
    co_return;
  }
  DtlsLooks of_datagrams{*dtls_, *looks_, *suites_, picture_};
  of_datagrams.plan(jobs_);
  co_await jobs_.run();
  over_ = of_datagrams.over();
  if (!over_) {
    co_await finish_by_datagrams();
  }
}

/// Whole handshakes come last there, for a small device may remember each for a while.
asio::awaitable<void> Survey::finish_by_datagrams() {
  co_await finished_->shake_hands();
  over_ = finished_->over();
  if (over_) {
    co_return;
  }
  finished_->plan(jobs_);
  co_await jobs_.run();
  over_ = finished_->over();
  if (over_) {
    co_return;
  }
  finished_->plan_last(jobs_);
  co_await jobs_.run();
  over_ = finished_->over();
}

/// What rests on a ticket, and what is asked last.
asio::awaitable<void> Survey::go_on() {
  over_ = finished_->over();
  if (over_) {
    co_return;
  }
  jobs_.add([this] {
    Exchange line{*tcp_, transcript_,
                  [this](std::string_view bytes) { context_.record.conceal(bytes, kDeviceMemory); }};
    return ticketbleed_->ask(std::move(line), finished_->old_ticket());
  });
  finished_->plan_last(jobs_);
  co_await jobs_.run();
  over_ = finished_->over() ? finished_->over() : ticketbleed_->over();
}

void Survey::record_fingerprint(sessions::FactSheet& sheet) {
  auto facts = ja3s_facts(picture_.ja3s);
  for (auto& [name, value] : fingerprint_facts(fingerprint_->answers())) {
    facts[name] = std::move(value);
  }
  sheet.fact("tls.fingerprint", std::move(facts));
  sheet.rest_unobserved("the fingerprint alone was asked for");
}

void Survey::record(sessions::FactSheet& sheet) {
  if (fingerprint_) {
    record_fingerprint(sheet);
    return;
  }
  if (const auto& session = finished_->session(); session && !session->chain_der.empty()) {
    picture_.add_chain(session->chain_der);
  }
  if (dtls_) {
    const std::vector<Weakness> none;
    Report report{sheet, suites_->versions(), picture_, none, context_.library.known_keys()};
    report.write();
    report.write_dtls(dtls_->habits());
    report.write_session(*finished_);
    sheet.absent("tls.starttls");
    return;
  }
  Report report{sheet, suites_->versions(), picture_, ticketbleed_->results(), context_.library.known_keys()};
  report.write();
  report.write_session(*finished_);
  sheet.absent("tls.dtls");
  sheet.text("tls.starttls", tcp_->upgrade() == nullptr ? "" : tcp_->upgrade()->name);
}

asio::awaitable<Result<>> Survey::run(sessions::FactSheet& sheet) {
  const auto first = co_await begin();
  Result<> ended;
  const bool speaks = first.hello() || first.answer == Answer::refused;
  if (speaks) {
    sheet.fact("tls.spoken", true);
  }
  if (speaks && tcp_ && context_.parameters.at("look_at").as_string() == "fingerprint") {
    fingerprint_.emplace(*tcp_, effort_.server_name);
    co_await fingerprint_->ask();
    over_ = fingerprint_->over();
  } else if (speaks) {
    co_await see_width(first);
    co_await ask_everything();
  }
  if (first.ends) {
    over_ = first.ends;
  }
  if (speaks && !over_) {
    record(sheet);
  } else if (over_) {
    if (speaks) {
      const std::vector<Weakness> none;
      Report{sheet, suites_->versions(), picture_, none, context_.library.known_keys()}.write_suites();
    }
    sheet.rest_unobserved(over_->what);
    ended = *over_;
  } else if (first.answer == Answer::not_tls) {
    sheet.fact("tls.spoken", false);
    sheet.rest_absent();
  } else {
    const auto kind = first.answer == Answer::no_connection ? ErrorKind::refused : ErrorKind::timed_out;
    sheet.rest_unobserved("no answer to a TLS hello: " + first.why);
    ended = Error{kind, "no answer to a TLS hello: " + first.why, {}};
  }
  context_.record.coverage("questions", cost_json(asker().cost(), width_));
  const auto digest =
      sheet.recorder().artifact("questions and answers", "text/plain; charset=utf-8", transcript_.text());
  sheet.evidence_for_values("tls.", digest);
  co_return ended;
}

class Tls final : public Probe {
 public:
  asio::awaitable<Result<>> observe(ProbeContext& context) override {
    sessions::FactSheet sheet{context.record, report_facts()};
    if (!context.endpoint) {
      const Error missing{ErrorKind::bad_input, "probe tls needs an endpoint such as tcp/443 or udp/5684", {}};
      sheet.rest_unobserved(missing.what);
      co_return missing;
    }
    Survey survey{context};
    auto ended = co_await survey.run(sheet);
    co_return ended;
  }
};

std::unique_ptr<Probe> make() {
  return std::make_unique<Tls>();
}

}  // namespace

extern const ProbeDescriptor kDescriptor;
const ProbeDescriptor kDescriptor{
    .id = "tls",
    .summary =
        "Finds out every version, suite, group and certificate that a TLS or DTLS server takes or shows, and how it "
        "behaves.",
    .version = 3,
    .intrusiveness = Intrusiveness::benign,
    .exclusive = Exclusive::none,
    .subject = ProbeSubject::endpoint,
    .deadline = milliseconds{300'000},
    .parameters = kParameters,
    .facts = kFacts,
    .make = &make,
};

}  // namespace assay::probes::tls
