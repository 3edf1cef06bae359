#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "harness/load/load.hpp"

/// What the tests of this room share: a catalogue like that of a build, a library in a temporary folder, and errors as
/// lines of text.
namespace assay::load_fixtures {

inline ProbeInfo probe(std::string id, ProbeSubject subject, std::vector<ParameterInfo> parameters,
                       std::vector<std::string> facts) {
  ProbeInfo out;
  out.id = std::move(id);
  out.subject = subject;
  out.parameters = std::move(parameters);
  for (auto& fact : facts) {
    out.facts.push_back({std::move(fact), ValueKind::text, "meaning"});
  }
  return out;
}

inline ProbeCatalogue catalogue() {
  ProbeCatalogue out;
  out.emplace("ports", probe("ports", ProbeSubject::device, {{"tcp", ValueKind::text, "all", ""}},
                             {"ports.open", "ports.filtered", "ports.unreliable", "ports.closed"}));
  out.emplace("udp", probe("udp", ProbeSubject::device,
                           {{"ports", ValueKind::text, "payloads", ""},
                            {"payloads", ValueKind::text, "udp-payloads", ""},
                            {"prove", ValueKind::integer, 120, ""}},
                           {"udp.open", "udp.open_filtered", "udp.unreliable", "udp.closed", "udp.icmp_rate"}));
  out.emplace("services", probe("services", ProbeSubject::endpoint, {},
                                {"service.reachable", "service.protocol", "service.tls", "service.tls_version",
                                 "service.tls_cipher", "service.certificate", "service.banner", "service.product",
                                 "service.version", "service.logins", "service.redirects_to_tls", "service.starttls",
                                 "service.details"}));
  out.emplace("tls",
              probe("tls", ProbeSubject::endpoint,
                    {{"look_at", ValueKind::text, "all", ""}, {"server_name", ValueKind::text, "", ""}},
                    {"tls.spoken", "tls.versions", "tls.suites", "tls.unsettled", "tls.groups", "tls.groups_settled",
                     "tls.signatures", "tls.dh", "tls.certificates", "tls.behaviour", "tls.weaknesses", "tls.alerts"}));
  out.emplace("tls_attacks", probe("tls_attacks", ProbeSubject::endpoint, {{"server_name", ValueKind::text, "", ""}},
                                   {"tls_attacks.spoken", "tls_attacks.weaknesses", "tls_attacks.alerts"}));
  out.emplace("ssh",
              probe("ssh", ProbeSubject::endpoint,
                    {{"group_exchange", ValueKind::boolean, true, ""}, {"auth_methods", ValueKind::boolean, true, ""}},
                    {"ssh.protocol",
                     "ssh.software",
                     "ssh.comment",
                     "ssh.preamble",
                     "ssh.kex",
                     "ssh.host_key_algorithms",
                     "ssh.ciphers_to_server",
                     "ssh.ciphers_to_client",
                     "ssh.macs_to_server",
                     "ssh.macs_to_client",
                     "ssh.compression_to_server",
                     "ssh.compression_to_client",
                     "ssh.markers",
                     "ssh.gssapi",
                     "ssh.terrapin_precondition",
                     "ssh.host_keys",
                     "ssh.host_keys_unseen",
                     "ssh.fixed_groups",
                     "ssh.group_exchange",
                     "ssh.protocol1",
                     "ssh.auth_methods",
                     "ssh.auth_none",
                     "ssh.auth_banner"}));
  out.emplace("discovery", probe("discovery", ProbeSubject::device, {},
                                 {"discovery.mdns", "discovery.ssdp", "discovery.wsd", "discovery.llmnr",
                                  "discovery.told", "discovery.neighbour", "discovery.others"}));
  out.emplace("credentials",
              probe("credentials", ProbeSubject::endpoint,
                    {{"dictionary", ValueKind::text, "iot-common", ""},
                     {"vendor", ValueKind::boolean, true, ""},
                     {"blank", ValueKind::boolean, true, ""},
                     {"stop_at_first", ValueKind::boolean, true, ""}},
                    {"credentials.dialect", "credentials.dialects", "credentials.open", "credentials.accepted",
                     "credentials.given_away", "credentials.tried", "credentials.lockout", "credentials.clear"}));
  out.emplace("resistance", probe("resistance", ProbeSubject::endpoint, {},
                                  {"resistance.dialect", "resistance.account", "resistance.reaction", "resistance.rate",
                                   "resistance.recovery"}));
  out.emplace("update", probe("update", ProbeSubject::device,
                              {{"attacks", ValueKind::text, "all", ""}, {"restore", ValueKind::boolean, true, ""}},
                              {"update.mechanisms", "update.control", "update.attempts", "update.not_tried",
                               "update.bricked", "update.passive", "update.static"}));
  out.emplace("uniqueness", probe("uniqueness", ProbeSubject::device, {},
                                  {"uniqueness.samples", "uniqueness.relations", "uniqueness.forms"}));
  out.emplace("web_session", probe("web_session", ProbeSubject::endpoint, {{"idle", ValueKind::integer, 0, ""}},
                                   {"web.cookies", "web.fixation", "web.tokens", "web.logout", "web.idle",
                                    "web.forgery", "web.pages", "web.open", "web.crossed"}));
  out.emplace("password_change",
              probe("password_change", ProbeSubject::endpoint, {},
                    {"password.change", "password.sessions", "password.old_asked", "password.weak"}));
  out.emplace("first_use", probe("first_use", ProbeSubject::endpoint, {},
                                 {"first_use.action", "first_use.weak", "first_use.kept_in"}));
  return out;
}

inline std::vector<std::string> lines(const std::vector<Error>& errors) {
  std::vector<std::string> out;
  for (const auto& error : errors) {
    out.push_back(describe(error));
  }
  return out;
}

/// A library of a standard, a method, one cases file and one plan, each changeable by the test. Gone with the object.
class TemporaryLibrary {
 public:
  TemporaryLibrary() {
    auto pattern = (std::filesystem::temp_directory_path() / "assay-load-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    write("standards/s.yaml", standard());
    write("cases/m/method.yaml", method());
    write("cases/m/c.yaml", cases());
    write("schemes/x/one.yaml", plan());
  }

  ~TemporaryLibrary() { std::filesystem::remove_all(folder_); }

  TemporaryLibrary(const TemporaryLibrary&) = delete;
  TemporaryLibrary& operator=(const TemporaryLibrary&) = delete;

  PlanLibrary library() const { return {folder_ / "testplans"}; }

  std::filesystem::path path(const std::string& name) const { return folder_ / "testplans" / name; }

  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories(path(name).parent_path());
    std::ofstream(path(name), std::ios::binary) << text;
  }

  /// Writes the file with the first `from` replaced by `to`.
  void change(const std::string& name, std::string text, const std::string& from, const std::string& to) const {
    const auto at = text.find(from);
    if (at == std::string::npos) {
      throw std::logic_error("the fixture has no " + from);
    }
    write(name, text.replace(at, from.size(), to));
  }

  Loaded<Plan> load(const std::string& id = "x/1") const { return load_plan(library(), id, catalogue()); }

  std::vector<std::string> errors(const std::string& id = "x/1") const { return lines(load(id).errors); }

  static std::string standard() {
    return R"(assay: standard/1
id: S@1
title: A standard
provisions:
  - id: "S@1:5.1-1"
    title: First
    modality: shall
    condition: 'support("5.1-1") != "N/A"'
    condition_words: passwords are used
  - {id: "S@1:5.1-2", title: Second, modality: should}
)";
  }

  static std::string method() {
    return R"(assay: method/1
id: M@1
title: A method
standard: S@1
ixit_tables: {1-AuthMech: {about: Logins}, 15-Intf: {about: Interfaces}}
)";
  }

  static std::string cases() {
    return R"(assay: cases/1
method: M@1
cases:
  - id: M@1:5.1-1-1
    covers: S@1:5.1-1
    title: A case
    applies: ixit_declared("15-Intf")
    units:
      - id: a
        title: A unit
        observe:
          ports: {probe: ports, with: {tcp: all}}
          services: {probe: services, for_each: 'obs("ports") | fact("ports.open")[] | .endpoint'}
        expand: services
        expect: ixit("15-Intf") | .port
        needs: [service.protocol]
        fail: |
          obs("services")
            | select(fact("service.protocol"; "") == "telnet")
            | {what: "telnet", endpoint: .endpoint}
        inconclusive: obs("ports") | select(fact("ports.unreliable") != [])
      - id: b
        title: Another unit
        closes: assessor
        manual: {question: Is it so, attachments: [photo]}
)";
  }

  static std::string plan() {
    return R"(assay: plan/1
id: x/1
title: Level 1
scheme: {name: A scheme, owner: Somebody, document: D 1}
standard: S@1
method: M@1
cases_from: [M@1]
requirements:
  - {id: "S@1:5.1-1", modality: shall, minimum: this, evidence: that, assessment: those}
parameters: {tls: {minimum: 1}}
)";
  }

  static std::string child_plan() {
    return R"(assay: plan/1
id: x/2
title: Level 2
extends: x/1
requirements:
  - {id: "S@1:5.1-2"}
parameters: {other: 2}
)";
  }

 private:
  std::filesystem::path folder_;
};

inline std::string slurp(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace assay::load_fixtures
