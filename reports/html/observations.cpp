#include <algorithm>
#include <cstdio>
#include <iterator>

#include "harness/model/display.hpp"
#include "harness/model/joined.hpp"
#include "reports/html/pages.hpp"

/// The appendix: what was seen, its files, the limits of the run and the digest of its journal.
namespace assay::reports {

namespace {

constexpr std::int64_t kInlineBytes = 16 * 1024;         // one text shown in the page
constexpr std::int64_t kInlineTotalBytes = 1024 * 1024;  // all of them: a device can make as many as it likes
constexpr std::size_t kLongestLine = 1000;               // code points of one line of a fact

std::vector<std::string> bounded_lines(const json::value& value) {
  auto lines = lines_of(value);
  for (auto& line : lines) {
    line = shortened(displayable(line), kLongestLine);
  }
  return lines;
}

/// "12 µs", "3.4 ms", "12.3 s".
std::string duration_in_words(std::int64_t ns) {
  char text[32];
  if (ns < 1'000'000) {
    std::snprintf(text, sizeof text, "%lld µs", static_cast<long long>(ns / 1000));
  } else if (ns < 1'000'000'000) {
    std::snprintf(text, sizeof text, "%.1f ms", static_cast<double>(ns) / 1e6);
  } else {
    std::snprintf(text, sizeof text, "%.1f s", static_cast<double>(ns) / 1e9);
  }
  return text;
}

void put_fact_evidence(const Reading& reading, const Observation& observation, const std::string& key, Section fact) {
  const auto shown_by = observation.evidence.find(key);
  if (shown_by == observation.evidence.end()) {
    return;
  }
  for (const auto& digest : shown_by->second) {
    put_artifact(reading, fact, "FILE", digest);
  }
}

void put_facts(const Reading& reading, const Observation& observation, Section article) {
  const bool shown_absent =
      std::ranges::any_of(observation.absent, [&](const auto& key) { return observation.evidence.contains(key); });
  if (observation.facts.empty() && !shown_absent) {
    return;
  }
  auto facts = article.add("FACTS");
  facts.text("ID", observation.id);
  const auto add = [&](const std::string& key) {
    auto fact = facts.add("FACT");
    fact.text("KEY", key);
    put_fact_evidence(reading, observation, key, fact);
    return fact;
  };
  for (const auto& [key, value] : observation.facts) {
    add(std::string{std::string_view{key}}).each("LINE", bounded_lines(value));
  }
  for (const auto& key : observation.absent) {
    if (observation.evidence.contains(key)) {
      add(key).maybe("NONE", "absent");
    }
  }
}

/// Facts without a value are many and say little each: one line for all that share it.
void put_valueless(const Observation& observation, Section article) {
  std::vector<std::string> absent;
  std::copy_if(observation.absent.begin(), observation.absent.end(), std::back_inserter(absent),
               [&](const auto& key) { return !observation.evidence.contains(key); });
  article.maybe("ABSENT", displayable(joined(absent)));
  std::map<std::string, std::vector<std::string>> by_reason;
  for (const auto& [key, reason] : observation.unobserved) {
    by_reason[reason].push_back(key);
  }
  for (const auto& [reason, keys] : by_reason) {
    auto line = article.add("UNOBSERVED");
    line.text("KEYS", joined(keys));
    line.text("REASON", reason);
  }
}

void put_coverage(const Observation& observation, Section article) {
  if (observation.coverage.empty()) {
    return;
  }
  auto coverage = article.add("COVERAGE");
  coverage.text("ID", observation.id);
  for (const auto& [key, value] : observation.coverage) {
    auto row = coverage.add("ROW");
    row.text("KEY", std::string{std::string_view{key}});
    row.each("LINE", bounded_lines(value));
  }
}

/// Shows the text of a file in the page when it is text, small, and the page has room for it.
void put_inline(const Reading& reading, const ArtifactRef& artifact, std::int64_t& room, Section file) {
  if (artifact.restricted) {
    file.maybe("NOTE", "restricted: kept for the laboratory only");
    return;
  }
  const bool small_text =
      artifact.media_type.starts_with("text/plain") && artifact.size <= kInlineBytes && artifact.size <= room;
  if (!small_text) {
    return;
  }
  const auto bytes = reading.bundle.artifact(artifact.sha256);
  if (!bytes || bytes->size() > static_cast<std::size_t>(kInlineBytes)) {
    file.maybe("NOTE", "cannot be read from this bundle");
    return;
  }
  room -= static_cast<std::int64_t>(bytes->size());
  auto shown = file.add("INLINE");
  shown.text("NAME", artifact.title);
  shown.prose("TEXT", *bytes);
}

void put_files(const Reading& reading, const Observation& observation, std::int64_t& room, Section article) {
  if (observation.artifacts.empty()) {
    return;
  }
  auto files = article.add("FILES");
  for (const auto& artifact : observation.artifacts) {
    auto file = files.add("FILE");
    file.text("FOLDER", reading.folder_of(artifact));
    file.text("SHA", artifact.sha256);
    file.text("NAME", artifact.title);
    file.text("MEDIA_TYPE", artifact.media_type);
    file.number("SIZE", artifact.size);
    put_inline(reading, artifact, room, file);
  }
}

std::string frames_in_words(const CaptureRef& capture) {
  auto out = "frames: " + std::to_string(capture.frames);
  const auto also = [&out](const char* what, std::int64_t count) {
    out += count > 0 ? std::string{"; "} + what + ": " + std::to_string(count) : std::string{};
  };
  also("left out for the bounds", capture.cut);
  also("of the run lost meanwhile", capture.dropped);
  also("with a secret written over", capture.masked);
  return out;
}

/// Which frames of which file show each conversation: numbers as Wireshark counts them.
void put_captures(const Reading& reading, const Observation& observation, Section article) {
  for (const auto& capture : observation.captures) {
    auto packets = article.add("PACKETS");
    packets.text("ID", observation.id);
    packets.text("WORDS", frames_in_words(capture));
    put_artifact(reading, packets, "FILE", capture.sha256);
    if (!capture.exchanges.empty()) {
      auto table = packets.add("EXCHANGES");
      table.text("ID", observation.id);
      for (const auto& exchange : capture.exchanges) {
        auto row = table.add("EXCHANGE");
        row.text("ENDPOINT", exchange.endpoint);
        row.number("LOCAL_PORT", exchange.local_port);
        row.number("FIRST", exchange.first);
        row.number("LAST", exchange.last);
        row.number("FRAMES", exchange.frames);
      }
      if (capture.unlisted > 0) {
        table.maybe("UNLISTED", std::to_string(capture.unlisted));
      }
    }
  }
}

void put_head(const Reading& reading, const Observation& observation, Section article) {
  const auto& invocation = observation.invocation;
  article.text("ANCHOR", observation_anchor(reading, observation.id));
  article.text("ID", observation.id);
  article.text("PROBE", invocation.probe);
  if (invocation.endpoint) {
    article.maybe("ENDPOINT", invocation.endpoint->text());
  }
  article.text("SAMPLE", invocation.target.sample);
  article.text("ADDRESS", invocation.target.address);
  article.text("VANTAGE", invocation.target.vantage);
  article.text("STATE", invocation.target.state);
  article.text("BEGAN", readable_time(observation.began));
  article.text("TOOK", duration_in_words(observation.took_ns));
  article.text("COMPLETION", words_for(observation.completion));
  if (const auto sequence = reading.bundle.sequence_of(observation.id)) {
    article.maybe("EVENT", std::to_string(*sequence));
  }
  article.maybe("ERROR", displayable(observation.error));
  if (!invocation.parameters.empty()) {
    article.maybe("PARAMETERS", canonical(invocation.parameters));
  }
}

}  // namespace

void fill_observations(const Reading& reading, Section page) {
  if (reading.observations.empty()) {
    page.maybe("NO_OBSERVATIONS", "None: no probe has reported.");
  }
  std::int64_t room = kInlineTotalBytes;
  for (const auto& observation : reading.observations) {
    auto article = page.include("OBSERVATION", "observation.tpl");
    put_head(reading, observation, article);
    put_facts(reading, observation, article);
    put_valueless(observation, article);
    put_coverage(observation, article);
    put_captures(reading, observation, article);
    put_files(reading, observation, room, article);
  }
}

void fill_limits(const Reading& reading, Section page) {
  const auto all = limits(reading.bundle, reading.observations);
  if (all.empty()) {
    page.maybe("NONE", "Nothing was assumed, left out or cut short.");
    return;
  }
  auto list = page.add("LIST");
  for (const auto& limit : all) {
    auto item = list.add("ITEM");
    item.text("KIND", limit.kind);
    item.text("SUBJECT", limit.subject);
    item.prose("WHAT", limit.what);
  }
}

void fill_integrity(const Reading& reading, Section page) {
  page.text("CHAIN_HEAD", reading.head.empty() ? "none" : reading.head);
  page.number("EVENTS", static_cast<std::int64_t>(reading.bundle.events().size()));
  page.text("CLOSED", reading.bundle.closed() ? "closed" : "still open");
  if (const auto packets = unowned_packets(reading.bundle)) {
    put_artifact(reading, page, "PACKETS", packets->sha256);
  }
  if (reading.plan.plan.inputs.empty()) {
    return;
  }
  auto inputs = page.add("INPUTS");
  for (const auto& file : reading.plan.plan.inputs) {
    auto row = inputs.add("INPUT");
    row.text("PATH", file.path);
    row.text("SHA", file.sha256);
  }
}

}  // namespace assay::reports
