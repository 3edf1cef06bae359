#include <algorithm>
#include <set>

#include <openssl/ssl.h>

#include "probes/sessions/digests.hpp"
#include "probes/wire/ber.hpp"
#include "probes/wire/coap.hpp"
#include "probes/wire/database_logins.hpp"
#include "probes/wire/ipmi.hpp"
#include "probes/wire/snmp_user.hpp"
#include "tests/unit/probes/credentials_support.hpp"

using namespace assay;
using namespace assay::credential_tests;
namespace own = assay::probes::credentials;

namespace {

std::string number32(std::uint32_t value) {
  std::string out;
  wire::put_u32(out, value);
  return out;
}

std::string postgres(char kind, const std::string& body) {
  return kind + number32(static_cast<std::uint32_t>(body.size() + 4)) + body;
}

std::string postgres_error(const std::string& state) {
  return postgres('E', "SFATAL\0C"s + state + "\0Mno\0\0"s);
}

/// A server that wants passwords in clear, but trusts "guest".
fake::PeerMaker postgres_server(std::string word) {
  return [word](int) -> Peer {
    auto name = std::make_shared<std::string>();
    return [=](std::string_view written, Line& line) {
      const auto ready = postgres('R', number32(0)) + postgres('S', "server_version\0"s + "15\0"s) + postgres('Z', "I");
      if (written.starts_with("p")) {
        const bool right = *name == "maker" && written.substr(5) == word + '\0';
        line.say(right ? ready : postgres_error("28P01"));
      } else if (written.starts_with("Q")) {
        line.say(postgres('T', "\0\0"s) + postgres('D', "\0\1"s + number32(5) + "maker") + postgres('Z', "I"));
      } else if (written.size() > 13 && written.substr(4, 4) == "\0\3\0\0"s) {
        const auto from = written.substr(13);
        *name = std::string{from.substr(0, from.find('\0'))};
        line.say(*name == "guest" ? ready : postgres('R', number32(3)));
      } else if (!written.empty()) {
        line.close();
      }
    };
  };
}

/// `repeats`: a refusal has the answer in it that it refuses.
fake::PeerMaker mysql_server(std::string word, std::string refusal, bool repeats = false) {
  return [=](int) -> Peer {
    return [=](std::string_view written, Line& line) {
      const auto salt = "abcdefghijklmnopqrst"s;
      if (written.empty()) {
        line.say(wire::mysql_packet(0, "\x0a"s + "8.0.1\0"s + "\1\0\0\0"s + salt.substr(0, 8) + "\0"s +
                                           "\x00\x82\x21\2\0\x08\0\x15"s + std::string(10, '\0') + salt.substr(8) +
                                           "\0mysql_native_password\0"s));
      } else if (written.substr(4).starts_with("\x03")) {
        const auto row = wire::mysql_packet(4, "\x05maker"s);
        line.say(wire::mysql_packet(1, "\1"s) + wire::mysql_packet(2, "def"s) + wire::mysql_packet(3, "\xfe\0\0\0\0"s) +
                 row + wire::mysql_packet(5, "\xfe\0\0\0\0"s));
      } else if (written.size() > 36) {
        const auto once = sessions::digest(sessions::Hash::sha1, word);
        const auto answer = sessions::exclusive_or(
            once, sessions::digest(sessions::Hash::sha1, salt + sessions::digest(sessions::Hash::sha1, once)));
        const bool right = written.substr(36).starts_with("maker\0\x14"s + answer);
        const auto said = std::string{written.substr(written.find('\x14', 36) + 1, answer.size())};
        line.say(wire::mysql_packet(2, right ? "\0\0\0\2\0\0\0"s : refusal + (repeats ? said : ""s)));
      } else {
        line.close();
      }
    };
  };
}

const std::string kMysqlDenied = "\xff\x15\x04#28000Access denied"s;
const std::string kEngine = "\x80\0\x1f\x88\4hub"s;

std::string snmp_answer(std::uint32_t id, char counter, std::size_t digest) {
  using namespace wire::ber;
  const auto name =
      counter != 0 ? "\x2b\x06\x01\x06\x03\x0f\x01\x01"s + counter + "\0"s : "\x2b\x06\x01\x02\x01\x01\x01\x00"s;
  const auto value = counter != 0 ? tlv(0x41, "\1") : tlv(kOctets, "Hub");
  const auto binding = tlv(kSequence, tlv(kSequence, tlv(kOid, name) + value));
  const auto pdu =
      tlv(static_cast<std::uint8_t>(counter != 0 ? 0xa8 : 0xa2), integer(id) + integer(0) + integer(0) + binding);
  const auto scoped = tlv(kSequence, tlv(kOctets, kEngine) + tlv(kOctets, {}) + pdu);
  const auto security = tlv(kSequence, tlv(kOctets, kEngine) + integer(1) + integer(9) + tlv(kOctets, "maker") +
                                           tlv(kOctets, std::string(digest, '\0')) + tlv(kOctets, {}));
  const auto header =
      tlv(kSequence, integer(id) + integer(65507) + tlv(kOctets, digest > 0 ? "\1" : "\0"s) + integer(3));
  return tlv(kSequence, integer(3) + header + tlv(kOctets, security) + scoped);
}

/// An agent with one user whose digests are SHA-1; `signs` false: it says yes without knowing the key.
fake::UdpPeer snmp_agent(std::string word, bool signs) {
  return [=](std::string_view datagram) -> std::vector<std::string> {
    const auto asked = wire::parse_snmp_user_answer(datagram);
    if (asked.state != wire::Parse::complete) {
      return {};
    }
    if (asked.engine.id != kEngine) {
      return {snmp_answer(asked.id, 4, 0)};
    }
    if (datagram.find("maker") == std::string_view::npos) {
      return {snmp_answer(asked.id, 3, 0)};
    }
    const auto key = sessions::localised_key(sessions::Hash::sha1, word, kEngine);
    std::string blank{datagram};
    blank.replace(asked.digest_at, asked.digest.size(), std::string(asked.digest.size(), '\0'));
    if (signs &&
        (asked.digest.size() != 12 || sessions::hmac(sessions::Hash::sha1, key, blank).substr(0, 12) != asked.digest)) {
      return {snmp_answer(asked.id, 5, 0)};
    }
    auto answer = snmp_answer(asked.id, 0, 12);
    const auto at = wire::parse_snmp_user_answer(answer).digest_at;
    answer.replace(at, 12, signs ? sessions::hmac(sessions::Hash::sha1, key, answer).substr(0, 12) : "falsedigest!"s);
    return {answer};
  };
}

/// A controller with one account, whose digest is of no password; `zero`: sessions without a password are opened.
fake::UdpPeer controller(bool zero) {
  return [=](std::string_view datagram) -> std::vector<std::string> {
    const auto packet = [](char type, const std::string& payload) {
      return "\x06\0\xff\x07\x06"s + type + std::string(8, '\0') +
             wire::ipmi_little(static_cast<std::uint32_t>(payload.size())).substr(0, 2) + payload;
    };
    if (datagram == wire::ipmi_capabilities_request()) {
      return {"\x06\0\xff\x07\0"s + std::string(8, '\0') + "\x10\x81\x1c\x63\x20\0\x38\0\1\x97\x04\x03\0\0\0\0\x09"s};
    }
    const auto payload = std::string{datagram.substr(std::min<std::size_t>(datagram.size(), 16))};
    const auto random = std::string(16, 'R');
    const auto guid = std::string(16, 'G');
    if (datagram[5] == '\x10') {
      const bool none = payload.substr(12, 1) == "\0"s;
      return {packet(0x11, payload.substr(0, 1) + (none && !zero ? "\x12"s : "\0"s) + "\4\0"s + payload.substr(4, 4) +
                               "MANA" + payload.substr(8))};
    }
    if (datagram[5] == '\x12') {
      const auto name = payload.substr(28);
      const bool known = name == "maker" || (zero && name.empty());
      return {packet(0x13, payload.substr(0, 1) + (known ? "\0"s : "\x0d"s) + "\0\0CONS"s +
                               (known ? random + guid + (name.empty() ? std::string{} : std::string(20, 'x')) : ""))};
    }
    if (datagram[5] == '\x14') {
      return {packet(0x15, payload.substr(0, 1) + "\0\0\0CONS"s)};
    }
    return {};
  };
}

fake::Run ask(FakeNetwork& network, std::string_view endpoint, std::vector<std::pair<std::string, std::string>> list) {
  fake::FakeLibrary library;
  library.dictionaries["iot-common"] = pairs(std::move(list));
  library.dictionaries["snmp-communities"] = Dictionary{};
  auto run = fake::observe(own::kDescriptor, network, endpoint, without_blanks(), {}, library);
  CHECK(run.record.fault.empty());
  return run;
}

std::vector<std::string> names(const fake::Run& run) {
  std::vector<std::string> out;
  const auto accepted = run.record.value("credentials.accepted");
  for (const auto& entry : accepted.as_array()) {
    out.emplace_back(entry.at("username").as_string());
  }
  return out;
}

/// A DTLS server of pre-shared keys in memory, anew for each client.
class KeyServer {
 public:
  explicit KeyServer(std::string key) : key_(std::move(key)) {}

  std::vector<std::string> hear(std::string_view datagram) {
    if (begins(datagram)) {
      context_.reset(SSL_CTX_new(DTLS_server_method()), &SSL_CTX_free);
      SSL_CTX_set_cipher_list(context_.get(), "PSK:@SECLEVEL=0");
      SSL_CTX_set_psk_server_callback(context_.get(), &KeyServer::give_key);
      session_.reset(SSL_new(context_.get()), &SSL_free);
      SSL_set_app_data(session_.get(), this);
      in_ = BIO_new(BIO_s_mem());
      out_ = BIO_new(BIO_s_mem());
      BIO_set_mem_eof_return(in_, -1);
      BIO_set_mem_eof_return(out_, -1);
      SSL_set_bio(session_.get(), in_, out_);
      SSL_set_options(session_.get(), SSL_OP_NO_QUERY_MTU);
      SSL_set_mtu(session_.get(), 1280);
      SSL_set_accept_state(session_.get());
    }
    if (!session_) {
      return {};
    }
    BIO_write(in_, datagram.data(), static_cast<int>(datagram.size()));
    std::string buffer(2048, '\0');
    const int size = SSL_read(session_.get(), buffer.data(), static_cast<int>(buffer.size()));
    if (size > 0) {
      auto question = wire::parse_coap(std::string_view{buffer}.substr(0, static_cast<std::size_t>(size))).message;
      wire::CoapMessage answer;
      answer.type = wire::CoapMessage::acknowledgement;
      answer.code = 0x45;
      answer.id = question.id;
      answer.token = question.token;
      const auto bytes = wire::encode_coap(answer);
      SSL_write(session_.get(), bytes.data(), static_cast<int>(bytes.size()));
    }
    std::string said(BIO_ctrl_pending(out_), '\0');
    if (said.empty()) {
      return {};
    }
    BIO_read(out_, said.data(), static_cast<int>(said.size()));
    return {said};
  }

 private:
  /// A ClientHello in clear, of sequence 0.
  static bool begins(std::string_view datagram) {
    return datagram.size() > 20 && datagram[0] == 22 && datagram.substr(3, 2) == "\0\0"s && datagram[13] == 1;
  }

  static unsigned int give_key(SSL* session, const char*, unsigned char* key, unsigned int longest) {
    const auto& word = static_cast<KeyServer*>(SSL_get_app_data(session))->key_;
    std::copy_n(word.begin(), std::min<std::size_t>(word.size(), longest), key);
    return static_cast<unsigned int>(word.size());
  }

  std::string key_;
  std::shared_ptr<SSL_CTX> context_;
  std::shared_ptr<SSL> session_;
  BIO* in_ = nullptr;   // the session's
  BIO* out_ = nullptr;  // the session's
};

}  // namespace

TEST_CASE("A database's password is found, and the session says whose it is") {
  FakeNetwork network;
  network.tcp[5432] = postgres_server("letmein1");
  const auto run = ask(network, "tcp/5432", {{"maker", "letmein0"}, {"maker", "letmein1"}});
  CHECK(run.record.text("credentials.dialect") == "postgresql");
  CHECK(run.record.value("credentials.clear") == json::value(true));
  CHECK(names(run) == std::vector<std::string>{"maker"});
  CHECK(std::string_view{run.record.value("credentials.accepted").at(0).at("proof").as_string()}.find("current_user") !=
        std::string_view::npos);
  CHECK(transcript(run).find("letmein1") == std::string::npos);
}

TEST_CASE("A name that a database trusts is told as in without being asked") {
  FakeNetwork network;
  network.tcp[5432] = postgres_server("letmein1");
  const auto run = ask(network, "tcp/5432", {{"guest", "anything"}});
  REQUIRE(names(run) == std::vector<std::string>{"guest"});
  CHECK(std::string_view{run.record.value("credentials.accepted").at(0).at("proof").as_string()}.find(
            "no password was asked for") != std::string_view::npos);
  CHECK_FALSE(run.record.value("credentials.accepted").at(0).as_object().contains("secret"));
}

TEST_CASE("A database that refuses before it asks shows no refused password") {
  FakeNetwork network;
  network.tcp[5432] = fake::answers(postgres_error("28000"));
  const auto run = ask(network, "tcp/5432", {{"maker", "letmein1"}});
  CHECK(run.record.is_unobserved("credentials.accepted"));
  CHECK(run.record.is_unobserved("credentials.open"));
}

TEST_CASE("MySQL's own digest of a password is answered, and a locked host is a lockout") {
  FakeNetwork network;
  network.tcp[kPort] = mysql_server("letmein1", kMysqlDenied);
  const auto run = attack(network, pairs({{"maker", "letmein0"}, {"maker", "letmein1"}}), without_blanks());
  CHECK(run.record.text("credentials.dialect") == "mysql");
  CHECK(names(run) == std::vector<std::string>{"maker"});
  network.tcp[kPort] = mysql_server("letmein1",
                                    "\xff\x69\x04"
                                    "Host is blocked"s);
  const auto locked = attack(network, pairs({{"maker", "letmein0"}}), without_blanks());
  CHECK(locked.record.value("credentials.lockout").at("observed") == json::value(true));
}

TEST_CASE("Of answers to MySQL's challenges those are concealed that an unusual refusal may hold") {
  auto list = many_pairs(40, 39);
  for (auto& one : list.credentials) {
    one.password = Secret{one.password.reveal(), "dictionary " + one.password.reveal()};
  }
  const auto concealed = [&](bool repeats) {
    FakeNetwork network;
    network.tcp[kPort] = mysql_server("letmein1", kMysqlDenied, repeats);
    const auto run = attack(network, list, without_blanks());
    return std::count_if(run.record.concealed.begin(), run.record.concealed.end(),
                         [](const auto& one) { return one.second.starts_with("answer with "); });
  };
  CHECK(concealed(true) >= 40);
  CHECK(concealed(false) < 10);
}

TEST_CASE(
    "With an answer to MySQL's challenge a password is guessed at leisure: those with the DUT file's are concealed") {
  Dut dut;
  for (int i = 0; i < 12; ++i) {
    dut.vendor_credentials.push_back(
        {"service", Secret{"pin-" + std::to_string(i), "DUT file vendor_credentials entry " + std::to_string(i + 1)}});
  }
  for (const bool repeats : {false, true}) {
    FakeNetwork network;
    network.tcp[kPort] = mysql_server("letmein1", kMysqlDenied, repeats);
    const auto run = attack(network, pairs({}), without_blanks(), dut);
    REQUIRE(run.record.text("credentials.dialect") == "mysql");
    const auto salt = "abcdefghijklmnopqrst"s;
    int everywhere = 0;
    for (const auto& pair : dut.vendor_credentials) {
      const auto once = sessions::digest(sessions::Hash::sha1, pair.password.reveal());
      const auto answer = sessions::exclusive_or(
          once, sessions::digest(sessions::Hash::sha1, salt + sessions::digest(sessions::Hash::sha1, once)));
      INFO(pair.password.name());
      everywhere += run.record.concealed.contains(answer) ? 1 : 0;
      CHECK((run.record.concealed.contains(answer) || run.record.concealed_in_bytes.contains(answer)));
    }
    CHECK((repeats ? everywhere == 12 : everywhere < 4));  // a refusal in the same words does not say one
  }
}

TEST_CASE("A user of SNMP v3 is in when the agent signs with the same key, and not when it only says yes") {
  FakeNetwork network;
  network.udp[161] = snmp_agent("letmein1", true);
  const auto run = ask(network, "udp/161", {{"nobody", "letmein1"}, {"maker", "letmein0"}, {"maker", "letmein1"}});
  CHECK(run.record.value("credentials.dialects") == json::value(json::array{"snmp-community", "snmp-user"}));
  CHECK(names(run) == std::vector<std::string>{"maker"});
  network.udp[161] = snmp_agent("letmein1", false);
  const auto liar = ask(network, "udp/161", {{"maker", "letmein1"}});
  CHECK(liar.record.is_unobserved("credentials.accepted"));
}

TEST_CASE("An agent of SNMP v3 has nothing blacked out that is no digest of an answer to us") {
  FakeNetwork network;
  const auto agent = snmp_agent("letmein1", true);
  const auto with_digest = [](std::string answer, std::string_view digest) {
    return answer.replace(wire::parse_snmp_user_answer(answer).digest_at, digest.size(), digest);
  };
  network.udp[161] = [&](std::string_view datagram) -> std::vector<std::string> {
    const auto asked = wire::parse_snmp_user_answer(datagram);
    auto answer = agent(datagram);
    if (answer.empty() || asked.digest.empty()) {
      return answer;
    }
    const bool wrong =
        wire::parse_snmp_scoped(wire::parse_snmp_user_answer(answer[0]).scoped).counter == wire::kUsmWrongDigest;
    if (wrong) {
      answer[0] = with_digest(snmp_answer(asked.id, 5, 5), "words");
    }
    answer.insert(answer.begin(), with_digest(snmp_answer(asked.id ^ 1U, 0, 12), "chosen words"));
    return answer;
  };
  const auto run = ask(network, "udp/161", {{"maker", "letmein0"}, {"maker", "letmein1"}});
  CHECK(names(run) == std::vector<std::string>{"maker"});
  CHECK_FALSE(run.record.concealed.contains("chosen words"));
  CHECK_FALSE(run.record.concealed.contains("words"));
  bool conceals = false;
  for (const auto& [text, name] : run.record.concealed) {
    conceals = conceals || (text.size() == 12 && name == "digest with a password");
  }
  CHECK(conceals);
}

TEST_CASE("The budget of a user of SNMP v3 counts every message with a wrong digest, as the agent does") {
  FakeNetwork network;
  int counted = 0;
  const auto agent = snmp_agent("letmein1", true);
  network.udp[161] = [&](std::string_view datagram) {
    const auto asked = wire::parse_snmp_user_answer(datagram);
    auto answer = agent(datagram);
    const bool wrong =
        !answer.empty() &&
        wire::parse_snmp_scoped(wire::parse_snmp_user_answer(answer[0]).scoped).counter == wire::kUsmWrongDigest;
    counted += wrong && !asked.digest.empty() ? 1 : 0;
    return answer;
  };
  network.login_budget["maker"] = 8;
  const auto spent = ask(network, "udp/161", {{"maker", "letmein0"}, {"maker", "letmein2"}, {"maker", "letmein3"}});
  CHECK(counted == 8);
  CHECK(network.permits["maker"] == 8);
  CHECK(coverage(spent, "tried") == 3 + 2);  // three as communities
  CHECK(coverage(spent, "unclear") == 1);
  CHECK(spent.record.is_unobserved("credentials.accepted"));
  counted = 0;
  network.permits.clear();
  network.login_budget["maker"] = 7;
  const auto taken = ask(network, "udp/161", {{"maker", "letmein0"}, {"maker", "letmein1"}});
  CHECK(counted == 6);  // neither login of the right one is a wrong one
  CHECK(names(taken) == std::vector<std::string>{"maker"});
}

TEST_CASE("A controller that gives a digest of another password refuses, and what it gives away is told") {
  FakeNetwork network;
  network.udp[623] = controller(false);
  const auto run = ask(network, "udp/623", {{"maker", "letmein1"}});
  CHECK(run.record.text("credentials.dialect") == "ipmi-rakp");
  CHECK(run.record.value("credentials.open") == json::value(false));
  CHECK(run.record.value("credentials.accepted").as_array().empty());
  REQUIRE(run.record.value("credentials.given_away").as_array().size() == 1);
}

TEST_CASE("A controller that opens sessions of cipher suite zero is open") {
  FakeNetwork network;
  network.udp[623] = controller(true);
  const auto run = ask(network, "udp/623", {{"maker", "letmein1"}});
  CHECK(run.record.value("credentials.open") == json::value(true));
  CHECK(run.record.value("credentials.given_away").as_array().size() == 1);
}

TEST_CASE("A key behind DTLS is found where the server throws away what wrong ones made") {
  FakeNetwork network;
  KeyServer weak{"letmein1"};
  std::set<std::string> randoms;  // of hellos
  network.udp[5684] = [&](std::string_view datagram) {
    if (datagram.size() > 59 && datagram[0] == 22 && datagram[13] == 1) {
      randoms.emplace(datagram.substr(27, 32));
    }
    return weak.hear(datagram);
  };
  const auto run = ask(network, "udp/5684", {{"device", "letmein0"}, {"device", "letmein1"}});
  CHECK(run.record.text("credentials.dialect") == "coaps-psk");
  REQUIRE(names(run) == std::vector<std::string>{"device"});
  CHECK(std::string_view{run.record.value("credentials.accepted").at(0).at("proof").as_string()}.find("2.05") !=
        std::string_view::npos);
  CHECK(randoms.size() >= 5);
  for (const auto& random : randoms) {
    CHECK(run.record.concealed.contains(random));
  }
  KeyServer sound{"uncommon"};
  network.udp[5684] = [&](std::string_view datagram) { return sound.hear(datagram); };
  const auto none = ask(network, "udp/5684", {{"device", "letmein1"}});
  CHECK(none.record.value("credentials.open") == json::value(false));
  CHECK(none.record.value("credentials.accepted").as_array().empty());
}

TEST_CASE("Silence at the port of a controller or of CoAP is no refusal") {
  for (const auto* endpoint : {"udp/623", "udp/5684"}) {
    FakeNetwork network;
    network.udp[623] = network.udp[5684] = [](std::string_view) { return std::vector<std::string>{}; };
    const auto run = ask(network, endpoint, {{"maker", "letmein1"}});
    CHECK_FALSE(run.record.facts.contains("credentials.accepted"));
  }
}
