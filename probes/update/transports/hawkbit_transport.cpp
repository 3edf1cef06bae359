#include <filesystem>

#include "probes/update/transports/served_transport.hpp"
#include "probes/wire/bytes.hpp"

/// hawkbit: the server's side of the Direct Device Integration API of Eclipse hawkBit (base poll, deployment, artifact,
/// feedback), for whatever tenant and controller the device names.
namespace assay::probes::update {

namespace {

constexpr std::string_view kController = "/controller/v1/";
constexpr std::string_view kDeployment = "/deploymentBase/";
constexpr std::string_view kArtifact = "/artifact/";
constexpr std::size_t kLongestWords = 400;

std::string digest(const images::Source& image, std::string_view name) {
  const auto made = images::digest_of(*image, 0, image->size(), name);
  return made ? *made : std::string{};
}

struct Feedback {
  std::string execution;  // proceeding, closed …
  std::string finished;   // none, success, failure
  std::string words;
};

Feedback feedback_of(const std::string& body) {
  Feedback out;
  boost::system::error_code failed;
  const auto value = json::parse(body, failed);
  const auto text = [&](const char* pointer) {
    boost::system::error_code missing;
    const auto* found = value.find_pointer(pointer, missing);
    return found != nullptr && found->is_string() ? wire::printable(std::string_view{found->get_string()}, 40)
                                                  : std::string{};
  };
  if (failed) {
    return out;
  }
  out.execution = text("/status/execution");
  out.finished = text("/status/result/finished");
  const auto* details = value.find_pointer("/status/details", failed);
  if (details != nullptr && details->is_array()) {
    for (const auto& one : details->get_array()) {
      if (one.is_string() && out.words.size() < kLongestWords) {
        out.words += (out.words.empty() ? "" : "; ") + wire::printable(std::string_view{one.get_string()}, 200);
      }
    }
  }
  return out;
}

class HawkbitSite final : public Site {
 public:
  HawkbitSite(HttpServer& server, Offer offer, int action, std::string file)
      : server_(server), offer_(std::move(offer)), action_(std::to_string(action)), file_(std::move(file)) {
    url_ = server_.origin(offer_.behaviour.url);
    sha1_ = digest(offer_.told, "SHA1");
    md5_ = digest(offer_.told, "MD5");
  }

  Reply answer(const wire::HttpAsked& asked, bool tls) override {
    const auto path = asked.path();
    const auto at = path.find(kController);
    if (at == std::string::npos) {
      return nothing();
    }
    const auto rest = std::string_view{path}.substr(at + kController.size());
    const auto slash = rest.find('/');
    const auto base = path.substr(0, at + kController.size() + std::min(slash, rest.size()));
    const auto what = slash == std::string_view::npos ? std::string_view{} : rest.substr(slash);
    if (const auto* token = asked.header("Authorization"); token != nullptr) {
      identifies_by = "controller id and a token of kind " + wire::printable(token->substr(0, token->find(' ')), 40);
    }
    if (what.empty()) {
      return poll(base);
    }
    if (what.starts_with(kArtifact)) {
      return image_or_way(server_, offer_, asked, tls, downloads_);
    }
    if (what.starts_with(kDeployment) && what.ends_with("/feedback")) {
      feedback = feedback_of(asked.body);
      server_.note("feedback: " + feedback.execution + ", " + feedback.finished + " " + feedback.words);
      return plain({});
    }
    if (what.starts_with(kDeployment)) {
      return deployment(base);
    }
    return what == "/configData" ? plain({}) : nothing();
  }

  Feedback feedback;
  std::string identifies_by = "controller id";

 private:
  static Reply nothing() {
    Reply reply;
    reply.status = 404;
    return reply;
  }

  static Reply plain(json::object body) {
    Reply reply;
    reply.headers.push_back({"Content-Type", "application/hal+json;charset=UTF-8"});
    reply.text = json::serialize(body);
    return reply;
  }

  Reply poll(const std::string& base) const {
    json::object links;
    if (feedback.execution != "closed") {
      links["deploymentBase"] = json::object{{"href", server_.origin() + base + std::string{kDeployment} + action_}};
    }
    return plain({{"config", {{"polling", {{"sleep", "00:00:05"}}}}}, {"_links", std::move(links)}});
  }

  Reply deployment(const std::string& base) const {
    const auto href = url_ + base + std::string{kArtifact} + action_ + "/" + file_;
    json::object links;
    links[url_.starts_with("https") ? "download" : "download-http"] = json::object{{"href", href}};
    json::object artifact{{"filename", file_},
                          {"hashes", {{"sha1", sha1_}, {"md5", md5_}, {"sha256", offer_.sha256}}},
                          {"size", static_cast<std::int64_t>(offer_.told->size())},
                          {"_links", std::move(links)}};
    json::array artifacts;
    artifacts.push_back(std::move(artifact));
    json::object chunk{
        {"part", "os"}, {"version", offer_.version}, {"name", file_}, {"artifacts", std::move(artifacts)}};
    json::array chunks;
    chunks.push_back(std::move(chunk));
    return plain({{"id", action_},
                  {"deployment", {{"download", "forced"}, {"update", "forced"}, {"chunks", std::move(chunks)}}}});
  }

  HttpServer& server_;
  Offer offer_;
  std::string action_;
  std::string file_;
  std::string url_;
  std::string sha1_, md5_;
  int downloads_ = 0;
};

class HawkbitTransport final : public ServedTransport {
 public:
  using ServedTransport::ServedTransport;

  asio::awaitable<Result<>> offer(Offer offer) override {
    const auto behaviour = offer.behaviour;
    const auto file = std::filesystem::path{mechanism_.image.file}.filename().string();
    site_ = std::make_shared<HawkbitSite>(server_, std::move(offer), ++action_, file);
    server_.serve(site_, behaviour);
    co_return Result<>{};
  }

  std::string reported() const override {
    const auto& said = site_->feedback;
    return said.execution.empty() ? std::string{} : said.finished + (said.words.empty() ? "" : ": " + said.words);
  }

  bool final_word() const override { return site_->feedback.execution == "closed" && !says_success(); }

  bool says_success() const override {
    return site_->feedback.execution == "closed" && site_->feedback.finished == "success";
  }

  json::object passive() const override {
    auto out = served_facts(server_, mechanism_);
    if (site_) {
      out["identifies_by"] = site_->identifies_by;
    }
    out["manifest_signed"] = false;  // the interface has no signature
    return out;
  }

 private:
  std::shared_ptr<HawkbitSite> site_;
  int action_ = 0;
};

}  // namespace

std::unique_ptr<Transport> make_hawkbit(ProbeContext& context, const UpdateMechanism& mechanism, const Files& files) {
  return std::make_unique<HawkbitTransport>(context, mechanism, files);
}

}  // namespace assay::probes::update
