#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/model/endpoint.hpp"
#include "harness/model/json.hpp"
#include "harness/model/pace.hpp"
#include "harness/model/secret.hpp"

/// The device under test and its maker's declaration: what a `dut.yaml` says (docs/dut-format.md).
namespace assay {

struct DeviceIdentity {
  std::string vendor = "unknown";
  std::string model = "unknown";
  std::string hardware = "unknown";
  std::string firmware = "unknown";
  std::string product_class = "unknown";
  std::string managed = "unknown";  // retail, isp; gateways only

  bool operator==(const DeviceIdentity&) const = default;
};
BOOST_DESCRIBE_STRUCT(DeviceIdentity, (), (vendor, model, hardware, firmware, product_class, managed))

/// One unit of the model.
struct Sample {
  std::string id;
  std::string serial;
  std::string mac;
  std::map<std::string, std::vector<std::string>> at;  // vantage -> numeric addresses
  bool destructive = false;                            // this unit may be spent

  bool operator==(const Sample&) const = default;
};
BOOST_DESCRIBE_STRUCT(Sample, (), (id, serial, mac, at, destructive))

struct Account {
  std::string role;
  std::string username;
  Secret secret;

  bool operator==(const Account&) const = default;
};
BOOST_DESCRIBE_STRUCT(Account, (), (role, username, secret))

/// One pair to try: of a shipped dictionary or of the DUT file's `vendor_credentials`.
struct Credential {
  std::string username;
  Secret password;

  bool operator==(const Credential&) const = default;
};
BOOST_DESCRIBE_STRUCT(Credential, (), (username, password))

/// A way to bring the device somewhere or make it act. Exactly one member is set; none means: ask a person.
struct Recipe {
  std::optional<std::string> exec;     // command line, run by /bin/sh in the DUT file's folder
  std::optional<Endpoint> tcp;         // ready when this port accepts
  std::optional<std::string> prompt;   // a sentence for the person at the bench
  std::optional<std::string> emulate;  // name of an emulated device
  std::uint32_t within_ms = 30000;     // time it may take

  bool operator==(const Recipe&) const = default;
};
BOOST_DESCRIBE_STRUCT(Recipe, (), (exec, tcp, prompt, emulate, within_ms))

/// How the laboratory handles the device as a thing.
struct LabRecipes {
  std::optional<Recipe> start;
  std::optional<Recipe> ready;
  std::optional<Recipe> stop;
  std::map<std::string, Recipe> states;    // state -> how to reach it
  std::map<std::string, Recipe> triggers;  // name -> how to make the device act
  std::optional<Recipe> power_cycle;
  std::map<std::string, std::string> vantages;  // vantage -> network namespace path to probe from

  bool operator==(const LabRecipes&) const = default;
};
BOOST_DESCRIBE_STRUCT(LabRecipes, (), (start, ready, stop, states, triggers, power_cycle, vantages))

/// ICS entry: does the maker claim the provision?
enum class Support : std::uint8_t { yes, no, not_applicable };
BOOST_DESCRIBE_ENUM(Support, yes, no, not_applicable)

struct IcsEntry {
  Support support = Support::yes;
  std::string because;

  bool operator==(const IcsEntry&) const = default;
};
BOOST_DESCRIBE_STRUCT(IcsEntry, (), (support, because))

struct Dut {
  DeviceIdentity device;
  std::vector<Sample> samples;
  std::vector<std::string> scope;  // addresses and CIDR ranges; nothing outside is ever contacted
  json::object ecosystem;
  Pace pace;
  LabRecipes lab;
  std::vector<Account> accounts;
  std::vector<Credential> vendor_credentials;
  std::string standard;                     // "TS103701@1.1.1"; empty when nothing is declared
  std::map<std::string, IcsEntry> ics;      // "5.1-2" -> entry
  std::map<std::string, json::array> ixit;  // "15-Intf" -> objects; a table that is not there is not declared

  bool operator==(const Dut&) const = default;
};
BOOST_DESCRIBE_STRUCT(Dut, (),
                      (device, samples, scope, ecosystem, pace, lab, accounts, vendor_credentials, standard, ics, ixit))
ASSAY_JSON_DECLARE(Dut);

/// What a laboratory adds for its ISO/IEC 17025 report (docs/job-format.md).
struct Job {
  json::object report;
  json::object item;
  json::array equipment;
  json::object rules;

  bool operator==(const Job&) const = default;
};
BOOST_DESCRIBE_STRUCT(Job, (), (report, item, equipment, rules))

/// A list of credentials with its source, from `testplans/dictionaries/`.
struct Dictionary {
  std::string id;
  std::string title;
  std::string source;
  std::vector<Credential> credentials;

  bool operator==(const Dictionary&) const = default;
};
BOOST_DESCRIBE_STRUCT(Dictionary, (), (id, title, source, credentials))

}  // namespace assay
