#include "harness/probe/probe.hpp"

#include <algorithm>

#include "probes/sessions/certificate.hpp"
#include "probes/sessions/channel.hpp"
#include "probes/sessions/fact_sheet.hpp"
#include "probes/tls/decisive.hpp"
#include "probes/tls/dtls_looks.hpp"
#include "probes/tls/fingerprint.hpp"
#include "probes/tls/finished.hpp"
#include "probes/tls/looks.hpp"
#include "probes/tls/report.hpp"

namespace assay::probes::tls {

namespace {

constexpr ParameterSpec kParameters[] = {
    {"look_at", ValueKind::text, "\"all\"",
     "\"all\"; \"suites\": versions and suites alone, in the fewest questions; \"fingerprint\": nothing but what tells "
     "stacks apart, in ten connections"},
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
          return flight.ssl2() || flight.done() || !picture_.wants_certificate(flight.hello()->suite);
        });
    if (tcp_) {
      finished_.emplace(*tcp_, context.network, transcript_, *suites_, picture_, effort_.server_name);
      decisive_.emplace(*tcp_, transcript_, *suites_, picture_, effort_.server_name,
                        [this](std::string_view bytes) { context_.record.conceal(bytes, "memory of the device"); });
    }
  }

  asio::awaitable<Result<>> run(sessions::FactSheet& sheet);

 private:
  Asker& asker() { return dtls_ ? static_cast<Asker&>(*dtls_) : *tcp_; }

  asio::awaitable<Reply> begin();
  asio::awaitable<void> ask_everything();
  asio::awaitable<void> go_on();
  asio::awaitable<void> look_further();
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
  std::optional<Finished> finished_;  // with TCP alone, as the next
  std::optional<Decisive> decisive_;
  std::optional<Fingerprint> fingerprint_;  // where it is asked for alone
  std::size_t width_ = 1;
  std::optional<Error> over_;
};

/// The first answer; where it is no TLS, the first after an upgrade that the service may know.
asio::awaitable<Reply> Survey::begin() {
  auto reply = co_await suites_->begin();
  const bool may_upgrade =
      reply.answer == Answer::not_tls || reply.answer == Answer::silent || reply.answer == Answer::cut;
  if (!may_upgrade || !tcp_) {
    co_return reply;
  }
  const auto* dialect = dialect_for(reply.text, context_.endpoint->port);
  if (dialect == nullptr && reply.answer == Answer::cut && reply.text.empty() && !reply.ends) {
    // The reset of a service that stumbled over the hello takes its greeting with it.
    const auto greeting = co_await tcp_->hear_greeting();
    dialect = dialect_for(greeting, context_.endpoint->port);
  }
  if (dialect == nullptr || reply.ends) {
    co_return reply;
  }
  const auto& name = effort_.server_name;
  tcp_->set_upgrade(dialect, name.empty() ? context_.target.address : name);
  auto upgraded = co_await suites_->begin();
  co_return upgraded;
}

asio::awaitable<void> Survey::ask_everything() {
  jobs_.set_width(width_);
  suites_->set_width(width_);
  suites_->plan();
  const bool all = context_.parameters.at("look_at").as_string() == "all";
  if (all && tcp_) {
    jobs_.add([this] { return finished_->shake_hands(); });
  }
  co_await jobs_.run();
  co_await suites_->settle();
  over_ = suites_->over();
  if (!over_ && finished_) {
    over_ = finished_->over();
  }
  if (over_ || !all) {
    co_return;
  }
  co_await look_further();
}

asio::awaitable<void> Survey::look_further() {
  Looks looks{asker(), *suites_, picture_, effort_.server_name};
  looks.plan(jobs_);
  co_await jobs_.run();
  over_ = looks.over();
  if (over_) {
    co_return;
  }
  if (tcp_) {
    co_await go_on();
    co_return;
  }
  DtlsLooks of_datagrams{*dtls_, looks, *suites_, picture_};
  of_datagrams.plan(jobs_);
  co_await jobs_.run();
  over_ = of_datagrams.over();
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
  if (dtls_) {
    const std::vector<Weakness> none;
    Report report{sheet, suites_->versions(), picture_, none, context_.library.known_keys()};
    report.write();
    report.write_dtls(dtls_->habits());
    sheet.unobserved("tls.session", "no handshake is finished over datagrams");
    sheet.absent("tls.starttls");
    return;
  }
  if (const auto& session = finished_->session(); session && !session->chain_der.empty()) {
    picture_.add_chain(session->chain_der);
  }
  Report report{sheet, suites_->versions(), picture_, decisive_->results(), context_.library.known_keys()};
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
    // Over datagrams one question at a time: a device that serves one peer drops the others, and looks dead.
    width_ = dtls_ ? 1 : width_for(context_.network, first.took);
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
    .version = 2,
    .intrusiveness = Intrusiveness::benign,
    .exclusive = Exclusive::none,
    .subject = ProbeSubject::endpoint,
    .deadline = milliseconds{300'000},
    .parameters = kParameters,
    .facts = kFacts,
    .make = &make,
};

}  // namespace assay::probes::tls
