#include "harness/probe/probe.hpp"

#include "probes/ports/behaviour.hpp"
#include "probes/sessions/fact_sheet.hpp"
#include "probes/sessions/ranges.hpp"
#include "probes/wire/bytes.hpp"

namespace assay::probes::ports {

namespace {

constexpr ParameterSpec kParameters[] = {
    {"tcp", ValueKind::text, "\"all\"", "TCP ports to look at: \"all\", or ports and ranges as in \"1-1024,8080\""},
    {"method", ValueKind::text, "\"best\"",
     "how they are asked: \"syn\" (segments, needs the right to raw sockets), \"connect\", or \"best\" of what is "
     "allowed"},
};

constexpr FactSpec kFacts[] = {
    {"ports.open", ValueKind::list, "ports that accepted a TCP handshake: endpoint and reason, by port"},
    {"ports.filtered", ValueKind::list,
     "ports that never answered or whose path refused: endpoint or range, and reason"},
    {"ports.unreliable", ValueKind::list, "ports without a believable answer: endpoint or range, and reason"},
    {"ports.closed", ValueKind::integer, "number of ports that refused"},
    {"ports.behaviour", ValueKind::list,
     "what was unusual about the device as a whole: kind (accepts_everywhere, silent, turns_away, stopped_answering, "
     "gives_out, answers_late, limits_resets, limits_rate) and words; empty when nothing was"},
};

/// Neighbouring ports with the same state and reason as one entry: "tcp/81-90".
json::array listed(const SweepReport& report, PortState state, bool merge) {
  json::array out;
  for (std::size_t i = 0; i < report.results.size(); ++i) {
    const auto& first = report.results[i];
    if (first.state != state) {
      continue;
    }
    auto last = first.port;
    while (merge && i + 1 < report.results.size() && report.results[i + 1].state == state &&
           report.results[i + 1].reason == first.reason && report.results[i + 1].port == last + 1) {
      last = report.results[++i].port;
    }
    const auto range = last == first.port ? std::string{} : "-" + std::to_string(last);
    out.push_back({{"endpoint", Endpoint{Transport::tcp, first.port}.text() + range},
                   {"reason", wire::printable(first.reason, 200)}});
  }
  return out;
}

json::object coverage_of(const SweepReport& report, const std::vector<PortRange>& ranges, std::string_view address) {
  constexpr std::int64_t kNsPerMs = 1'000'000;
  constexpr std::int64_t kNsPerUs = 1'000;
  return {{"asked", report.ports},
          {"attempts", report.attempts},
          {"answered", report.answered},
          {"retried", report.retried},
          {"lost", report.lost},
          {"open", report.open},
          {"closed", report.closed},
          {"filtered", report.filtered},
          {"unreliable", report.unreliable},
          {"local_errors", report.local_errors},
          {"slow_downs", report.slow_downs},
          {"limit_a_second", report.limit_a_second},
          {"late_answers", report.late_answers},
          {"slowest_a_second", report.slowest_a_second},
          {"outages", report.outages},
          {"half_open", report.half_open},
          {"most_half_open", report.most_half_open},
          {"took_ms", report.took_ns / kNsPerMs},
          {"rtt_us", report.rtt_ns / kNsPerUs},
          {"method", report.method},
          {"ranges", sessions::ranges_text(ranges)},
          {"address_family", address.find(':') == std::string_view::npos ? "ipv4" : "ipv6"}};
}

std::optional<SweepMethod> method_of(const json::object& parameters) {
  const auto* asked = parameters.if_contains("method");
  return asked != nullptr && asked->is_string() ? enum_from<SweepMethod>(std::string_view{asked->get_string()})
                                                : std::nullopt;
}

class Ports final : public Probe {
 public:
  asio::awaitable<Result<>> observe(ProbeContext& context) override {
    const auto* asked = context.parameters.if_contains("tcp");
    const auto ranges = sessions::parse_ranges(
        asked != nullptr && asked->is_string() ? std::string_view{asked->get_string()} : "", "\"tcp\" of probe ports");
    sessions::FactSheet sheet{context.record, kFacts};
    if (!ranges) {
      sheet.rest_unobserved(ranges.error().what);
      co_return ranges.error();
    }
    const auto method = method_of(context.parameters);
    if (!method) {
      const Error error{ErrorKind::bad_input, "the parameter \"method\" is best, syn or connect", {}};
      sheet.rest_unobserved(error.what);
      co_return error;
    }
    auto swept = co_await context.network.sweep_tcp(*ranges, *method, context.progress);
    if (!swept) {
      sheet.rest_unobserved(swept.error().what);
      co_return swept.error();
    }
    auto behaviour = unusual(*swept);
    if (accepts_everywhere(*swept)) {
      const auto accepted = swept->open;
      co_await look_again(context, *swept);
      behaviour.insert(behaviour.begin(), everywhere(*swept, accepted));
    }
    record(sheet, *swept, *ranges, behaviour, context.target.address);
    co_return Result<>{};
  }

 private:
  static void record(sessions::FactSheet& sheet, const SweepReport& report, const std::vector<PortRange>& ranges,
                     const json::array& behaviour, std::string_view address) {
    auto open = listed(report, PortState::open, false);
    auto filtered = listed(report, PortState::filtered, true);
    auto unreliable = listed(report, PortState::unreliable, true);
    auto coverage = coverage_of(report, ranges, address);
    const json::object evidence{{"coverage", coverage},
                                {"behaviour", behaviour},
                                {"open", open},
                                {"filtered", filtered},
                                {"unreliable", unreliable}};
    sheet.fact("ports.behaviour", behaviour);
    sheet.fact("ports.open", std::move(open));
    sheet.fact("ports.filtered", std::move(filtered));
    sheet.fact("ports.unreliable", std::move(unreliable));
    sheet.fact("ports.closed", report.closed);
    sheet.recorder().coverage("tcp", std::move(coverage));
    const auto digest = sheet.recorder().artifact("TCP sweep", "application/json", canonical(evidence));
    sheet.evidence_for_values("ports.", digest);
  }
};

std::unique_ptr<Probe> make() {
  return std::make_unique<Ports>();
}

}  // namespace

extern const ProbeDescriptor kDescriptor;
const ProbeDescriptor kDescriptor{
    .id = "ports",
    .summary = "Asks every TCP port of the device and tells open, refused, rejected and silent ones apart.",
    .version = 2,
    .intrusiveness = Intrusiveness::benign,
    .exclusive = Exclusive::none,
    .subject = ProbeSubject::device,
    .deadline = milliseconds{1'800'000},
    .parameters = kParameters,
    .facts = kFacts,
    .make = &make,
};

}  // namespace assay::probes::ports
