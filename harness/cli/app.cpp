#include "harness/cli/app.hpp"

#include <CLI/CLI.hpp>

#include "harness/cli/context.hpp"

namespace assay {

namespace {

constexpr const char* kFooter =
    "Exit codes: 0 all required passed, 1 a requirement FAILs, 2 wrong usage or input, 3 requirements open and none "
    "failed, "
    "4 harness error, 5 refused (scope or safety), 6 verification failed, 7 regression, 130 interrupted and "
    "resumable.\n"
    "A network run makes no statement about a label: it says what is evidenced, what failed and what is open.";

}  // namespace

void define_commands(CLI::App& app, Context& context) {
  app.name("assay");
  app.description(
      "Assay tests an IoT device against a cybersecurity label and writes evidence that a laboratory can sign.");
  app.footer(kFooter);
  app.set_version_flag("-V,--version", std::string{"assay "} + kVersion + " (" + kCommit + ")");
  app.add_flag("--json", context.json, "Print facts as one JSON document on standard output");
  app.add_flag("--no-color", context.no_color, "No colour (also: environment NO_COLOR, or output that is no terminal)");
  app.add_flag("-q,--quiet", context.quiet, "No progress, results only");
  app.add_flag("-v,--verbose", context.verbose, "Say more; twice for everything");
  app.add_option("--library", context.library_folder, "Folder of the test plans")->type_name("DIR");
  app.require_subcommand(1);
  app.fallthrough();  // the common switches may stand behind the verb
  add_demo(app, context);
  add_run(app, context);
  add_resume(app, context);
  add_plan(app, context);
  add_plans(app, context);
  add_coverage(app, context);
  add_explain(app, context);
  add_validate(app, context);
  add_dictionary(app, context);
  add_image(app, context);
  add_init(app, context);
  add_declare(app, context);
  add_answer(app, context);
  add_review(app, context);
  add_waive(app, context);
  add_report(app, context);
  add_replay(app, context);
  add_verify(app, context);
  add_secret(app, context);
  add_crosswalk(app, context);
  add_probe(app, context);
  add_probes(app, context);
  add_emulate(app, context);
  add_doctor(app, context);
  add_documents(app, context);
}

}  // namespace assay
