#include "probes/update/servers/mender_site.hpp"

#include <algorithm>

#include "probes/sessions/channel.hpp"
#include "probes/update/servers/mender_signature.hpp"

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

Reply with_status(int status) {
  Reply reply;
  reply.status = status;
  return reply;
}

}  // namespace

std::string mender_token() {
  return std::string{kTokenHead} + sessions::random_word(16);
}

Reply MenderSite::answer(const wire::HttpAsked& asked, bool tls) {
  const auto path = asked.path();
  if (path == std::string{kArtifact} + id_) {
    return image_or_way(server_, offer_, asked, tls, downloads_);
  }
  const auto at = path.find(kDevices);
  const auto what = at == std::string::npos ? std::string_view{} : std::string_view{path}.substr(at + kDevices.size());
  if (what == kAuthentication) {
    return admit(asked);
  }
  const auto* authorization = asked.header("Authorization");
  if (authorization == nullptr || *authorization != "Bearer " + device_.token) {
    return with_status(what.empty() ? 404 : 401);
  }
  if (what == std::string{kDeployments} + std::string{kNext}) {
    return next(wire::mender_device_of_query(asked.target));
  }
  if (what == std::string{kDeployments2} + std::string{kNext}) {
    return next(wire::mender_device(asked.body));
  }
  if (what == kAttributes) {
    return with_status(200);
  }
  return what.starts_with(kDeployments) ? hear(what.substr(kDeployments.size()), asked.body) : with_status(404);
}

Reply MenderSite::admit(const wire::HttpAsked& asked) {
  auto& identity = device_.identity;
  identity = wire::mender_identity(asked.body);
  server_.note("authentication of " + identity);
  if (const auto* signature = asked.header("X-MEN-Signature"); signature != nullptr) {
    identity += is_signed_by_own_key(asked.body, *signature) ? ", signed by a key of its own"
                                                             : ", with a signature that is not its key's";
  }
  Reply reply;
  reply.headers.push_back({"Content-Type", "application/jwt"});
  reply.text = device_.token;
  return reply;
}

Reply MenderSite::next(const wire::MenderDevice& device) const {
  server_.note("the device runs " + device.artifact + " and is of type " + device.type);
  if (over()) {
    return with_status(204);
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
Reply MenderSite::hear(std::string_view what, const std::string& body) {
  if (what == id_ + "/status") {
    const auto said = wire::mender_status(body);
    server_.note("status: " + said.status + (said.substate.empty() ? "" : ", " + said.substate));
    last_ = said.status;
    if (statuses_.size() < kMostStatuses && std::find(statuses_.begin(), statuses_.end(), last_) == statuses_.end()) {
      statuses_.push_back(last_);
    }
    return with_status(204);
  }
  if (what == id_ + "/log") {
    words_ = wire::mender_log(body);
    server_.note("log: " + words_);
    return with_status(204);
  }
  return with_status(404);
}

}  // namespace assay::probes::update
