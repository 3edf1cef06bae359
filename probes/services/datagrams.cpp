#include "probes/services/datagrams.hpp"

#include <algorithm>

#include "probes/wire/bytes.hpp"
#include "probes/wire/coap.hpp"
#include "probes/wire/dtls.hpp"
#include "probes/wire/snmp.hpp"

namespace assay::probes::services {

namespace {

constexpr int kRounds = 3;
constexpr int kAnswersPerRound = 16;
constexpr std::uint16_t kSnmpPort = 161;
constexpr std::string_view kCommunity = "public";
constexpr std::uint16_t kDtlsPorts[] = {443, 853, 4433, 5349, 5684, 8883, 10161};  // where DTLS is the likely answer
constexpr std::uint8_t kFatal = 2;
constexpr std::uint8_t kUserCanceled = 90;

/// A hello of DTLS 1.2 with the suites of small devices among the usual ones: most stacks answer it, a careful one by
/// asking for a cookie.
std::string dtls_question(std::string_view random) {
  constexpr std::uint16_t kSuites[] = {0xc02b, 0xc02f, 0xc02c, 0xc030, 0xc0ae, 0xc0ac, 0xc0a8, 0xc0a4, 0xc023, 0xc027,
                                       0xc009, 0xc013, 0xc00a, 0xc014, 0x009c, 0x003c, 0x002f, 0x0035, 0x00ae, 0x008c};
  constexpr std::uint16_t kGroups[] = {29, 23, 24};
  constexpr std::uint16_t kSchemes[] = {0x0403, 0x0804, 0x0401, 0x0503, 0x0501, 0x0201};
  wire::TlsHello hello;
  hello.record_version = wire::kDtls10;
  hello.version = wire::kDtls12;
  hello.random = random;
  hello.suites.assign(std::begin(kSuites), std::end(kSuites));
  hello.extensions = {wire::supported_groups(kGroups),
                      {wire::extension::kPointFormats, wire::sized8(std::string(1, '\0'))},
                      wire::signature_algorithms(kSchemes)};
  return wire::dtls_hello_datagram(hello, {});
}

/// The questions of one endpoint with what marks their answers as ours.
struct Questions {
  std::string token = sessions::random_bytes(8);
  std::string hello = dtls_question(sessions::random_bytes(32));
  std::uint32_t request_id = 0;

  Questions() {
    for (const char c : sessions::random_bytes(3)) {
      request_id = request_id << 8U | static_cast<unsigned char>(c);
    }
  }

  std::vector<std::string> payloads(std::uint16_t port, int round) const {
    const auto id = static_cast<std::uint16_t>((request_id & 0xff00U) + static_cast<unsigned>(round));
    std::vector<std::string> out{wire::encode_coap(wire::coap_get(".well-known/core", id, token)),
                                 wire::snmp_get_sysdescr(wire::SnmpVersion::v2c, kCommunity, request_id),
                                 wire::snmp_get_sysdescr(wire::SnmpVersion::v1, kCommunity, request_id), hello};
    if (port == kSnmpPort) {
      std::rotate(out.begin(), out.begin() + 1, out.end());
    } else if (std::find(std::begin(kDtlsPorts), std::end(kDtlsPorts), port) != std::end(kDtlsPorts)) {
      std::rotate(out.begin(), out.end() - 1, out.end());
    }
    return out;
  }
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
    sighting.product = wire::printable(parse.response.sysdescr, 256);
  }
  add_login(sighting, "snmp-community", true);
  return true;
}

/// DTLS is named by a request for a cookie, a ServerHello (then a session is `opened`) or an alert. What is spoken
/// inside stays unknown.
bool note_dtls(std::string_view payload, Sighting& sighting, bool& opened) {
  wire::DtlsReader reader;
  wire::TlsFlight flight;
  const bool sound = reader.feed(payload, flight);
  if (!sound || (!reader.verify() && !flight.hello() && flight.alerts().empty())) {
    return false;
  }
  opened = flight.hello().has_value();
  sighting.protocol = "dtls";
  sighting.tls = true;
  sighting.tls_failure = "it was not gone on with after the first answer";
  sighting.proof = payload;
  sighting.details["first_answer"] = reader.verify() ? "cookie" : flight.hello() ? "hello" : "alert";
  return true;
}

}  // namespace

asio::awaitable<Result<UdpReport>> ask_datagrams(Network& network, Transcript& transcript, Place place,
                                                 Sighting& sighting) {
  UdpReport report;
  transcript.note("datagrams to " + place.endpoint.text());
  auto socket = co_await network.open_udp(place.endpoint);
  if (!socket) {
    co_return socket.error();
  }
  const Questions asked;
  const auto wait = std::max(place.timers.banner, milliseconds{500});
  for (int round = 0; round < kRounds && !sighting.identified(); ++round) {
    for (const auto& payload : asked.payloads(place.endpoint.port, round)) {
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
      bool opened = false;
      const bool known = note_coap(payload, asked, sighting) || note_snmp(payload, asked, sighting) ||
                         note_dtls(payload, sighting, opened);
      if (sighting.banner.empty()) {
        sighting.banner = payload.substr(0, 1024);
      }
      if (known && opened) {
        // A server without cookies holds a handshake for us now.
        const auto goodbye = wire::dtls_alert_datagram(wire::kDtls12, 1, kFatal, kUserCanceled);
        const auto told = co_await (*socket)->send(wire::bytes_of(goodbye));
        transcript.note(told ? "goodbye" : "the goodbye could not be sent");
      }
      if (known && sighting.protocol != "snmp") {
        break;
      }
    }
  }
  co_return report;
}

}  // namespace assay::probes::services
