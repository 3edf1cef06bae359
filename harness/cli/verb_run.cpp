#include <chrono>
#include <ctime>
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "harness/cli/assess.hpp"
#include "harness/cli/attack_budget.hpp"
#include "harness/cli/first_hour.hpp"
#include "harness/model/display.hpp"

namespace assay {

namespace {

struct RunVerb {
  AssessOptions assess;
  std::string out;
  std::string fail_on = "open";
  std::string gate;
  std::string attacks;
  bool no_restore = false;
  bool extend_budget = false;
  std::uint32_t max_connections = 0;
  std::uint32_t max_packets_per_second = 0;
  std::uint32_t max_connects_per_second = 0;
  std::uint32_t login_attempts_per_account = 0;
};

/// "assay-cls-iot-1-20261123T180000Z"
std::string default_folder(const std::string& plan) {
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm utc{};
  gmtime_r(&now, &utc);
  char stamp[32];
  std::strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &utc);
  auto name = plan;
  std::replace(name.begin(), name.end(), '/', '-');
  return "assay-" + name + "-" + stamp;
}

Gate gate_of(const RunVerb& verb) {
  return {enum_from<FailOn>(verb.fail_on).value_or(FailOn::open), verb.gate == "automated"};
}

void add_gate_options(CLI::App& verb, RunVerb& options) {
  verb.add_option("--fail-on", options.fail_on, "First kind of trouble that makes the exit code non-zero")
      ->check(CLI::IsMember({"open", "error", "fail", "never"}))
      ->capture_default_str();
  verb.add_option("--gate", options.gate,
                  "automated: 0 when every unit that a machine can close has passed (not a level result)")
      ->check(CLI::IsMember({"automated"}));
}

void finish(Context& context, const std::optional<Assessed>& assessed, const RunVerb& verb) {
  if (!assessed) {
    return;
  }
  print_assessment(context, *assessed);
  if (assessed->interrupted) {
    context.exit_code = ExitCode::interrupted;
    return;
  }
  const auto gate = gate_of(verb);
  if (gate.automated && !context.json) {
    const auto& summary = assessed->verdicts.summary;
    std::cout << "Gate \"automated\": " << summary.machine_units_passed << " of " << summary.machine_units
              << " units that a machine can close have passed. This is not a level result.\n";
  }
  context.exit_code = exit_code_for(without_waived(assessed->verdicts, assessed->waivers), gate);
}

/// The run as it is made: with the time that its attacks need, where that is wanted.
std::optional<Prepared> prepare_in_time(Context& context, RunVerb& verb) {
  auto prepared = prepare(context, verb.assess);
  if (!prepared) {
    return prepared;
  }
  switch (settle_attack_budget(*prepared, verb.assess, verb.extend_budget)) {
    case AttackBudget::as_planned:
      return prepared;
    case AttackBudget::extended:
      return prepare(context, verb.assess);
    case AttackBudget::refused:
      break;
  }
  context.complain({ErrorKind::bad_input, "nothing was begun; --attacks picks attacks that take less time", {}},
                   ExitCode::refused);
  return std::nullopt;
}

void run(Context& context, RunVerb& verb) {
  for (const auto& [name, value] : {std::pair{"max_connections", verb.max_connections},
                                    {"max_packets_per_second", verb.max_packets_per_second},
                                    {"max_connects_per_second", verb.max_connects_per_second},
                                    {"login_attempts_per_account", verb.login_attempts_per_account}}) {
    if (value > 0) {
      verb.assess.pace_numbers[name] = value;
    }
  }
  if (!verb.attacks.empty()) {
    verb.assess.set.push_back("update.attacks=" + verb.attacks);
  }
  if (verb.no_restore) {
    verb.assess.set.emplace_back("update.restore=false");
  }
  verb.assess.ask = !context.quiet && person_at_terminal();
  const auto prepared = prepare_in_time(context, verb);
  if (!prepared) {
    return;
  }
  const std::filesystem::path folder = verb.out.empty() ? default_folder(verb.assess.plan_id) : verb.out;
  const auto assessed = assess(context, *prepared, folder, verb.assess.allow_public, verb.assess.capture);
  finish(context, assessed, verb);
  if (assessed && !verb.assess.target.empty()) {
    write_first_dut(context, assessed->folder);
  }
}

}  // namespace

void add_run(CLI::App& app, Context& context) {
  auto options = std::make_shared<RunVerb>();
  auto* verb =
      app.add_subcommand("run", "Assess a device against a plan: probe it, judge it, leave a bundle and reports");
  verb->add_option("--plan", options->assess.plan_id, "Plan to run, such as cls-iot/1 (see: assay plans)")
      ->required()
      ->type_name("ID");
  auto* dut =
      verb->add_option("--dut", options->assess.dut_file, "The device and its maker's declaration")->type_name("FILE");
  verb->add_option("--target", options->assess.target,
                   "First hour: assess this address with no file at all; nothing is declared, a dut.yaml is written to "
                   "go on from")
      ->excludes(dut)
      ->type_name("ADDRESS");
  verb->add_option("--also", options->assess.also,
                   "Judge the evidence by these plans or schemes too, afterwards and without a packet (see: crosswalk)")
      ->delimiter(',')
      ->type_name("PLAN,…");
  verb->add_option("--job", options->assess.job_file, "The laboratory's job file")->type_name("FILE");
  verb->add_option("--waivers", options->assess.waivers_file,
                   "Known failures with owner and expiry: they change the exit code, never a verdict")
      ->type_name("FILE");
  verb->add_option("-o,--out", options->out, "New folder for the bundle and the reports")->type_name("DIR");
  verb->add_option("--pace", options->assess.pace, "How hard the device may be worked")
      ->check(CLI::IsMember({"gentle", "normal", "fast"}));
  verb->add_option("--set", options->assess.set,
                   "A parameter of a probe over its default where no case sets it, such as udp.ports=all (see: probes)")
      ->type_name("PROBE.NAME=VALUE");
  verb->add_option("--max-connections", options->max_connections,
                   "Sockets open to the device at once, over the profile's number");
  verb->add_option("--max-packets-per-second", options->max_packets_per_second, "For scans, over the profile's number");
  verb->add_option("--max-connects-per-second", options->max_connects_per_second,
                   "For other probes, over the profile's number");
  verb->add_option("--login-attempts", options->login_attempts_per_account,
                   "Wrong logins for one account, over the profile's number");
  verb->add_option("--allow", options->assess.allow, "Highest intrusiveness allowed")
      ->check(CLI::IsMember({"passive", "benign", "intrusive", "destructive"}))
      ->capture_default_str();
  verb->add_option("--attacks", options->attacks,
                   "Attacks on update mechanisms that are tried, by their ids (see: docs/updates.md)")
      ->type_name("ID,…");
  verb->add_flag("--extend-budget", options->extend_budget,
                 "Give the attacks on update mechanisms all the time that the run plan estimates, without asking");
  verb->add_flag("--no-restore", options->no_restore,
                 "Attack update mechanisms although nothing brings the device back: what it installs ends the attacks");
  verb->add_option("--state", options->assess.state, "State the device is in")
      ->check(CLI::IsMember({"factory", "initialised", "customised", "after_reset"}))
      ->capture_default_str();
  verb->add_option("--scope", options->assess.scope, "Further addresses or ranges that may be contacted")
      ->type_name("CIDR");
  verb->add_flag("--allow-public", options->assess.allow_public,
                 "Allow public addresses in the scope (only with written authorisation)");
  verb->add_option("--netns", options->assess.netns, "Network namespace to probe from, over the DUT file's")
      ->type_name("PATH");
  add_capture_options(*verb, options->assess.capture);
  add_secret_options(*verb, options->assess.secrets);
  add_gate_options(*verb, *options);
  verb->callback([&context, options] {
    if (options->assess.dut_file.empty() && options->assess.target.empty()) {
      context.complain({ErrorKind::bad_input, "run needs --dut FILE or --target ADDRESS", {}}, ExitCode::usage);
      return;
    }
    run(context, *options);
  });
}

void add_resume(CLI::App& app, Context& context) {
  auto options = std::make_shared<RunVerb>();
  auto* verb = app.add_subcommand("resume", "Go on with an interrupted run: no case lost, none doubled");
  verb->add_option("folder", options->out, "Folder of the run")->required()->type_name("DIR");
  verb->add_option("--dut", options->assess.dut_file, "The DUT file, where it is no longer where the run read it")
      ->type_name("FILE");
  verb->add_flag("--allow-public", options->assess.allow_public, "Allow public addresses in the scope");
  add_capture_options(*verb, options->assess.capture);
  add_secret_options(*verb, options->assess.secrets);
  add_gate_options(*verb, *options);
  verb->callback([&context, options] {
    const auto& assess = options->assess;
    const ResumeOptions how{assess.dut_file, assess.allow_public, assess.capture, assess.secrets};
    finish(context, resume_assessment(context, options->out, how), *options);
  });
}

}  // namespace assay
