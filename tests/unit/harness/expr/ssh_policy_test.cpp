#include "harness/expr/expr.hpp"
#include "harness/model/policy.hpp"
#include "tests/support/catch.hpp"

namespace {

using namespace assay;

json::array key(const char* fingerprint, std::int64_t bits) {
  return {json::object{{"fingerprint", fingerprint},
                       {"type", "ssh-rsa"},
                       {"kind", "rsa"},
                       {"bits", bits},
                       {"algorithms", json::array{"good"}},
                       {"understood", true}}};
}

/// An SSH server that a policy finds nothing against.
json::object sound(const char* sample = "A") {
  return {{"id", std::string{"o-"} + sample},
          {"endpoint", "tcp/22"},
          {"sample", sample},
          {"vantage", "lan"},
          {"completion", "completed"},
          {"error", ""},
          {"facts", json::object{{"ssh.protocol", "2.0"},
                                 {"ssh.kex", json::array{"good"}},
                                 {"ssh.host_key_algorithms", json::array{"good"}},
                                 {"ssh.ciphers_to_server", json::array{"good"}},
                                 {"ssh.ciphers_to_client", json::array{"good"}},
                                 {"ssh.macs_to_server", json::array{"good"}},
                                 {"ssh.macs_to_client", json::array{"good"}},
                                 {"ssh.host_keys", key("SHA256:x", 3072)},
                                 {"ssh.terrapin_precondition", false}}},
          {"absent", json::array{"ssh.fixed_groups", "ssh.group_exchange", "ssh.host_keys_unseen"}},
          {"unobserved", json::object{}},
          {"coverage", json::object{}},
          {"evidence", json::object{{"ssh.kex", json::array{"aa"}}, {"ssh.host_keys", json::array{"bb"}}}}};
}

json::object with(json::object observation, const char* fact, json::value value) {
  observation["facts"].as_object()[fact] = std::move(value);
  auto& absent = observation["absent"].as_array();
  absent.erase(std::remove(absent.begin(), absent.end(), json::value(fact)), absent.end());
  return observation;
}

json::object document(json::array observations, const std::string& cryptography, const std::string& date) {
  Policy policy{"p", "ssh", "T", "2", "2025-01", "S", "reasoned", Unlisted::doubt, {}};
  for (const auto* category : {"kex", "host_key", "cipher", "mac"}) {
    policy.lists[category] = {{"good", Grade::recommended, 0, 0, ""},
                              {"bad", Grade::forbidden, 0, 0, "N"},
                              {"odd*", Grade::forbidden, 0, 0, "", "", "unconfirmed"}};
  }
  policy.lists["version"] = {{"2.0", Grade::recommended, 0, 0, ""}, {"1.*", Grade::forbidden, 0, 0, ""}};
  policy.lists["key_size"] = {{"rsa", Grade::allowed, 2028, 2048, ""},
                              {"rsa", Grade::recommended, 0, 3072, ""},
                              {"dh", Grade::allowed, 0, 2048, ""}};
  json::array samples;
  for (const auto& observation : observations) {
    samples.push_back(json::object{{"id", observation.at("sample")}});
  }
  return {
      {"run", json::object{{"date", date}}},
      {"dut", json::object{{"samples", samples}}},
      {"policies", json::array{to_json(policy)}},
      {"ixit",
       json::object{{"11-ComMech", json::array{json::object{{"port", "tcp/22"}, {"cryptography", cryptography}}}}}},
      {"names", json::object{{"ics", json::array{}}, {"ixit", json::array{"11-ComMech"}}}},
      {"obs", json::object{{"ssh", std::move(observations)}}},
      {"specs", json::object{{"ssh", json::array{"ssh.protocol", "ssh.kex", "ssh.host_key_algorithms",
                                                 "ssh.ciphers_to_server", "ssh.ciphers_to_client", "ssh.macs_to_server",
                                                 "ssh.macs_to_client", "ssh.host_keys", "ssh.terrapin_precondition",
                                                 "ssh.fixed_groups", "ssh.group_exchange", "ssh.host_keys_unseen"}}}}};
}

Evaluated judge(const std::string& program, json::array observations, const std::string& cryptography = "SSH 2",
                const std::string& date = "2026-11-26T00:00:00Z") {
  const Evaluation evaluation{program, "c.yaml:1:1", document(std::move(observations), cryptography, date), nullptr};
  auto out = evaluate({&evaluation, 1}).front();
  CHECK(out.error == "");
  return out;
}

std::vector<std::string> what(const Evaluated& evaluated) {
  std::vector<std::string> out;
  for (const auto& item : evaluated.items) {
    out.emplace_back(std::string_view{item.at("what").as_string()});
  }
  return out;
}

const std::string kRuledOut = R"(obs("ssh") | ssh_ruled_out(["11-ComMech"]))";
const std::string kDoubts = R"(obs("ssh") | ssh_doubts(["11-ComMech"]))";
using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("expr: a sound SSH server has neither findings nor doubts") {
  CHECK(what(judge(kRuledOut, {sound()})) == Lines{});
  CHECK(what(judge(kDoubts, {sound()})) == Lines{});
  CHECK(judge(kDoubts, {sound()}).missing == Lines{});
}

TEST_CASE("expr: what a policy rules out is a finding that names the policy, its version and its date") {
  const auto server = with(sound(), "ssh.kex", json::array{"good", "bad"});
  const auto found = judge(kRuledOut, {server});
  CHECK(what(found) == Lines{"tcp/22 offers the key exchange bad: forbidden (N) by T 2 of 2025-01"});
  CHECK(canonical(found.items[0].at("evidence")) == "[\"aa\"]");
  CHECK(what(judge(kDoubts, {server})) == Lines{});
  CHECK(what(judge(kRuledOut, {with(sound(), "ssh.macs_to_server", json::array{"bad"})})) ==
        Lines{"tcp/22 offers the MAC bad: forbidden (N) by T 2 of 2025-01"});
  // Listed, but no key came with it: some servers list what they have no key for.
  CHECK(what(judge(kRuledOut, {with(sound(), "ssh.host_key_algorithms", json::array{"good", "bad"})})) == Lines{});
  CHECK(what(judge(kRuledOut, {with(sound(), "ssh.protocol", "1.99")})) ==
        Lines{"tcp/22 offers the protocol 1.99: forbidden by T 2 of 2025-01"});
}

TEST_CASE("expr: what is ruled out and declared is for the assessor") {
  const auto server = with(sound(), "ssh.kex", json::array{"bad"});
  CHECK(what(judge(kRuledOut, {server}, "SSH with bad for old clients")) == Lines{});
  CHECK(what(judge(kDoubts, {server}, "SSH with bad for old clients")) ==
        Lines{"tcp/22 offers the key exchange bad: forbidden (N) by T 2 of 2025-01, and the declaration names it: "
              "whether it is good enough is for the assessor"});
}

TEST_CASE("expr: what an unconfirmed row of a policy for SSH rules out is for the assessor") {
  const auto server = with(sound(), "ssh.kex", json::array{"good", "odd1"});
  CHECK(what(judge(kRuledOut, {server})) == Lines{});
  CHECK(what(judge(kDoubts, {server})) ==
        Lines{"tcp/22 offers the key exchange odd1: forbidden by the row odd* of T 2 of 2025-01, whose confidence is "
              "unconfirmed: an assessor has to decide"});
}

TEST_CASE("expr: lengths of keys and groups are held against the year of the run") {
  const auto server = with(sound(), "ssh.host_keys", key("SHA256:x", 2048));
  CHECK(what(judge(kRuledOut, {server})) == Lines{});
  CHECK(what(judge(kRuledOut, {server}, "SSH", "2029-01-01T00:00:00Z")) ==
        Lines{"tcp/22 uses a host key of kind ssh-rsa with 2048 bits: below 3072 bits by T 2 of 2025-01"});
  const json::array groups{json::object{{"method", "gex"}, {"asked", 1024}, {"given", true}, {"bits", 1024}},
                           json::object{{"method", "gex"}, {"asked", 2048}, {"given", false}}};
  CHECK(what(judge(kRuledOut, {with(sound(), "ssh.group_exchange", groups)})) ==
        Lines{"tcp/22 uses a group of 1024 bits (gex): below 2048 bits by T 2 of 2025-01"});
}

TEST_CASE("expr: unlisted algorithms, unseen keys and the precondition of Terrapin are doubts") {
  CHECK(what(judge(kDoubts, {with(sound(), "ssh.kex", json::array{"new"})})) ==
        Lines{"tcp/22 offers the key exchange new, which T 2 of 2025-01 does not list now"});
  const json::array unseen{json::object{{"family", "ssh-dss"}, {"reason", "why"}}};
  CHECK(what(judge(kDoubts, {with(sound(), "ssh.host_keys_unseen", unseen)})) ==
        Lines{"tcp/22 lists host keys of the kind ssh-dss and showed none: why"});
  CHECK(what(judge(kDoubts, {with(sound(), "ssh.terrapin_precondition", true)})).size() == 1);
}

TEST_CASE("expr: what the probe did not observe is missing, never fine") {
  auto server = sound();
  server["facts"].as_object().erase("ssh.kex");
  server["unobserved"].as_object()["ssh.kex"] = "dropped";
  CHECK(judge(kRuledOut, {server}).missing == Lines{"ssh.ssh.kex on tcp/22 (dropped)"});
}

TEST_CASE(
    "expr: a host key that two samples show is a finding, another key is none, one sample is nothing to compare") {
  const auto other = with(sound("B"), "ssh.host_keys", key("SHA256:y", 3072));
  CHECK(what(judge(R"(shared_host_keys("ssh"))", {sound("A"), sound("B")})) ==
        Lines{"Samples A (tcp/22) and B (tcp/22) show the same SSH host key (ssh-rsa)"});
  CHECK(what(judge(R"(shared_host_keys("ssh"))", {sound("A"), other})) == Lines{});
  CHECK(what(judge(R"(lone_host_keys("ssh"))", {sound("A"), other})) == Lines{});
  CHECK(what(judge(R"(lone_host_keys("ssh"))", {sound("A")})) ==
        Lines{"SSH host keys were seen on sample A only: nothing to compare"});
}
