#include "probes/sessions/ssh_session.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <libssh/libssh.h>
#include <memory>
#include <optional>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

#include "probes/sessions/ssh_steps.hpp"
#include "probes/wire/bytes.hpp"

namespace assay::sessions {

namespace {

constexpr std::size_t kMaximumTaken = 256U << 10U;
constexpr std::size_t kMaximumBanner = 4096;
constexpr milliseconds kProofPatience{4000};

/// Everything the library has, the best first: an old device must not look like one that refuses.
constexpr const char* kExchanges =
    "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521,"
    "diffie-hellman-group16-sha512,diffie-hellman-group18-sha512,diffie-hellman-group14-sha256,"
    "diffie-hellman-group-exchange-sha256,diffie-hellman-group14-sha1,diffie-hellman-group-exchange-sha1,"
    "diffie-hellman-group1-sha1";
constexpr const char* kHostKeys =
    "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,rsa-sha2-512,rsa-sha2-256,ssh-rsa";
constexpr const char* kCiphers =
    "chacha20-poly1305@openssh.com,aes256-gcm@openssh.com,aes128-gcm@openssh.com,aes256-ctr,aes192-ctr,aes128-ctr,"
    "aes256-cbc,aes192-cbc,aes128-cbc,3des-cbc";
constexpr const char* kMacs =
    "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,hmac-sha2-256,hmac-sha2-512,"
    "hmac-sha1-etm@openssh.com,hmac-sha1";

struct SessionDeleter {
  void operator()(ssh_session session) const {
    ssh_free(session);  // closes its descriptor
  }
};

constexpr std::pair<unsigned, const char*> kMethods[] = {{SSH_AUTH_METHOD_NONE, "none"},
                                                         {SSH_AUTH_METHOD_PASSWORD, "password"},
                                                         {SSH_AUTH_METHOD_PUBLICKEY, "publickey"},
                                                         {SSH_AUTH_METHOD_HOSTBASED, "hostbased"},
                                                         {SSH_AUTH_METHOD_INTERACTIVE, "keyboard-interactive"},
                                                         {SSH_AUTH_METHOD_GSSAPI_MIC, "gssapi-with-mic"}};

unsigned mask_of(const std::vector<std::string>& methods) {
  unsigned mask = 0;
  for (const auto& [bit, name] : kMethods) {
    mask |= std::find(methods.begin(), methods.end(), name) != methods.end() ? bit : 0;
  }
  return mask;
}

/// libssh on one end of a pair of sockets. Nothing of it waits.
class Client {
 public:
  ~Client() {
    session_.reset();
    if (ours_ >= 0) {
      close(ours_);
    }
  }

  Client() = default;
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  Result<> start(const std::string& user) {
    std::array<int, 2> ends{-1, -1};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0) {
      return Error{ErrorKind::io, "no pair of local sockets for an SSH session", {}};
    }
    ours_ = ends[0];
    theirs_ = ends[1];
    session_.reset(ssh_new());
    if (session_ == nullptr || !set_options(user)) {
      close(theirs_);
      return Error{ErrorKind::internal, "the SSH library refused its options", {}};
    }
    ssh_set_blocking(session_.get(), 0);
    return {};
  }

  /// After the question it logs in.
  void log_in(SshSteps steps) { steps_ = std::move(steps); }

  /// The question was asked before, on another connection: these can continue.
  void skip_question(unsigned methods) {
    asked_ = true;
    outcome_ = SSH_AUTH_DENIED;
    known_methods_ = methods;
  }

  /// A descriptor is there: `start` was called and did not fail.
  bool started() const { return session_ != nullptr; }

  bool accepted() const { return steps_ && steps_->accepted(); }

  /// The server has said who it is, from which on the end of the stream is the end of a session.
  bool introduced() const { return introduced_; }

  bool waiting() const { return steps_ && steps_->waiting(); }

  SshRun ran() const { return steps_ ? steps_->ran() : SshRun{}; }

  SshLogin login() const {
    auto login = steps_ ? steps_->login() : SshLogin{};
    login.methods = welcome().methods;
    return login;
  }

  /// Goes on with what it has: first the key exchange, then the question, then the login if one is wanted.
  SshState step() {
    if (!connected_) {
      const int outcome = ssh_connect(session_.get());
      if (outcome != SSH_OK) {
        return outcome == SSH_AGAIN ? SshState::running : SshState::failed;
      }
      connected_ = true;
    }
    if (!asked_) {
      outcome_ = ssh_userauth_none(session_.get(), nullptr);
      if (outcome_ == SSH_AUTH_AGAIN) {
        return SshState::running;
      }
      asked_ = true;
    }
    if (outcome_ == SSH_AUTH_ERROR) {
      return SshState::failed;
    }
    const auto listed = static_cast<unsigned>(ssh_userauth_list(session_.get(), nullptr));
    const auto methods = known_methods_ != 0 ? known_methods_ : listed;
    return steps_ ? steps_->step(session_.get(), outcome_, methods) : SshState::done;
  }

  void say_goodbye() { ssh_disconnect(session_.get()); }

  /// What it wants to send.
  std::string take() const {
    std::string out;
    std::array<char, 4096> buffer{};
    for (;;) {
      const auto count = recv(ours_, buffer.data(), buffer.size(), 0);
      if (count <= 0) {
        return out;
      }
      out.append(buffer.data(), static_cast<std::size_t>(count));
    }
  }

  /// False when it does not take the bytes: it reads all that comes, so this is a fault.
  bool give(std::string_view bytes) {
    introduced_ = introduced_ || bytes.find("SSH-") != std::string_view::npos;
    while (!bytes.empty()) {
      const auto count = send(ours_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) {
        return false;
      }
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }

  /// The far end is gone.
  void end_input() const { shutdown(ours_, SHUT_WR); }

  /// Bytes that it was given and has not read.
  int unread() const {
    int count = 0;
    return ioctl(theirs_, FIONREAD, &count) == 0 ? count : 0;
  }

  std::string error() const { return wire::printable(ssh_get_error(session_.get()), 256); }

  SshWelcome welcome() const {
    SshWelcome out;
    out.let_in = outcome_ == SSH_AUTH_SUCCESS;
    out.partial = outcome_ == SSH_AUTH_PARTIAL;
    const auto mask = static_cast<unsigned>(ssh_userauth_list(session_.get(), nullptr));
    for (const auto& [bit, name] : kMethods) {
      if ((mask & bit) != 0) {
        out.methods.emplace_back(name);
      }
    }
    const std::unique_ptr<char, decltype(&ssh_string_free_char)> banner{ssh_get_issue_banner(session_.get()),
                                                                        &ssh_string_free_char};
    if (banner != nullptr) {
      out.banner = std::string_view{banner.get()}.substr(0, kMaximumBanner);
    }
    return out;
  }

 private:
  bool set(ssh_options_e option, const void* value) { return ssh_options_set(session_.get(), option, value) == 0; }

  bool set_options(const std::string& user) {
    const bool no = false;
    const int quiet = SSH_LOG_NOLOG;
    const int least_bits = 768;  // the least that the library takes; what is short is a fact, not our refusal
    // The name is never resolved: the descriptor is given.
    return set(SSH_OPTIONS_PROCESS_CONFIG, &no) && set(SSH_OPTIONS_LOG_VERBOSITY, &quiet) &&
           set(SSH_OPTIONS_HOST, "device") && set(SSH_OPTIONS_SSH_DIR, "/nonexistent") &&
           set(SSH_OPTIONS_KNOWNHOSTS, "/dev/null") && set(SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null") &&
           set(SSH_OPTIONS_USER, user.c_str()) && set(SSH_OPTIONS_FD, &theirs_) &&
           set(SSH_OPTIONS_KEY_EXCHANGE, kExchanges) && set(SSH_OPTIONS_HOSTKEYS, kHostKeys) &&
           set(SSH_OPTIONS_CIPHERS_C_S, kCiphers) && set(SSH_OPTIONS_CIPHERS_S_C, kCiphers) &&
           set(SSH_OPTIONS_HMAC_C_S, kMacs) && set(SSH_OPTIONS_HMAC_S_C, kMacs) &&
           set(SSH_OPTIONS_RSA_MIN_SIZE, &least_bits);
  }

  std::unique_ptr<ssh_session_struct, SessionDeleter> session_;
  int ours_ = -1;
  int theirs_ = -1;
  bool connected_ = false;
  bool introduced_ = false;
  bool asked_ = false;
  int outcome_ = SSH_AUTH_ERROR;
  unsigned known_methods_ = 0;  // where the question is skipped
  std::optional<SshSteps> steps_;
};

/// Lets it work as long as it gets anywhere by itself; what it wants to send goes to `out`.
SshState work(Client& client, std::string& out) {
  for (;;) {
    const int before = client.unread();
    const auto state = client.step();
    const auto sent = client.take();
    out += sent;
    if (state != SshState::running || (sent.empty() && client.unread() == before)) {
      return state;
    }
  }
}

asio::awaitable<Result<>> converse(Channel& channel, Client& client, milliseconds patience) {
  const auto before = channel.spent();
  std::size_t taken = 0;
  bool ended = false;
  std::optional<milliseconds> accepted_at;
  for (;;) {
    std::string out;
    const auto state = work(client, out);
    if (client.accepted() && !accepted_at) {
      accepted_at = channel.spent();
    }
    if (!out.empty() && !ended) {
      auto sent = co_await channel.send(std::move(out));
      ended = !sent;
    }
    if (state == SshState::done) {
      co_return Result<>{};
    }
    if (state == SshState::failed || ended) {
      co_return Error{ErrorKind::protocol, client.error(), {}};
    }
    if (channel.spent() - before > patience || taken > kMaximumTaken) {
      co_return Error{ErrorKind::timed_out, "the SSH session did not come to its end", {}};
    }
    const auto left = accepted_at ? *accepted_at + kProofPatience - channel.spent() : patience;
    if (left <= milliseconds{0}) {
      co_return Result<>{};  // let in, and no command was run in time
    }
    auto part = co_await channel.receive(left);
    if (!part && part.error().kind == ErrorKind::timed_out && accepted_at) {
      co_return Result<>{};
    }
    if (!part && part.error().kind != ErrorKind::closed && part.error().kind != ErrorKind::reset) {
      co_return part.error();
    }
    if (!part && !client.introduced()) {
      co_return part.error();  // turned away, perhaps with a line that says why
    }
    if (!part) {
      client.end_input();
      ended = true;
      continue;
    }
    taken += part->size();
    if (!client.give(*part)) {
      co_return Error{ErrorKind::protocol, "the SSH library takes no more", {}};
    }
  }
}

asio::awaitable<void> goodbye(Channel& channel, Client& client) {
  client.say_goodbye();
  auto words = client.take();
  if (!words.empty()) {
    co_await channel.say_goodbye(std::move(words));
  }
}

}  // namespace

struct SshSession::Inside {
  std::unique_ptr<Channel> channel;
  Client client{};
};

SshSession::SshSession(std::unique_ptr<Channel> channel) : inside_(std::make_unique<Inside>()) {
  inside_->channel = std::move(channel);
}

SshSession::~SshSession() = default;

asio::awaitable<Result<SshLogin>> SshSession::log_in(std::string user, std::string password, std::string word,
                                                     milliseconds patience, std::vector<std::string> methods) {
  auto& client = inside_->client;
  if (!client.started()) {
    const auto started = client.start(user);
    if (!started) {
      co_return started.error();
    }
    if (const auto mask = mask_of(methods); mask != 0) {
      client.skip_question(mask);
    }
  }
  // Quotation marks that only a shell takes away: an echo of the line itself does not hold the word.
  client.log_in(SshSteps{std::move(user), std::move(password), "echo ass''ay-" + word, "assay-" + word});
  auto login = co_await finish(patience);
  co_return login;
}

asio::awaitable<Result<SshRun>> SshSession::run(std::string user, std::string password, std::string command,
                                                milliseconds patience) {
  auto& client = inside_->client;
  const auto started = client.start(user);
  if (!started) {
    co_return started.error();
  }
  client.log_in(SshSteps{std::move(user), std::move(password), std::move(command), {}});
  const auto login = co_await finish(patience);
  if (!login) {
    co_return login.error();
  }
  auto ran = client.ran();
  ran.answer = login->answer;
  co_return ran;
}

/// The login that the client is about to make, to its end.
asio::awaitable<Result<SshLogin>> SshSession::finish(milliseconds patience) {
  const auto& client = inside_->client;
  const auto ended = co_await converse(*inside_->channel, inside_->client, patience);
  auto login = client.login();
  if (!ended && client.waiting() && ended.error().kind == ErrorKind::protocol) {
    // The library takes a server that hangs up at this point for one that is still to answer.
    login.answer = SshLogin::Answer::cut;
    login.error = ended.error().what;
    co_return login;
  }
  if (!ended && !client.accepted()) {
    co_return ended.error();
  }
  co_return login;
}

bool SshSession::awaits_answer() const {
  return inside_->client.waiting();
}

asio::awaitable<void> SshSession::say_goodbye() {
  co_await goodbye(*inside_->channel, inside_->client);
}

asio::awaitable<Result<SshWelcome>> ask_ssh_methods(Channel& channel, std::string user, milliseconds patience) {
  Client client;
  const auto started = client.start(user);
  if (!started) {
    co_return started.error();
  }
  auto ended = co_await converse(channel, client, patience);
  if (!ended) {
    co_return ended.error();
  }
  auto welcome = client.welcome();
  co_await goodbye(channel, client);
  co_return welcome;
}

}  // namespace assay::sessions
