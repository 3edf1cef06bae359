#include "harness/probe/probe.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "harness/model/joined.hpp"
#include "probes/sessions/fact_sheet.hpp"
#include "probes/sessions/ranges.hpp"
#include "probes/wire/bytes.hpp"

namespace assay::probes::udp {

namespace {

constexpr std::int64_t kLongestProof = 24 * 60 * 60;  // seconds
constexpr std::size_t kShownBytes = 2048;

constexpr ParameterSpec kParameters[] = {
    {"ports", ValueKind::text, "\"payloads\"",
     "UDP ports to look at: \"payloads\" (those of the list), \"all\", or ports and ranges as in \"53,1900-1910\""},
    {"payloads", ValueKind::text, "\"udp-payloads\"", "list of requests, by its id"},
    {"prove", ValueKind::integer, "120",
     "seconds that the proof which silent ports are closed may take after the requests; 0: no proof", true},
};

constexpr FactSpec kFacts[] = {
    {"udp.open", ValueKind::list,
     "ports that sent a datagram: endpoint, protocol (\"unknown\" when no reply is like those of the list) and reason, "
     "by "
     "port"},
    {"udp.open_filtered", ValueKind::list,
     "ports that stayed silent where an ICMP error would have come, or where the path refused: endpoint or range, and "
     "reason"},
    {"udp.unreliable", ValueKind::list, "ports without a believable answer: endpoint or range, and reason"},
    {"udp.closed", ValueKind::integer, "number of ports that the device refused with an ICMP error of its own"},
    {"udp.closed_ranges", ValueKind::text, "those ports, as in \"1-52,54-65535\""},
    {"udp.icmp_rate", ValueKind::object,
     "whether the device limits its ICMP errors (limited), how many came a minute while it did (per_minute), and to "
     "how "
     "many addresses of ours (sources)"},
};

std::string_view text_parameter(const json::object& parameters, std::string_view name) {
  const auto* value = parameters.if_contains(name);
  return value != nullptr && value->is_string() ? std::string_view{value->get_string()} : std::string_view{};
}

/// A sweep with the way back from its questions to their payloads.
struct Plan {
  UdpSweep sweep;
  std::vector<const Payload*> payloads;  // by question
  std::set<std::uint16_t> ports;         // all that are asked
  std::string ranges;
};

void add_questions(Plan& plan, const PayloadList& list, const std::vector<PortRange>* within) {
  for (const auto& payload : list.payloads) {
    for (const auto port : payload.ports) {
      const bool wanted = within == nullptr || std::any_of(within->begin(), within->end(), [&](const auto& range) {
                            return port >= range.first && port <= range.last;
                          });
      if (wanted) {
        plan.sweep.questions.push_back({port, payload.request, payload.from_port, payload.address_at});
        plan.payloads.push_back(&payload);
      }
    }
  }
}

Result<Plan> plan_of(const ProbeContext& context) {
  const auto id = text_parameter(context.parameters, "payloads");
  const auto* list = context.library.payloads(id);
  if (list == nullptr) {
    return Error{ErrorKind::bad_input, "there is no list of payloads \"" + wire::printable(id, 40) + "\"", {}};
  }
  Plan plan;
  const auto* prove = context.parameters.if_contains("prove");
  const auto seconds = prove != nullptr && prove->is_int64() ? prove->get_int64() : 0;
  plan.sweep.prove_for = std::chrono::seconds{std::clamp<std::int64_t>(seconds, 0, kLongestProof)};
  const auto ports = text_parameter(context.parameters, "ports");
  if (wire::trim(ports) == "payloads") {
    add_questions(plan, *list, nullptr);
    std::vector<PortRange> single;
    for (const auto& question : plan.sweep.questions) {
      plan.ports.insert(question.port);
    }
    for (const auto port : plan.ports) {
      single.push_back({port, port});
    }
    plan.ranges = sessions::ranges_text(single);
    return plan;
  }
  const auto ranges = sessions::parse_ranges(ports, "\"ports\" of probe udp");
  if (!ranges) {
    return ranges.error();
  }
  add_questions(plan, *list, &*ranges);
  for (const auto& range : *ranges) {
    for (std::uint32_t port = range.first; port <= range.last; ++port) {
      plan.sweep.others.push_back(static_cast<std::uint16_t>(port));
      plan.ports.insert(static_cast<std::uint16_t>(port));
    }
  }
  plan.ranges = sessions::ranges_text(*ranges);
  return plan;
}

/// The protocols that the replies of a port are like; "unknown" when they are like none that was asked there.
std::string protocol_of(const UdpReport& report, const Plan& plan, std::uint16_t port) {
  std::set<std::string> names;
  for (const auto& answer : report.answers) {
    if (answer.question < plan.payloads.size() && plan.sweep.questions[answer.question].port == port &&
        plan.payloads[answer.question]->recognises(answer.reply)) {
      names.insert(plan.payloads[answer.question]->protocol);
    }
  }
  return names.empty() ? "unknown" : joined(names);
}

json::array open_ports(const UdpReport& report, const Plan& plan) {
  json::array out;
  for (const auto& result : report.results) {
    if (result.state == UdpState::open) {
      out.push_back({{"endpoint", Endpoint{Transport::udp, result.port}.text()},
                     {"protocol", protocol_of(report, plan, result.port)},
                     {"reason", wire::printable(result.reason, 200)}});
    }
  }
  return out;
}

/// Neighbouring ports with the same state and reason as one entry: "udp/81-90".
json::array listed(const UdpReport& report, UdpState state) {
  json::array out;
  for (std::size_t i = 0; i < report.results.size(); ++i) {
    const auto& first = report.results[i];
    if (first.state != state) {
      continue;
    }
    auto last = first.port;
    while (i + 1 < report.results.size() && report.results[i + 1].state == state &&
           report.results[i + 1].reason == first.reason && report.results[i + 1].port == last + 1) {
      last = report.results[++i].port;
    }
    const auto range = last == first.port ? std::string{} : "-" + std::to_string(last);
    out.push_back({{"endpoint", Endpoint{Transport::udp, first.port}.text() + range},
                   {"reason", wire::printable(first.reason, 200)}});
  }
  return out;
}

/// What was asked and is not among the results. They are sorted.
std::string closed_ranges(const UdpReport& report, const Plan& plan) {
  std::vector<PortRange> closed;
  auto result = report.results.begin();
  for (const auto port : plan.ports) {
    while (result != report.results.end() && result->port < port) {
      ++result;
    }
    if (result != report.results.end() && result->port == port) {
      continue;
    }
    if (!closed.empty() && closed.back().last + 1 == port) {
      closed.back().last = port;
    } else {
      closed.push_back({port, port});
    }
  }
  return sessions::ranges_text(closed);
}

json::object coverage_of(const UdpReport& report, const Plan& plan, std::string_view address) {
  constexpr std::int64_t kNsPerMs = 1'000'000;
  constexpr std::int64_t kNsPerUs = 1'000;
  constexpr std::int64_t kNsPerSecond = 1'000'000'000;
  return {{"asked", report.ports},
          {"questions", report.questions},
          {"unasked_questions", report.unasked},
          {"attempts", report.attempts},
          {"answered", report.answered},
          {"retried", report.retried},
          {"lost", report.lost},
          {"open", report.open},
          {"closed", report.closed},
          {"open_filtered", report.open_filtered},
          {"unreliable", report.unreliable},
          {"controls", report.controls},
          {"controls_answered", report.controls_answered},
          {"icmp_errors", report.icmp_errors},
          {"icmp_limited", report.icmp_limited},
          {"sources", report.sources},
          {"local_errors", report.local_errors},
          {"questions_took_ms", report.questions_took_ns / kNsPerMs},
          {"took_ms", report.took_ns / kNsPerMs},
          {"per_second", report.took_ns > 0 ? report.attempts * kNsPerSecond / report.took_ns : 0},
          {"rtt_us", report.rtt_ns / kNsPerUs},
          {"method", "udp-payloads, icmp with control probes"},
          {"interruption", wire::printable(report.interruption, 200)},
          {"ranges", plan.ranges},
          {"address_family", address.find(':') == std::string_view::npos ? "ipv4" : "ipv6"}};
}

/// Requests with their replies, printable and in hexadecimal.
json::array exchanges(const UdpReport& report, const Plan& plan) {
  json::array out;
  for (const auto& answer : report.answers) {
    if (answer.question >= plan.payloads.size()) {
      continue;
    }
    const auto& question = plan.sweep.questions[answer.question];
    const auto& payload = *plan.payloads[answer.question];
    const auto reply = std::string_view{answer.reply}.substr(0, kShownBytes);
    out.push_back({{"endpoint", Endpoint{Transport::udp, question.port}.text()},
                   {"request", payload.id},
                   {"request_hex", wire::hex(question.request)},
                   {"reply_hex", wire::hex(reply)},
                   {"reply_text", wire::printable(reply, kShownBytes)},
                   {"reply_bytes", static_cast<std::int64_t>(answer.reply.size())},
                   {"from_port", answer.from_port},
                   {"like", payload.recognises(answer.reply) ? payload.protocol : "unknown"},
                   {"after_us", answer.after_ns / 1000}});
  }
  return out;
}

class Udp final : public Probe {
 public:
  asio::awaitable<Result<>> observe(ProbeContext& context) override {
    sessions::FactSheet sheet{context.record, kFacts};
    const auto plan = plan_of(context);
    if (!plan) {
      sheet.rest_unobserved(plan.error().what);
      co_return plan.error();
    }
    const auto& sweep = plan->sweep;
    auto swept = co_await context.network.sweep_udp(sweep, context.progress);
    if (!swept) {
      sheet.rest_unobserved(swept.error().what);
      co_return swept.error();
    }
    record(sheet, *swept, *plan, context.target.address);
    co_return Result<>{};
  }

 private:
  static void record(sessions::FactSheet& sheet, const UdpReport& report, const Plan& plan, std::string_view address) {
    auto open = open_ports(report, plan);
    auto filtered = listed(report, UdpState::open_filtered);
    auto unreliable = listed(report, UdpState::unreliable);
    auto coverage = coverage_of(report, plan, address);
    const auto ranges = report.closed > 0 ? closed_ranges(report, plan) : std::string{};
    const json::object evidence{
        {"coverage", coverage},      {"closed", ranges},         {"open", open},
        {"open_filtered", filtered}, {"unreliable", unreliable}, {"exchanges", exchanges(report, plan)}};
    sheet.fact("udp.open", std::move(open));
    sheet.fact("udp.open_filtered", std::move(filtered));
    sheet.fact("udp.unreliable", std::move(unreliable));
    sheet.fact("udp.closed", report.closed);
    sheet.text("udp.closed_ranges", ranges);
    if (report.icmp_errors == 0 || report.controls == 0) {
      sheet.unobserved("udp.icmp_rate", report.icmp_errors == 0 ? "no ICMP error came from the device"
                                                                : "no control probe was sent, so no limit could show");
    } else {
      json::object rate{{"limited", report.icmp_limited}};
      rate["per_minute"] =
          report.icmp_limited ? json::value(std::llround(report.icmp_per_second * 60)) : json::value(nullptr);
      rate["sources"] = report.sources;
      sheet.fact("udp.icmp_rate", std::move(rate));
    }
    sheet.recorder().coverage("udp", std::move(coverage));
    const auto digest = sheet.recorder().artifact("UDP sweep", "application/json", canonical(evidence));
    sheet.evidence_for_values("udp.", digest);
  }
};

std::unique_ptr<Probe> make() {
  return std::make_unique<Udp>();
}

}  // namespace

extern const ProbeDescriptor kDescriptor;
const ProbeDescriptor kDescriptor{
    .id = "udp",
    .summary = "Asks UDP ports in the protocols that live there and tells open, refused and silent ones apart.",
    .version = 1,
    .intrusiveness = Intrusiveness::benign,
    .exclusive = Exclusive::none,
    .subject = ProbeSubject::device,
    .deadline = milliseconds{1'800'000},
    .parameters = kParameters,
    .facts = kFacts,
    .make = &make,
};

}  // namespace assay::probes::udp
