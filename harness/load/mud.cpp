#include "harness/load/mud.hpp"

#include <algorithm>
#include <set>

#include "harness/load/read.hpp"
#include "harness/load/words.hpp"

namespace assay {

namespace {

constexpr std::size_t kMaximumBytes = 256u << 10u;
constexpr std::size_t kMaximumEntries = 2000;
constexpr std::size_t kLongestText = 1024;
constexpr std::int64_t kLastPort = 65535;

/// What is wrong and where, as a JSON pointer. Thrown within this file only: a MUD file is read whole or not at all.
struct Wrong {
  std::string pointer;
  std::string what;
};

/// A value with its place.
struct At {
  const json::value* value = nullptr;  // null: not there
  std::string pointer;

  explicit operator bool() const { return value != nullptr; }

  const json::object& object() const {
    if (value == nullptr || !value->is_object()) {
      throw Wrong{pointer, "must be an object"};
    }
    return value->get_object();
  }

  At operator[](std::string_view key) const {
    return {value == nullptr ? nullptr : object().if_contains(key), pointer + "/" + std::string{key}};
  }

  std::vector<At> items() const {
    std::vector<At> out;
    if (value == nullptr) {
      return out;
    }
    if (!value->is_array()) {
      throw Wrong{pointer, "must be a list"};
    }
    for (std::size_t i = 0; i < value->get_array().size(); ++i) {
      out.push_back({&value->get_array()[i], pointer + "/" + std::to_string(i)});
    }
    return out;
  }

  std::string text() const {
    if (value == nullptr || !value->is_string()) {
      throw Wrong{pointer, "must be a text"};
    }
    if (value->get_string().size() > kLongestText) {
      throw Wrong{pointer, "is longer than 1024 bytes"};
    }
    return std::string{std::string_view{value->get_string()}};
  }

  std::int64_t port() const {
    boost::system::error_code failed;
    const auto number = value == nullptr ? -1 : value->to_number<std::int64_t>(failed);
    if (failed || number < 0 || number > kLastPort) {
      throw Wrong{pointer, "must be a port, 0 to 65535"};
    }
    return number;
  }
};

struct Ports {
  std::int64_t first = 0;
  std::int64_t last = kLastPort;

  bool any() const { return first == 0 && last == kLastPort; }
};

Ports ports_of(const At& at) {
  if (!at) {
    return {};
  }
  if (at["lower-port"]) {
    const Ports out{at["lower-port"].port(), at["upper-port"].port()};
    if (out.last < out.first) {
      throw Wrong{at.pointer, "ends before it begins"};
    }
    return out;
  }
  const auto wanted = at["operator"] ? at["operator"].text() : "eq";
  const auto port = at["port"].port();
  if (wanted == "eq") {
    return {port, port};
  }
  if (wanted == "lte") {
    return {0, port};
  }
  if (wanted == "gte") {
    return {port, kLastPort};
  }
  if (wanted == "neq") {
    return {};  // everything but one: as wide as no port at all
  }
  throw Wrong{at.pointer + "/operator", "must be eq, lte, gte or neq"};
}

std::string peer_of(const At& matches, bool from_device) {
  const auto mud = matches["ietf-mud:mud"];
  for (const auto* flag : {"local-networks", "my-controller", "same-manufacturer"}) {
    if (mud && mud[flag]) {
      return flag;
    }
  }
  for (const auto* named : {"controller", "manufacturer", "model"}) {
    if (mud && mud[named]) {
      return std::string{named} + " " + mud[named].text();
    }
  }
  const std::string side = from_device ? "dst" : "src";
  const std::string network = from_device ? "destination" : "source";
  for (const auto* family : {"ipv4", "ipv6"}) {
    const auto header = matches[family];
    if (header && header["ietf-acldns:" + side + "-dnsname"]) {
      return "name " + header["ietf-acldns:" + side + "-dnsname"].text();
    }
    const auto address = header ? header[network + "-" + family + "-network"] : At{};
    if (address) {
      return "address " + address.text();
    }
  }
  return "any";
}

std::string transport_of(const At& matches) {
  for (const auto* family : {"ipv4", "ipv6"}) {
    const auto protocol = matches[family] ? matches[family]["protocol"] : At{};
    if (protocol) {
      const auto number = protocol.port();
      return number == 6 ? "tcp" : number == 17 ? "udp" : "other";
    }
  }
  return matches["tcp"] ? "tcp" : matches["udp"] ? "udp" : "";
}

class Reader {
 public:
  explicit Reader(const json::value& root) : root_{&root, ""} {}

  Mud read() {
    const auto mud = root_["ietf-mud:mud"];
    if (!mud) {
      throw Wrong{"/ietf-mud:mud", "is missing: this is no MUD file"};
    }
    mud.object();
    out_.url = mud["mud-url"].text();
    read_acls();
    read_policy(mud["from-device-policy"], true);
    read_policy(mud["to-device-policy"], false);
    return std::move(out_);
  }

 private:
  void read_acls() {
    const auto lists = root_["ietf-access-control-list:acls"];
    for (const auto& acl : (lists ? lists["acl"] : At{}).items()) {
      const auto name = acl["name"].text();
      if (!acls_.emplace(name, acl).second) {
        throw Wrong{acl.pointer + "/name", "is " + shown(name) + ", as another list is"};
      }
    }
  }

  void read_policy(const At& policy, bool from_device) {
    const auto lists = policy ? policy["access-lists"] : At{};
    for (const auto& named : (lists ? lists["access-list"] : At{}).items()) {
      const auto name = named["name"].text();
      const auto acl = acls_.find(name);
      if (acl == acls_.end()) {
        throw Wrong{named.pointer + "/name", "is " + shown(name) + ", and no access list has that name"};
      }
      const auto aces = acl->second["aces"];
      for (const auto& ace : (aces ? aces["ace"] : At{}).items()) {
        read_entry(name, ace, from_device);
      }
    }
  }

  void read_entry(const std::string& acl, const At& ace, bool from_device) {
    if (++entries_ > kMaximumEntries) {
      throw Wrong{ace.pointer, "is one entry more than the 2000 that are read"};
    }
    MudFlow flow;
    flow.ace = acl + "/" + ace["name"].text();
    const auto actions = ace["actions"];
    if ((actions ? actions["forwarding"] : At{}).text() != "accept") {
      return;
    }
    const auto matches = ace["matches"];
    matches.object();
    flow.transport = transport_of(matches);
    flow.peer = peer_of(matches, from_device);
    const auto header = matches[flow.transport == "udp" ? "udp" : "tcp"];
    const auto source = ports_of(header ? header["source-port"] : At{});
    const auto destination = ports_of(header ? header["destination-port"] : At{});
    const auto initiated = header ? header["ietf-mud:direction-initiated"] : At{};
    // The port of the service is that of the side that is asked; the answers come from it.
    const auto& ours = from_device ? source : destination;
    const auto& theirs = from_device ? destination : source;
    flow.offered = initiated ? initiated.text() == "to-device" : !ours.any() && theirs.any();
    const auto& service = flow.offered ? ours : theirs;
    flow.first_port = service.first;
    flow.last_port = service.last;
    const bool known = std::any_of(out_.flows.begin(), out_.flows.end(), [&](const MudFlow& other) {
      return other.offered == flow.offered && other.transport == flow.transport && other.peer == flow.peer &&
             other.first_port == flow.first_port && other.last_port == flow.last_port;
    });
    // A service without a port says nothing of where the device listens.
    if (flow.transport != "other" && !known && !(flow.offered && ours.any())) {
      out_.flows.push_back(std::move(flow));
    }
  }

  At root_;
  std::map<std::string, At> acls_;
  std::size_t entries_ = 0;
  Mud out_;
};

/// Tables whose entries say where the device listens, in every edition.
bool lists_services(const std::string& table) {
  static const std::set<std::string> kTables = {"15-Intf", "28-LogIntf", "13-SoftServ"};
  return kTables.contains(table);
}

std::vector<std::string> ports_in(const json::value& entry) {
  std::vector<std::string> out;
  const auto* port = entry.is_object() ? entry.get_object().if_contains("port") : nullptr;
  const auto add = [&](const json::value& one) {
    if (one.is_string()) {
      out.emplace_back(std::string_view{one.get_string()});
    }
  };
  if (port != nullptr && port->is_array()) {
    std::for_each(port->get_array().begin(), port->get_array().end(), add);
  } else if (port != nullptr) {
    add(*port);
  }
  return out;
}

bool is_disabled(const json::value& entry) {
  const auto* status = entry.is_object() ? entry.get_object().if_contains("status") : nullptr;
  return status != nullptr && *status == json::value("disabled");
}

}  // namespace

Result<Mud> load_mud(const SourceText& source) {
  if (source.text.size() > kMaximumBytes) {
    return Error{ErrorKind::bad_input, "the MUD file is larger than 256 KiB", source.path};
  }
  const auto root = parse_json(source.text, source.path);
  if (!root) {
    return root.error();
  }
  try {
    auto out = Reader{*root}.read();
    out.file = source.path;
    return out;
  } catch (const Wrong& wrong) {
    // The pointer is made of names that are ours and of numbers: nothing of the file's own is printed.
    return Error{ErrorKind::bad_input, (wrong.pointer.empty() ? "the file" : wrong.pointer) + " " + wrong.what,
                 source.path};
  }
}

void read_mud(const Node& root, const std::filesystem::path& folder, Dut& dut, Faults& faults) {
  const auto* named = find(root, "mud");
  if (named == nullptr || !named->is_scalar() || named->text.empty()) {
    return;
  }
  auto source = read_source(folder / named->text);
  if (source) {
    source->path = named->text;
  }
  auto mud = source ? load_mud(*source) : Result<Mud>{source.error()};
  if (!mud) {
    faults.add(named->place, "the MUD file " + shown(named->text) + ": " + mud.error().what);
    return;
  }
  dut.mud.push_back(std::move(*mud));
}

void check_mud(const Node& root, const Dut& dut, Faults& faults) {
  if (dut.mud.empty()) {
    return;
  }
  const auto& mud = dut.mud.front();
  std::set<std::string> listed;
  bool any_table = false;
  for (const auto& [table, entries] : dut.ixit) {
    if (!lists_services(table)) {
      continue;
    }
    any_table = true;
    for (const auto& entry : entries) {
      for (const auto& port : ports_in(entry)) {
        const auto endpoint = Endpoint::parse(port);
        if (!endpoint) {
          continue;
        }
        if (!is_disabled(entry)) {
          listed.insert(port);
        }
        if (is_disabled(entry) == offers(mud, *endpoint)) {
          faults.add(place_of(child(root, "ixit"), table),
                     is_disabled(entry)
                         ? "IXIT " + table + " declares " + port + " disabled, and the MUD file lets others reach it"
                         : "IXIT " + table + " declares " + port + ", and the MUD file lets nobody reach it");
        }
      }
    }
  }
  for (const auto& flow : mud.flows) {
    if (!any_table || !flow.offered || flow.first_port != flow.last_port || flow.transport.empty()) {
      continue;
    }
    const auto port = flow.transport + "/" + std::to_string(flow.first_port);
    if (!listed.contains(port)) {
      faults.add(place_of(root, "mud"), "the MUD file lets " + shown(flow.peer) + " reach " + port + " (" + flow.ace +
                                            "), and no IXIT table declares it enabled");
    }
  }
}

}  // namespace assay
