#include "probes/wire/banner.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <span>

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

constexpr std::string_view kMarks = ":?=>])#$% ";

// What the words for a secret and for a name have in common; whole words where a part says nothing.
constexpr std::array<std::string_view, 9> kHiddenParts{"passw",    "passc", "passphrase",   "kennwort",  "zugangscode",
                                                       "contrase", "senha", "mot de passe", "wachtwoord"};
constexpr std::array<std::string_view, 3> kHiddenWords{"pin", "pwd", "secret"};
constexpr std::array<std::string_view, 7> kNameParts{"login",   "logon",   "user",   "benutzer",
                                                     "usuario", "account", "anmelde"};
constexpr std::array<std::string_view, 3> kNameWords{"name", "konto", "id"};

// What a line that demands another password has beside a word for one.
constexpr std::array<std::string_view, 14> kNewWords{"new",   "neu",  "neue", "neues", "neuen", "nouveau", "nueva",
                                                     "nuevo", "nova", "novo", "nuova", "nieuw", "nieuwe",  "choose"};
constexpr std::array<std::string_view, 10> kChangeParts{"change", "expired", "abgelaufen", "ndern",    "wechseln",
                                                        "expiré", "cambi",   "caducad",    "verlopen", "wijzig"};
// The same in languages that do not set words apart or are not known to the lists above.
constexpr std::array<std::string_view, 6> kNewPasswords{"新密码",           "新的密码",     "修改密码",
                                                        "新しいパスワード", "новый пароль", "Новый пароль"};

// What a line that waits for a key has: words for any key, or a key and what is done with it.
constexpr std::array<std::string_view, 10> kAnyKey{"any key", "taste",   "touche", "tecla",  "tasto",
                                                   "toets",   "клавишу", "任意键", "任意鍵", "何かキー"};
constexpr std::array<std::string_view, 9> kPressWords{"press", "hit",   "strike",  "push",    "appuyez",
                                                      "druk",  "pulse", "premere", "presione"};
constexpr std::array<std::string_view, 6> kKeyWords{"enter", "return", "space", "key", "intro", "entrée"};

bool mentions(std::string_view prompt, std::span<const std::string_view> parts) {
  return std::any_of(parts.begin(), parts.end(), [&](auto part) { return contains_ignoring_case(prompt, part); });
}

bool is_letter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0;
}

bool has_any_word(std::string_view prompt, std::span<const std::string_view> words) {
  for (std::size_t at = 0; at < prompt.size();) {
    auto end = at;
    while (end < prompt.size() && is_letter(prompt[end])) {
      ++end;
    }
    const auto word = prompt.substr(at, end - at);
    if (std::any_of(words.begin(), words.end(), [&](auto one) { return equal_ignoring_case(word, one); })) {
      return true;
    }
    at = end + 1;
  }
  return false;
}

/// One of the words stands by itself, and not within a name as in "new-hub".
bool has_word_alone(std::string_view line, std::span<const std::string_view> words) {
  const auto in_name = [&](std::size_t at) {
    return at < line.size() && std::string_view{"-_.@/"}.find(line[at]) != std::string_view::npos;
  };
  return std::any_of(words.begin(), words.end(), [&](auto word) {
    for (std::size_t at = 0; at + word.size() <= line.size(); ++at) {
      const auto end = at + word.size();
      if (equal_ignoring_case(line.substr(at, word.size()), word) && (at == 0 || !is_letter(line[at - 1])) &&
          (end == line.size() || !is_letter(line[end])) && !in_name(at - 1) && !in_name(end)) {
        return true;
      }
    }
    return false;
  });
}

std::string_view words_before_mark(std::string_view prompt) {
  const auto last = prompt.find_last_not_of(kMarks);
  return prompt.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

std::string_view last_word(std::string_view words) {
  auto begin = words.size();
  while (begin > 0 && is_letter(words[begin - 1])) {
    --begin;
  }
  return words.substr(begin);
}

bool ends_in_name(std::string_view words) {
  const auto last = last_word(words);
  return mentions(last, kNameParts) || has_any_word(last, kNameWords);
}

/// A command line may tell who is logged in ("user@hub>", "account#"), and a sentence may speak of passwords: only
/// where the word stands last, or a mark of a question does, something is asked for.
bool is_question(std::string_view prompt) {
  if (prompt.empty() || std::string_view{"#$%"}.find(prompt.back()) != std::string_view::npos) {
    return false;
  }
  if (std::string_view{":?=])"}.find(prompt.back()) != std::string_view::npos) {
    return true;
  }
  const auto words = words_before_mark(prompt);
  const auto last = last_word(words);
  const bool host = last.size() < words.size() && words[words.size() - last.size() - 1] == '@';
  return !host && (ends_in_name(words) || mentions(last, kHiddenParts) || has_any_word(last, kHiddenWords));
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
  if (text_share(bytes) == 100 && (asks_for_input(prompt_of(bytes)) || asks_for_key(bytes))) {
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

bool asks_for_password(std::string_view prompt) {
  const bool asks = mentions(prompt, kHiddenParts) || has_any_word(prompt, kHiddenWords);
  return asks && is_question(prompt) && !ends_in_name(words_before_mark(prompt));
}

bool demands_new_password(std::string_view text) {
  while (!text.empty()) {
    const auto end = std::min(text.find_first_of("\r\n"), text.size());
    const auto line = text.substr(0, end);
    const bool of_password = mentions(line, kHiddenParts) || has_any_word(line, kHiddenWords);
    const bool another = mentions(line, kChangeParts) || has_word_alone(line, kNewWords);
    if ((of_password && another) || mentions(line, kNewPasswords)) {
      return true;
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return false;
}

bool asks_for_login(std::string_view prompt) {
  const bool asks = mentions(prompt, kNameParts) || has_any_word(prompt, kNameWords);
  return asks_for_password(prompt) || (asks && is_question(prompt));
}

bool asks_for_key(std::string_view text) {
  text = trim(text);
  const auto line = text.substr(text.find_last_of("\r\n") + 1);
  const bool asks = line.size() <= kMaximumPrompt &&
                    (mentions(line, kAnyKey) || (has_any_word(line, kPressWords) && has_any_word(line, kKeyWords)));
  // "Press ENTER after your name:" asks for the name.
  return asks && !(asks_for_login(line) && std::string_view{kMarks}.find(line.back()) != std::string_view::npos);
}

bool asks_for_input(std::string_view prompt) {
  return prompt.ends_with(':') || asks_for_login(prompt);
}

bool waits_for_command(std::string_view prompt) {
  return !prompt.empty() && std::string_view{"#$%>"}.find(prompt.back()) != std::string_view::npos &&
         !asks_for_login(prompt);
}

}  // namespace assay::wire
