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
constexpr int kMaximumReplyParts = 128;
constexpr milliseconds kShellPatience{1500};

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
  const auto before = channel.spent();
  // Some servers send every line of a list by itself.
  for (int part_number = 0; sent && part_number < kMaximumReplyParts; ++part_number) {
    auto part = co_await channel.receive(place.timers.reply);
    if (!part || channel.spent() - before > 3 * place.timers.reply) {
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

bool says_220(std::string_view bytes) {
  const auto parse = wire::parse_reply_lines(bytes);
  return parse.state == wire::Parse::complete && parse.reply.code == 220;
}

bool says_234(std::string_view bytes) {
  const auto parse = wire::parse_reply_lines(bytes);
  return parse.state == wire::Parse::complete && parse.reply.code == 234;
}

void note_smtp(const wire::ReplyLines& reply, const Place& place, Sighting& sighting) {
  sighting.protocol = "smtp";
  const bool upgradable = mentions(reply, "STARTTLS");
  sighting.details["starttls"] = upgradable;
  if (upgradable && !place.tls) {
    sighting.upgrade = Upgrade{"STARTTLS\r\n", &says_220, {}};
  }
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
  const bool upgradable = listing && (mentions(*features, "AUTH TLS") || mentions(*features, "AUTH SSL"));
  sighting.details["auth_tls"] = upgradable;
  if (upgradable && !place.tls) {
    sighting.upgrade = Upgrade{"AUTH TLS\r\n", &says_234, {}};
  }
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
  const auto prompt = wire::prompt_of(text);
  // Without negotiation only a question for a login is taken for telnet: a bare prompt is shown by its shell, or not.
  if (parser.negotiated() || wire::asks_for_input(prompt)) {
    sighting.protocol = "telnet";
  }
  sighting.banner = text;
  sighting.details["negotiation"] = parser.negotiated();
  json::array options;
  for (const auto& option : parser.options()) {
    options.emplace_back(option);
  }
  sighting.details["options"] = std::move(options);
  sighting.details["prompt"] = wire::printable(prompt, 128);
  if (wire::asks_for_input(prompt)) {
    add_login(sighting, "telnet", place.clear());
  }
  if (wire::waits_for_command(prompt)) {
    auto tried = co_await follow_shell(channel, place, sighting);
    co_return tried;
  }
  co_return Result<>{};
}

asio::awaitable<Result<>> follow_shell(sessions::Channel& channel, const Place& place, Sighting& sighting) {
  const auto first = sessions::random_word(8);
  const auto second = sessions::random_word(8);
  // The quotes vanish when a shell reads them: an echo of what was typed never holds the joined word.
  auto sent = co_await channel.send("echo " + first + "''" + second + "\r\n");
  std::string heard;
  bool shown = false;
  for (int round = 0; sent && round < kMaximumRounds && !shown; ++round) {
    auto part = co_await channel.receive(std::min(place.timers.reply, kShellPatience));
    if (!part) {
      break;
    }
    heard += *part;
    shown = heard.find(first + second) != std::string::npos;
  }
  if (shown) {
    sighting.shell = true;
    sighting.proof = heard;
    if (sighting.protocol.empty()) {
      sighting.protocol = "shell";
    }
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
  sighting.greeted = false;
  if (!sighting.upgrade) {
    co_await channel.say_goodbye("QUIT\r\n");
  }
  co_return Result<>{};
}

}  // namespace assay::probes::services
