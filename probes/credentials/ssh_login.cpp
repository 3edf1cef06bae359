#include <algorithm>
#include <map>

#include "probes/credentials/dialects.hpp"
#include "probes/credentials/line_talk.hpp"
#include "probes/sessions/ssh_session.hpp"

/// Whole sessions by libssh over the guarded connection (probes/sessions/ssh_session.hpp). One login for each
/// connection: servers hang up after a few wrong ones and refuse another name, and neither is a lockout.
namespace assay::probes::credentials {

namespace ssh {

namespace {

constexpr milliseconds kPatience{20000};  // a key exchange takes a small device seconds, and so does a wrong login

bool holds(const std::vector<std::string>& methods, std::string_view wanted) {
  return std::find(methods.begin(), methods.end(), wanted) != methods.end();
}

std::string proof_of(const sessions::SshLogin& login) {
  const std::string how = login.without_password ? "the name alone was enough" : "the login was taken";
  return how + (login.echoed    ? ", and a shell evaluated a random echo"
                : login.session ? ", and a session was opened"
                                : ", in the words of the protocol");
}

class SshPassword final : public FreshLogin {
 public:
  explicit SshPassword(Door& door) : FreshLogin(door, false) {}

  std::string_view name() const override { return "ssh-password"; }

  std::unique_ptr<Dialect> beside(Door& other) const override { return copy_of(*this, other); }

  bool clear() const override { return false; }

 protected:
  asio::awaitable<Told> log_in(std::unique_ptr<sessions::Channel> channel, std::string username,
                               Secret password) override {
    const auto patience = std::max(kPatience, login_patience(door()));
    const auto text = password.reveal();
    const auto word = sessions::random_word(12);
    // What continues is asked once for each name: one that is let in without a password shows then.
    const auto found = methods_.find(username);
    auto known = found == methods_.end() ? std::vector<std::string>{} : found->second;
    auto login = co_await sessions::log_in_ssh(*channel, username, text, word, patience, std::move(known));
    if (!login) {
      co_return broken(login.error(), false);
    }
    if (holds(login->methods, "password") || holds(login->methods, "keyboard-interactive")) {
      methods_[username] = login->methods;
    }
    Told told;
    using Answer = sessions::SshLogin::Answer;
    switch (login->answer) {
      case Answer::accepted:
        told.answer = Told::Answer::yes;
        told.proof = proof_of(*login);
        break;
      case Answer::refused:
      case Answer::no_method:
        told.answer = Told::Answer::no;
        break;
      case Answer::partial:
        told.text = "another step is asked for";
        break;
      case Answer::cut:
        // OpenSSH names the limit of tries for one connection only after it has judged the password.
        told.answer = login->error.find("Too many authentication failures") != std::string::npos ? Told::Answer::no
                                                                                                 : Told::Answer::cut;
        told.text = told.answer == Told::Answer::no ? std::string{} : login->error;
        break;
    }
    co_return told;
  }

 private:
  std::map<std::string, std::vector<std::string>> methods_;  // by which the server takes passwords of each name
};

asio::awaitable<Result<Detection>> find(Door& door) {
  auto opened = co_await open_door(door, false);
  if (!opened) {
    co_return opened.error();
  }
  Detection found;
  const auto user = "assay" + sessions::random_word(10);
  const auto patience = std::max(kPatience, login_patience(door));
  auto welcome = co_await sessions::ask_ssh_methods(**opened, user, patience);
  if (!welcome && sessions::ends_probe(welcome.error().kind)) {
    co_return welcome.error();
  }
  if (!welcome) {
    found.other_login = "an SSH login, and no session could be begun: " + welcome.error().what;
    co_return found;
  }
  found.dialect = std::make_unique<SshPassword>(door);
  found.open = welcome->let_in;
  found.open_proof = welcome->let_in ? "a random name was let in without any password" : "";
  if (!welcome->let_in && !holds(welcome->methods, "password") && !holds(welcome->methods, "keyboard-interactive")) {
    std::string names;
    for (const auto& method : welcome->methods) {
      names += (names.empty() ? "" : ", ") + method;
    }
    found.shut = "the server takes no passwords, only " + (names.empty() ? "methods that are not known" : names);
  }
  co_return found;
}

}  // namespace

}  // namespace ssh

asio::awaitable<Result<Detection>> detect_ssh(Door& door) {
  return ssh::find(door);
}

}  // namespace assay::probes::credentials
