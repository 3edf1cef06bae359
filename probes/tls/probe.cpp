#include "harness/probe/probe.hpp"

#include <algorithm>

#include "probes/sessions/certificate.hpp"
#include "probes/sessions/channel.hpp"
#include "probes/sessions/fact_sheet.hpp"
#include "probes/tls/decisive.hpp"
#include "probes/tls/finished.hpp"
#include "probes/tls/looks.hpp"
#include "probes/tls/report.hpp"

namespace assay::probes::tls {

namespace {

constexpr ParameterSpec kParameters[] = {
    {"look_at", ValueKind::text, "\"all\"",
     "\"all\", or \"suites\": versions and suites alone, in the fewest questions"},
    {"server_name", ValueKind::text, "\"\"", "name that is asked for (SNI); \"\": none"},
};

constexpr std::size_t kTranscriptLimit = 1024 * 1024;
constexpr std::size_t kMostAtOnce = 24;
constexpr std::size_t kFewConnections = 4;  // a pace that allows no more is for devices that take one at a time

/// Questions at once for a device whose answer takes so long beyond the round trip: a handshake that costs a fifth of
/// a second is a microcontroller's, and each further one at the same time only makes it slower.
std::size_t width_for(const Network& network, std::chrono::nanoseconds answer) {
  const auto spare = network.spare_connections();
  const auto work = answer - network.round_trip(milliseconds{0});
  if (spare <= kFewConnections || work > milliseconds{200}) {
    return 1;
  }
  return work > milliseconds{20} ? 2 : std::min(spare, kMostAtOnce);
}

/// One survey of one endpoint.
class Survey {
 public:
  explicit Survey(ProbeContext& context)
      : context_(context),
        transcript_("TLS on " + context.endpoint->text(), kTranscriptLimit),
        asker_(context.network, *context.endpoint, transcript_) {
    effort_.server_name = std::string{context.parameters.at("server_name").as_string()};
    suites_.emplace(
        asker_, jobs_, effort_,
        [this](std::uint16_t version, const Reply& reply) { picture_.note(version, reply.flight); },
        [this](const wire::TlsFlight& flight) {
          return flight.ssl2() || flight.done() || !picture_.wants_certificate(flight.hello()->suite);
        });
    finished_.emplace(asker_, context.network, transcript_, *suites_, picture_, effort_.server_name);
    decisive_.emplace(asker_, transcript_, *suites_, picture_, effort_.server_name);
  }

  asio::awaitable<Result<>> run(sessions::FactSheet& sheet);

 private:
  asio::awaitable<Reply> begin();
  asio::awaitable<void> ask_everything();
  asio::awaitable<void> go_on();
  void record(sessions::FactSheet& sheet);

  ProbeContext& context_;
  Transcript transcript_;
  TcpAsker asker_;
  Effort effort_;
  sessions::Jobs jobs_;
  Picture picture_;
  std::optional<SuiteSurvey> suites_;
  std::optional<Finished> finished_;
  std::optional<Decisive> decisive_;
  std::size_t width_ = 1;
  std::optional<Error> over_;
};

/// The first answer; where it is no TLS, the first after an upgrade that the service may know.
asio::awaitable<Reply> Survey::begin() {
  auto reply = co_await suites_->begin();
  if (reply.answer != Answer::not_tls && reply.answer != Answer::silent && reply.answer != Answer::cut) {
    co_return reply;
  }
  const auto* dialect = dialect_for(reply.text, context_.endpoint->port);
  if (dialect == nullptr && reply.answer == Answer::cut && reply.text.empty() && !reply.ends) {
    // The reset of a service that stumbled over the hello takes its greeting with it.
    const auto greeting = co_await asker_.hear_greeting();
    dialect = dialect_for(greeting, context_.endpoint->port);
  }
  if (dialect == nullptr || reply.ends) {
    co_return reply;
  }
  const auto& name = effort_.server_name;
  asker_.set_upgrade(dialect, name.empty() ? context_.target.address : name);
  auto upgraded = co_await suites_->begin();
  co_return upgraded;
}

asio::awaitable<void> Survey::ask_everything() {
  jobs_.set_width(width_);
  suites_->set_width(width_);
  suites_->plan({wire::kTls13, wire::kTls11, wire::kTls10, wire::kSsl3, wire::kSsl2});
  const bool all = context_.parameters.at("look_at").as_string() == "all";
  if (all) {
    jobs_.add([this] { return finished_->shake_hands(); });
  }
  co_await jobs_.run();
  co_await suites_->settle();
  over_ = suites_->over() ? suites_->over() : finished_->over();
  if (over_ || !all) {
    co_return;
  }
  Looks looks{asker_, *suites_, picture_, effort_.server_name};
  looks.plan(jobs_);
  co_await jobs_.run();
  over_ = looks.over();
  if (over_) {
    co_return;
  }
  co_await go_on();
}

/// What goes on after the server's flight.
asio::awaitable<void> Survey::go_on() {
  finished_->plan(jobs_);
  decisive_->plan(jobs_);
  co_await jobs_.run();
  over_ = finished_->over() ? finished_->over() : decisive_->over();
  if (over_) {
    co_return;
  }
  co_await decisive_->ticketbleed(finished_->old_ticket());
  over_ = decisive_->over();
}

void Survey::record(sessions::FactSheet& sheet) {
  if (const auto& session = finished_->session(); session && !session->chain_der.empty()) {
    picture_.add_chain(session->chain_der);
  }
  Report report{sheet, suites_->versions(), picture_, decisive_->results()};
  report.write();
  report.write_session(*finished_);
  sheet.text("tls.starttls", asker_.upgrade() == nullptr ? "" : asker_.upgrade()->name);
}

asio::awaitable<Result<>> Survey::run(sessions::FactSheet& sheet) {
  const auto first = co_await begin();
  Result<> ended;
  if (first.hello() || first.answer == Answer::refused) {
    width_ = width_for(context_.network, first.took);
    co_await ask_everything();
  }
  if (first.ends) {
    over_ = first.ends;
  }
  const bool speaks = first.hello() || first.answer == Answer::refused;
  if (speaks) {
    sheet.fact("tls.spoken", true);
  }
  if (speaks && !over_) {
    record(sheet);
  } else if (over_) {
    if (speaks) {
      Report{sheet, suites_->versions(), picture_}.write_suites();
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
  context_.record.coverage("questions", cost_json(asker_.cost(), width_));
  const auto digest =
      sheet.recorder().artifact("questions and answers", "text/plain; charset=utf-8", transcript_.text());
  sheet.evidence_for_values("tls.", digest);
  co_return ended;
}

class Tls final : public Probe {
 public:
  asio::awaitable<Result<>> observe(ProbeContext& context) override {
    sessions::FactSheet sheet{context.record, report_facts()};
    if (!context.endpoint || context.endpoint->transport != Transport::tcp) {
      const Error missing{ErrorKind::bad_input, "probe tls needs an endpoint such as tcp/443", {}};
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
        "Finds out every version, suite, group and certificate that a TLS server takes or shows, and how it behaves.",
    .version = 1,
    .intrusiveness = Intrusiveness::benign,
    .exclusive = Exclusive::none,
    .subject = ProbeSubject::endpoint,
    .deadline = milliseconds{300'000},
    .parameters = kParameters,
    .facts = kFacts,
    .make = &make,
};

}  // namespace assay::probes::tls
