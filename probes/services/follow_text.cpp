#include <algorithm>

#include "probes/services/follow.hpp"
#include "probes/wire/banner.hpp"
#include "probes/wire/bytes.hpp"
#include "probes/wire/reply_lines.hpp"
#include "probes/wire/ssh.hpp"
#include "probes/wire/telnet.hpp"

/// Services that talk in lines: SSH before its encryption, telnet, FTP and SMTP.
namespace assay::probes::services {

namespace {

constexpr int kMaximumRounds = 8;

json::array listed(const std::vector<std::string>& names) {
  json::array out;
  for (const auto& name : names) {
    out.emplace_back(name);
  }
  return out;
}

void note_kexinit(const wire::SshKexInit& offer, Sighting& sighting) {
  sighting.details["kex"] = listed(offer.kex);
  sighting.details["host_key"] = listed(offer.host_key);
  sighting.details["ciphers"] = listed(offer.cipher_to_server);
  sighting.details["macs"] = listed(offer.mac_to_server);
}

/// "dropbear_2022.83" -> product and version.
void note_software(const wire::SshIdent& ident, Sighting& sighting) {
  const auto mark = ident.software.find_first_of("_-");
  const bool numbered = mark != std::string::npos && mark + 1 < ident.software.size();
  sighting.product = ident.software.substr(0, mark);
  sighting.version = numbered ? ident.software.substr(mark + 1) : std::string{};
  sighting.details["ssh_protocol"] = ident.protocol;
  if (!ident.comment.empty()) {
    sighting.details["comment"] = ident.comment;
  }
}

/// Sends one command line and gives the reply, or nothing when no reply of the protocol came.
asio::awaitable<std::optional<wire::ReplyLines>> ask(sessions::Channel& channel, const Place& place, std::string line) {
  auto sent = co_await channel.send(std::move(line));
  std::string bytes;
  for (int round = 0; sent && round < kMaximumRounds; ++round) {
    auto part = co_await channel.receive(place.timers.reply);
    if (!part) {
      break;
    }
    bytes += *part;
    auto parse = wire::parse_reply_lines(bytes);
    if (parse.state == wire::Parse::complete) {
      co_return std::move(parse.reply);
    }
    if (parse.state == wire::Parse::malformed) {
      break;
    }
  }
  co_return std::nullopt;
}

void note_greeting(const std::string& greeting, Sighting& sighting) {
  const auto parse = wire::parse_reply_lines(greeting);
  std::string text;
  for (const auto& line : parse.reply.lines) {
    text += line + " ";
  }
  std::tie(sighting.product, sighting.version) = wire::greeting_product(text);
}

bool mentions(const wire::ReplyLines& reply, std::string_view word) {
  return std::any_of(reply.lines.begin(), reply.lines.end(),
                     [&](const auto& line) { return wire::contains_ignoring_case(line, word); });
}

void note_smtp(const wire::ReplyLines& reply, const Place& place, Sighting& sighting) {
  sighting.protocol = "smtp";
  sighting.details["starttls"] = mentions(reply, "STARTTLS");
  for (const auto& line : reply.lines) {
    if (line.size() < 5 || !wire::equal_ignoring_case(std::string_view{line}.substr(0, 4), "AUTH")) {
      continue;
    }
    std::string_view rest = std::string_view{line}.substr(5);
    while (!rest.empty()) {
      const auto space = rest.find(' ');
      const auto mechanism = wire::lower(wire::printable(rest.substr(0, space), 32));
      rest = space == std::string_view::npos ? std::string_view{} : rest.substr(space + 1);
      if (!mechanism.empty()) {
        add_login(sighting, "smtp-" + mechanism, place.clear() && (mechanism == "plain" || mechanism == "login"));
      }
    }
  }
}

asio::awaitable<bool> try_smtp(sessions::Channel& channel, const Place& place, Sighting& sighting) {
  auto reply = co_await ask(channel, place, "EHLO assay.invalid\r\n");
  // FTP knows no EHLO; a server without extensions knows HELO at least.
  if (reply && reply->code != 250) {
    reply = co_await ask(channel, place, "HELO assay.invalid\r\n");
  }
  if (!reply || reply->code != 250) {
    co_return false;
  }
  note_smtp(*reply, place, sighting);
  co_return true;
}

asio::awaitable<bool> try_ftp(sessions::Channel& channel, const Place& place, Sighting& sighting) {
  auto features = co_await ask(channel, place, "FEAT\r\n");
  auto user = co_await ask(channel, place, "USER anonymous\r\n");
  const bool known = user && (user->code == 331 || user->code == 332 || user->code == 230 || user->code == 530);
  const bool listing = features && features->code == 211;
  if (!known && !listing) {
    co_return false;
  }
  sighting.protocol = "ftp";
  sighting.details["auth_tls"] = listing && (mentions(*features, "AUTH TLS") || mentions(*features, "AUTH SSL"));
  sighting.details["user_reply"] = user ? user->code : 0;
  sighting.details["anonymous"] = user && user->code == 230;
  if (user && (user->code == 331 || user->code == 332 || user->code == 530)) {
    // 530 to USER: some servers want TLS first, and then nothing travels in clear.
    add_login(sighting, "ftp", place.clear() && user->code != 530);
  }
  co_return true;
}

}  // namespace

asio::awaitable<Result<>> follow_ssh(sessions::Channel& channel, const Place& place, std::string first,
                                     Sighting& sighting) {
  const auto ident = wire::parse_ssh_ident(first);
  if (ident.state != wire::Parse::complete) {
    co_return Result<>{};
  }
  sighting.protocol = "ssh";
  note_software(ident.ident, sighting);
  auto sent = co_await channel.send("SSH-2.0-assay\r\n");
  auto bytes = first.substr(ident.used);
  for (int round = 0; sent && round < kMaximumRounds; ++round) {
    const auto parse = wire::parse_ssh_kexinit(bytes);
    if (parse.state == wire::Parse::complete) {
      note_kexinit(parse.offer, sighting);
      add_login(sighting, "ssh-password", false);
      break;
    }
    if (parse.state == wire::Parse::malformed) {
      sighting.details["kex_malformed"] = true;
      break;
    }
    auto part = co_await channel.receive(place.timers.reply);
    if (!part) {
      break;
    }
    bytes += *part;
  }
  co_return Result<>{};
}

asio::awaitable<Result<>> follow_telnet(sessions::Channel& channel, const Place& place, std::string first,
                                        Sighting& sighting) {
  wire::TelnetParser parser;
  std::string text;
  auto bytes = std::move(first);
  auto within = place.timers.reply;
  for (int round = 0; round < 4 * kMaximumRounds && !bytes.empty(); ++round) {
    auto step = parser.feed(bytes);
    text += step.text;
    if (!step.replies.empty()) {
      auto sent = co_await channel.send(std::move(step.replies));
      if (!sent) {
        break;
      }
    }
    within = wire::prompt_of(text).empty() ? place.timers.reply : place.timers.quiet;
    auto part = co_await channel.receive(within);
    bytes = part ? *part : std::string{};
  }
  sighting.protocol = "telnet";
  sighting.banner = text;
  sighting.details["negotiation"] = parser.negotiated();
  json::array options;
  for (const auto& option : parser.options()) {
    options.emplace_back(option);
  }
  sighting.details["options"] = std::move(options);
  const auto prompt = wire::prompt_of(text);
  sighting.details["prompt"] = wire::printable(prompt, 128);
  if (wire::asks_for_input(prompt)) {
    add_login(sighting, "telnet", place.clear());
  }
  co_return Result<>{};
}

asio::awaitable<Result<>> follow_reply_lines(sessions::Channel& channel, const Place& place, std::string greeting,
                                             Sighting& sighting) {
  note_greeting(greeting, sighting);
  const bool mail_first = wire::contains_ignoring_case(greeting, "SMTP");
  bool known = false;
  if (mail_first) {
    known = co_await try_smtp(channel, place, sighting);
  }
  if (!known) {
    known = co_await try_ftp(channel, place, sighting);
  }
  if (!known && !mail_first) {
    known = co_await try_smtp(channel, place, sighting);
  }
  if (!known) {
    sighting.product.clear();
    sighting.version.clear();
    co_return Result<>{};
  }
  co_await channel.say_goodbye("QUIT\r\n");
  co_return Result<>{};
}

}  // namespace assay::probes::services
