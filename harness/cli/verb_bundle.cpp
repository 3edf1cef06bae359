#include <fstream>
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "harness/cli/assess.hpp"
#include "harness/judge/judge.hpp"
#include "harness/model/display.hpp"
#include "reports/console/report.hpp"
#include "reports/html/report.hpp"
#include "reports/json/report.hpp"
#include "reports/junit/report.hpp"

/// report, replay, verify: what can be done with a bundle and nothing else.
namespace assay {

namespace {

struct BundleVerb {
  std::string folder;
  std::string format = "console";
  std::string out = "-";
  std::string inconclusive = "skipped";
};

std::optional<Bundle> open_bundle(Context& context, const std::string& folder) {
  auto bundle = Bundle::open(bundle_in(folder));
  if (!bundle) {
    context.complain(bundle.error(), ExitCode::not_verified);
    return std::nullopt;
  }
  return std::move(*bundle);
}

Result<> render(const Context& context, const BundleVerb& verb, const Bundle& bundle, std::ostream& out) {
  if (verb.format == "html") {
    // Links to evidence are relative to where the report stands.
    const auto base = bundle_in(verb.folder) == std::filesystem::path{verb.folder} ? "" : "bundle/";
    return write_html_report(bundle, out, base);
  }
  if (verb.format == "evidence-deck") {
    const auto base = bundle_in(verb.folder) == std::filesystem::path{verb.folder} ? "" : "bundle/";
    return write_evidence_deck(bundle, out, base);
  }
  if (verb.format == "json") {
    return write_json_report(bundle, out);
  }
  if (verb.format == "junit") {
    JunitOptions options;
    options.inconclusive = enum_from<JunitOpen>(verb.inconclusive).value_or(JunitOpen::skipped);
    return write_junit_report(bundle, options, out);
  }
  ConsoleOptions options;
  options.colour = context.colour() && verb.out == "-";
  options.verbose = context.verbose > 0;
  write_console_report(bundle, options, out);
  return {};
}

void report(Context& context, const BundleVerb& verb) {
  const auto bundle = open_bundle(context, verb.folder);
  if (!bundle) {
    return;
  }
  Result<> written;
  if (verb.out == "-") {
    written = render(context, verb, *bundle, std::cout);
  } else {
    std::ofstream file(verb.out, std::ios::binary);
    written = render(context, verb, *bundle, file);
    if (written && !file.flush()) {
      written = Error{ErrorKind::io, "could not write " + verb.out, {}};
    }
  }
  if (!written) {
    context.complain(written.error(), ExitCode::error);
  }
}

void replay(Context& context, const std::string& folder) {
  const auto bundle = open_bundle(context, folder);
  if (!bundle) {
    return;
  }
  const auto recomputed = canonical(to_json(judge_bundle(*bundle)));
  const bool stored = bundle->verdicts().has_value();
  const bool same = stored && canonical(to_json(*bundle->verdicts())) == recomputed;
  if (stored && !same) {
    context.complain({ErrorKind::internal, "the recomputed verdicts differ from verdicts.json", {}},
                     ExitCode::not_verified);
  }
  if (context.json) {
    std::cout << recomputed << '\n';
    return;
  }
  if (!stored) {
    std::cout << "The run is open: there are no stored verdicts to compare with. `--json` prints what the journal "
                 "gives so far.\n";
  } else if (same) {
    std::cout << "Replayed " << bundle->observations().size()
              << " observations: the verdicts are the same, byte for byte.\n";
  }
}

void verify(Context& context, const std::string& folder) {
  const auto report = verify_bundle(bundle_in(folder));
  if (!report.valid) {
    context.exit_code = ExitCode::not_verified;
  }
  if (context.json) {
    context.print_json(to_json(report));
    return;
  }
  for (const auto& finding : report.findings) {
    std::cout << (finding.error ? "WRONG  " : "note   ") << displayable(finding.place) << ": "
              << displayable(finding.what) << "\n";
  }
  std::cout << (report.valid ? "VALID" : "NOT VALID") << ": " << report.events << " events, "
            << (report.closed ? "closed" : "open") << ", chain head " << report.chain_head << "\n";
}

}  // namespace

void add_report(CLI::App& app, Context& context) {
  auto options = std::make_shared<BundleVerb>();
  auto* verb = app.add_subcommand("report", "Write a report of a bundle");
  verb->add_option("folder", options->folder, "Run folder or bundle")->required()->type_name("DIR");
  verb->add_option("--format", options->format, "Form of the report")
      ->check(CLI::IsMember({"console", "html", "evidence-deck", "json", "junit"}))
      ->capture_default_str();
  verb->add_option("-o,--out", options->out, "File to write (- for standard output)")
      ->capture_default_str()
      ->type_name("FILE");
  verb->add_option("--junit-inconclusive", options->inconclusive, "How open units appear in JUnit")
      ->check(CLI::IsMember({"skipped", "failure", "error"}))
      ->capture_default_str();
  verb->callback([&context, options] { report(context, *options); });
}

void add_replay(CLI::App& app, Context& context) {
  auto folder = std::make_shared<std::string>();
  auto* verb =
      app.add_subcommand("replay", "Recompute the verdicts from a bundle and compare them with the stored ones");
  verb->add_option("folder", *folder, "Run folder or bundle")->required()->type_name("DIR");
  verb->callback([&context, folder] { replay(context, *folder); });
}

void add_verify(CLI::App& app, Context& context) {
  auto folder = std::make_shared<std::string>();
  auto* verb = app.add_subcommand("verify", "Find any changed, missing or added byte in a bundle");
  verb->add_option("folder", *folder, "Run folder or bundle")->required()->type_name("DIR");
  verb->callback([&context, folder] { verify(context, *folder); });
}

}  // namespace assay
