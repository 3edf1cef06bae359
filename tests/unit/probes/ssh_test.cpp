#include "probes/wire/ssh.hpp"

#include <set>

#include "probes/ssh/offer.hpp"
#include "probes/ssh/public_values.hpp"
#include "probes/wire/ssh_kex.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fake_network.hpp"

namespace assay::probes::ssh {
extern const ProbeDescriptor kDescriptor;
}

using namespace assay;
using namespace assay::probes::ssh;

namespace {

constexpr std::string_view kIdent = "SSH-2.0-dropbear_2022.83 hub\r\n";

wire::SshKexInit server_lists() {
  wire::SshKexInit lists;
  lists.kex = {"curve25519-sha256", "diffie-hellman-group14-sha1", "kex-strict-s-v00@openssh.com"};
  lists.host_key = {"ssh-ed25519", "rsa-sha2-256", "ssh-rsa"};
  lists.cipher_to_server = {"chacha20-poly1305@openssh.com", "aes128-ctr"};
  lists.cipher_to_client = {"aes128-ctr"};
  lists.mac_to_server = lists.mac_to_client = {"hmac-sha2-256"};
  lists.compression_to_server = lists.compression_to_client = {"none"};
  return lists;
}

std::string lists_packet(const wire::SshKexInit& lists) {
  return wire::ssh_packet(wire::ssh_kexinit(lists, std::string(16, 'c')));
}

std::string key_blob(std::string_view algorithm) {
  std::string blob;
  if (algorithm == "ssh-ed25519") {
    wire::put_ssh_string(blob, algorithm);
    wire::put_ssh_string(blob, std::string(32, 'k'));
  } else {
    wire::put_ssh_string(blob, "ssh-rsa");
    wire::put_ssh_string(blob, "\x01");
    wire::put_ssh_string(blob, std::string(1, '\0') + std::string(128, '\xaa'));
  }
  return blob;
}

std::string reply_packet(std::string_view algorithm) {
  std::string signature;
  wire::put_ssh_string(signature, algorithm);
  wire::put_ssh_string(signature, "signature");
  std::string reply = "\x1f";
  wire::put_ssh_string(reply, key_blob(algorithm));
  wire::put_ssh_string(reply, std::string(32, 'q'));
  wire::put_ssh_string(reply, signature);
  return wire::ssh_packet(reply);
}

/// A server that shows the key of the algorithm it is asked for. `ident` comes at once.
fake::Peer server(const wire::SshKexInit& lists, std::string ident = std::string{kIdent}) {
  auto heard = std::make_shared<std::string>();
  return [=](std::string_view written, fake::Line& line) {
    if (written.empty()) {
      line.say(ident);
      return;
    }
    if (written.starts_with("SSH-")) {
      line.say(lists_packet(lists));
      return;
    }
    *heard += written;
    const auto ours = wire::parse_ssh_kexinit(*heard);
    if (ours.state != wire::Parse::complete) {
      return;
    }
    const auto used = wire::take_ssh_packet(*heard).used;
    if (wire::take_ssh_packet(std::string_view{*heard}.substr(used)).state == wire::Parse::complete) {
      line.say(reply_packet(ours.offer.host_key.front()));
    }
  };
}

fake::Run observe_peer(fake::FakeNetwork& network, fake::PeerMaker maker, json::object parameters = {}) {
  network.tcp[22] = std::move(maker);
  if (!parameters.contains("auth_methods")) {
    parameters["auth_methods"] = false;  // a whole key exchange needs a real server: tests/system/probes/ssh_test.py
  }
  return fake::observe(kDescriptor, network, "tcp/22", parameters);
}

std::string text_of(const json::value& value) {
  return canonical(value);
}

}  // namespace

TEST_CASE("What an SSH server lists is recorded in its order, both ways, and a key of every kind") {
  fake::FakeNetwork network;
  const auto run = observe_peer(network, [](int) { return server(server_lists()); });
  REQUIRE(run.ended);
  CHECK(run.record.fault == "");
  CHECK(run.record.text("ssh.protocol") == "2.0");
  CHECK(run.record.text("ssh.software") == "dropbear_2022.83");
  CHECK(run.record.text("ssh.comment") == "hub");
  CHECK(run.record.is_absent("ssh.preamble"));
  CHECK(text_of(run.record.value("ssh.ciphers_to_server")) == R"(["chacha20-poly1305@openssh.com","aes128-ctr"])");
  CHECK(text_of(run.record.value("ssh.ciphers_to_client")) == R"(["aes128-ctr"])");
  CHECK(text_of(run.record.value("ssh.markers")) == R"(["kex-strict-s-v00@openssh.com"])");
  CHECK(text_of(run.record.value("ssh.fixed_groups")) == R"([{"bits":2048,"method":"diffie-hellman-group14-sha1"}])");
  CHECK(run.record.value("ssh.terrapin_precondition") == json::value(false));
  CHECK(run.record.is_absent("ssh.gssapi"));
  CHECK(run.record.is_absent("ssh.group_exchange"));
  CHECK(run.record.is_absent("ssh.protocol1"));
  CHECK(run.record.is_absent("ssh.host_keys_unseen"));
  const auto keys = run.record.value("ssh.host_keys");
  REQUIRE(keys.as_array().size() == 2);
  CHECK(keys.at(0).at("kind") == "ed25519");
  CHECK(keys.at(0).at("fingerprint") == json::string(fingerprint(key_blob("ssh-ed25519"))));
  CHECK(keys.at(1).at("bits") == 1024);
  CHECK(text_of(keys.at(1).at("algorithms")) == R"(["rsa-sha2-256","ssh-rsa"])");
  CHECK(network.connections[22] == 2);  // the first connection shows the first key
  CHECK(run.record.coverages.at("ssh").at("connections") == 2);
  CHECK(!run.record.evidences.at("ssh.host_keys").empty());
}

TEST_CASE("A connection that is turned away is tried again, and what stays unseen is no absence") {
  fake::FakeNetwork network;
  const auto run = observe_peer(network, [](int connection) -> fake::Peer {
    if (connection == 1 || connection >= 3) {
      return [](std::string_view, fake::Line& line) { line.close(); };
    }
    return server(server_lists());
  });
  REQUIRE(run.ended);
  CHECK(run.record.value("ssh.host_keys").as_array().size() == 2);
  CHECK(run.record.coverages.at("ssh").at("dropped") == 1);

  fake::FakeNetwork strict;
  const auto dropped = observe_peer(strict, [](int connection) -> fake::Peer {
    if (connection > 0) {
      return [](std::string_view, fake::Line& line) { line.close(); };
    }
    return server(server_lists());
  });
  REQUIRE(dropped.ended);
  CHECK(dropped.record.value("ssh.host_keys").as_array().size() == 1);
  CHECK(dropped.record.value("ssh.host_keys_unseen").at(0).at("family") == "ssh-rsa");
  CHECK(dropped.record.coverages.at("ssh").at("dropped") == 3);
  CHECK(dropped.record.fault == "");
}

TEST_CASE("A server that says nothing, or never ends, leaves every fact unobserved") {
  const auto packet_of = [](std::uint32_t length) {
    std::string out;
    wire::put_u32(out, length);
    return out;
  };
  const std::map<std::string, std::function<void(fake::Line&)>> kPeers{
      {"silence", [](fake::Line&) {}},
      {"close", [](fake::Line& line) { line.close(); }},
      {"reset", [](fake::Line& line) { line.reset(); }},
      {"endless banner", [](fake::Line& line) { line.repeat("Welcome to a device that talks\r\n"); }},
      {"endless line", [](fake::Line& line) { line.repeat(std::string(1000, 'x')); }},
      {"a packet of 16 MiB",
       [&](fake::Line& line) {
         line.say(std::string{kIdent} + packet_of(16U << 20U));
         line.repeat(std::string(4096, 'x'));
       }},
      {"a packet whose padding is longer than itself",
       [&](fake::Line& line) { line.say(std::string{kIdent} + packet_of(8) + "\xff" + std::string(7, 'x')); }},
      {"packets without meaning",
       [](fake::Line& line) {
         line.say(std::string{kIdent});
         line.repeat(wire::ssh_packet("\x02ignore"));
       }},
      {"dripping", [](fake::Line& line) {
         line.say(std::string{kIdent});
         for (int i = 0; i < 1000; ++i) {
           line.pause(milliseconds{100});
           line.say("\1");
         }
       }}};
  for (const auto& peer : kPeers) {
    const auto& name = peer.first;
    const auto& say = peer.second;  // clang 14 captures no structured binding
    INFO(name);
    fake::FakeNetwork network;
    const auto run = observe_peer(network, [&](int) -> fake::Peer {
      return [say = say, said = false](std::string_view, fake::Line& line) mutable {
        if (!said) {
          said = true;
          say(line);
        }
      };
    });
    CHECK_FALSE(run.ended);
    CHECK(run.record.fault == "");
    CHECK(run.record.is_unobserved("ssh.kex"));
    CHECK(run.record.is_unobserved("ssh.host_keys"));
    CHECK(network.bytes_served < (1U << 20U));
  }
}

TEST_CASE("The server's own words end a conversation") {
  fake::FakeNetwork network;
  std::string goodbye = "\x01";
  wire::put_u32(goodbye, 11);
  wire::put_ssh_string(goodbye, "go \x1b[31maway");
  wire::put_ssh_string(goodbye, "");
  const auto run = observe_peer(network, [&](int) -> fake::Peer {
    return [=](std::string_view written, fake::Line& line) {
      line.say(written.empty() ? std::string{kIdent} : wire::ssh_packet(goodbye));
    };
  });
  REQUIRE_FALSE(run.ended);
  CHECK(run.ended.error().kind == ErrorKind::closed);
  CHECK(run.record.reasons.at("ssh.kex") == "the server disconnected, reason 11: go \\x1b[31maway");
  CHECK(run.record.text("ssh.software") == "dropbear_2022.83");
}

TEST_CASE("A server of protocol 1 shows its two keys, and has nothing of protocol 2") {
  fake::FakeNetwork network;
  const auto number = [](std::string_view bytes) {
    std::string out;
    wire::put_u16(out, static_cast<std::uint32_t>(bytes.size() * 8));
    return out + std::string{bytes};
  };
  std::string body = "\x02";
  body += std::string(8, 'c');
  wire::put_u32(body, 768);
  body += number("\x25") + number(std::string(96, '\xbb'));
  wire::put_u32(body, 1024);
  body += number("\x23") + number(std::string(128, '\xcc'));
  wire::put_u32(body, 2);
  wire::put_u32(body, 1U << 3U | 1U << 6U);
  wire::put_u32(body, 1U << 2U | 1U << 3U | 1U << 9U);
  const auto length = body.size() + 4;
  std::string packet;
  wire::put_u32(packet, static_cast<std::uint32_t>(length));
  packet += std::string(8 - length % 8, '\0') + body + std::string(4, '\0');
  const auto run = observe_peer(network, [&](int) -> fake::Peer {
    return [=](std::string_view written, fake::Line& line) {
      if (written.empty()) {
        line.say("SSH-1.5-OldServer\n");
      } else if (written == "SSH-1.5-Assay\n") {
        line.say(packet);
      }
    };
  });
  REQUIRE(run.ended);
  const auto old = run.record.value("ssh.protocol1");
  CHECK(old.at("server_key_bits") == 768);
  CHECK(old.at("host_key_bits") == 1024);
  CHECK(text_of(old.at("ciphers")) == R"(["3des","blowfish"])");
  CHECK(text_of(old.at("auths")) == R"(["rsa","password","number 9"])");
  CHECK(run.record.is_absent("ssh.kex"));
  CHECK(run.record.is_absent("ssh.auth_methods"));
  CHECK(run.record.fault == "");
}

TEST_CASE("The sizes that a group exchange gives are recorded, a refusal with the server's words") {
  auto lists = server_lists();
  lists.kex = {"diffie-hellman-group-exchange-sha256", "curve25519-sha256"};
  lists.host_key = {"ssh-ed25519"};
  fake::FakeNetwork network;
  const auto run = observe_peer(network, [&](int connection) -> fake::Peer {
    if (connection == 0) {
      return server(lists);
    }
    return [=](std::string_view written, fake::Line& line) {
      if (written.empty()) {
        line.say(std::string{kIdent});
      } else if (written.starts_with("SSH-")) {
        line.say(lists_packet(lists));
      } else if (connection == 3) {
        line.close();
      } else {
        std::string group = "\x1f";
        wire::put_ssh_string(group, std::string(1, '\0') + std::string(connection == 1 ? 128 : 256, '\xff'));
        wire::put_ssh_string(group, "\2");
        line.say(wire::ssh_packet(group));
      }
    };
  });
  REQUIRE(run.ended);
  const auto given = run.record.value("ssh.group_exchange");
  REQUIRE(given.as_array().size() == 3);
  CHECK(given.at(0).at("asked") == 1024);
  CHECK(given.at(0).at("bits") == 1024);
  CHECK(given.at(1).at("bits") == 2048);
  CHECK(given.at(2).at("given") == false);
  CHECK(run.record.fault == "");
}

TEST_CASE("Parameters turn off what takes further connections") {
  auto lists = server_lists();
  lists.kex.push_back("diffie-hellman-group-exchange-sha256");
  fake::FakeNetwork network;
  const auto run = observe_peer(network, [&](int) { return server(lists); }, {{"group_exchange", false}});
  CHECK(run.record.reasons.at("ssh.group_exchange") == "this was not asked for");
  CHECK(run.record.reasons.at("ssh.auth_methods") == "this was not asked for");
  CHECK(network.permits.empty());
  CHECK(network.connections[22] == 2);
}

TEST_CASE("The precondition of Terrapin needs a mode that can be cut and no strict key exchange, in one direction") {
  auto lists = server_lists();
  CHECK_FALSE(has_terrapin_precondition(lists));
  lists.kex.pop_back();
  CHECK(has_terrapin_precondition(lists));
  lists.cipher_to_server = {"aes128-ctr", "aes128-cbc"};
  CHECK_FALSE(has_terrapin_precondition(lists));  // CBC with encrypt-and-MAC is another matter
  lists.mac_to_client = {"hmac-sha2-256-etm@openssh.com"};
  CHECK_FALSE(has_terrapin_precondition(lists));  // the other direction
  lists.mac_to_server = {"hmac-sha2-256-etm@openssh.com"};
  CHECK(has_terrapin_precondition(lists));
}

TEST_CASE("Public values have the length their method asks for, and differ each time") {
  for (const auto& [name, size] : std::map<std::string, std::size_t>{{"curve25519-sha256", 32},
                                                                     {"ecdh-sha2-nistp256", 65},
                                                                     {"ecdh-sha2-nistp384", 97},
                                                                     {"ecdh-sha2-nistp521", 133},
                                                                     {"sntrup761x25519-sha512@openssh.com", 1190}}) {
    INFO(name);
    const auto method = choose_method({"unknown", name});
    const auto one = public_value(method);
    const auto other = public_value(method);
    REQUIRE(one);
    REQUIRE(other);
    CHECK(one->bytes.size() == size);
    CHECK(one->bytes != other->bytes);
    CHECK(one->form == wire::SshValue::bytes);
  }
  for (const auto bits : {1024, 2048, 3072, 4096, 6144, 8192}) {
    const auto value = public_value({"group", Exchange::group, bits});
    REQUIRE(value);
    CHECK(value->form == wire::SshValue::number);
    CHECK(wire::bit_length(value->bytes) > bits - 64);
    CHECK(wire::bit_length(value->bytes) <= bits);
  }
  CHECK(choose_method({"unknown"}).name.empty());
}

TEST_CASE("A group that a server gives is used only when it can be one") {
  CHECK_FALSE(public_value_in(std::string(64, '\xfe') + "\xfe", "\2"));              // even
  CHECK_FALSE(public_value_in("\x17", "\2"));                                        // tiny
  CHECK_FALSE(public_value_in(std::string(4096, '\xff'), "\2"));                     // huge
  CHECK_FALSE(public_value_in(std::string(128, '\xff'), std::string(129, '\xff')));  // generator beyond it
  CHECK(public_value_in(std::string(128, '\xff'), "\2"));
  CHECK(known_prime(std::string(128, '\xff')).empty());
}
