#include "probes/services/datagrams.hpp"

#include <algorithm>
#include <tuple>

#include "probes/wire/bytes.hpp"
#include "probes/wire/coap.hpp"
#include "probes/wire/dtls.hpp"
#include "probes/wire/http.hpp"
#include "probes/wire/lookup.hpp"
#include "probes/wire/mail.hpp"
#include "probes/wire/snmp.hpp"
#include "probes/wire/ssdp.hpp"

namespace assay::probes::services {

namespace {

constexpr int kRounds = 3;
constexpr int kAnswersPerRound = 16;
constexpr std::uint16_t kSnmpPort = 161;
constexpr std::uint16_t kCoapPort = 5683;
constexpr std::uint16_t kDnsMark = 0x4153;  // of the list's requests
constexpr std::string_view kCommunity = "public";

/// The questions of one endpoint with what marks their answers as ours.
class Questions {
 public:
  Questions(const PayloadList* list, std::uint16_t port) {
    for (const char c : sessions::random_bytes(3)) {
      request_id = request_id << 8U | static_cast<unsigned char>(c);
    }
    choose(list, [port](const Payload& entry) {
      return std::find(entry.ports.begin(), entry.ports.end(), port) != entry.ports.end();
    });
    if (listed_.empty()) {
      coap_ = snmp_ = true;
      choose(list, [](const Payload& entry) { return entry.protocol == "dtls"; });
    }
    coap_ = coap_ || port == kCoapPort;
    snmp_ = snmp_ || port == kSnmpPort;
  }

  std::vector<std::string> payloads(int round) const {
    const auto id = static_cast<std::uint16_t>((request_id & 0xff00U) + static_cast<unsigned>(round));
    std::vector<std::string> out;
    if (coap_) {
      out.push_back(wire::encode_coap(wire::coap_get(".well-known/core", id, token)));
    }
    if (snmp_) {
      out.push_back(wire::snmp_get_sysdescr(wire::SnmpVersion::v2c, kCommunity, request_id));
      out.push_back(wire::snmp_get_sysdescr(wire::SnmpVersion::v1, kCommunity, request_id));
    }
    for (const auto* entry : listed_) {
      out.push_back(entry->request);
    }
    return out;
  }

  /// The request of the list that this answers.
  const Payload* answered_by(std::string_view payload) const {
    const auto found =
        std::find_if(listed_.begin(), listed_.end(), [&](const auto* entry) { return entry->recognises(payload); });
    return found == listed_.end() ? nullptr : *found;
  }

  std::string token = sessions::random_bytes(8);
  std::uint32_t request_id = 0;

 private:
  /// CoAP and SNMP v1 and v2c are asked with a mark of their own. What needs a port or an address of ours written into
  /// it is the scan's alone.
  template <class Wanted>
  void choose(const PayloadList* list, Wanted wanted) {
    if (list == nullptr) {
      return;
    }
    for (const auto& entry : list->payloads) {
      if (!wanted(entry) || entry.from_port || entry.address_at) {
        continue;
      }
      const bool coap = entry.protocol == "coap";
      const bool snmp = entry.protocol == "snmp-v1" || entry.protocol == "snmp-v2c";
      coap_ = coap_ || coap;
      snmp_ = snmp_ || snmp;
      if (!coap && !snmp) {
        listed_.push_back(&entry);
      }
    }
  }

  std::vector<const Payload*> listed_;
  bool coap_ = false;
  bool snmp_ = false;
};

bool note_coap(std::string_view payload, const Questions& asked, Sighting& sighting) {
  const auto parse = wire::parse_coap(payload);
  const auto& message = parse.message;
  if (parse.state != wire::Parse::complete || message.token != asked.token || message.code < 0x40) {
    return false;
  }
  sighting.protocol = "coap";
  sighting.details["code"] = wire::coap_code(message.code);
  sighting.details["resources"] = wire::printable(message.payload, 2048);
  return true;
}

bool note_snmp(std::string_view payload, const Questions& asked, Sighting& sighting) {
  const auto parse = wire::parse_snmp_response(payload);
  if (parse.state != wire::Parse::complete || parse.response.request_id != asked.request_id) {
    return false;
  }
  sighting.protocol = "snmp";
  const bool first = parse.response.version == wire::SnmpVersion::v1;
  sighting.details[first ? "answers_v1" : "answers_v2c"] = true;
  sighting.details["community"] = kCommunity;
  sighting.details["error_status"] = parse.response.error_status;
  if (parse.response.has_text) {
    sighting.product = wire::printable(parse.response.text, 256);
  }
  add_login(sighting, "snmp-community", true);
  return true;
}

void note_product(std::string_view agent, Sighting& sighting) {
  const auto shown = wire::printable(agent, 256);
  std::tie(sighting.product, sighting.version) = wire::product_version(shown);
  sighting.details["server"] = shown;
}

void note_dns(std::string_view payload, Sighting& sighting) {
  std::string framed;  // as over TCP
  wire::put_u16(framed, static_cast<std::uint32_t>(payload.size()));
  framed.append(payload);
  const auto parse = wire::parse_dns_version(framed, kDnsMark);
  if (parse.state != wire::Parse::complete) {
    return;
  }
  sighting.details["rcode"] = parse.rcode;
  sighting.details["recursion"] = parse.recursion;
  if (!parse.version.empty()) {
    sighting.details["version_bind"] = wire::printable(parse.version, 256);
  }
}

/// "VERSION 1.6.18" behind the frame header of eight bytes.
void note_memcached(std::string_view payload, Sighting& sighting) {
  constexpr std::size_t kFrame = 8;
  constexpr std::string_view kWord = "VERSION ";
  const auto text = payload.substr(std::min(payload.size(), kFrame));
  if (text.starts_with(kWord)) {
    sighting.product = "memcached";
    sighting.version = wire::printable(wire::trim(text.substr(kWord.size())), 64);
  }
}

/// A ServerHello in clear: the server asks for no cookie, and has a session open now (RFC 6347, 4.2.2).
bool begins_session(std::string_view dtls) {
  constexpr std::size_t kRecordHead = 13;
  constexpr char kHandshake = 22;
  constexpr char kServerHello = 2;
  return dtls.size() > kRecordHead && dtls[0] == kHandshake && dtls[kRecordHead] == kServerHello;
}

/// A last word: a server of one peer would keep the place for ours, and be deaf to whoever asks next.
asio::awaitable<void> end_session(Datagrams& socket, Transcript& transcript, std::string_view dtls) {
  constexpr std::uint8_t kFatal = 2;
  constexpr std::uint8_t kCancelledByUser = 90;
  const auto version =
      static_cast<std::uint16_t>(static_cast<unsigned char>(dtls[1]) << 8U | static_cast<unsigned char>(dtls[2]));
  const auto goodbye = wire::dtls_alert_datagram(version, 1, kFatal, kCancelledByUser);
  const auto bytes = wire::bytes_of(goodbye);
  transcript.sent(bytes);
  const auto sent = co_await socket.send(bytes);
  if (!sent) {
    transcript.note("the last word was not sent: " + sent.error().what);
  }
}

/// What the protocol's own fields say of the product.
void note_details(std::string_view payload, Sighting& sighting) {
  if (sighting.protocol == "dns") {
    note_dns(payload, sighting);
  } else if (sighting.protocol == "memcached") {
    note_memcached(payload, sighting);
  } else if (sighting.protocol == "ssdp") {
    if (const auto parse = wire::parse_ssdp(payload); parse.state == wire::Parse::complete) {
      note_product(parse.message.server, sighting);
    }
  } else if (sighting.protocol == "sip") {
    if (const auto parse = wire::parse_sip(payload); parse.state == wire::Parse::complete) {
      note_product(parse.agent, sighting);
    }
  } else if (sighting.protocol == "dtls") {
    sighting.tls = true;
    sighting.tls_failure = begins_session(payload) ? "the server began a session, which was not finished over datagrams"
                                                   : "a cookie was asked for, no session was made over datagrams";
  }
}

/// An answer to a request of the list, known by how it begins.
bool note_listed(std::string_view payload, const Questions& asked, Sighting& sighting) {
  const auto* entry = asked.answered_by(payload);
  if (entry == nullptr) {
    return false;
  }
  const bool snmp = entry->protocol == "snmp-v3";
  if (!sighting.identified()) {
    sighting.protocol = snmp ? "snmp" : entry->protocol;
    sighting.proof = payload;
  }
  if (snmp) {
    sighting.details["answers_v3"] = true;
    add_login(sighting, "snmp-user", false);
  } else if (sighting.protocol == "ipmi") {
    add_login(sighting, "ipmi-rakp", false);
  }
  note_details(payload, sighting);
  return true;
}

}  // namespace

asio::awaitable<Result<UdpReport>> ask_datagrams(Network& network, Transcript& transcript, Place place,
                                                 Sighting& sighting, const PayloadList* list) {
  UdpReport report;
  transcript.note("datagrams to " + place.endpoint.text());
  auto socket = co_await network.open_udp(place.endpoint);
  if (!socket) {
    co_return socket.error();
  }
  const Questions asked{list, place.endpoint.port};
  const auto wait = std::max(place.timers.banner, milliseconds{500});
  for (int round = 0; round < kRounds && !sighting.identified(); ++round) {
    for (const auto& payload : asked.payloads(round)) {
      const auto bytes = wire::bytes_of(payload);
      transcript.sent(bytes);
      auto sent = co_await (*socket)->send(bytes);
      ++report.sent;
      if (!sent && sessions::ends_probe(sent.error().kind)) {
        co_return sent.error();
      }
    }
    // After the first understood answer the rest of the round only completes the picture.
    for (int answers = 0; answers < kAnswersPerRound; ++answers) {
      auto got = co_await (*socket)->receive(sighting.identified() ? place.timers.quiet : wait * (round + 1));
      if (!got) {
        if (sessions::ends_probe(got.error().kind)) {
          co_return got.error();
        }
        if (got.error().kind == ErrorKind::refused && report.received == 0) {
          report.answer = UdpAnswer::refused;
          transcript.note("refused: ICMP port unreachable");
          co_return report;
        }
        break;
      }
      transcript.received(got->payload);
      ++report.received;
      report.answer = UdpAnswer::replied;
      const auto payload = wire::text_of(got->payload);
      const bool known = note_coap(payload, asked, sighting) || note_snmp(payload, asked, sighting) ||
                         note_listed(payload, asked, sighting);
      if (sighting.banner.empty()) {
        sighting.banner = payload.substr(0, 1024);
      }
      if (known && sighting.protocol == "dtls" && begins_session(payload)) {
        auto& line = **socket;
        co_await end_session(line, transcript, payload);
        ++report.sent;
        break;
      }
      if (known && sighting.protocol == "coap") {
        break;
      }
    }
  }
  co_return report;
}

}  // namespace assay::probes::services
