#include <algorithm>
#include <map>

#include "probes/credentials/dialects.hpp"
#include "probes/credentials/kept_login.hpp"
#include "probes/credentials/line_talk.hpp"
#include "probes/sessions/ssh_session.hpp"

/// Whole sessions by libssh over the guarded connection (probes/sessions/ssh_session.hpp). A connection takes logins of
/// one name, and only a few (RFC 4252, 5 and 4: servers may end it at another name, and after so many).
namespace assay::probes::credentials {

namespace ssh {

namespace {

constexpr milliseconds kPatience{20000};  // a key exchange takes a small device seconds, and so does a wrong login

bool holds(const std::vector<std::string>& methods, std::string_view wanted) {
  return std::find(methods.begin(), methods.end(), wanted) != methods.end();
}

std::string proof_of(const sessions::SshLogin& login) {
  const std::string how = login.without_password ? "the name alone was enough" : "the login was taken";
  return how + (login.echoed        ? ", and a shell evaluated a random echo"
                : login.must_change ? ", and a new password is demanded"
                : login.session     ? ", and a session was opened"
                                    : ", in the words of the protocol");
}

using KnownMethods = std::map<std::string, std::vector<std::string>>;

Told told_by(const sessions::SshLogin& login) {
  using Answer = sessions::SshLogin::Answer;
  Told told;
  switch (login.answer) {
    case Answer::accepted:
      told.answer = Told::Answer::yes;
      told.proof = proof_of(login);
      told.must_change = login.must_change;
      break;
    case Answer::refused:
    case Answer::no_method:
      told.answer = Told::Answer::no;
      break;
    case Answer::partial:
      told.text = "another step is asked for";
      break;
    case Answer::cut:
      // Whatever the words: OpenSSH says that there were too many after it has judged the password, others before.
      told.answer = Told::Answer::cut;
      told.text = login.error;
      break;
  }
  return told;
}

class SshConnection final : public LoginSession {
 public:
  SshConnection(std::unique_ptr<sessions::Channel> channel, Door& door, KnownMethods& methods)
      : session_(std::move(channel)), door_(door), methods_(methods) {}

  std::optional<std::string> bound_to() const override { return name_; }

  bool takes_more() const override { return takes_more_; }

  asio::awaitable<Told> log_in(std::string username, Secret password) override {
    name_ = username;
    const auto patience = std::max(kPatience, login_patience(door_));
    const auto text = password.reveal();
    const auto word = sessions::random_word(12);
    // What continues is asked once for each name: one that is let in without a password shows then.
    const auto found = methods_.find(username);
    auto known = found == methods_.end() ? std::vector<std::string>{} : found->second;
    auto login = co_await session_.log_in(username, text, word, patience, std::move(known));
    if (!login) {
      co_return broken(login.error(), session_.awaits_answer());
    }
    // OpenSSH lists no method by password any more when PAM has had enough, and judges none that is sent all the same.
    takes_more_ = holds(login->methods, "password") || holds(login->methods, "keyboard-interactive");
    if (takes_more_) {
      methods_.try_emplace(username, login->methods);
    }
    co_return told_by(*login);
  }

  asio::awaitable<void> say_goodbye() override { co_await session_.say_goodbye(); }

 private:
  sessions::SshSession session_;
  Door& door_;
  KnownMethods& methods_;
  std::optional<std::string> name_;
  bool takes_more_ = true;
};

class SshPassword final : public KeptLogin {
 public:
  explicit SshPassword(Door& door) : KeptLogin(door, false) {}

  std::string_view name() const override { return "ssh-password"; }

  std::unique_ptr<Dialect> beside(Door& other) const override { return copy_of(*this, other); }

  bool clear() const override { return false; }

 protected:
  std::unique_ptr<LoginSession> begin(std::unique_ptr<sessions::Channel> channel) override {
    return std::make_unique<SshConnection>(std::move(channel), door(), methods_);
  }

 private:
  KnownMethods methods_;  // by which the server takes passwords of each name
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
