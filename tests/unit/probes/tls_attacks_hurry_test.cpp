#include "tests/unit/probes/tls_attacks_support.hpp"

namespace assay::attacked {

namespace {

/// The suites that a hello offers (RFC 5246, 7.4.1.2), in a record; nothing when it is no hello.
std::vector<std::uint16_t> offered(std::string_view written) {
  std::vector<std::uint16_t> out;
  if (written.size() < 44 || written[0] != 22) {
    return out;
  }
  wire::Reader reader{written.substr(43)};
  reader.take(reader.u8());
  wire::Reader suites{reader.take(reader.u16())};
  while (suites.rest().size() >= 2) {
    out.push_back(suites.u16());
  }
  return out;
}

/// Passes hellos on, but for those of one kind of suites alone: so many of these are cut, or get no answer.
fake::PeerMaker losing(const TlsServer& server, bool (*of_kind)(std::uint16_t suite), int times, bool silent) {
  const auto left = std::make_shared<int>(times);
  return [=, inner = server.peer()](int connection) -> fake::Peer {
    return [=, peer = inner(connection)](std::string_view written, Line& line) mutable {
      const auto suites = offered(written);
      const bool lost =
          *left > 0 && suites.size() > 3 &&
          std::all_of(suites.begin(), suites.end(), [&](std::uint16_t one) { return one == 0x00ff || of_kind(one); });
      *left -= lost ? 1 : 0;
      if (lost && !silent) {
        line.reset();
      } else if (!lost) {
        peer(written, line);
      }
    };
  };
}

bool keyed_by_rsa(std::uint16_t suite) {
  return wire::suite_parts(suite).rsa_transport;
}

bool of_cbc(std::uint16_t suite) {
  return wire::suite_parts(suite).cbc;
}

/// Answers a whole handshake so long after its key exchange with the same alert; wrong padding with another one where
/// `tells` is set.
TlsServer slow(milliseconds decryption, bool tells) {
  auto server = old_server();
  server.then = [=] {
    return [=, begun = false, wrong = false](std::string_view written, Line& line) mutable {
      for (const auto& one : wire::whole_records(written)) {
        const bool first = !begun && one.type == wire::record::kHandshake && one.body.size() >= 134;
        if (first) {
          begun = true;
          wrong = tells && !begins_well(identity().decrypt(one.body.substr(one.body.size() - 128)));
          line.pause(decryption);
        }
        if (first ? wrong : begun && !wrong && one.type == wire::record::kHandshake) {
          say_alert(line, wrong ? kDecryptError : kBadRecordMac);
        }
      }
    };
  };
  return server;
}

/// Answers half a second late while another connection is open.
fake::PeerMaker one_at_a_time(fake::PeerMaker inner) {
  const auto open = std::make_shared<int>(0);
  return [=](int connection) -> fake::Peer {
    ++*open;
    const std::shared_ptr<void> token{nullptr, [open](void*) { --*open; }};
    return [peer = inner(connection), open, token](std::string_view written, Line& line) mutable {
      if (!written.empty() && *open > 1) {
        line.pause(milliseconds{500});
      }
      peer(written, line);
    };
  };
}

/// Cuts the first connections on which `what` is said after the flight, and passes the rest on.
TlsServer cutting(TlsServer server, std::uint8_t what, int times) {
  const auto left = std::make_shared<int>(times);
  const auto then = server.then;
  server.then = [=] {
    return [=, next = then ? then() : TlsServer::Then{}](std::string_view written, Line& line) mutable {
      if (*left > 0 && static_cast<std::uint8_t>(written[0]) == what) {
        --*left;
        line.reset();
      } else if (next) {
        next(written, line);
      }
    };
  };
  return server;
}

}  // namespace

TEST_CASE("A hello that is lost twice leaves what needs its suites unknown, one that is lost once is asked again") {
  const bool silent = GENERATE(false, true);
  const auto sound_server = decrypting([](std::string_view, bool finished) { return finished ? kBadRecordMac : 0; });
  FakeNetwork network;
  network.tcp[kPort] = losing(sound_server, &keyed_by_rsa, 1, silent);
  CHECK(look(network).weakness("robot").state == "not_shown");
  CHECK(look(network).weakness("robot").why.find("6 handshakes") != std::string::npos);
  network.tcp[kPort] = losing(sound_server, &keyed_by_rsa, 1000, silent);
  CHECK(look(network).weakness("robot").state == "unknown");
  network.tcp[kPort] = losing(sound_server, &of_cbc, 1000, silent);
  const auto seen = look(network);
  for (const auto* name : {"tls_poodle", "zombie_poodle", "goldendoodle"}) {
    CHECK(seen.weakness(name).state == "unknown");
  }
  CHECK(seen.weakness("robot").state == "not_shown");
}

TEST_CASE("A newer version that gives no answer leaves open what an older one refuses") {
  auto server = old_server();
  server.suites = {{wire::kTls10, {0xc013}}};
  FakeNetwork network;
  network.tcp[kPort] = server.peer();
  CHECK(look(network).weakness("robot").state == "not_shown");
  network.tcp[kPort] = [inner = server.peer()](int connection) -> fake::Peer {
    return [peer = inner(connection)](std::string_view written, Line& line) mutable {
      const bool of_tls11 = written.size() > 10 && written[0] == 22 && written.substr(9, 2) == "\x03\x02";
      if (!of_tls11) {
        peer(written, line);
      }
    };
  };
  CHECK(look(network).weakness("robot").state == "unknown");
}

TEST_CASE("Silence to every whole handshake is not the same answer to all, but none") {
  const auto seen = look(old_server());
  CHECK(seen.weakness("robot").state == "unknown");
  CHECK(seen.weakness("robot").why.find("silence") != std::string::npos);
  CHECK(look(slow(milliseconds{9000}, false)).weakness("robot").state == "unknown");
}

TEST_CASE("A decryption that takes long is waited for, however soon hellos are answered") {
  const auto time = GENERATE(milliseconds{300}, milliseconds{1500});
  CHECK(look(slow(time, false)).weakness("robot").state == "not_shown");
  CHECK(look(slow(time, false)).weakness("robot").why.find("alert bad_record_mac") != std::string::npos);
  CHECK(look(slow(time, true)).weakness("robot").state == "shown");
}

TEST_CASE("One cut is asked again, and two in a row are the answer to a heartbeat and to an early ChangeCipherSpec") {
  constexpr std::uint8_t kCcs = 20;
  const auto bleeds = [](int cuts) {
    return look(cutting(with_heartbeat(true), wire::record::kHeartbeat, cuts)).weakness("heartbleed").state;
  };
  CHECK(bleeds(1) == "shown");
  CHECK(bleeds(2) == "not_shown");
  const auto injected = [](int cuts) {
    return look(cutting(answering(0, kBadRecordMac), kCcs, cuts)).weakness("ccs_injection").state;
  };
  CHECK(injected(1) == "shown");
  CHECK(injected(2) == "not_shown");
}

TEST_CASE("Where the end of our side changes the answers, paddings and records are tried without it") {
  FakeNetwork network;
  network.half_closed = GENERATE(std::string{}, wire::tls_alert_record(wire::kTls12, 2, 50));
  const bool alert = !network.half_closed->empty();
  network.tcp[kPort] = keyed(wire::kTls12, 0x002f, &sound);
  CHECK(look(network).weakness("goldendoodle").state == "not_shown");
  CHECK(look(network).weakness("goldendoodle").why.starts_with("5 sessions"));
  const auto of_paddings = [&](Judge judge) {
    network.tcp[kPort] = one_at_a_time(decrypting(std::move(judge)).peer());
    return look(network).weakness("robot");
  };
  const auto alike = of_paddings([](std::string_view, bool finished) { return finished ? kBadRecordMac : 0; });
  CHECK(alike.state == "not_shown");
  CHECK(alike.why.find(alert ? "6 handshakes" : "7 handshakes") != std::string::npos);
  const auto told = of_paddings([](std::string_view block, bool finished) -> std::uint8_t {
    return !begins_well(block) ? kDecryptError : finished ? kBadRecordMac : 0;
  });
  CHECK(told.state == "shown");
}

}  // namespace assay::attacked
