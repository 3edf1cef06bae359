#include "probes/sessions/ssh_steps.hpp"

#include <array>
#include <libssh/libssh.h>
#include <utility>

#include "probes/wire/banner.hpp"
#include "probes/wire/bytes.hpp"

namespace assay::sessions {

namespace {

constexpr int kMaximumRounds = 4;
constexpr std::size_t kMaximumOutput = 16U << 10U;

/// The answer to a password was SSH_MSG_USERAUTH_PASSWD_CHANGEREQ (RFC 4252, 8). The library knows that message only
/// under its other names, which it does not let in here: it says so, and waits on.
bool demands_change(ssh_session session) {
  return ssh_get_error_code(session) == SSH_FATAL &&
         std::string_view{ssh_get_error(session)}.find("rejected packet (type 60)") != std::string_view::npos;
}

}  // namespace

SshState SshSteps::step(ssh_session session, int none, unsigned methods) {
  for (;;) {
    const auto before = stage_;
    const bool again = advance(session, none, methods);
    if (stage_ == Stage::over) {
      return SshState::done;
    }
    if (stage_ == before && !again) {
      return SshState::running;
    }
  }
}

/// True: the next step of the same stage can be taken at once.
bool SshSteps::advance(ssh_session session, int none, unsigned methods) {
  switch (stage_) {
    case Stage::choose:
      choose(none, methods);
      return false;
    case Stage::password:
      take(session, ssh_userauth_password(session, nullptr, password_.c_str()));
      return false;
    case Stage::interactive:
      return answer(session, ssh_userauth_kbdint(session, nullptr, nullptr));
    case Stage::open:
      open(session);
      return false;
    case Stage::run:
      go_on(ssh_channel_request_exec(channel_, command_.c_str()), Stage::listen);
      return false;
    case Stage::listen:
      listen();
      return false;
    case Stage::over:
      break;
  }
  return false;
}

void SshSteps::choose(int none, unsigned methods) {
  if (none == SSH_AUTH_SUCCESS) {
    login_.without_password = true;
    login_.answer = SshLogin::Answer::accepted;
    stage_ = Stage::open;
  } else if ((methods & SSH_AUTH_METHOD_PASSWORD) != 0) {
    stage_ = Stage::password;
  } else if ((methods & SSH_AUTH_METHOD_INTERACTIVE) != 0) {
    stage_ = Stage::interactive;
  } else {
    login_.answer = SshLogin::Answer::no_method;
    stage_ = Stage::over;
  }
}

void SshSteps::take(ssh_session session, int outcome) {
  if (stage_ == Stage::password && demands_change(session)) {
    login_.must_change = true;
    outcome = SSH_AUTH_SUCCESS;
  }
  if (outcome == SSH_AUTH_AGAIN) {
    return;
  }
  stage_ = outcome == SSH_AUTH_SUCCESS && !login_.must_change ? Stage::open : Stage::over;
  login_.answer = outcome == SSH_AUTH_SUCCESS   ? SshLogin::Answer::accepted
                  : outcome == SSH_AUTH_PARTIAL ? SshLogin::Answer::partial
                  : outcome == SSH_AUTH_DENIED  ? SshLogin::Answer::refused
                                                : SshLogin::Answer::cut;
  if (login_.answer == SshLogin::Answer::cut) {
    login_.error = wire::printable(ssh_get_error(session), 256);
  }
}

/// The password is given to one hidden question only: whoever asks another one wants another step.
bool SshSteps::answer(ssh_session session, int outcome) {
  if (outcome != SSH_AUTH_INFO) {
    take(session, outcome);
    return false;
  }
  if (answered_ && take_demand(session)) {
    return false;
  }
  const int prompts = ssh_userauth_kbdint_getnprompts(session);
  bool stuck = ++rounds_ > kMaximumRounds;
  for (int i = 0; i < prompts && !stuck; ++i) {
    char shown = 0;
    ssh_userauth_kbdint_getprompt(session, static_cast<unsigned>(i), &shown);
    stuck = shown == 0 && std::exchange(answered_, true);
    const auto& text = shown == 0 ? password_ : user_;
    stuck = stuck || ssh_userauth_kbdint_setanswer(session, static_cast<unsigned>(i), text.c_str()) < 0;
  }
  if (stuck) {
    login_.answer = SshLogin::Answer::partial;
    stage_ = Stage::over;
  }
  return !stuck;
}

/// What comes after the password asks for another one, which nobody gives here: servers ask so once they took the first
/// (PAM, after pam_acct_mgmt).
bool SshSteps::take_demand(ssh_session session) {
  const auto text_of = [](const char* text) { return std::string{text == nullptr ? "" : text} + "\n"; };
  auto text = text_of(ssh_userauth_kbdint_getinstruction(session));
  bool hidden = false;
  const int prompts = ssh_userauth_kbdint_getnprompts(session);
  for (int i = 0; i < prompts; ++i) {
    char shown = 0;
    text += text_of(ssh_userauth_kbdint_getprompt(session, static_cast<unsigned>(i), &shown));
    hidden = hidden || shown == 0;
  }
  if (!hidden || !wire::demands_new_password(text)) {
    return false;
  }
  login_.must_change = true;
  login_.answer = SshLogin::Answer::accepted;
  stage_ = Stage::over;
  return true;
}

/// OpenSSH says there that the password has expired, and runs no command (RFC 4254, 5.2: extended data).
void SshSteps::hear_errors() {
  std::array<char, 1024> buffer{};
  for (int count = 1; count > 0 && errors_.size() < kMaximumOutput;) {
    count = ssh_channel_read_nonblocking(channel_, buffer.data(), buffer.size(), 1);
    errors_.append(buffer.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
  }
}

void SshSteps::open(ssh_session session) {
  channel_ = channel_ == nullptr ? ssh_channel_new(session) : channel_;  // freed with the session
  if (channel_ == nullptr) {
    stage_ = Stage::over;
    return;
  }
  go_on(ssh_channel_open_session(channel_), Stage::run);
  login_.session = stage_ == Stage::run;
}

void SshSteps::go_on(int outcome, Stage next) {
  if (outcome != SSH_AGAIN) {
    stage_ = outcome == SSH_OK ? next : Stage::over;
  }
}

void SshSteps::listen() {
  std::array<char, 1024> buffer{};
  for (;;) {
    hear_errors();
    const int count = ssh_channel_read_nonblocking(channel_, buffer.data(), buffer.size(), 0);
    if (count == SSH_AGAIN || (count == 0 && ssh_channel_is_eof(channel_) == 0)) {
      return;
    }
    if (count > 0) {
      output_.append(buffer.data(), static_cast<std::size_t>(count));
    }
    ended_ = count <= 0 && ssh_channel_is_eof(channel_) != 0;
    login_.echoed = !awaited_.empty() && output_.find(awaited_) != std::string::npos;
    if (count <= 0 || login_.echoed || output_.size() > kMaximumOutput) {
      stage_ = Stage::over;
      login_.must_change = output_.empty() && wire::demands_new_password(errors_);
      return;
    }
  }
}

}  // namespace assay::sessions
