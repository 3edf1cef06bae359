#include "probes/credentials/http_login.hpp"

#include <algorithm>
#include <array>
#include <functional>

#include <openssl/evp.h>

#include "probes/credentials/fresh_login.hpp"
#include "probes/credentials/http_pipeline.hpp"
#include "probes/wire/bytes.hpp"
#include "probes/wire/html.hpp"

namespace assay::probes::credentials {

namespace {

constexpr std::size_t kKeptWords = 512;
constexpr std::size_t kMostAtOnce = 64;  // 12 KiB of requests: as much as TCP sends before the first answer

bool leads_to_login(const wire::HttpResponse& response) {
  const auto* location = response.header("Location");
  if (location == nullptr) {
    return false;
  }
  for (const std::string_view word : {"login", "logon", "signin", "sign-in", "auth", "password"}) {
    if (wire::contains_ignoring_case(*location, word)) {
      return true;
    }
  }
  return false;
}

/// A page of status 200 that says no.
bool says_no(const wire::HttpResponse& response) {
  if (wire::find_password_form(response.body)) {
    return true;
  }
  for (const std::string_view word :
       {"denied", "incorrect", "invalid", "unauthorized", "unauthorised", "login failed", "not authorized", "wrong "}) {
    if (wire::contains_ignoring_case(response.body, word)) {
      return true;
    }
  }
  return false;
}

class HttpLogin final : public Dialect {
 public:
  HttpLogin(Door& door, bool tls, std::string path, wire::Challenge challenge)
      : door_(door), tls_(tls), path_(std::move(path)), challenge_(std::move(challenge)) {}

  std::string_view name() const override { return challenge_.is("Basic") ? "http-basic" : "http-digest"; }

  bool clear() const override { return !tls_; }

  void start_afresh() override { channel_.reset(); }

  /// Digest counts the uses of a nonce, and a page of status 200 that says no cannot be told from another without its
  /// body: only refusals of Basic by 401 are heard in a series. Not more than a connection was seen to take.
  std::size_t room() const override {
    const bool plain = challenge_.is("Basic") && seen_401_ && refusal_sizes_.empty() && !rejects_with_403_;
    if (!plain) {
      return 1;
    }
    const auto used = channel_ && !channel_->ended() ? served_ : 0;
    return takes_ == 0 ? kMostAtOnce : std::min(kMostAtOnce, takes_ > used ? takes_ - used : takes_);
  }

  asio::awaitable<Several> attempt_several(std::vector<Login> logins) override {
    Several several;
    if (takes_ != 0 && served_ + logins.size() > takes_) {
      channel_.reset();
    }
    auto opened = co_await open();
    if (!opened) {
      if (sessions::ends_probe(opened.error().kind)) {
        several.ended = opened.error();
      }
      co_return several;
    }
    auto pipeline = pipeline_of(logins);
    used_ = true;
    auto answers = co_await ask_pipeline(*channel_, std::move(pipeline), door_.timers.reply);
    served_ += answers.responses.size();
    several.in_order = answers.in_order;
    several.announced = answers.announced;
    for (std::size_t i = 0; several.in_order && i < answers.responses.size(); ++i) {
      several.answered.push_back(judge(answers.responses[i]));
      several.answered.back().took = answers.took[i];
    }
    if (answers.announced) {
      takes_ = served_;
    }
    if (answers.announced || answers.error || !several.in_order) {
      channel_.reset();
    }
    if (answers.error && sessions::ends_probe(answers.error->kind)) {
      several.ended = answers.error;
    }
    co_return several;
  }

  asio::awaitable<Attempt> attempt_control(std::string username, Secret password) override {
    learning_ = true;
    auto attempted = co_await attempt(std::move(username), std::move(password));
    learning_ = false;
    co_return attempted;
  }

  asio::awaitable<Attempt> attempt(std::string username, Secret password) override {
    Attempt attempted;
    const auto nonce = challenge_.parameter("nonce");
    auto answer = co_await ask(username, password);
    int sent = sent_;
    if (answer && is_stale(*answer, nonce)) {
      // The nonce had run out: the device judged nothing yet.
      answer = co_await ask(username, password);
      sent += sent_ - 1;
    }
    if (!answer) {
      const auto kind = answer.error().kind;
      attempted.outcome =
          kind == ErrorKind::refused || kind == ErrorKind::unreachable ? Outcome::lost : Outcome::unclear;
      attempted.says = answer.error().what;
      if (sessions::ends_probe(kind)) {
        attempted.ended = answer.error();
      }
      attempted.took = took_;
      attempted.sent = sent;
      co_return attempted;
    }
    attempted = judge(answer->response);
    attempted.took = took_;
    attempted.sent = sent;
    co_return attempted;
  }

 private:
  asio::awaitable<Result<>> open() {
    if (channel_ && !channel_->ended()) {
      co_return Result<>{};
    }
    auto opened = co_await open_door(door_, tls_);
    if (!opened) {
      co_return opened.error();
    }
    channel_ = std::move(*opened);
    used_ = false;
    served_ = 0;
    co_return Result<>{};
  }

  /// One request with credentials; a kept connection that had died meanwhile is replaced once.
  asio::awaitable<Result<sessions::HttpAnswer>> ask(const std::string& username, const Secret& password) {
    Result<sessions::HttpAnswer> answer{sessions::HttpAnswer{}};
    sent_ = 1;
    for (int round = 0; round < 2; ++round) {
      auto opened = co_await open();
      if (!opened) {
        co_return opened.error();
      }
      const bool kept = used_;
      used_ = true;
      const auto authorization = authorize(username, password);
      auto real = request(authorization);
      auto shown = request("{credentials " + username + ", " + password.name() + "}");
      const auto before = channel_->spent();
      sent_ = round + 1;
      auto sent = co_await channel_->send_concealed(std::move(real), std::move(shown));
      if (!sent) {
        answer = sent.error();
      } else {
        answer = co_await sessions::receive_http(*channel_, door_.timers.reply);
      }
      took_ = channel_->spent() - before;
      served_ += answer ? 1 : 0;
      if (answer || !kept || answer.error().kind == ErrorKind::timed_out) {
        break;
      }
      channel_.reset();
    }
    if (!answer || !answer->understood || !answer->response.complete || !answer->response.keeps_open) {
      channel_.reset();
    }
    if (answer && !answer->understood) {
      co_return Error{ErrorKind::protocol, "the answer is not HTTP", {}};
    }
    co_return answer;
  }

  std::string authorize(const std::string& username, const Secret& password) {
    if (challenge_.is("Basic")) {
      const auto header = wire::basic_authorization(username, password.reveal());
      door_.record.conceal(header.substr(6), "credentials " + password.name());
      return header;
    }
    wire::DigestInput input;
    input.uri = path_;
    input.username = username;
    input.password = password.reveal();
    input.cnonce = sessions::random_word(16);
    input.count = ++nonce_uses_;
    const auto answer = wire::digest_authorization(challenge_, input, hash_hex);
    if (!answer) {
      return {};
    }
    door_.record.conceal(answer->response, "credentials " + password.name());
    return answer->header;
  }

  Pipeline pipeline_of(const std::vector<Login>& logins) {
    Pipeline pipeline;
    pipeline.count = logins.size();
    pipeline.head = wire::Reader{sessions::random_bytes(4)}.u32() % logins.size();
    for (std::size_t i = 0; i < logins.size(); ++i) {
      const std::string method = i == pipeline.head ? "HEAD" : "GET";
      pipeline.bytes += request(authorize(logins[i].username, logins[i].password), method);
      pipeline.shown += method + " {" + logins[i].username + ", " + logins[i].password.name() + "} ";
    }
    return pipeline;
  }

  std::string request(const std::string& authorization, std::string_view method = "GET") const {
    wire::HttpRequest out;
    out.method = method;
    out.target = path_;
    out.host = sessions::host_header(door_.address, door_.endpoint.port, tls_);
    out.headers = {
        {"User-Agent", "assay"}, {"Accept", "*/*"}, {"Connection", "keep-alive"}, {"Authorization", authorization}};
    return wire::http_request(out);
  }

  /// Takes over a new nonce; says whether the answer only asks to repeat the login with it.
  bool is_stale(const sessions::HttpAnswer& answer, const std::string& nonce_used) {
    if (challenge_.is("Basic") || answer.response.status != 401) {
      return false;
    }
    const auto next = usable_challenge(answer.response);
    if (!next || !next->is("Digest")) {
      return false;
    }
    if (next->parameter("nonce") != challenge_.parameter("nonce")) {
      challenge_ = *next;
      nonce_uses_ = 0;
    }
    return wire::equal_ignoring_case(next->parameter("stale"), "true") && next->parameter("nonce") != nonce_used;
  }

  Attempt judge(const wire::HttpResponse& response) {
    Attempt attempted;
    attempted.says = (response.reason + "\n" + response.body).substr(0, kKeptWords);
    const int status = response.status;
    // A device may answer wrong credentials with 403; the first wrong login shows it.
    rejects_with_403_ = rejects_with_403_ || (learning_ && status == 403 && !seen_401_);
    seen_401_ = seen_401_ || status == 401;
    if (status == 401 || (status == 403 && rejects_with_403_)) {
      attempted.outcome = Outcome::rejected;
    } else if (status == 429 || response.header("Retry-After") != nullptr) {
      attempted.outcome = Outcome::locked;
      attempted.says = "status " + std::to_string(status);
    } else if (status == 403 && seen_401_) {
      attempted.outcome = Outcome::forbidden;
      attempted.says = "status 403 after 401";
      attempted.proof = "answered with status 403, while a wrong password of the same account is asked to log in (401)";
    } else if (status >= 300 && status < 400 && leads_to_login(response)) {
      attempted.outcome = Outcome::rejected;
    } else if (looks_refused(response)) {
      attempted.outcome = Outcome::rejected;
    } else if ((status >= 200 && status < 400) || status == 404 || status == 405) {
      // Not found is an answer from behind the login too: wrong logins get 401 for the same path.
      attempted.outcome = Outcome::accepted;
      attempted.proof = "answered with status " + std::to_string(status) + " and " +
                        std::to_string(response.body.size()) +
                        " bytes; without the right credentials it asks for a login (401)";
    } else {
      attempted.says = "status " + std::to_string(status);
    }
    return attempted;
  }

  /// Some servers answer wrong credentials with a page of status 200: random logins show what it looks like.
  bool looks_refused(const wire::HttpResponse& response) {
    constexpr std::size_t kSameSize = 64;
    const auto size = response.body.size();
    if (learning_ && response.status >= 200 && response.status < 300 && says_no(response)) {
      refusal_sizes_.push_back(size);
      return true;
    }
    return says_no(response) && std::any_of(refusal_sizes_.begin(), refusal_sizes_.end(), [&](std::size_t known) {
             return size <= known + kSameSize && known <= size + kSameSize;
           });
  }

  Door& door_;
  bool tls_;
  std::string path_;
  wire::Challenge challenge_;
  std::unique_ptr<sessions::Channel> channel_;
  bool used_ = false;
  bool seen_401_ = false;
  bool learning_ = false;
  bool rejects_with_403_ = false;
  std::vector<std::size_t> refusal_sizes_;
  std::uint32_t nonce_uses_ = 0;
  milliseconds took_{0};
  int sent_ = 1;            // times that ask() sent its request
  std::size_t served_ = 0;  // requests that this connection answered
  std::size_t takes_ = 0;   // requests after which the server closes, as it announced; 0: none known
};

}  // namespace

std::string hash_hex(std::string_view algorithm, std::string_view data) {
  const EVP_MD* digest = algorithm == "SHA-256" ? EVP_sha256() : EVP_md5();
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned int size = 0;
  if (EVP_Digest(data.data(), data.size(), out.data(), &size, digest, nullptr) != 1) {
    return {};
  }
  return wire::hex({reinterpret_cast<const char*>(out.data()), size});
}

std::optional<wire::Challenge> usable_challenge(const wire::HttpResponse& response) {
  if (response.status != 401) {
    return std::nullopt;
  }
  std::optional<wire::Challenge> digest;
  for (const auto& header : response.all("WWW-Authenticate")) {
    for (const auto& challenge : wire::parse_challenges(header)) {
      if (challenge.is("Basic")) {
        return challenge;
      }
      if (challenge.is("Digest") && !digest && wire::digest_authorization(challenge, {}, hash_hex)) {
        digest = challenge;
      }
    }
  }
  return digest;
}

std::unique_ptr<Dialect> make_http(Door& door, bool tls, std::string path, wire::Challenge challenge) {
  return std::make_unique<HttpLogin>(door, tls, std::move(path), std::move(challenge));
}

}  // namespace assay::probes::credentials
