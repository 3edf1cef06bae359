// Everything that is read out of a bundle, from bytes: journal lines, verdicts, run plan, manifest and sums. What
// parses must be written back the same: a reader that accepts two spellings of one thing could not be checked by
// digest.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "harness/evidence/digest.hpp"
#include "harness/evidence/journal.hpp"
#include "harness/evidence/layout.hpp"

namespace {

using namespace assay;

template <class T>
void read_as(const json::value& value) {
  T out;
  if (auto read = from_json(value, out); read && !evidence::has_fraction(value)) {
    T again;
    const auto text = canonical(to_json(out));
    const auto parsed = parse_json(text, "written");
    if (!parsed || !from_json(*parsed, again) || canonical(to_json(again)) != text) {
      std::abort();
    }
  }
}

void read_line(std::string_view text) {
  const auto event = evidence::parse_event(text, "journal.jsonl line 1");
  if (event) {
    (void)evidence::named_artifacts(*event);
    (void)evidence::named_evidence(*event);
    (void)evidence::vouched_files(*event);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  read_line(text);
  if (const auto manifest = evidence::read_manifest(text); manifest && evidence::document(to_json(*manifest)) != text) {
    std::abort();
  }
  (void)evidence::read_sums(text);
  (void)evidence::printable(text);
  const auto value = parse_json(text, "text");
  if (value) {
    read_as<Verdicts>(*value);
    read_as<RunPlan>(*value);
    read_as<Observation>(*value);
    // What a device may say is made fit for a line, whatever it is.
    if (!parse_json(canonical(evidence::readable(*value)), "readable")) {
      std::abort();
    }
  }
  // Bytes that are no UTF-8 must not make a line that cannot be read.
  json::object raw;
  raw["text"] = std::string_view{text};
  if (!parse_json(canonical(evidence::readable(raw)), "raw")) {
    std::abort();
  }
  return 0;
}
