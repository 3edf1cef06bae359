#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/model/broker.hpp"
#include "harness/model/endpoint.hpp"
#include "harness/model/json.hpp"
#include "harness/model/message_interface.hpp"
#include "harness/model/pace.hpp"
#include "harness/model/recipe.hpp"
#include "harness/model/secret.hpp"
#include "harness/model/update.hpp"
#include "harness/model/web_interface.hpp"

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

/// One pair to try, of the DUT file's `vendor_credentials`.
struct Credential {
  std::string username;
  Secret password;

  bool operator==(const Credential&) const = default;
};
BOOST_DESCRIBE_STRUCT(Credential, (), (username, password))

/// One factory value with what is public of the same device, for the probe `uniqueness`.
struct PasswordSample {
  std::string mechanism;  // id of IXIT 1-AuthMech: values of one generator are held against each other
  std::string username;
  Secret secret;
  std::string sample;  // of the laboratory, whose serial and mac stand in where they are not given
  std::string serial;
  std::string mac;
  std::string ssid;
  std::string model;
  std::string date;  // of manufacture, as the label has it

  bool operator==(const PasswordSample&) const = default;
};
BOOST_DESCRIBE_STRUCT(PasswordSample, (), (mechanism, username, secret, sample, serial, mac, ssid, model, date))

/// How one logs in to a programming interface over HTTP, which nothing on the wire says.
struct LoginRecipe {
  Endpoint port;
  std::string path;    // that the login is sent to by POST
  std::string body;    // JSON; texts hold {username} and {password}
  std::string token;   // JSON Pointer (RFC 6901) to the token in the answer; empty: cookies carry the session
  std::string header;  // that carries the token afterwards: "Authorization: Bearer {token}"
  std::string check;   // a page that is given after a login only

  bool operator==(const LoginRecipe&) const = default;
};
BOOST_DESCRIBE_STRUCT(LoginRecipe, (), (port, path, body, token, header, check))

/// Where this machine reaches the device from: a network namespace, an interface that its sockets are bound to, or an
/// interface in a namespace.
struct VantagePoint {
  std::string netns;      // path, or a name below /run/netns; empty: the one this process began in
  std::string interface;  // "eth1"; empty: as the routes say

  bool operator==(const VantagePoint&) const = default;

  /// The bare text of `netns` where there is no interface, as earlier versions wrote it.
  json::value json() const;
  Result<> read(const json::value& value, const std::string& pointer);
};

/// How the laboratory handles the device as a thing.
struct LabRecipes {
  std::optional<Recipe> start;
  std::optional<Recipe> ready;
  std::optional<Recipe> stop;
  std::map<std::string, Recipe> states;    // state -> how to reach it
  std::map<std::string, Recipe> triggers;  // name -> how to make the device act
  std::optional<Recipe> power_cycle;
  std::map<std::string, VantagePoint> vantages;  // vantage -> where to probe from
  Later<std::string> sources;                    // addresses and ranges of ours to send from beside the usual one
  Later<Recipe> link_cycle;                      // none or one

  bool operator==(const LabRecipes&) const = default;
};
BOOST_DESCRIBE_STRUCT(LabRecipes, (),
                      (start, ready, stop, states, triggers, power_cycle, vantages, sources, link_cycle))

/// ICS entry: does the maker claim the provision?
enum class Support : std::uint8_t { yes, no, not_applicable };
BOOST_DESCRIBE_ENUM(Support, yes, no, not_applicable)

struct IcsEntry {
  Support support = Support::yes;
  std::string because;

  bool operator==(const IcsEntry&) const = default;
};
BOOST_DESCRIBE_STRUCT(IcsEntry, (), (support, because))

/// Evidence that others made and a laboratory takes over: a certificate of a component, for some clauses.
struct Inherited {
  std::string certificate;
  std::string scheme;
  std::string component;
  std::string version;               // of the component
  std::string issued;                // YYYY-MM-DD
  std::string expires;               // YYYY-MM-DD, its last day
  std::vector<std::string> clauses;  // qualified ids of provisions or cases
  std::string accepted_by;           // the laboratory; empty: not accepted, does not count
  std::string file;                  // the certificate itself, relative to the DUT file
  std::string sha256;                // of that file, when a run kept it

  bool operator==(const Inherited&) const = default;
};
BOOST_DESCRIBE_STRUCT(Inherited, (),
                      (certificate, scheme, component, version, issued, expires, clauses, accepted_by, file, sha256))

/// "certificate CLSR-1 (CLS-Ready) of Module 1.2, accepted by Example Laboratory".
std::string in_words(const Inherited& entry);

/// Why the entry does not count on that day (RFC 3339), or nothing when it does.
std::string ignored_because(const Inherited& entry, std::string_view date);

/// A model of the family that the declaration stands for.
struct Variant {
  std::string model;
  std::string differences;
  bool tested = false;
  std::string argued;  // why the results hold for it untested

  bool operator==(const Variant&) const = default;
};
BOOST_DESCRIBE_STRUCT(Variant, (), (model, differences, tested, argued))

/// Which model was tested and what the results say of the others; empty without a family.
std::vector<std::string> family_statement(const std::vector<Variant>& family);

/// One accepted flow of a MUD file (RFC 8520), by the side that offers the service.
struct MudFlow {
  std::string ace;              // "acl/ace"
  bool offered = false;         // the device listens; else it is the one that connects
  std::string transport;        // tcp, udp; empty: any
  std::int64_t first_port = 0;  // of the service; 0 to 65535: any
  std::int64_t last_port = 65535;
  std::string peer;  // "local-networks", "my-controller", "name example.org", "any" …

  bool operator==(const MudFlow&) const = default;
};
BOOST_DESCRIBE_STRUCT(MudFlow, (), (ace, offered, transport, first_port, last_port, peer))

/// A MUD file, read as a declaration of communication.
struct Mud {
  std::string file;
  std::string url;
  std::vector<MudFlow> flows;

  bool operator==(const Mud&) const = default;
};
BOOST_DESCRIBE_STRUCT(Mud, (), (file, url, flows))

/// Whether the file says that the device listens there.
bool offers(const Mud& mud, const Endpoint& endpoint);

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
  Later<Inherited> inherits;
  Later<Variant> family;
  Later<Mud> mud;  // none or one
  Later<PasswordSample> password_samples;
  Later<LoginRecipe> logins;         // at most one for an endpoint
  Later<WebInterface> web;           // at most one for an endpoint
  Later<MessageInterface> messages;  // at most one for an endpoint
  Later<Broker> brokers;             // at most one for an endpoint
  Later<UpdateMechanism> updates;    // at most one for an entry of IXIT 7-UpdMech

  bool operator==(const Dut&) const = default;
};
BOOST_DESCRIBE_STRUCT(Dut, (),
                      (device, samples, scope, ecosystem, pace, lab, accounts, vendor_credentials, standard, ics, ixit,
                       inherits, family, mud, password_samples, logins, web, messages, brokers, updates))
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

/// One pair of a dictionary.
struct DictionaryPair {
  std::string username;
  Secret password;
  Later<std::string> likelier_for = {};  // words in the names of vendors and models

  bool operator==(const DictionaryPair&) const = default;
};
BOOST_DESCRIBE_STRUCT(DictionaryPair, (), (username, password, likelier_for))

/// A list of credentials with its source, from `testplans/dictionaries/`.
struct Dictionary {
  std::string id;
  std::string title;
  std::string source;
  std::vector<DictionaryPair> credentials;
  Later<Secret> passwords;  // without a username: never tried, held against values

  bool operator==(const Dictionary&) const = default;
};
BOOST_DESCRIBE_STRUCT(Dictionary, (), (id, title, source, credentials, passwords))

}  // namespace assay
