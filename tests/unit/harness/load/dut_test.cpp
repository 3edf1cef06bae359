#include "tests/support/catch.hpp"
#include "tests/unit/harness/load/fixtures.hpp"

using namespace assay;
using namespace assay::load_fixtures;

namespace {

using Lines = std::vector<std::string>;

const std::string kMinimal =
    "assay: dut/1\n"
    "device: {vendor: Example}\n"
    "samples:\n"
    "  - {id: A, at: {lan: 10.20.0.5}}\n"
    "scope: [10.20.0.0/28]\n";

Lines errors_of(const std::string& text) {
  return lines(load_dut({"dut.yaml", text}).errors);
}

Lines errors_with(const std::string& more) {
  return errors_of(kMinimal + more);
}

Dut dut_with(const std::string& more) {
  auto loaded = load_dut({"dut.yaml", kMinimal + more});
  REQUIRE(lines(loaded.errors) == Lines{});
  REQUIRE(loaded.value.has_value());
  return std::move(*loaded.value);
}

}  // namespace

TEST_CASE("dut: the least file is filled with the model's defaults") {
  Dut expected;
  expected.device.vendor = "Example";
  expected.samples = {{"A", "", "", {{"lan", {"10.20.0.5"}}}, false}};
  expected.scope = {"10.20.0.0/28"};
  CHECK(dut_with("") == expected);
}

TEST_CASE("dut: a profile from elsewhere leaves what the file says on logins") {
  const auto pace_with = [](std::string_view pace, std::string_view instead) {
    const auto text =
        "assay: dut/1\ndevice: {vendor: Example}\nsamples: [{id: A, at: {lan: 10.20.0.5}}]\n"
        "scope: [10.20.0.0/28]\n" +
        std::string{pace};
    auto dut = load_dut({"dut.yaml", text}, instead);
    REQUIRE(lines(dut.errors) == Lines{});
    return dut.value->pace;
  };
  CHECK(pace_with("pace: normal\n", "fast") == *pace_profile("fast"));
  CHECK(pace_with("pace: normal\n", "") == *pace_profile("normal"));
  auto expected = *pace_profile("fast");
  expected.login_attempts_per_account = 5;  // though that is also the number of its own profile
  expected.login_interval_ms = 30;
  expected.guesses_per_login = {9};
  CHECK(pace_with(
            "pace: {login_attempts_per_account: 5, login_interval_ms: 30, guesses_per_login: 9, max_connections: 2}\n",
            "fast") == expected);
}

TEST_CASE("dut: everything that can be written arrives in the model") {
  const auto dut = load_dut({"dut.yaml", R"(assay: dut/1
device: {vendor: Example, model: Hub 2, hardware: B1, firmware: 2.10, product_class: smart-home-hub, managed: isp}
samples:
  - {id: A, serial: EX-1, mac: 02:00:00:00:00:01, at: {lan: 10.20.0.5, wan: [10.30.0.5, "fd00::5"]}, destructive: true}
scope: [10.20.0.0/28, 10.30.0.5, "fd00::/64"]
ecosystem: {apps: [{package: com.example.hub}]}
pace: {profile: fast, max_connections: 7, guesses_per_login: 12}
lab:
  start: {exec: ./start.sh}
  ready: {tcp: 443, within: 90s}
  stop: {emulate: camera-weak}
  states: {factory: {prompt: Reset it, within: 2min}}
  trigger: {check_update: {exec: ./check.sh}}
  power: {cycle: {exec: pdu 3 cycle}}
  vantages: {wan: {netns: /run/netns/wan}}
  sources: [10.20.0.128/25, "fd00::5"]
accounts: [{role: admin, username: root, secret: hidden}]
vendor_credentials: [{username: admin, password: 1234}]
password_samples:
  - {secret: 12345678, mechanism: AM-1, username: admin, sample: A, serial: S, mac: 02:00:00:00:00:09, ssid: Net, model: M, date: 2026-01-31}
  - {secret: x}
standard: TS103701@1.1.1
ics: {5.1-1: {support: Y}, "5.1-2": {support: N/A, because: none}, "5.2-1": {support: N, because: later}}
ixit: {15-Intf: [{id: IF-1, port: [tcp/80, udp/53], enabled: true, since: 2.0}]}
)"});
  REQUIRE(lines(dut.errors) == Lines{});
  const auto& value = *dut.value;
  CHECK(value.device == DeviceIdentity{"Example", "Hub 2", "B1", "2.10", "smart-home-hub", "isp"});
  CHECK(value.samples[0] ==
        Sample{"A", "EX-1", "02:00:00:00:00:01", {{"lan", {"10.20.0.5"}}, {"wan", {"10.30.0.5", "fd00::5"}}}, true});
  CHECK(value.ecosystem == json::object{{"apps", json::array{json::object{{"package", "com.example.hub"}}}}});
  auto pace = *pace_profile("fast");
  pace.max_connections = 7;
  CHECK(guesses_allowed(pace) == 200);
  pace.guesses_per_login = {12};
  CHECK(value.pace == pace);
  CHECK(guesses_allowed(value.pace) == 12);
  CHECK(value.lab.start->exec == "./start.sh");
  CHECK(value.lab.start->within_ms == 30000);
  CHECK(value.lab.ready->tcp == Endpoint{Transport::tcp, 443});
  CHECK(value.lab.ready->within_ms == 90000);
  CHECK(value.lab.stop->emulate == "camera-weak");
  CHECK(value.lab.states.at("factory").prompt == "Reset it");
  CHECK(value.lab.states.at("factory").within_ms == 120000);
  CHECK(value.lab.triggers.at("check_update").exec == "./check.sh");
  CHECK(value.lab.power_cycle->exec == "pdu 3 cycle");
  CHECK(value.lab.vantages == std::map<std::string, VantagePoint>{{"wan", {"/run/netns/wan", ""}}});
  CHECK(value.lab.sources == Later<std::string>{"10.20.0.128/25", "fd00::5"});
  CHECK(value.accounts == std::vector<Account>{{"admin", "root", Secret{"hidden", "accounts entry 1"}}});
  CHECK(value.vendor_credentials ==
        std::vector<Credential>{{"admin", Secret{"1234", "DUT file vendor_credentials entry 1"}}});
  CHECK(value.password_samples ==
        Later<PasswordSample>{{"AM-1", "admin", Secret{"12345678", "password_samples entry 1"}, "A", "S",
                               "02:00:00:00:00:09", "Net", "M", "2026-01-31"},
                              {"", "", Secret{"x", "password_samples entry 2"}, "", "", "", "", "", ""}});
  CHECK(canonical(to_json(value)).find("12345678") == std::string::npos);
  CHECK(value.standard == "TS103701@1.1.1");
  CHECK(value.ics == std::map<std::string, IcsEntry>{{"5.1-1", {Support::yes, ""}},
                                                     {"5.1-2", {Support::not_applicable, "none"}},
                                                     {"5.2-1", {Support::no, "later"}}});
  CHECK(value.ixit.at("15-Intf") ==
        json::array{json::object{
            {"id", "IF-1"}, {"port", json::array{"tcp/80", "udp/53"}}, {"enabled", true}, {"since", "2.0"}}});
}

TEST_CASE("dut: a vantage is a namespace, an interface, or both, and a sample is there") {
  const std::string at = "  - {id: B, at: {wan: 10.20.0.6, guest: 10.20.0.7}}\n";
  const auto text = [&](const std::string& vantages) {
    auto whole = kMinimal + "lab: {vantages: {" + vantages + "}}\n";
    return whole.insert(whole.find("scope:"), at);
  };
  const auto read = load_dut({"dut.yaml", text("wan: {netns: wan-side, interface: eth1}, guest: {interface: eth0.7}")});
  REQUIRE(lines(read.errors) == Lines{});
  CHECK(read.value->lab.vantages ==
        std::map<std::string, VantagePoint>{{"guest", {"", "eth0.7"}}, {"wan", {"wan-side", "eth1"}}});
  CHECK(errors_of(text("wan: {}")) ==
        Lines{"dut.yaml:7:18: the vantage \"wan\" is nowhere: give it \"netns\" or \"interface\""});
  CHECK(errors_of(text("bench: {interface: eth1}")) ==
        Lines{"dut.yaml:7:18: no sample has an address at the vantage \"bench\": add it to \"at\""});
  CHECK(errors_of(text("wan: {interface: a/b}")).size() == 1);
  CHECK(errors_of(text("wan: {netns: a b}")).size() == 1);
}

TEST_CASE("dut: a vantage keeps the form of earlier bundles where it is a namespace only") {
  CHECK(to_json(VantagePoint{"/run/netns/wan", ""}) == json::value("/run/netns/wan"));
  for (const VantagePoint& point :
       {VantagePoint{"/run/netns/wan", ""}, VantagePoint{"wan", "eth1"}, VantagePoint{"", "eth1"}}) {
    VantagePoint read;
    REQUIRE(from_json(to_json(point), read));
    CHECK(read == point);
  }
  VantagePoint read;
  CHECK_FALSE(from_json(json::object{{"netns", "a"}}, read));
}

TEST_CASE("dut: states and triggers are brought about by a command or a person, and triggers say what they close") {
  const auto dut = dut_with("lab: {trigger: {services_off: {exec: ./off.sh, closes: [tcp/23, udp/161]}}}\n");
  CHECK(dut.lab.triggers.at("services_off").closes == Later<Endpoint>{{Transport::tcp, 23}, {Transport::udp, 161}});
  CHECK(errors_with("lab: {states: {factory: {tcp: 80}}}\n") ==
        Lines{"dut.yaml:6:16: lab.states.factory changes the device: give it \"exec\" or \"prompt\""});
  CHECK(errors_with("lab: {states: {factory: {exec: a, closes: [tcp/1]}}}\n").size() == 1);
  CHECK(errors_with("lab: {trigger: {off: {exec: a, closes: [telnet]}}}\n").size() == 1);
}

TEST_CASE("dut: a pace may be a profile's name alone") {
  CHECK(dut_with("pace: normal\n").pace == *pace_profile("normal"));
  CHECK(errors_with("pace: fsat\n") ==
        Lines{"dut.yaml:6:7: \"pace\" must be one of gentle, normal, fast, not \"fsat\"; did you mean \"fast\"?"});
}

TEST_CASE("dut: all errors come in one run, sorted by place") {
  CHECK(
      errors_of("assay: dut/1\n"
                "device: {vendr: Example, model: [a]}\n"
                "samples:\n"
                "  - {id: A B, at: {lan: localhost, lna: 10.0.0.1}}\n"
                "  - {serial: no, at: {}, destructive: yes}\n"
                "scpoe: []\n") ==
      Lines{"dut.yaml:1:1: the DUT file lacks the key \"scope\" (Addresses and ranges; nothing outside is ever "
            "contacted)",
            "dut.yaml:2:10: unknown key \"vendr\" in the device; did you mean \"vendor\"?",
            "dut.yaml:2:33: \"model\" must be text, not a list",
            "dut.yaml:4:10: \"id\" must be a word of letters, digits, dots, - and _, such as A or unit-2, not \"A B\"",
            "dut.yaml:4:25: \"lan\" must be a numeric IPv4 or IPv6 address such as 10.20.0.5, or a list, not "
            "\"localhost\"",
            "dut.yaml:4:36: a key of \"at\" must be one of lan, wan, guest, bench, not \"lna\"; did you mean \"lan\"?",
            "dut.yaml:5:5: a sample lacks the key \"id\" (Name of this unit in reports and on the command line)",
            "dut.yaml:5:14: \"serial\" must be text: put quotes around it, because some readers take this word for a "
            "boolean",
            "dut.yaml:5:22: \"at\" must have at least one entry",
            "dut.yaml:5:39: \"destructive\" must be true or false, not \"yes\"",
            "dut.yaml:6:1: unknown key \"scpoe\" in the DUT file; did you mean \"scope\"?"});
}

TEST_CASE("dut: rules across keys, each with its place") {
  const std::vector<std::pair<std::string, std::string>> rows{
      {"lab: {start: {}}\n", "6:14: a recipe needs one of the keys exec, tcp, prompt, emulate"},
      {"lab: {start: {exec: a, prompt: b}}\n",
       "6:24: a recipe has \"exec\" already: write only one of exec, tcp, prompt, emulate"},
      {"lab: {ready: {tcp: 0}}\n", "6:20: \"tcp\" must be an integer from 1 to 65535, not \"0\""},
      {"lab: {ready: {tcp: 1, within: 30}}\n",
       "6:31: \"within\" must be a time of at most one day, such as 500ms, 30s or 2min, not \"30\""},
      {"standard: S@1\nics: {\"5.1-1\": {support: N/A}}\n", "7:7: ICS 5.1-1 = N/A needs a reason: add \"because\""},
      {"standard: S@1\nics: {\"5.1-1\": {support: N, because: \"\"}}\n",
       "7:7: ICS 5.1-1 = N needs a reason: add \"because\""},
      {"standard: S@1\nics: {\"5.1-1\": {support: no}}\n",
       "7:26: \"support\" must be one of Y, N, N/A, not \"no\"; did you mean \"N\"?"},
      {"ics: {\"5.1-1\": {support: Y}}\n",
       "6:1: \"ics\" needs the edition it follows: add \"standard: TS103701@1.1.1\" or another"},
      {"standard: S@1\nixit: {15-Intf: [{port: 443}]}\n",
       "7:25: \"port\" must be an endpoint such as tcp/443, or a list, not \"443\""},
      {"standard: S@1\nixit: {15-Intf: [{port: [tcp/1, tcp/99999]}]}\n",
       "7:33: \"port\" must be an endpoint such as tcp/443, not \"tcp/99999\""},
      {"standard: S@1\nixit: {Intf: []}\n",
       "7:8: a key of \"ixit\" must be an IXIT table by number and name, such as 15-Intf, not \"Intf\""},
      {"standard: S@1\nixit: {15-Intf: [{open: yes}]}\n",
       "7:25: \"yes\" is a boolean for some readers and text for others: write true or false, or put quotes around it"},
      {"standard: TS103701\n",
       "6:11: \"standard\" must be a document with its edition, such as TS103701@1.1.1, not \"TS103701\""},
      {"accounts: [{role: a, username: b, secret: env:ASSAY_NOT_SET_ANYWHERE}]\n",
       "6:43: the environment variable \"ASSAY_NOT_SET_ANYWHERE\" is not set"},
      {"accounts: [{role: a, username: b, secret: file:no-such-file}]\n",
       "6:43: the secret \"file:no-such-file\" cannot be read: there is no such file"},
      {"accounts: [{role: a, username: b, secret: file:/dev/zero}]\n",
       "6:43: the secret \"file:/dev/zero\" cannot be read: this is not a file"},
      {"accounts: [{role: a, username: b, secret: }]\n", "6:43: \"secret\" has no value: write \"\" for an empty one"},
  };
  for (const auto& [more, error] : rows) {
    CHECK(errors_with(more) == Lines{"dut.yaml:" + error});
  }
}

TEST_CASE("dut: scope and addresses") {
  const auto errors = [](const std::string& samples, const std::string& scope) {
    return errors_of("assay: dut/1\ndevice: {}\nsamples: [" + samples + "]\nscope: [" + scope + "]\n");
  };
  const std::string sample = "{id: A, at: {lan: 10.0.0.5}}";
  CHECK(errors(sample, "10.0.0.5") == Lines{});
  CHECK(errors(sample, "10.0.0.0/16") == Lines{});
  CHECK(errors(sample, "10.0.0.0/15").size() == 1);
  CHECK(errors("{id: A, at: {lan: \"fd00:0:0::5\"}}", "\"fd00::/64\"") == Lines{});
  CHECK(errors(sample, "10.0.0.5/24") ==
        Lines{"dut.yaml:4:9: \"10.0.0.5/24\" has bits behind its prefix: write 10.0.0.0/24"});
  CHECK(errors(sample, "0.0.0.0/0") ==
        Lines{"dut.yaml:4:9: \"0.0.0.0/0\" is too wide for a scope: /16 is the widest; name the device's addresses"});
  CHECK(errors(sample, "10.0.0.0/33") ==
        Lines{"dut.yaml:4:9: \"scope\" must be a numeric address or a range such as 10.20.0.0/28, not "
              "\"10.0.0.0/33\""});
  CHECK(errors(sample, "10.0.1.0/24, \"fd00::/64\"") ==
        Lines{"dut.yaml:3:29: the address \"10.0.0.5\" is outside the scope: add it to \"scope\" or correct it"});
  CHECK(errors(sample, "") == Lines{"dut.yaml:4:8: \"scope\" must have at least one entry"});
  CHECK(errors("{id: A, serial: x, mac: 02:00:00:00:00:01, at: {lan: 10.0.0.5}},"
               "{id: A, serial: x, mac: 02:00:00:00:00:01, at: {lan: 10.0.0.5, wan: 10.0.0.5}}",
               "10.0.0.0/24") ==
        Lines{"dut.yaml:3:80: the id \"A\" belongs to another sample already (line 3)",
              "dut.yaml:3:91: the serial \"x\" belongs to another sample already (line 3)",
              "dut.yaml:3:99: the mac \"02:00:00:00:00:01\" belongs to another sample already (line 3)",
              "dut.yaml:3:128: the address \"10.0.0.5\" belongs to another sample already (line 3)"});
}

TEST_CASE("dut: secrets come from the environment or from files beside the DUT file") {
  const TemporaryLibrary folder;
  folder.write("secret.txt", "s3cret\n");
  setenv("ASSAY_LOAD_TEST", "from env", 1);
  const SourceText source{folder.path("dut.yaml").string(),
                          kMinimal +
                              "accounts: [{role: a, username: b, secret: file:secret.txt}]\n"
                              "vendor_credentials: [{username: c, password: env:ASSAY_LOAD_TEST}]\n"};
  const auto dut = load_dut(source);
  unsetenv("ASSAY_LOAD_TEST");
  REQUIRE(lines(dut.errors) == Lines{});
  CHECK(dut.value->accounts[0].secret == Secret{"s3cret", "file:secret.txt"});
  CHECK(dut.value->vendor_credentials[0].password == Secret{"from env", "env:ASSAY_LOAD_TEST"});
}

TEST_CASE("dut: a login over HTTP is described once for an endpoint, with JSON and places that can be used") {
  const auto dut = dut_with(
      "logins: [{port: tcp/443, path: /api/login, body: '{\"u\": \"{username}\", \"p\": \"{password}\"}', token: "
      "/data/t,"
      " check: /api/status}]\n");
  CHECK(dut.logins == Later<LoginRecipe>{{{Transport::tcp, 443},
                                          "/api/login",
                                          R"({"u": "{username}", "p": "{password}"})",
                                          "/data/t",
                                          "Authorization: Bearer {token}",
                                          "/api/status"}});
  const auto wrong = [](const std::string& entry) { return errors_with("logins: [{" + entry + "}]\n"); };
  const std::string body = "body: '{\"p\": \"{password}\"}'";
  CHECK(wrong("port: udp/443, path: /a, " + body + ", check: /b") ==
        Lines{"dut.yaml:6:17: a login over HTTP needs a TCP endpoint such as tcp/443"});
  CHECK(wrong("port: tcp/80, path: /a, body: 'u={username}', check: /b") ==
        Lines{"dut.yaml:6:41: the body is a JSON object that holds {password} in one of its texts"});
  CHECK(wrong("port: tcp/80, path: a, " + body + ", check: /b") == Lines{"dut.yaml:6:31: a path begins with /"});
  CHECK(wrong("port: tcp/80, path: /a, token: t, " + body + ", check: /b") ==
        Lines{"dut.yaml:6:42: a JSON Pointer begins with /, such as /data/token"});
  CHECK(wrong("port: tcp/80, path: /a, header: X-Session, " + body + ", check: /b") ==
        Lines{"dut.yaml:6:43: the header is written as \"Name: value\", with {token} in its value"});
  const std::string entry = "{port: tcp/80, path: /a, " + body + ", check: /b}";
  CHECK(errors_with("logins: [" + entry + ", " + entry + "]\n").size() == 1);
}

TEST_CASE("dut: a file of another kind, or of none, is told apart") {
  const std::string known =
      "; known: dut/1, job/1, dictionary/1, payloads/1, attacks/1, fingerprints/1, known-keys/1, policy/1, "
      "password-rules/1, plan/1, cases/1, standard/1, mapping/1, arrangements/1, method/1, approval/1, answers/1, "
      "reviews/1, waivers/1, device/1, "
      "expected/1";
  CHECK(errors_of("assay: job/1\n") == Lines{"dut.yaml:1:8: expected a file of kind \"dut/1\", not \"job/1\""});
  CHECK(errors_of("assay: dut/2\n") ==
        Lines{"dut.yaml:1:8: this build does not read \"dut/2\"; did you mean \"dut/1\"?"});
  CHECK(errors_of("device: {}\n") ==
        Lines{"dut.yaml:1:1: the file does not say what it is: begin with \"assay: dut/1\" or another kind" + known});
  CHECK(errors_of("- a\n") ==
        Lines{"dut.yaml:1:1: the file must be a mapping that begins with \"assay:\", not a list"});
}

TEST_CASE("job: its parts are kept as they are") {
  const auto job = load_job({"job.yaml",
                             "assay: job/1\nreport: {number: R-1, testers: [A], notes: {x: 1}}\n"
                             "item: {received: 2026-11-20, custody: [{who: A}]}\nequipment: [{id: H}]\n"
                             "rules: {clock: {max_offset: 1s}}\n"});
  REQUIRE(lines(job.errors) == Lines{});
  CHECK(job.value->report ==
        json::object{{"number", "R-1"}, {"testers", json::array{"A"}}, {"notes", json::object{{"x", 1}}}});
  CHECK(job.value->item ==
        json::object{{"received", "2026-11-20"}, {"custody", json::array{json::object{{"who", "A"}}}}});
  CHECK(job.value->equipment == json::array{json::object{{"id", "H"}}});
  CHECK(job.value->rules == json::object{{"clock", json::object{{"max_offset", "1s"}}}});
  CHECK(lines(load_job({"job.yaml", "assay: job/1\nreport: {number: R-1, tester: [A]}\n"}).errors) ==
        Lines{"job.yaml:2:23: unknown key \"tester\" in the report; did you mean \"testers\"?"});
}

TEST_CASE("dut: a factory value belongs to a sample that is there") {
  CHECK(errors_of(kMinimal + "password_samples: [{secret: x, sample: Z}]\n").size() == 1);
  CHECK(errors_of(kMinimal + "password_samples: [{serial: x}]\n").size() == 1);
  CHECK(dut_with("password_samples: []\n").password_samples.empty());
}

TEST_CASE("dictionary: a list without pairs holds passwords, each once, and none is no dictionary") {
  const std::string head = "assay: dictionary/1\nid: d\ntitle: T\nsource: S\n";
  const auto dictionary = load_dictionary({"d.yaml", head + "passwords: [\"123456\", secret]\n"});
  REQUIRE(lines(dictionary.errors) == Lines{});
  CHECK(dictionary.value->passwords ==
        Later<Secret>{Secret{"123456", "dictionary d password 1"}, Secret{"secret", "dictionary d password 2"}});
  CHECK(lines(load_dictionary({"d.yaml", head + "passwords: [a, b, a]\n"}).errors).size() == 1);
  CHECK(lines(load_dictionary({"d.yaml", head}).errors).size() == 1);
}

TEST_CASE("dictionary: a pair names the vendors and models it is likelier for, each once and in full") {
  const std::string head = "assay: dictionary/1\nid: d\ntitle: T\nsource: S\ncredentials:\n";
  const auto pair = [&](const std::string& words) {
    return load_dictionary({"d.yaml", head + "  - {username: a, password: b, for: " + words + "}\n"});
  };
  const auto sound = pair("[Acme, \"AC-100 pro\"]");
  REQUIRE(lines(sound.errors) == Lines{});
  CHECK(sound.value->credentials.at(0).likelier_for == Later<std::string>{"acme", "ac-100 pro"});
  CHECK(lines(pair("[a]").errors) == Lines{"d.yaml:6:32: \"a\" is in too many names to tell a vendor or model"});
  CHECK(lines(pair("[acme, Acme]").errors) == Lines{"d.yaml:6:32: \"acme\" stands twice"});
}

TEST_CASE("dictionary: passwords are taken as they are written, and named by their entry") {
  const std::string head = "assay: dictionary/1\nid: d\ntitle: T\nsource: S\ncredentials:\n";
  const auto dictionary =
      load_dictionary({"d.yaml", head + "  - {username: admin, password: 0123}\n  - {username: \"\", password: \"\"}\n"
                                        "  - {username: a, password: env:X}\n"});
  REQUIRE(lines(dictionary.errors) == Lines{});
  CHECK(dictionary.value->credentials == std::vector<DictionaryPair>{{"admin", Secret{"0123", "dictionary d entry 1"}},
                                                                     {"", Secret{"", "dictionary d entry 2"}},
                                                                     {"a", Secret{"env:X", "dictionary d entry 3"}}});
  CHECK(lines(load_dictionary({"d.yaml", head + "  - {username: a, password: b}\n  - {username: a, password: b}\n"
                                                "  - {username: a, password: off}\n"})
                  .errors) ==
        Lines{"d.yaml:7:5: this pair is entry 1 already: trying it twice costs the device a login attempt",
              "d.yaml:8:29: \"password\" must be text: put quotes around it, because some readers take this word for a "
              "boolean"});
}

TEST_CASE("source: what is no readable file is told") {
  const TemporaryLibrary folder;
  const auto missing = read_source(folder.path("none.yaml"));
  REQUIRE(missing.has_error());
  CHECK(missing.error().what == "there is no such file");
  CHECK(read_source(folder.library().root).error().what == "this is not a file");
  folder.write("big.yaml", std::string((1u << 20u) + 1, 'x'));
  CHECK(read_source(folder.path("big.yaml")).error().what == "the file is larger than 1 MiB");
  folder.write("full.yaml", std::string(1u << 20u, 'x'));
  CHECK(read_source(folder.path("full.yaml")).has_value());
}

TEST_CASE("dut: inherited certificates are read, their days checked, and what is not accepted stays so") {
  const std::string entry =
      "inherits:\n  - {certificate: C-1, scheme: CLS-Ready, component: Module, version: 1.2, issued: 2026-01-31, "
      "expires: 2028-01-30, clauses: [\"EN303645@2.1.1:5.4-1\"]";
  const auto dut = dut_with(entry + ", accepted_by: Example Laboratory, file: certificates/c1.pdf}\n");
  REQUIRE(dut.inherits.size() == 1);
  CHECK(dut.inherits[0] == Inherited{"C-1",
                                     "CLS-Ready",
                                     "Module",
                                     "1.2",
                                     "2026-01-31",
                                     "2028-01-30",
                                     {"EN303645@2.1.1:5.4-1"},
                                     "Example Laboratory",
                                     "certificates/c1.pdf",
                                     ""});
  CHECK(dut_with(entry + "}\n").inherits[0].accepted_by.empty());
  CHECK(errors_with(entry + ", file: ../c1.pdf}\n").size() == 1);
  CHECK(errors_with(entry + ", file: /etc/passwd}\n").size() == 1);
  auto wrong = entry;
  wrong.replace(wrong.find("2028-01-30"), 10, "2026-02-30");
  CHECK(errors_with(wrong + "}\n").size() == 1);
  wrong.replace(wrong.find("2026-02-30"), 10, "2025-02-28");
  CHECK(errors_with(wrong + "}\n").at(0).find("the certificate expires before it is issued") != std::string::npos);
}

TEST_CASE("dut: a family names each model once, and a tested one is not argued") {
  const auto dut =
      dut_with("family: [{model: Hub, tested: true}, {model: Mini, differences: no socket, argued: same board}]\n");
  CHECK(family_statement(dut.family) == Lines{"Hub: tested", "Mini (no socket): not tested; argued: same board"});
  CHECK(errors_with("family: [{model: Hub, tested: true}, {model: Hub, argued: x}]\n").at(0).find("already") !=
        std::string::npos);
  CHECK(errors_with("family: [{model: Hub, tested: true, argued: x}]\n").size() == 1);
}

TEST_CASE("dut: a MUD file that is not there is a fault at its key") {
  CHECK(errors_with("mud: nowhere.json\n") ==
        Lines{"dut.yaml:6:6: the MUD file \"nowhere.json\": there is no such file"});
}
