#include "probes/ports/behaviour.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "harness/model/usual_ports.hpp"

namespace assay::probes::ports {

namespace {

constexpr std::int64_t kCrowd = 256;
constexpr std::int64_t kOneIn = 20;
constexpr std::size_t kMostLooks = 128;
constexpr milliseconds kLeastWait{250};
constexpr int kRoundTrips = 8;
/// Most services say something to it; those that speak first have said so by then.
constexpr std::string_view kRequest = "GET / HTTP/1.0\r\n\r\n";

/// Every "tcp/N" that stands somewhere in the declaration.
void collect_ports(const json::value& value, std::vector<std::uint16_t>& out) {
  if (value.is_string()) {
    const auto endpoint = Endpoint::parse(std::string_view{value.get_string()});
    if (endpoint && endpoint->transport == Transport::tcp) {
      out.push_back(endpoint->port);
    }
  } else if (value.is_array()) {
    for (const auto& item : value.get_array()) {
      collect_ports(item, out);
    }
  } else if (value.is_object()) {
    for (const auto& [key, item] : value.get_object()) {
      collect_ports(item, out);
    }
  }
}

/// Open ports worth a second look, the likeliest first.
std::vector<std::uint16_t> candidates(const ProbeContext& context, const SweepReport& report) {
  std::vector<std::uint16_t> wanted;
  for (const auto& [table, entries] : context.dut.ixit) {
    for (const auto& entry : entries) {
      collect_ports(entry, wanted);
    }
  }
  wanted.insert(wanted.end(), kUsualPorts.begin(), kUsualPorts.end());
  std::set<std::uint16_t> open;
  for (const auto& result : report.results) {
    if (result.state == PortState::open) {
      open.insert(result.port);
    }
  }
  std::vector<std::uint16_t> out;
  for (const auto port : wanted) {
    if (out.size() < kMostLooks && open.erase(port) > 0) {
      out.push_back(port);
    }
  }
  return out;
}

/// Whether somebody is there: a SYN proxy or a tarpit completes the handshake and says nothing.
asio::awaitable<bool> says_something(ProbeContext& context, std::uint16_t port) {
  const Endpoint to{Transport::tcp, port};
  const auto within = context.network.connect_timeout();
  auto connected = co_await context.network.connect_tcp(to, within);
  if (!connected) {
    co_return false;
  }
  const auto& stream = *connected;
  const auto wait = std::max(kRoundTrips * context.network.round_trip(kLeastWait / kRoundTrips), kLeastWait);
  const auto request = std::as_bytes(std::span{kRequest});
  const auto sent = co_await stream->write_all(request, wait);
  if (!sent) {
    co_return false;
  }
  std::array<std::byte, 64> buffer{};
  const std::span<std::byte> into{buffer};
  const auto reply = co_await stream->read_some(into, wait);
  co_return reply.has_value();
}

json::object entry(std::string_view kind, std::string words) {
  return {{"kind", kind}, {"words", std::move(words)}};
}

std::string slowed_in_words(const SweepReport& report) {
  constexpr std::int64_t kNsPerMs = 1'000'000;
  return "answers came late under the scan (" + std::to_string(report.latest_ns / kNsPerMs) +
         " ms at best), and it was asked more slowly " + std::to_string(report.late_answers) +
         (report.late_answers == 1 ? " time" : " times") + ", down to " + std::to_string(report.slowest_a_second) +
         " ports a second";
}

std::string not_covered(const SweepReport& report) {
  return std::to_string(report.ports - report.unreliable) + " of " + std::to_string(report.ports) +
         " ports were settled before, the others are not covered";
}

}  // namespace

bool accepts_everywhere(const SweepReport& report) {
  return report.open >= kCrowd && report.open * kOneIn >= report.ports;
}

asio::awaitable<void> look_again(ProbeContext& context, SweepReport& report) {
  std::set<std::uint16_t> proven;
  for (const auto port : candidates(context, report)) {
    const bool there = co_await says_something(context, port);
    if (there) {
      proven.insert(port);
    }
  }
  const auto reason = "accepted like " + std::to_string(report.open) + " of " + std::to_string(report.ports) +
                      " ports, which shows no service";
  for (auto& result : report.results) {
    if (result.state == PortState::open && !proven.contains(result.port)) {
      result = {result.port, PortState::unreliable, reason};
      --report.open;
      ++report.unreliable;
    }
  }
}

json::object everywhere(const SweepReport& report, std::int64_t accepted) {
  return entry("accepts_everywhere",
               std::to_string(accepted) + " of " + std::to_string(report.ports) + " ports accept a handshake, and " +
                   std::to_string(report.open) +
                   " of those looked at again said something: a tarpit, a SYN proxy or a firewall "
                   "answers for the device");
}

json::array unusual(const SweepReport& report) {
  json::array out;
  if (report.ports > 0 && report.open + report.closed == 0) {
    out.push_back(entry("silent", "no port answered at all: the device is not there, or drops everything"));
  }
  if (report.late_answers > 0) {
    out.push_back(entry("answers_late", slowed_in_words(report)));
  }
  if (report.turned_away) {
    out.push_back(
        entry("turns_away",
              "ports that were open began to refuse: the device bans what scans it, or its services went down; " +
                  not_covered(report)));
    return out;  // how fast it answered before says little
  }
  if (report.stopped_answering) {
    out.push_back(entry("stopped_answering",
                        "the device stopped answering: it bans what scans it, or it is down; " + not_covered(report)));
    return out;
  }
  if (report.outages > 0) {
    out.push_back(entry("gives_out", "the device fell silent or lost its services under the scan, and came back: " +
                                         std::to_string(report.outages) + (report.outages == 1 ? " time" : " times") +
                                         "; it was asked more slowly then, down to " +
                                         std::to_string(report.slowest_a_second) + " ports a second"));
    return out;  // what was lost, the outage lost
  }
  if (report.resets_limited) {
    out.push_back(
        entry("limits_resets", "closed ports fell silent while open ones went on answering: it limits its resets"));
  } else if (report.slow_downs > 0) {
    out.push_back(entry("limits_rate", "answers were lost above a certain rate; it took about " +
                                           std::to_string(report.limit_a_second) + " ports a second"));
  }
  return out;
}

}  // namespace assay::probes::ports
