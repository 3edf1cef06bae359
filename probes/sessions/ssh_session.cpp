#include "probes/sessions/ssh_session.hpp"

#include <array>
#include <cerrno>
#include <libssh/libssh.h>
#include <memory>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

#include "probes/wire/bytes.hpp"

namespace assay::sessions {

namespace {

constexpr std::size_t kMaximumTaken = 256U << 10U;
constexpr std::size_t kMaximumBanner = 4096;

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

/// libssh on one end of a pair of sockets. Nothing of it waits.
class Client {
 public:
  enum class State { running, done, failed };

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

  /// Goes on with what it has: first the key exchange, then the question.
  State step() {
    if (!connected_) {
      const int outcome = ssh_connect(session_.get());
      if (outcome != SSH_OK) {
        return outcome == SSH_AGAIN ? State::running : State::failed;
      }
      connected_ = true;
    }
    const int outcome = ssh_userauth_none(session_.get(), nullptr);
    if (outcome == SSH_AUTH_AGAIN) {
      return State::running;
    }
    outcome_ = outcome;
    return outcome == SSH_AUTH_ERROR ? State::failed : State::done;
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
  bool give(std::string_view bytes) const {
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
    constexpr std::pair<unsigned, const char*> kMethods[] = {{SSH_AUTH_METHOD_NONE, "none"},
                                                             {SSH_AUTH_METHOD_PASSWORD, "password"},
                                                             {SSH_AUTH_METHOD_PUBLICKEY, "publickey"},
                                                             {SSH_AUTH_METHOD_HOSTBASED, "hostbased"},
                                                             {SSH_AUTH_METHOD_INTERACTIVE, "keyboard-interactive"},
                                                             {SSH_AUTH_METHOD_GSSAPI_MIC, "gssapi-with-mic"}};
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
  int outcome_ = SSH_AUTH_ERROR;
};

/// Lets it work as long as it gets anywhere by itself; what it wants to send goes to `out`.
Client::State work(Client& client, std::string& out) {
  for (;;) {
    const int before = client.unread();
    const auto state = client.step();
    const auto sent = client.take();
    out += sent;
    if (state != Client::State::running || (sent.empty() && client.unread() == before)) {
      return state;
    }
  }
}

asio::awaitable<Result<>> converse(Channel& channel, Client& client, milliseconds patience) {
  std::size_t taken = 0;
  bool introduced = false;
  bool ended = false;
  for (;;) {
    std::string out;
    const auto state = work(client, out);
    if (!out.empty() && !ended) {
      auto sent = co_await channel.send(std::move(out));
      ended = !sent;
    }
    if (state == Client::State::done) {
      co_return Result<>{};
    }
    if (state == Client::State::failed || ended) {
      co_return Error{ErrorKind::protocol, client.error(), {}};
    }
    if (channel.spent() > patience || taken > kMaximumTaken) {
      co_return Error{ErrorKind::timed_out, "the SSH session did not come to its end", {}};
    }
    auto part = co_await channel.receive(patience);
    if (!part && part.error().kind != ErrorKind::closed && part.error().kind != ErrorKind::reset) {
      co_return part.error();
    }
    if (!part && !introduced) {
      co_return part.error();  // turned away, perhaps with a line that says why
    }
    if (!part) {
      client.end_input();
      ended = true;
      continue;
    }
    taken += part->size();
    introduced = introduced || part->find("SSH-") != std::string::npos;
    if (!client.give(*part)) {
      co_return Error{ErrorKind::protocol, "the SSH library takes no more", {}};
    }
  }
}

}  // namespace

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
  client.say_goodbye();
  auto goodbye = client.take();
  if (!goodbye.empty()) {
    co_await channel.say_goodbye(std::move(goodbye));
  }
  co_return welcome;
}

}  // namespace assay::sessions
