#include <algorithm>
#include <filesystem>
#include <optional>
#include <vector>

#include "probes/images/image_map.hpp"
#include "probes/sessions/channel.hpp"
#include "probes/update/served_transport.hpp"
#include "probes/wire/bytes.hpp"
#include "probes/wire/mender.hpp"

/// mender: the server's side of the device API of Mender (a token, the next deployment, the artifact, status and log,
/// inventory). Every device is accepted, and told that the artifact is for its type.
namespace assay::probes::update {

namespace {

constexpr std::string_view kDevices = "/api/devices/";
constexpr std::string_view kAuthentication = "v1/authentication/auth_requests";
constexpr std::string_view kDeployments = "v1/deployments/device/deployments/";
constexpr std::string_view kDeployments2 = "v2/deployments/device/deployments/";
constexpr std::string_view kNext = "next";
constexpr std::string_view kAttributes = "v1/inventory/device/attributes";
constexpr std::string_view kArtifact = "/artifact/";
constexpr std::string_view kTokenHead =
    "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.e30.";  // {"alg": "none", "typ": "JWT"}, {}
constexpr std::size_t kMostStatuses = 16;

/// The name of the genuine artifact with the version that is said in the place of its own.
std::string name_for(const Offer& offer, const UpdateImage& genuine) {
  const auto map = images::map_image(*offer.genuine);
  const auto* named = map ? map->facts.if_contains("version") : nullptr;
  auto name = named != nullptr && named->is_string() ? std::string{std::string_view{named->get_string()}}
                                                     : std::filesystem::path{genuine.file}.stem().string();
  const auto at = genuine.version.empty() ? std::string::npos : name.find(genuine.version);
  if (at != std::string::npos) {
    name.replace(at, genuine.version.size(), offer.version);
  }
  return name;
}

/// What lasts longer than an offer.
struct Acquaintance {
  const std::string token = std::string{kTokenHead} + sessions::random_word(16);
  std::string identity{};  // the device's own words, once it asked for the token
};

class MenderSite final : public Site {
 public:
  MenderSite(HttpServer& server, Offer offer, const std::string& id, std::string name, Acquaintance& device)
      : server_(server), offer_(std::move(offer)), id_(id), name_(std::move(name)), device_(device) {}

  Reply answer(const wire::HttpAsked& asked, bool tls) override {
    const auto path = asked.path();
    if (path == std::string{kArtifact} + id_) {
      return image_or_way(server_, offer_, asked, tls, downloads_);
    }
    const auto at = path.find(kDevices);
    const auto what =
        at == std::string::npos ? std::string_view{} : std::string_view{path}.substr(at + kDevices.size());
    if (what == kAuthentication) {
      return admit(asked);
    }
    const auto* authorization = asked.header("Authorization");
    if (authorization == nullptr || *authorization != "Bearer " + device_.token) {
      return code(what.empty() ? 404 : 401);
    }
    if (what == std::string{kDeployments} + std::string{kNext}) {
      return next(wire::mender_device_of_query(asked.target));
    }
    if (what == std::string{kDeployments2} + std::string{kNext}) {
      return next(wire::mender_device(asked.body));
    }
    if (what == kAttributes) {
      return code(200);
    }
    return what.starts_with(kDeployments) ? hear(what.substr(kDeployments.size()), asked.body) : code(404);
  }

  std::string words;
  std::vector<std::string> statuses;  // each once, in the order in which they came first
  std::string last;

  bool over() const { return last == "success" || last == "failure" || last == "already-installed"; }

 private:
  static Reply code(int status) {
    Reply reply;
    reply.status = status;
    return reply;
  }

  Reply admit(const wire::HttpAsked& asked) {
    auto& identity = device_.identity;
    identity = wire::mender_identity(asked.body);
    server_.note("authentication of " + identity);
    if (asked.header("X-MEN-Signature") != nullptr) {
      identity += ", signed by a key of its own";
    }
    Reply reply;
    reply.headers.push_back({"Content-Type", "application/jwt"});
    reply.text = device_.token;
    return reply;
  }

  Reply next(const wire::MenderDevice& device) {
    server_.note("the device runs " + device.artifact + " and is of type " + device.type);
    if (over()) {
      return code(204);
    }
    json::array types;
    types.push_back(json::string(device.type));
    json::object source{{"uri", server_.origin(offer_.behaviour.url) + std::string{kArtifact} + id_},
                        {"expire", "2099-01-01T00:00:00Z"}};
    Reply reply;
    reply.headers.push_back({"Content-Type", "application/json"});
    reply.text = json::serialize(json::object{
        {"id", id_},
        {"artifact",
         {{"artifact_name", name_}, {"source", std::move(source)}, {"device_types_compatible", std::move(types)}}}});
    return reply;
  }

  /// "ID/status" and "ID/log".
  Reply hear(std::string_view what, const std::string& body) {
    if (what == id_ + "/status") {
      const auto said = wire::mender_status(body);
      server_.note("status: " + said.status + (said.substate.empty() ? "" : ", " + said.substate));
      last = said.status;
      if (statuses.size() < kMostStatuses && std::find(statuses.begin(), statuses.end(), last) == statuses.end()) {
        statuses.push_back(last);
      }
      return code(204);
    }
    if (what == id_ + "/log") {
      words = wire::mender_log(body);
      server_.note("log: " + words);
      return code(204);
    }
    return code(404);
  }

  HttpServer& server_;
  Offer offer_;
  std::string id_;
  std::string name_;
  Acquaintance& device_;
  int downloads_ = 0;
};

class MenderTransport final : public ServedTransport {
 public:
  using ServedTransport::ServedTransport;

  asio::awaitable<Result<>> offer(Offer offer) override {
    const auto behaviour = offer.behaviour;
    auto name = name_for(offer, mechanism_.image);
    // As a UUID, which clients may hold to be the only form of an id.
    const auto number = std::to_string(++deployment_);
    const auto id =
        "00000000-0000-4000-8000-" + std::string(12 - std::min<std::size_t>(number.size(), 12), '0') + number;
    site_ = std::make_shared<MenderSite>(server_, std::move(offer), id, std::move(name), device_);
    server_.serve(site_, behaviour);
    co_return Result<>{};
  }

  std::string reported() const override {
    return site_->last + (site_->words.empty() ? std::string{} : ": " + site_->words);
  }

  bool final_word() const override { return site_->over() && !says_success(); }

  bool says_success() const override { return site_->last == "success"; }

  json::object passive() const override {
    auto out = served_facts(server_, mechanism_);
    out["identifies_by"] = device_.identity;
    out["statuses"] = to_json(site_->statuses);
    out["manifest_signed"] = false;  // the interface has no signature
    return out;
  }

 private:
  std::shared_ptr<MenderSite> site_;
  Acquaintance device_;
  int deployment_ = 0;
};

}  // namespace

std::unique_ptr<Transport> make_mender(ProbeContext& context, const UpdateMechanism& mechanism, const Files& files) {
  return std::make_unique<MenderTransport>(context, mechanism, files);
}

}  // namespace assay::probes::update
