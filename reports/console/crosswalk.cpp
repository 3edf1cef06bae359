#include "reports/console/crosswalk.hpp"

#include <algorithm>

#include "harness/model/joined.hpp"
#include "reports/console/page.hpp"

namespace assay {

namespace {

using reports::Page;
using reports::Tone;

constexpr std::size_t kVerdict = 17;
constexpr std::size_t kDetail = 28;
constexpr std::size_t kFindingsShown = 3;  // of one requirement

std::string_view word_for(ClosedBy by) {
  switch (by) {
    case ClosedBy::probe:
      return "probe";
    case ClosedBy::build:
      return "no probe";
    case ClosedBy::declaration:
      return "declare";
    case ClosedBy::hand:
      return "hand";
    case ClosedBy::laboratory:
      return "lab";
    case ClosedBy::scheme:
      return "scheme";
    case ClosedBy::evidence:
      return "evidence";
    case ClosedBy::harness:
      return "harness";
  }
  return "";
}

std::string in_words(Strength strength) {
  switch (strength) {
    case Strength::sourced:
      return "sourced";
    case Strength::derived:
      return "derived";
    case Strength::reasoned:
      return "REASONED: published by no scheme";
    case Strength::unconfirmed:
      return "UNCONFIRMED";
  }
  return {};
}

void write_mapping(const MappingRow& row, Page& page) {
  page.field(kVerdict, "mapped", kDetail,
             "from " + joined(row.supported_by) + " (" + in_words(row.strength) + ")" +
                 (row.gap.empty() ? "" : "; of its own: " + row.gap));
}

void write_every_closer(const std::vector<Closer>& closers, Page& page) {
  for (const auto& closer : closers) {
    page.field(kVerdict, word_for(closer.by), kDetail, closer.what);
    if (!closer.hint.empty()) {
      page.text(kDetail, closer.hint, Tone::soft);
    }
    if (!closer.units.empty()) {
      page.text(kDetail, joined(closer.units), Tone::soft);
    }
  }
}

/// One line for each kind, which stand together.
void write_closers(const std::vector<Closer>& closers, Page& page) {
  for (auto at = closers.begin(); at != closers.end();) {
    const auto next = std::find_if(at, closers.end(), [&](const Closer& one) { return one.by != at->by; });
    const auto more = next - at - 1;
    page.field(kVerdict, word_for(at->by), kDetail,
               at->what + (more == 0 ? "" : " (and " + std::to_string(more) + " more)"));
    at = next;
  }
}

void write_row(const CrosswalkRow& row, bool verbose, Page& page) {
  page.verdict(0, row.verdict, {}, kVerdict, row.id + "  " + row.title);
  for (const auto& mapping : row.mapped) {
    write_mapping(mapping, page);
  }
  if (row.verdict != Verdict::pass) {
    page.field(kVerdict, "why", kDetail, row.because);
  }
  std::size_t shown = 0;
  for (const auto& finding : row.findings) {
    if (verbose || shown++ < kFindingsShown) {
      page.field(kVerdict, "found", kDetail,
                 finding.what + (finding.expected.empty() ? "" : " (asked: " + finding.expected + ")"));
    }
  }
  if (!verbose && row.findings.size() > kFindingsShown) {
    page.text(kDetail, "and " + std::to_string(row.findings.size() - kFindingsShown) + " more", Tone::soft);
  }
  if (verbose) {
    write_every_closer(row.closes, page);
  } else {
    write_closers(row.closes, page);
  }
}

void write_plan(const CrosswalkPlan& plan, const CrosswalkOptions& options, Page& page) {
  page.blank();
  page.text(0, plan.plan + "  " + plan.title, Tone::strong);
  if (plan.suppressed) {
    const auto& rule = *plan.suppressed;
    page.text(2, plan.statement, Tone::warning);
    page.text(2, rule.because + " (" + in_words(rule.strength) + ": " + rule.source + ")");
    if (!rule.instead.empty()) {
      page.text(2, "Instead: " + rule.instead);
    }
    return;
  }
  page.text(2, plan.scheme.document + (plan.draft ? "; DRAFT PLAN, not for submission" : ""), Tone::soft);
  for (const auto& note : plan.notes) {
    page.text(2, note, Tone::warning);
  }
  if (!options.sums_only) {
    for (const auto& row : plan.rows) {
      write_row(row, options.verbose, page);
    }
  }
  page.text(2, plan.statement, Tone::strong);
}

void write_arrangement(const Recognition& one, Page& page) {
  const auto& arrangement = one.arrangement;
  page.text(2, arrangement.from.label + " -> " + arrangement.to.label + " (" + arrangement.between + ")");
  page.text(4, one.standing_words + "; " + one.fit_words,
            one.standing == ArrangementStanding::in_force && one.fit == ScopeFit::in ? Tone::plain : Tone::warning);
  page.text(4, arrangement.gives + (arrangement.note.empty() ? "" : " " + arrangement.note));
  page.text(4, one.requires_label);
  page.text(4, in_words(arrangement.strength) + ": " + arrangement.source, Tone::soft);
}

}  // namespace

void write_console_crosswalk(const Crosswalk& crosswalk, const CrosswalkOptions& options, std::ostream& out) {
  Page page{out, options.colour, options.width};
  page.blank();
  page.text(0, "The same evidence under other schemes", Tone::strong);
  page.text(0, crosswalk.sentence);
  for (const auto& plan : crosswalk.plans) {
    write_plan(plan, options, page);
  }
  page.blank();
  page.text(0, "Arrangements from a label of " + crosswalk.plan + " on " + crosswalk.date.substr(0, 10), Tone::strong);
  if (crosswalk.arrangements.empty()) {
    page.text(2, "None is known.");
  }
  for (const auto& one : crosswalk.arrangements) {
    write_arrangement(one, page);
  }
}

}  // namespace assay
