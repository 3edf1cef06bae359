#pragma once

#include <string>

#include "probes/sessions/ssh_session.hpp"

struct ssh_session_struct;
struct ssh_channel_struct;

/// What ssh_session.cpp does on a session that is connected.
namespace assay::sessions {

enum class SshState { running, done, failed };

/// One password and what comes after it, step by step; never waits.
class SshSteps {
 public:
  /// `awaited` ends the command's output; empty: nothing does but its own end.
  SshSteps(std::string user, std::string password, std::string command, std::string awaited)
      : user_(std::move(user)),
        password_(std::move(password)),
        command_(std::move(command)),
        awaited_(std::move(awaited)) {}

  /// `none` is how the request "none" ended, `methods` what can continue.
  SshState step(ssh_session_struct* session, int none, unsigned methods);

  bool accepted() const { return login_.answer == SshLogin::Answer::accepted; }

  /// A password is on its way, and no answer has come.
  bool waiting() const { return stage_ == Stage::password || (stage_ == Stage::interactive && answered_); }

  const SshLogin& login() const { return login_; }

  SshRun ran() const { return {login_.answer, ended_, output_}; }

 private:
  enum class Stage { choose, password, interactive, open, run, listen, over };

  bool advance(ssh_session_struct* session, int none, unsigned methods);
  void choose(int none, unsigned methods);
  void take(ssh_session_struct* session, int outcome);
  bool answer(ssh_session_struct* session, int outcome);
  void open(ssh_session_struct* session);
  void go_on(int outcome, Stage next);
  void listen();
  bool take_demand(ssh_session_struct* session);
  void hear_errors();

  std::string user_;
  std::string password_;
  std::string command_;
  std::string awaited_;
  Stage stage_ = Stage::choose;
  int rounds_ = 0;
  bool answered_ = false;
  ssh_channel_struct* channel_ = nullptr;
  std::string output_;
  std::string errors_;  // of the command, or of what the server runs in its place
  bool ended_ = false;  // the output, by itself
  SshLogin login_;
};

}  // namespace assay::sessions
