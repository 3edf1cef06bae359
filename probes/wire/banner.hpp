#pragma once

#include <string>
#include <string_view>

#include "probes/wire/bytes.hpp"

/// Whose words are these? Every parser of this folder asked in turn; a protocol is named only when its own parser
/// understood the bytes, never by a word in them.
namespace assay::wire {

enum class Speech : std::uint8_t {
  unknown,
  http,
  rtsp,
  ssh,
  telnet,       // negotiation was seen
  prompt,       // a line that waits for an answer, without telnet negotiation
  reply_lines,  // FTP or SMTP: a question has to tell them apart
  mqtt,
  coap_tcp,
  tls,
};

struct Recognition {
  Speech speech = Speech::unknown;
  bool need_more = false;  // unknown so far, but more bytes could still make it something
};

Recognition recognise(std::string_view bytes);

/// The unfinished last line of a dialogue, empty when the bytes end with a line break. Escape sequences of
/// terminals are taken out.
std::string prompt_of(std::string_view text);

/// A prompt that asks for a password alone, in the words of the languages that devices speak.
bool asks_for_password(std::string_view prompt);

/// A prompt that asks for a name or a password by its words, whatever it ends with: "User?", "login>", "PIN".
bool asks_for_login(std::string_view prompt);

/// A line of the text says that another password has to be chosen, or asks for it: "New password:".
bool demands_new_password(std::string_view text);

/// The last line of the text that is not empty says that a key is waited for: "Press any key to continue".
bool asks_for_key(std::string_view text);

/// A prompt that asks for something: it ends with a colon, or asks for a name or a password.
bool asks_for_input(std::string_view prompt);

/// A prompt that waits for a command: it ends with '#', '$', '%' or '>', and does not ask for a login.
bool waits_for_command(std::string_view prompt);

}  // namespace assay::wire
