#include "harness/load/tables.hpp"

/// The tables of dut/1 (docs/dut-format.md).
namespace assay {

namespace {

constexpr std::string_view kDutTag[] = {"dut/1"};
constexpr std::string_view kManagedWords[] = {"unknown", "retail", "isp"};
constexpr std::string_view kProfileWords[] = {"gentle", "normal", "fast"};
constexpr std::string_view kSupportWords[] = {"Y", "N", "N/A"};
constexpr std::string_view kRecipeWays[] = {"exec", "tcp", "prompt", "emulate"};

constinit const Shape kTag{.form = Form::word, .words = kDutTag};
constinit const Shape kManaged{.form = Form::word, .words = kManagedWords};

constinit const Key kDeviceKeys[] = {
    {"vendor", &kSentence, false, "unknown", "The maker's name", "Example"},
    {"model", &kSentence, false, "unknown", "The model as sold", "Hub 2"},
    {"hardware", &kSentence, false, "unknown", "Hardware revision", "B1"},
    {"firmware", &kSentence, false, "unknown", "Firmware version as the device names it", "2.4.1"},
    {"product_class", &kProductClass, false, "unknown",
     "What kind of product it is: decides the scope of other schemes", "smart-home-hub"},
    {"managed", &kManaged, false, "unknown", "Gateways: bought by the user or managed by the provider", "retail"},
};
constinit const Table kDeviceTable{"the device", "Which device this is; goes on the report", kDeviceKeys};
constinit const Shape kDevice{.form = Form::mapping, .table = &kDeviceTable};

constinit const Shape kIdentifierText{.form = Form::text, .syntax = &kIdentifier};
constinit const Shape kMacText{.form = Form::text, .syntax = &kMac};
constinit const Shape kAddressText{.form = Form::text, .syntax = &kAddress};
constinit const Shape kAddressList{.form = Form::list, .item = &kAddressText};
constinit const Shape kAddresses{.form = Form::text, .syntax = &kAddress, .other = &kAddressList};
constinit const Shape kAt{.form = Form::map, .words = kVantageWords, .item = &kAddresses};

constinit const Key kSampleKeys[] = {
    {"id", &kIdentifierText, true, "", "Name of this unit in reports and on the command line", "A"},
    {"serial", &kText, false, "", "Serial number", "EX-0001"},
    {"mac", &kMacText, false, "", "MAC address", "02:00:00:00:00:01"},
    {"at", &kAt, true, "", "Vantage -> numeric address or list of addresses, within the scope", "{lan: 10.20.0.5}"},
    {"destructive", &kBoolean, false, "false", "This unit may be spent by destructive steps", "false"},
};
constinit const Table kSampleTable{"a sample", "One unit of the model", kSampleKeys};
constinit const Shape kSample{.form = Form::mapping, .table = &kSampleTable};
constinit const Shape kSamples{.form = Form::list, .item = &kSample};

constinit const Shape kNetworkText{.form = Form::text, .syntax = &kNetwork};
constinit const Shape kScope{.form = Form::list, .item = &kNetworkText};

constinit const Shape kProfile{.form = Form::word, .words = kProfileWords};
constinit const Shape kSockets{.form = Form::integer, .least = 1, .most = 65535};
constinit const Shape kRate{.form = Form::integer, .least = 1, .most = 1000000};
constinit const Shape kAttempts{.form = Form::integer, .least = 0, .most = 1000};
constinit const Shape kLoginsInAll{.form = Form::integer, .least = 0, .most = 1000000};
constinit const Shape kPause{.form = Form::integer, .least = 0, .most = 600000};
constinit const Shape kTimeout{.form = Form::integer, .least = 10, .most = 600000};
constinit const Key kPaceKeys[] = {
    {"profile", &kProfile, false, "gentle", "Base whose numbers the other keys override", "normal"},
    {"max_connections", &kSockets, false, "of the profile", "Sockets open to the device at once", "4"},
    {"max_connects_per_second", &kRate, false, "of the profile", "New connections a second", "20"},
    {"max_packets_per_second", &kRate, false, "of the profile",
     "SYNs, of every connect too, and datagrams a second; a tenth of that may be unanswered at once", "40"},
    {"login_attempts_per_account", &kAttempts, false, "of the profile",
     "Wrong logins for one account on one endpoint in a run", "5"},
    {"login_attempts_per_endpoint", &kLoginsInAll, false, "no limit",
     "Wrong logins of all accounts together on one endpoint in a run", "100"},
    {"login_interval_ms", &kPause, false, "of the profile", "Pause between two logins on one endpoint", "1000"},
    {"guesses_per_login", &kAttempts, false, "of the profile",
     "Logins on one endpoint in a run that measure how it bears guessing (probe `resistance`); 0: none", "30"},
    {"connect_timeout_ms", &kTimeout, false, "of the profile", "Longest wait for a connection", "3000"},
    {"reply_timeout_ms", &kTimeout, false, "of the profile", "Longest wait for one reply", "5000"},
};
constinit const Table kPaceTable{"the pace", "How hard the device may be worked", kPaceKeys};
constinit const Shape kPace{.form = Form::mapping, .table = &kPaceTable, .other = &kProfile};

constinit const Shape kPort{.form = Form::integer, .least = 1, .most = 65535};
constinit const Shape kDurationText{.form = Form::text, .syntax = &kDuration};
constinit const Shape kEndpointItem{.form = Form::text, .syntax = &kEndpointText};
constinit const Shape kEndpoints{.form = Form::list, .item = &kEndpointItem};
constinit const Key kRecipeKeys[] = {
    {"exec", &kSentence, false, "", "Command line, run by /bin/sh in the DUT file's folder", "./reset.sh"},
    {"tcp", &kPort, false, "", "Done when this TCP port accepts", "443"},
    {"prompt", &kSentence, false, "", "A sentence for the person at the bench", "Hold reset for 10 seconds"},
    {"emulate", &kSentence, false, "", "Name of an emulated device", "camera-weak"},
    {"within", &kDurationText, false, "30s", "Time it may take", "30s"},
    {"closes", &kEndpoints, false, "[]", "Of a trigger that switches services off: ports that are shut afterwards",
     "[tcp/8080]"},
};
constinit const Table kRecipeTable{"a recipe",
                                   "One way to bring the device somewhere or make it act; none: a person is asked",
                                   kRecipeKeys, kRecipeWays};
}  // namespace

constinit const Shape kRecipe{.form = Form::mapping, .table = &kRecipeTable};

namespace {

constinit const Shape kStateRecipes{.form = Form::map, .words = kStateWords, .item = &kRecipe, .may_be_empty = true};
constinit const Shape kTriggerRecipes{.form = Form::map, .syntax = &kName, .item = &kRecipe, .may_be_empty = true};

constinit const Key kPowerKeys[] = {
    {"cycle", &kRecipe, true, "", "How to switch the device off and on again", "{exec: \"pdu 3 cycle\"}"},
};
constinit const Table kPowerTable{"the power", "The device's power supply", kPowerKeys};
constinit const Shape kPower{.form = Form::mapping, .table = &kPowerTable};

constinit const Key kLinkKeys[] = {
    {"cycle", &kRecipe, true, "", "How to take the device's link away for some seconds and give it back",
     "{exec: ./port-off-and-on.sh}"},
};
constinit const Table kLinkTable{"the link", "The device's link to the network", kLinkKeys};
constinit const Shape kLink{.form = Form::mapping, .table = &kLinkTable};

constinit const Shape kNamespaceText{.form = Form::text, .syntax = &kNamespace};
constinit const Shape kInterfaceText{.form = Form::text, .syntax = &kInterface};
constinit const Key kVantageKeys[] = {
    {"netns", &kNamespaceText, false, "",
     "Network namespace of this machine to probe from: a path, or a name below /run/netns", "/run/netns/wan"},
    {"interface", &kInterfaceText, false, "",
     "Interface that everything is sent through, whatever the routes say; in `netns` where both are given", "eth1"},
};
constinit const Table kVantageTable{
    "a vantage", "Where this machine reaches the device from: a namespace, an interface, or both", kVantageKeys};
constinit const Shape kVantage{.form = Form::mapping, .table = &kVantageTable};
constinit const Shape kVantageMap{.form = Form::map, .words = kVantageWords, .item = &kVantage, .may_be_empty = true};

constinit const Key kLabKeys[] = {
    {"start", &kRecipe, false, "", "How to start the device", "{exec: ./start.sh}"},
    {"ready", &kRecipe, false, "", "How to tell that it is ready", "{tcp: 443, within: 30s}"},
    {"stop", &kRecipe, false, "", "How to stop it", "{exec: ./stop.sh}"},
    {"states", &kStateRecipes, false, "", "State -> how to reach it from any other: exec or prompt",
     "{factory: {exec: ./reset.sh}}"},
    {"trigger", &kTriggerRecipes, false, "", "Name -> how to make the device act: exec or prompt",
     "{check_update: {exec: ./check.sh}}"},
    {"power", &kPower, false, "", "The power supply", "{cycle: {exec: \"pdu 3 cycle\"}}"},
    {"link", &kLink, false, "", "The link to the network", "{cycle: {exec: ./port-off-and-on.sh}}"},
    {"vantages", &kVantageMap, false, "", "Vantage -> where to probe from", "{wan: {netns: /run/netns/wan}}"},
    {"sources", &kScope, false, "[]",
     "Addresses of this machine, or ranges of them, to send from beside the usual one, as far as the interface to the "
     "device has them: for the UDP scan where the device limits its ICMP errors to each peer, and to see whether a "
     "lock of wrong logins holds for other clients too",
     "[10.20.0.128/25]"},
};
constinit const Table kLabTable{"the lab", "How the laboratory handles the device as a thing", kLabKeys};
constinit const Shape kLab{.form = Form::mapping, .table = &kLabTable};

constinit const Shape kSecretText{.form = Form::secret, .may_be_empty = true};
constinit const Key kAccountKeys[] = {
    {"role", &kSentence, true, "", "What the account may do, in the device's words", "admin"},
    {"username", &kText, true, "", "Login name; \"\" where the device asks for none", "admin"},
    {"secret", &kSecretText, true, "",
     "Password: env:NAME, file:PATH (from the DUT file's folder) or the text itself, which is left out of the bundle",
     "env:DUT_ADMIN"},
};
constinit const Table kAccountTable{"an account", "A login that the tester knows", kAccountKeys};
constinit const Shape kAccount{.form = Form::mapping, .table = &kAccountTable};
constinit const Shape kAccounts{.form = Form::list, .item = &kAccount, .may_be_empty = true};

constinit const Key kVendorCredentialKeys[] = {
    {"username", &kText, true, "", "Login name", "admin"},
    {"password", &kSecretText, true, "", "Password, written like `secret` of an account", "\"1234\""},
};
constinit const Table kVendorCredentialTable{"a vendor credential", "A pair that the maker is known to have shipped",
                                             kVendorCredentialKeys};
constinit const Shape kVendorCredential{.form = Form::mapping, .table = &kVendorCredentialTable};
constinit const Shape kVendorCredentials{.form = Form::list, .item = &kVendorCredential, .may_be_empty = true};

constinit const Shape kSampleName{.form = Form::text, .syntax = &kIdentifier};
constinit const Key kPasswordSampleKeys[] = {
    {"secret", &kSecretText, true, "", "The factory value, written like `secret` of an account", "env:PASSWORD_1"},
    {"mechanism", &kText, false, "", "IXIT 1-AuthMech entry that it is a value of: the values of one are compared",
     "AM-1"},
    {"username", &kText, false, "", "Login name that goes with it", "admin"},
    {"sample", &kSampleName, false, "", "Sample that it belongs to, whose serial number and MAC address it takes", "A"},
    {"serial", &kText, false, "of the sample", "Serial number of the device that it belongs to", "EX-0001"},
    {"mac", &kMacText, false, "of the sample", "Its MAC address", "02:00:00:00:00:01"},
    {"ssid", &kText, false, "", "Its network name", "Example-0001"},
    {"model", &kText, false, "of the device", "Its model", "Hub 2"},
    {"date", &kText, false, "", "Its date of manufacture, as the label has it", "2026-01-31"},
};
constinit const Table kPasswordSampleTable{
    "a password sample", "A factory value with what is public of the same device", kPasswordSampleKeys};
constinit const Shape kPasswordSample{.form = Form::mapping, .table = &kPasswordSampleTable};
constinit const Shape kPasswordSamples{.form = Form::list, .item = &kPasswordSample, .may_be_empty = true};

constinit const Key kLoginKeys[] = {
    {"port", &kEndpointItem, true, "", "Where the interface is", "tcp/443"},
    {"path", &kSentence, true, "", "Path that a login is sent to by POST", "/api/login"},
    {"body", &kSentence, true, "", "JSON that is sent; {username} and {password} in its texts are filled in",
     "'{\"user\": \"{username}\", \"pass\": \"{password}\"}'"},
    {"token", &kText, false, "", "JSON Pointer (RFC 6901) to a token in the answer; none: cookies carry the session",
     "/data/token"},
    {"header", &kSentence, false, "Authorization: Bearer {token}",
     "Header that carries the token afterwards; `Cookie: NAME={token}`, with the attributes that the page's "
     "script gives it, is a cookie that scripts can read",
     "\"X-Session: {token}\""},
    {"check", &kSentence, true, "", "Path of a page that is given after a login only; it is read, nothing else",
     "/api/status"},
};
constinit const Table kLoginTable{"a login", "How one logs in to a programming interface over HTTP", kLoginKeys};
constinit const Shape kLogin{.form = Form::mapping, .table = &kLoginTable};
constinit const Shape kLogins{.form = Form::list, .item = &kLogin, .may_be_empty = true};

constinit const Shape kMessagesEntry{.form = Form::mapping, .table = &kMessageInterfaceTable};
constinit const Shape kMessages{.form = Form::list, .item = &kMessagesEntry, .may_be_empty = true};
constinit const Shape kBrokersEntry{.form = Form::mapping, .table = &kBrokerTable};
constinit const Shape kBrokers{.form = Form::list, .item = &kBrokersEntry, .may_be_empty = true};
constinit const Shape kWebEntry{.form = Form::mapping, .table = &kWebInterfaceTable};
constinit const Shape kWeb{.form = Form::list, .item = &kWebEntry, .may_be_empty = true};

constinit const Shape kSupport{.form = Form::word, .words = kSupportWords};
constinit const Key kIcsKeys[] = {
    {"support", &kSupport, true, "", "Does the device meet the provision: Y, N, or N/A", "N/A"},
    {"because", &kText, false, "", "The reason; required for N and N/A", "no pre-installed passwords"},
};
constinit const Table kIcsTable{"an ICS entry", "What the maker claims for one provision", kIcsKeys};
constinit const Shape kIcsEntry{.form = Form::mapping, .table = &kIcsTable};
constinit const Shape kIcs{.form = Form::map, .syntax = &kShortProvision, .item = &kIcsEntry, .may_be_empty = true};

constinit const Shape kIxitEntries{.form = Form::list, .item = &kFreeMapping, .may_be_empty = true};
constinit const Shape kIxit{.form = Form::map, .syntax = &kTableName, .item = &kIxitEntries, .may_be_empty = true};

constinit const Shape kDateText{.form = Form::text, .syntax = &kDate};
constinit const Shape kFileText{.form = Form::text, .syntax = &kRelativePath};
constinit const Shape kClauses{.form = Form::list, .item = &kQualifiedText};
constinit const Key kInheritedKeys[] = {
    {"certificate", &kSentence, true, "", "Its number, as its issuer writes it", "CLSR-0001"},
    {"scheme", &kSentence, true, "", "Under which it was given", "CLS-Ready"},
    {"component", &kSentence, true, "", "What was certified: chip, module, platform, service", "Module X"},
    {"version", &kSentence, true, "", "Version of the component, as certified and as built in", "1.2"},
    {"issued", &kDateText, true, "", "Its first day", "2026-01-31"},
    {"expires", &kDateText, true, "", "Its last day: a run after it does not count it", "2028-01-30"},
    {"clauses", &kClauses, true, "", "Provisions or cases that it is evidence for", "[\"EN303645@2.1.1:5.4-1\"]"},
    {"accepted_by", &kText, false, "", "The laboratory that accepted it for this device; until then it does not count",
     "Example Laboratory"},
    {"file", &kFileText, false, "", "The certificate, below the DUT file's folder; a run keeps it with its digest",
     "certificates/module.pdf"},
};
constinit const Table kInheritedTable{"an inherited certificate", "Evidence of others that settles clauses",
                                      kInheritedKeys};
constinit const Shape kInheritedEntry{.form = Form::mapping, .table = &kInheritedTable};
constinit const Shape kInherits{.form = Form::list, .item = &kInheritedEntry, .may_be_empty = true};

constinit const Key kVariantKeys[] = {
    {"model", &kSentence, true, "", "The model as sold", "Hub 2 Mini"},
    {"differences", &kText, false, "", "What differs from the others", "no Ethernet socket"},
    {"tested", &kBoolean, false, "false", "It is this one that is tested", "true"},
    {"argued", &kText, false, "", "Why the results hold for it untested", "same board and firmware, one part left out"},
};
constinit const Table kVariantTable{"a variant", "One model of the family", kVariantKeys};
constinit const Shape kVariant{.form = Form::mapping, .table = &kVariantTable};
constinit const Shape kVariants{.form = Form::list, .item = &kVariant, .may_be_empty = true};

constinit const Key kDutKeys[] = {
    {"assay", &kTag, true, "", "Kind and version of this file", "dut/1"},
    {"device", &kDevice, true, "", "Which device this is", "{vendor: Example, model: Hub 2}"},
    {"samples", &kSamples, true, "", "The units of the model that are here", "[{id: A, at: {lan: 10.20.0.5}}]"},
    {"scope", &kScope, true, "", "Addresses and ranges; nothing outside is ever contacted", "[10.20.0.0/28]"},
    {"ecosystem", &kFreeMapping, false, "{}", "What belongs to the product but is not the box: apps, services",
     "{apps: [{package: com.example.hub}]}"},
    {"pace", &kPace, false, "gentle", "How hard the device may be worked: a profile, or a mapping", "gentle"},
    {"lab", &kLab, false, "{}",
     "Recipes to start, reset and trigger the device; where there is none, a person is asked", "{ready: {tcp: 443}}"},
    {"accounts", &kAccounts, false, "[]", "Logins that the tester knows",
     "[{role: admin, username: admin, secret: env:DUT_ADMIN}]"},
    {"vendor_credentials", &kVendorCredentials, false, "[]",
     "Pairs that the maker is known to have shipped, tried first", "[{username: admin, password: \"1234\"}]"},
    {"password_samples", &kPasswordSamples, false, "[]",
     "Factory values of several devices, such as ten of the maker's generator, for the probe `uniqueness`",
     "[{secret: env:PASSWORD_1, serial: EX-0001}]"},
    {"logins", &kLogins, false, "[]",
     "How one logs in where nothing on the wire says it, so that default passwords can be tried there too",
     "[{port: tcp/443, path: /api/login, …}]"},
    {"web", &kWeb, false, "[]",
     "How web interfaces are used beyond the login: what the probes of sessions and of passwords need to know",
     "[{port: tcp/443, log_out: {path: /logout}, …}]"},
    {"messages", &kMessages, false, "[]",
     "How interfaces of CoAP and MQTT are set up, and how their passwords are changed",
     "[{port: udp/5683, protocol: coap, setting: {path: /name, …}, …}]"},
    {"brokers", &kBrokers, false, "[]",
     "What MQTT brokers of the device want of a client, so that default passwords can be tried there",
     "[{port: tcp/1883, client_id: 'hub-{random}'}]"},
    {"updates", &kUpdates, false, "[]",
     "How updates reach the device, with genuine images, so that the probe `update` can attack them (docs/updates.md)",
     "[{mechanism: UM-1, transport: http_pull, …}]"},
    {"standard", &kEditionText, false, "",
     "Edition whose ICS and IXIT this declaration follows; required with `ics` or `ixit`", "TS103701@1.1.1"},
    {"ics", &kIcs, false, "{}", "Provision -> what the maker claims",
     "{\"5.1-2\": {support: N/A, because: no passwords}}"},
    {"ixit", &kIxit, false, "{}",
     "Table -> entries; `port` of an entry is an endpoint or a list of endpoints. A table that is not here is not "
     "declared",
     "{15-Intf: [{id: IF-1, port: tcp/443}]}"},
    {"inherits", &kInherits, false, "[]", "Certificates of components whose evidence is taken over",
     "[{certificate: CLSR-0001, scheme: CLS-Ready, …}]"},
    {"family", &kVariants, false, "[]", "The models that this declaration stands for",
     "[{model: Hub 2, tested: true}]"},
    {"mud", &kFileText, false, "", "MUD file (RFC 8520, JSON), below the DUT file's folder", "hub2.mud.json"},
};

}  // namespace

constinit const Table kDutTable{"the DUT file", "The device under test and its maker's declaration", kDutKeys};

}  // namespace assay
