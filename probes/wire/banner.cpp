#include "probes/wire/banner.hpp"

#include "probes/wire/coap.hpp"
#include "probes/wire/http.hpp"
#include "probes/wire/mqtt.hpp"
#include "probes/wire/reply_lines.hpp"
#include "probes/wire/ssh.hpp"
#include "probes/wire/telnet.hpp"
#include "probes/wire/tls_hello.hpp"

namespace assay::wire {

namespace {

constexpr std::size_t kMaximumPrompt = 128;
constexpr int kMostlyText = 85;

bool speaks_telnet(std::string_view bytes) {
  TelnetParser parser;
  const auto step = parser.feed(bytes);
  return parser.negotiated() && parser.violations() == 0 && text_share(step.text) >= kMostlyText;
}

/// Only capabilities may open a CoAP stream, and every frame behind them must be whole.
bool speaks_coap(std::string_view bytes) {
  auto parse = parse_coap_tcp(bytes);
  if (parse.state != Parse::complete || parse.message.code != kCoapCsm) {
    return false;
  }
  while (parse.state == Parse::complete && parse.used < bytes.size()) {
    bytes.remove_prefix(parse.used);
    parse = parse_coap_tcp(bytes);
  }
  return parse.state == Parse::complete;
}

Speech message_of(std::string_view bytes) {
  HttpReader reader;
  const auto state = reader.feed(bytes);
  if (state == HttpReader::State::body || state == HttpReader::State::done ||
      (state == HttpReader::State::head && reader.finish() == HttpReader::State::done)) {
    return reader.response().protocol == "RTSP" ? Speech::rtsp : Speech::http;
  }
  return Speech::unknown;
}

}  // namespace

Recognition recognise(std::string_view bytes) {
  if (bytes.empty()) {
    return {Speech::unknown, true};
  }
  if (const auto speech = message_of(bytes); speech != Speech::unknown) {
    return {speech, false};
  }
  const auto ident = parse_ssh_ident(bytes).state;
  const auto tls = parse_tls_reply(bytes).state;
  const auto connack = parse_connack(bytes).state;
  const auto lines = parse_reply_lines(bytes).state;
  if (ident == Parse::complete) {
    return {Speech::ssh, false};
  }
  if (tls == Parse::complete) {
    return {Speech::tls, false};
  }
  if (connack == Parse::complete) {
    return {Speech::mqtt, false};
  }
  if (lines == Parse::complete) {
    return {Speech::reply_lines, false};
  }
  if (speaks_telnet(bytes)) {
    return {Speech::telnet, false};
  }
  if (speaks_coap(bytes)) {
    return {Speech::coap_tcp, false};
  }
  if (text_share(bytes) == 100 && asks_for_input(prompt_of(bytes))) {
    return {Speech::prompt, false};
  }
  const bool hopeful =
      ident == Parse::need_more || tls == Parse::need_more || connack == Parse::need_more || lines == Parse::need_more;
  return {Speech::unknown, hopeful};
}

std::string prompt_of(std::string_view text) {
  const auto newline = text.find_last_of("\r\n");
  const auto line = newline == std::string_view::npos ? text : text.substr(newline + 1);
  std::string out;
  for (std::size_t at = 0; at < line.size(); ++at) {
    if (line[at] == '\x1b') {
      // A control sequence ends with a letter; any other escape is two bytes.
      at += at + 1 < line.size() && line[at + 1] == '[' ? 2U : 1U;
      while (at < line.size() && line[at - 1] != '\x1b' && (static_cast<unsigned char>(line[at]) < 0x40)) {
        ++at;
      }
      continue;
    }
    if (static_cast<unsigned char>(line[at]) >= 0x20) {
      out += line[at];
    }
  }
  const auto trimmed = trim(out);
  return trimmed.size() > kMaximumPrompt ? std::string{} : std::string{trimmed};
}

bool asks_for_input(std::string_view prompt) {
  return prompt.ends_with(':');
}

bool waits_for_command(std::string_view prompt) {
  return !prompt.empty() && std::string_view{"#$%>"}.find(prompt.back()) != std::string_view::npos;
}

}  // namespace assay::wire
