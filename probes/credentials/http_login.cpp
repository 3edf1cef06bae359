#include "probes/credentials/http_login.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <openssl/evp.h>

#include "probes/credentials/fresh_login.hpp"
#include "probes/credentials/http_pipeline.hpp"
#include "probes/credentials/http_refusals.hpp"
#include "probes/wire/bytes.hpp"

namespace assay::probes::credentials {

namespace {

using namespace std::string_literals;

constexpr std::size_t kKeptWords = 512;
constexpr std::size_t kMostAtOnce = 64;  // 12 KiB of requests: as much as TCP sends before the first answer

constexpr int kLearnt = 2;                // controls that show what a refusal looks like
constexpr milliseconds kNonceHolds{500};  // an older one may have run out

class HttpLogin final : public Dialect {
 public:
  HttpLogin(Door& door, bool tls, std::string path, wire::Challenge challenge)
      : door_(door),
        tls_(tls),
        path_(std::move(path)),
        challenge_(std::move(challenge)),
        nonce_at_(door.network.elapsed()) {}

  std::string_view name() const override { return challenge_.is("Basic") ? "http-basic" : "http-digest"; }

  bool clear() const override { return !tls_; }

  void start_afresh() override { channel_.reset(); }

  /// Digest counts the uses of a nonce, and another refusal than 401 cannot be told from a page without its body: only
  /// refusals of Basic by 401 are heard in a series. Not more than a connection was seen to take.
  std::size_t room() const override {
    const bool plain = challenge_.is("Basic") && seen_401_ && !refusals_.any() && !rejects_with_403_;
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
    auto answers = co_await ask_pipeline(*channel_, std::move(pipeline), door_.timers.reply);
    served_ += answers.responses.size();
    several.in_order = answers.in_order;
    several.announced = answers.announced;
    for (std::size_t i = 0; several.in_order && i < answers.responses.size(); ++i) {
      several.answered.push_back(judge_of_several(answers.responses[i], logins[i].username));
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
    sent_ = 0;
    auto answer = co_await ask(path_, username, password);
    if (!answer) {
      co_return failed(answer.error());
    }
    // A device may answer wrong credentials with 403; the first wrong login shows it.
    rejects_with_403_ = rejects_with_403_ || (answer->response.status == 403 && !seen_401_);
    auto attempted = judge(answer->response, username);
    if (attempted.outcome == Outcome::accepted) {
      attempted = co_await judge_control(answer->response, std::move(username), std::move(attempted));
    }
    attempted.sent = sent_;
    co_return attempted;
  }

  asio::awaitable<Attempt> attempt(std::string username, Secret password) override {
    sent_ = 0;
    auto answer = co_await ask(path_, username, password);
    if (!answer) {
      co_return failed(answer.error());
    }
    auto attempted = judge(answer->response, username);
    const bool page = answer->response.status >= 200 && answer->response.status < 300;
    if (attempted.outcome == Outcome::accepted && (refusals_.any() || !page) && !told_apart_.contains(username)) {
      attempted = co_await tell_apart(answer->response, username, std::move(attempted));
    }
    if (attempted.outcome == Outcome::accepted) {
      taken_ = true;
      attempted.proof += told_apart_.contains(username) ? "; a wrong password of the same account is refused" : "";
    }
    attempted.sent = sent_;
    co_return attempted;
  }

  bool is_for_people() const override { return true; }

  bool told_apart(const std::string& username) const override { return told_apart_.contains(username); }

  std::string doubt() const override {
    return taken_ || refusals_.plain()
               ? std::string{}
               : "logins with random names and passwords get " + refusals_.text() +
                     ", which may be what is behind the login; an account of the DUT file would settle it";
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
    served_ = 0;
    co_return Result<>{};
  }

  /// One request with credentials, sent once: where a kept connection died of it, it may have been counted, and
  /// whoever asks again needs a permit for that. How many logins a connection takes is learnt then.
  asio::awaitable<Result<sessions::HttpAnswer>> ask(std::string target, std::string username, Secret password) {
    auto renewed = co_await renew_nonce();
    if (!renewed) {
      co_return renewed.error();
    }
    const auto authorization = authorize(target, username, password);
    auto real = request(target, authorization);
    auto shown = request(target, "{credentials " + username + ", " + password.name() + "}");
    auto answer = co_await exchange(std::move(real), std::move(shown), password.name());
    if (answer && is_stale(answer->response)) {
      co_return Error{ErrorKind::protocol, "the nonce of the login had run out", {}};
    }
    co_return answer;
  }

  /// What a visitor without a login gets. That costs nothing, and is asked again where a kept connection had died.
  asio::awaitable<Result<sessions::HttpAnswer>> visit(std::string target) {
    const bool kept = channel_ && served_ > 0;
    const auto asked = request(target, {});
    const std::string nobody;
    auto answer = co_await exchange(asked, asked, nobody);
    if (!answer && kept && !channel_ && !sessions::ends_probe(answer.error().kind)) {
      answer = co_await exchange(asked, asked, nobody);
    }
    co_return answer;
  }

  /// With Digest an answer may prove that the server knows the password too (RFC 7616, 3.5).
  asio::awaitable<Result<sessions::HttpAnswer>> hear(std::string secret) {
    const bool proves = !secret.empty() && challenge_.is("Digest");
    if (proves) {
      channel_->hold();
    }
    auto answer = co_await sessions::receive_http(*channel_, door_.timers.reply);
    if (proves) {
      conceal_proof(door_, answer, secret);
      channel_->let_go();
    }
    co_return answer;
  }

  /// `secret`: whose credentials go along; empty: nobody's.
  asio::awaitable<Result<sessions::HttpAnswer>> exchange(std::string real, std::string shown, std::string secret) {
    took_ = milliseconds{0};
    if (takes_ != 0 && served_ >= takes_) {
      channel_.reset();
    }
    auto opened = co_await open();
    if (!opened) {
      co_return opened.error();
    }
    const auto before = channel_->spent();
    sent_ += secret.empty() ? 0 : 1;
    Result<sessions::HttpAnswer> answer{sessions::HttpAnswer{}};
    auto sent = co_await channel_->send_concealed(std::move(real), std::move(shown));
    if (sent) {
      answer = co_await hear(std::move(secret));
    } else {
      answer = sent.error();
    }
    took_ = channel_->spent() - before;
    if (!answer && served_ > 0 && answer.error().kind != ErrorKind::timed_out) {
      takes_ = served_;
    }
    served_ += answer ? 1 : 0;
    if (!answer || !answer->understood || !answer->response.complete || !answer->response.keeps_open) {
      channel_.reset();
    }
    if (answer && !answer->understood) {
      co_return Error{ErrorKind::protocol, "the answer is not HTTP", {}};
    }
    co_return answer;
  }

  /// A nonce may be good for a short time or for one login only, and a login with one that has run out may count.
  asio::awaitable<Result<>> renew_nonce() {
    if (challenge_.is("Basic") || (fresh_nonce_ && door_.network.elapsed() - nonce_at_ < kNonceHolds)) {
      co_return Result<>{};
    }
    auto answer = co_await visit(path_);
    if (!answer) {
      co_return answer.error();
    }
    take_nonce(answer->response);
    co_return Result<>{};
  }

  std::string authorize(const std::string& target, const std::string& username, const Secret& password) {
    if (challenge_.is("Basic")) {
      const auto header = wire::basic_authorization(username, password.reveal());
      door_.record.conceal(header.substr(6), "credentials " + password.name());
      return header;
    }
    wire::DigestInput input;
    input.uri = target;
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
      pipeline.bytes += request(path_, authorize(path_, logins[i].username, logins[i].password), method);
      pipeline.shown += method + " {" + logins[i].username + ", " + logins[i].password.name() + "} ";
    }
    return pipeline;
  }

  std::string request(const std::string& target, const std::string& authorization,
                      std::string_view method = "GET") const {
    wire::HttpRequest out;
    out.method = method;
    out.target = target;
    out.host = sessions::host_header(door_.address, door_.endpoint.port, tls_);
    out.headers = {{"User-Agent", "assay"}, {"Accept", "*/*"}, {"Connection", "keep-alive"}};
    if (!authorization.empty()) {
      out.headers.push_back({"Authorization", authorization});
    }
    return wire::http_request(out);
  }

  /// The nonce of an answer is the one to go on with. True: there is one.
  bool take_nonce(const wire::HttpResponse& response) {
    const auto next = challenge_.is("Basic") ? std::nullopt : usable_challenge(response);
    fresh_nonce_ = next && next->is("Digest");
    if (!fresh_nonce_) {
      return false;
    }
    if (next->parameter("nonce") != challenge_.parameter("nonce")) {
      nonce_uses_ = 0;
    }
    challenge_ = *next;
    nonce_at_ = door_.network.elapsed();
    return true;
  }

  /// Takes over a new nonce; says whether the answer only asks to repeat the login with it.
  bool is_stale(const wire::HttpResponse& response) {
    const auto used = challenge_.parameter("nonce");
    return take_nonce(response) && wire::equal_ignoring_case(challenge_.parameter("stale"), "true") &&
           challenge_.parameter("nonce") != used;
  }

  Attempt failed(const Error& error) const {
    Attempt attempted;
    attempted.outcome = sent_ == 0 && (error.kind == ErrorKind::refused || error.kind == ErrorKind::unreachable)
                            ? Outcome::lost
                            : Outcome::unclear;
    attempted.says = error.what;
    attempted.took = took_;
    attempted.sent = sent_;
    if (sessions::ends_probe(error.kind)) {
      attempted.ended = error;
    }
    return attempted;
  }

  Attempt judge(const wire::HttpResponse& response, const std::string& username) {
    Attempt attempted;
    attempted.says = (response.reason + "\n" + response.body).substr(0, kKeptWords);
    attempted.took = took_;
    const int status = response.status;
    const auto in_figures = "status " + std::to_string(status);
    seen_401_ = seen_401_ || status == 401;
    if (status == 401 || (status == 403 && rejects_with_403_)) {
      attempted.outcome = Outcome::rejected;
    } else if (status == 429 || response.header("Retry-After") != nullptr) {
      attempted.outcome = Outcome::locked;
      attempted.says = in_figures;
    } else if (status == 503 && (seen_401_ || refusals_.any())) {
      attempted.outcome = Outcome::locked;
      attempted.says = in_figures + " after plain refusals: a limit of requests";
    } else if (status == 403 && seen_401_) {
      attempted.outcome = Outcome::forbidden;
      attempted.says = in_figures + " after 401";
      attempted.proof = "answered with status 403, while a wrong password of the same account is asked to log in (401)";
    } else if (refusals_.know(response, username)) {
      attempted.outcome = Outcome::rejected;
    } else if ((status >= 200 && status < 400) || status == 404 || status == 405) {
      // Not found is an answer from behind the login too: wrong logins get another one for the same path.
      attempted.outcome = Outcome::accepted;
      attempted.proof = "answered with " + in_figures + " and " + std::to_string(response.body.size()) +
                        " bytes; without the right credentials " +
                        (refusals_.any() ? "with another answer (" + refusals_.text() + "), a visitor"s : "it"s) +
                        " asks for a login (401)";
    } else {
      attempted.says = in_figures;
    }
    return attempted;
  }

  /// What is neither a plain refusal nor a page needs a look of its own, and is asked again alone for that.
  Attempt judge_of_several(const wire::HttpResponse& response, const std::string& username) {
    auto attempted = judge(response, username);
    if (attempted.outcome == Outcome::accepted && response.status >= 300) {
      attempted.outcome = Outcome::unclear;
    }
    return attempted;
  }

  /// A login that cannot be right got an answer other than 401. It is past the login only where that shows; else such
  /// an answer is what refusals look like here, and `doubt` says that they may be none.
  asio::awaitable<Attempt> judge_control(wire::HttpResponse response, std::string username, Attempt attempted) {
    auto past = co_await is_past_login(response);
    if (!past) {
      co_return failed(past.error());
    }
    if (*past) {
      co_return attempted;
    }
    attempted.outcome = Outcome::unclear;
    if (!seen_401_ && learnt_ < kLearnt) {
      ++learnt_;
      refusals_.learn(response, username);
      attempted.outcome = Outcome::rejected;
    }
    co_return attempted;
  }

  /// A page that does not exist is missed only by who is inside: a visitor is asked to log in there too, and whoever is
  /// refused is told so whatever the page.
  asio::awaitable<Result<bool>> is_past_login(wire::HttpResponse response) {
    if (response.status < 200 || response.status >= 400) {
      co_return false;
    }
    const auto place = path_.substr(0, path_.find_first_of("?#"));
    const auto nowhere = place.substr(0, place.rfind('/') + 1) + sessions::random_word(12);
    channel_.reset();
    auto visitor = co_await visit(nowhere);
    if (!visitor && sessions::ends_probe(visitor.error().kind)) {
      co_return visitor.error();
    }
    if (!visitor || visitor->response.status != 401) {
      co_return false;
    }
    const auto nobody = "assay" + sessions::random_word(9);
    auto answer = co_await ask_with_random(nowhere, nobody);
    if (!answer && ends(answer.error())) {
      co_return answer.error();
    }
    if (!answer) {
      co_return false;
    }
    co_return answer->response.status == 404 || answer->response.status == 410;
  }

  /// Of a login that needed a permit: a spent budget ends nothing.
  static bool ends(const Error& error) { return error.kind != ErrorKind::denied && sessions::ends_probe(error.kind); }

  /// A password that cannot be right, for a permit of its own.
  asio::awaitable<Result<sessions::HttpAnswer>> ask_with_random(std::string target, std::string username) {
    auto permitted = co_await door_.network.permit_login(door_.endpoint, username);
    if (!permitted) {
      co_return permitted.error();
    }
    const Secret password{sessions::random_word(13), "random password"};
    auto answer = co_await ask(std::move(target), std::move(username), password);
    co_return answer;
  }

  /// An answer that is no page, or another one than random names get, may be what a wrong password of a name gets that
  /// the device knows: one of that name has to be refused as others are.
  asio::awaitable<Attempt> tell_apart(wire::HttpResponse response, std::string username, Attempt attempted) {
    const auto took = took_;
    auto other = co_await ask_with_random(path_, username);
    if (!other) {
      attempted.outcome = Outcome::unclear;
      attempted.says = other.error().what;
      if (ends(other.error())) {
        attempted.ended = other.error();
      }
      co_return attempted;
    }
    const auto wrong = judge(other->response, username);
    if (wrong.outcome == Outcome::rejected) {
      told_apart_.insert(username);
    } else if (wrong.outcome == Outcome::accepted) {
      refusals_.learn(other->response, username);
      attempted.outcome = refusals_.know(response, username) ? Outcome::rejected : Outcome::unclear;
    } else {
      attempted.outcome = wrong.outcome == Outcome::locked ? Outcome::locked : Outcome::unclear;
      attempted.says = wrong.says;
    }
    attempted.took = took;
    co_return attempted;
  }

  Door& door_;
  bool tls_;
  std::string path_;
  wire::Challenge challenge_;
  std::unique_ptr<sessions::Channel> channel_;
  bool seen_401_ = false;  // to a login
  bool rejects_with_403_ = false;
  HttpRefusals refusals_;             // others than 401 and 403
  int learnt_ = 0;                    // controls that showed them
  bool taken_ = false;                // some login was
  std::set<std::string> told_apart_;  // names of which a wrong password is refused as that of others
  std::uint32_t nonce_uses_ = 0;
  bool fresh_nonce_ = true;
  milliseconds nonce_at_;
  milliseconds took_{0};
  int sent_ = 0;            // logins that went out for the attempt that is made
  std::size_t served_ = 0;  // requests that this connection answered
  std::size_t takes_ = 0;   // requests after which the server closes, as it announced or did; 0: none known
};

}  // namespace

std::unique_ptr<Dialect> make_http(Door& door, bool tls, std::string path, wire::Challenge challenge) {
  return std::make_unique<HttpLogin>(door, tls, std::move(path), std::move(challenge));
}

}  // namespace assay::probes::credentials
