#include "harness/probe/probe.hpp"

#include <algorithm>

#include "probes/discovery/asking.hpp"
#include "probes/sessions/fact_sheet.hpp"
#include "probes/wire/bytes.hpp"
#include "probes/wire/dhcp.hpp"

namespace assay::probes::discovery {

namespace {

constexpr ParameterSpec kParameters[] = {
    {"rounds", ValueKind::integer, "2", "how often every group is asked, 1 to 10"},
    {"wait_ms", ValueKind::integer, "2500", "how long each round waits for answers, 100 to 10000"},
    {"listen_s", ValueKind::integer, "0",
     "seconds to listen for what the device announces unasked, 0 to 180; switch it off and on meanwhile to hear DHCP"},
    {"describe", ValueKind::boolean, "true", "whether the UPnP descriptions at the device's own address are fetched"},
};

constexpr FactSpec kFacts[] = {
    {"discovery.mdns", ValueKind::object,
     "hosts, services (name, type, endpoint, TXT) and service types by mDNS and DNS-SD; absent: nothing came from the "
     "group "
     "and the device refuses udp/5353; silence alone is not observed"},
    {"discovery.ssdp", ValueKind::object,
     "announced (target, USN, location, server), descriptions and locations elsewhere by SSDP; absent as for mDNS, "
     "udp/1900"},
    {"discovery.wsd", ValueKind::list,
     "matches of WS-Discovery: address, types, scopes, xaddrs; absent as for mDNS, udp/3702"},
    {"discovery.llmnr", ValueKind::list, "answers by LLMNR: name, type, value; absent as for mDNS, udp/5355"},
    {"discovery.told", ValueKind::list,
     "every single thing that the four protocols told without a login: protocol, item, value"},
    {"discovery.neighbour", ValueKind::object,
     "the device's MAC from the ARP or NDP table: mac, oui (its first three bytes), locally_administered"},
    {"discovery.dhcp", ValueKind::object,
     "the latest DHCP message the device was heard to send while the run captured packets: message, parameters (option "
     "55, in its order), vendor_class (60), host_name (12), client_id (61), options, largest_message (57)"},
    {"discovery.others", ValueKind::list,
     "other hosts of the link that answered or were heard: address, protocols, replies, heard; never contacted"},
};

std::int64_t number(const json::object& parameters, std::string_view name, std::int64_t least, std::int64_t most) {
  const auto* value = parameters.if_contains(name);
  return std::clamp(value != nullptr && value->is_int64() ? value->get_int64() : least, least, most);
}

Settings settings_of(const json::object& parameters) {
  Settings settings;
  settings.rounds = static_cast<int>(number(parameters, "rounds", 1, 10));
  settings.wait = milliseconds{number(parameters, "wait_ms", 100, 10'000)};
  settings.listen = std::chrono::seconds{number(parameters, "listen_s", 0, 180)};
  const auto* describe = parameters.if_contains("describe");
  settings.describe = describe == nullptr || !describe->is_bool() || describe->get_bool();
  return settings;
}

class Discovery final : public Probe {
 public:
  asio::awaitable<Result<>> observe(ProbeContext& context) override {
    sessions::FactSheet sheet{context.record, kFacts};
    const auto settings = settings_of(context.parameters);
    Asking asking{context, settings};
    auto ended = co_await asking.run();
    record(sheet, asking, settings, ended, context.target.address, context.network);
    co_return ended;
  }

 private:
  using Sheet = sessions::FactSheet;

  static void record(Sheet& sheet, Asking& asking, const Settings& settings, const Result<>& ended,
                     std::string_view address, Network& network) {
    settle(sheet, asking, DiscoveryGroup::mdns, "discovery.mdns", asking.mdns.fact(), ended);
    settle(sheet, asking, DiscoveryGroup::ssdp, "discovery.ssdp", asking.ssdp.fact(), ended);
    settle(sheet, asking, DiscoveryGroup::wsd, "discovery.wsd", asking.wsd.fact(), ended);
    settle(sheet, asking, DiscoveryGroup::llmnr, "discovery.llmnr", asking.llmnr.fact(), ended);
    record_told(sheet, asking, ended);
    record_neighbour(sheet, asking);
    record_dhcp(sheet, network);
    if (asking.interface.empty()) {
      sheet.unobserved("discovery.others", asking.no_groups ? asking.no_groups->what : "no group was asked");
    } else {
      sheet.fact("discovery.others", asking.others());
    }
    sheet.rest_unobserved(ended ? "not looked at" : ended.error().what);
    sheet.recorder().coverage("discovery", coverage(asking, settings, address));
    const auto digest =
        sheet.recorder().artifact("link discovery", "text/plain; charset=utf-8", asking.transcript.text());
    sheet.evidence_for_values("discovery.", digest);
  }

  /// A value when the device told something; absent when it refuses the port and the group stayed silent; else not
  /// observed, for silence is no refusal.
  static void settle(Sheet& sheet, Asking& asking, DiscoveryGroup group, std::string_view key, json::value value,
                     const Result<>& ended) {
    const auto& protocol = asking.protocols[group];
    if (protocol.told > 0) {
      sheet.fact(key, std::move(value));
    } else if (!ended) {
      sheet.unobserved(key, ended.error().what);
    } else if (asking.no_groups) {
      sheet.unobserved(key, asking.no_groups->what);
    } else if (protocol.unclear > 0) {
      sheet.unobserved(key, "the device answers with bytes that are not this protocol's");
    } else if (protocol.direct == "refused") {
      sheet.absent(key);
    } else {
      sheet.unobserved(key, "no answer to " + std::to_string(protocol.asked) +
                                " questions to the group; the device's own port: " + protocol.direct);
    }
  }

  static void record_told(Sheet& sheet, Asking& asking, const Result<>& ended) {
    json::array told;
    asking.mdns.tell(told);
    asking.ssdp.tell(told);
    asking.wsd.tell(told);
    asking.llmnr.tell(told);
    const bool all_absent = std::all_of(kGroups.begin(), kGroups.end(), [&](const auto group) {
      const auto& protocol = asking.protocols[group];
      return ended && !asking.no_groups && protocol.unclear == 0 && protocol.direct == "refused";
    });
    if (!told.empty()) {
      sheet.fact("discovery.told", std::move(told));
    } else if (all_absent) {
      sheet.absent("discovery.told");
    } else {
      sheet.unobserved("discovery.told", "nothing was told, and not every protocol is known to be off");
    }
  }

  static void record_neighbour(Sheet& sheet, const Asking& asking) {
    if (!asking.neighbour) {
      return;
    }
    const auto& neighbour = *asking.neighbour;
    if (!neighbour) {
      sheet.unobserved("discovery.neighbour", neighbour.error().what);
      return;
    }
    constexpr std::size_t kOui = 8;  // characters of three bytes with colons
    constexpr unsigned kLocalBit = 2;
    const auto first = static_cast<unsigned>(std::stoul(neighbour->mac.substr(0, 2), nullptr, 16));
    sheet.fact("discovery.neighbour", json::object{{"mac", neighbour->mac},
                                                   {"oui", neighbour->mac.substr(0, kOui)},
                                                   {"locally_administered", (first & kLocalBit) != 0}});
  }

  static json::array codes(const std::vector<std::uint8_t>& list) { return json::array(list.begin(), list.end()); }

  /// Nobody asks for it: a device speaks DHCP when it starts, and when its lease runs out.
  static void record_dhcp(Sheet& sheet, Network& network) {
    const auto heard = network.overheard_dhcp();
    if (!heard) {
      sheet.unobserved("discovery.dhcp", heard.error().what);
      return;
    }
    for (auto message = heard->rbegin(); message != heard->rend(); ++message) {
      const auto parse = wire::parse_dhcp_request(wire::text_of(*message));
      if (parse.state != wire::Parse::complete) {
        continue;
      }
      const auto& request = parse.request;
      sheet.fact("discovery.dhcp", json::object{{"message", wire::dhcp_type_text(request.type)},
                                                {"parameters", codes(request.parameters)},
                                                {"options", codes(request.options)},
                                                {"vendor_class", wire::printable(request.vendor_class)},
                                                {"host_name", wire::printable(request.host_name)},
                                                {"client_id", wire::hex(request.client_id)},
                                                {"largest_message", request.largest_message}});
      return;
    }
    sheet.unobserved("discovery.dhcp", "the device sent no DHCP message while packets were captured");
  }

  static json::object coverage(Asking& asking, const Settings& settings, std::string_view address) {
    json::object out{{"rounds", settings.rounds},
                     {"wait_ms", settings.wait.count()},
                     {"listen_ms", settings.listen.count()},
                     {"interface", asking.interface},
                     {"address_family", address.find(':') == std::string_view::npos ? "ipv4" : "ipv6"},
                     {"left_out", asking.left_out},
                     {"followed_to_end", asking.followed_to_end}};
    json::array deaf;
    for (const auto& reason : asking.deaf) {
      deaf.emplace_back(reason);
    }
    out["deaf"] = std::move(deaf);
    for (const auto group : kGroups) {
      const auto& protocol = asking.protocols[group];
      out[enum_name(group)] = json::object{{"asked", protocol.asked},
                                           {"told", protocol.told},
                                           {"unclear", protocol.unclear},
                                           {"direct", protocol.direct}};
    }
    return out;
  }
};

std::unique_ptr<Probe> make() {
  return std::make_unique<Discovery>();
}

}  // namespace

extern const ProbeDescriptor kDescriptor;
const ProbeDescriptor kDescriptor{
    .id = "discovery",
    .summary =
        "Asks the link's discovery protocols what the device tells everybody: mDNS, SSDP with the UPnP "
        "description, WS-Discovery and LLMNR, with its MAC.",
    .version = 1,
    .intrusiveness = Intrusiveness::benign,
    .exclusive = Exclusive::none,
    .subject = ProbeSubject::device,
    .deadline = milliseconds{300'000},
    .parameters = kParameters,
    .facts = kFacts,
    .make = &make,
};

}  // namespace assay::probes::discovery
