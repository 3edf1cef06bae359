#include "probes/discovery/gathered.hpp"

namespace assay::probes::discovery {

namespace {

constexpr std::size_t kMostTypes = 64;
constexpr std::size_t kMostServices = 128;
constexpr std::size_t kMostHosts = 32;
constexpr std::size_t kMostQuestions = 24;
constexpr std::size_t kMostAddresses = 16;

/// "Hub._http._tcp.local" -> "_http._tcp.local"; empty when there is no type in it.
std::string type_in(const std::string& name) {
  const auto place = name.starts_with('_') ? 0 : name.find("._");
  return place == std::string::npos ? std::string{} : name.substr(place == 0 ? 0 : place + 1);
}

/// Where a service of that type listens: "tcp/80".
std::string endpoint_of(const std::string& type, std::uint16_t port) {
  const bool udp = wire::lower(type).find("._udp.") != std::string::npos;
  return (udp ? "udp/" : "tcp/") + std::to_string(port);
}

}  // namespace

bool MdnsPicture::take(std::string_view datagram) {
  const auto parse = wire::parse_dns(datagram);
  if (parse.state != wire::Parse::complete || !parse.message.is_response()) {
    return false;
  }
  for (const auto& record : parse.message.records) {
    take_record(record);
  }
  return true;
}

void MdnsPicture::take_record(const wire::DnsRecord& record) {
  if (record.type == wire::kDnsPtr && wire::lower(record.name) == kServiceTypes) {
    note_type(record.target);
  } else if (record.type == wire::kDnsPtr && record.name.starts_with('_')) {
    note_type(record.name);
    service(record.target, record.name);
  } else if (record.type == wire::kDnsPtr && wire::lower(record.name).ends_with(".arpa")) {
    host(record.target);
  } else if (record.type == wire::kDnsSrv) {
    if (auto* known = service(record.name, type_in(record.name)); known != nullptr) {
      known->host = record.target;
      known->port = record.port;
      known->located = true;
    }
    host(record.target);
  } else if (record.type == wire::kDnsTxt) {
    if (auto* known = service(record.name, type_in(record.name)); known != nullptr) {
      known->texts = record.texts;
      known->described = true;
    }
  } else if (record.type == wire::kDnsA || record.type == wire::kDnsAaaa) {
    if (auto* known = host(record.name); known != nullptr && known->addresses.size() < kMostAddresses) {
      known->addresses.insert(record.address);
    }
  }
}

void MdnsPicture::note_type(const std::string& name) {
  if (types_.size() < kMostTypes) {
    types_.emplace(wire::lower(name), name);
  }
}

MdnsPicture::Service* MdnsPicture::service(const std::string& name, const std::string& type) {
  const auto key = wire::lower(name);
  if (!services_.contains(key) && (services_.size() >= kMostServices || type.empty())) {
    return nullptr;
  }
  auto& known = services_[key];
  known.name = known.name.empty() ? name : known.name;
  known.type = known.type.empty() ? type : known.type;
  return &known;
}

MdnsPicture::Host* MdnsPicture::host(const std::string& name) {
  const auto key = wire::lower(name);
  if (name.empty() || (!hosts_.contains(key) && hosts_.size() >= kMostHosts)) {
    return nullptr;
  }
  auto& known = hosts_[key];
  known.name = known.name.empty() ? name : known.name;
  return &known;
}

void MdnsPicture::want(std::vector<wire::DnsQuestion>& into, const std::string& name, std::uint16_t type) {
  if (into.size() < kMostQuestions && asked_.emplace(wire::lower(name), type).second) {
    into.push_back({name, type, wire::kDnsInternet});
  }
}

std::vector<wire::DnsQuestion> MdnsPicture::open_questions() {
  std::vector<wire::DnsQuestion> open;
  for (const auto& [key, name] : types_) {
    want(open, name, wire::kDnsPtr);
  }
  for (const auto& [key, known] : services_) {
    if (!known.located) {
      want(open, known.name, wire::kDnsSrv);
    }
    if (!known.described) {
      want(open, known.name, wire::kDnsTxt);
    }
  }
  for (const auto& [key, known] : hosts_) {
    if (known.addresses.empty()) {
      want(open, known.name, wire::kDnsA);
      want(open, known.name, wire::kDnsAaaa);
    }
  }
  return open;
}

std::vector<std::string> MdnsPicture::host_names() const {
  std::vector<std::string> names;
  for (const auto& [key, known] : hosts_) {
    names.push_back(known.name);
  }
  return names;
}

json::object MdnsPicture::fact() const {
  json::array hosts;
  for (const auto& [key, known] : hosts_) {
    json::array addresses;
    for (const auto& address : known.addresses) {
      addresses.emplace_back(address);
    }
    hosts.push_back({{"name", shown(known.name)}, {"addresses", std::move(addresses)}});
  }
  json::array services;
  for (const auto& [key, known] : services_) {
    json::array texts;
    for (const auto& text : known.texts) {
      texts.emplace_back(shown(text));
    }
    json::object entry{{"name", shown(known.name)}, {"type", shown(known.type)}, {"txt", std::move(texts)}};
    if (known.located) {
      entry["host"] = shown(known.host);
      entry["endpoint"] = endpoint_of(known.type, known.port);
    }
    services.push_back(std::move(entry));
  }
  json::array types;
  for (const auto& [key, name] : types_) {
    types.emplace_back(shown(name));
  }
  return {{"hosts", std::move(hosts)}, {"services", std::move(services)}, {"types", std::move(types)}};
}

void MdnsPicture::tell(json::array& into) const {
  const auto add = [&](std::string_view item, std::string value) {
    into.push_back({{"protocol", "mdns"}, {"item", item}, {"value", std::move(value)}});
  };
  for (const auto& [key, known] : hosts_) {
    add("host name", shown(known.name));
  }
  for (const auto& [key, known] : services_) {
    add("service", shown(known.name));
    for (const auto& text : known.texts) {
      add("text of " + shown(known.name), shown(text));
    }
  }
}

}  // namespace assay::probes::discovery
