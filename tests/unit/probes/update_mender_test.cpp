#include <memory>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "harness/model/json.hpp"
#include "probes/update/servers/mender_signature.hpp"
#include "probes/update/servers/mender_site.hpp"
#include "probes/wire/bytes.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fake_network.hpp"

/// What a device finds at our server of Mender, asked by a device of script in both versions of the interface.
namespace assay {
namespace {

using probes::update::Acquaintance;
using probes::update::HttpServer;
using probes::update::MenderSite;
using probes::update::Offer;
using probes::update::Reply;
using wire::HttpAsked;

constexpr const char* kMenderDeployment = "00000000-0000-4000-8000-000000000007";
constexpr const char* kMenderNext1 =
    "/api/devices/v1/deployments/device/deployments/next?artifact_name=a&device_type=hub";
constexpr const char* kMenderNext2 = "/api/devices/v2/deployments/device/deployments/next";

HttpAsked mender_asked(const std::string& method, const std::string& target, const std::string& body,
                       const std::string& token) {
  HttpAsked out;
  out.method = method;
  out.target = target;
  out.body = body;
  if (!token.empty()) {
    out.headers.push_back({"Authorization", "Bearer " + token});
  }
  return out;
}

std::string own_path(const std::string& end) {
  return "/api/devices/v1/deployments/device/deployments/" + std::string{kMenderDeployment} + end;
}

/// What is done with a site.
using MenderCourse = void (*)(MenderSite& site, Acquaintance& device);

MenderCourse mender_course = nullptr;

class MenderUser final : public Probe {
 public:
  asio::awaitable<Result<>> observe(ProbeContext& context) override {
    HttpServer server(context, {});
    Acquaintance device{"token"};
    Offer offer;
    offer.image = offer.genuine = offer.told = std::make_shared<images::MemorySource>("content");
    MenderSite site(server, offer, kMenderDeployment, "hub-2.5.0", device);
    mender_course(site, device);
    co_return Result<>{};
  }
};

std::unique_ptr<Probe> make_mender_user() {
  return std::make_unique<MenderUser>();
}

const ProbeDescriptor kMenderUser{
    .id = "mender_user", .summary = "Asks.", .parameters = {}, .facts = {}, .make = &make_mender_user};

void ask_mender(MenderCourse course) {
  fake::FakeNetwork network;
  mender_course = course;
  const auto ran = fake::observe(kMenderUser, network, "tcp/80");
  CHECK(ran.ended.has_value());
}

using MenderKey = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

std::string mender_public(EVP_PKEY* key) {
  const std::unique_ptr<BIO, decltype(&BIO_free_all)> out{BIO_new(BIO_s_mem()), &BIO_free_all};
  REQUIRE(PEM_write_bio_PUBKEY(out.get(), key) == 1);
  std::string text(BIO_ctrl_pending(out.get()), '\0');
  REQUIRE(BIO_read(out.get(), text.data(), static_cast<int>(text.size())) > 0);
  return text;
}

std::string mender_signed(EVP_PKEY* key, const EVP_MD* digest, const std::string& body) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
  const auto* bytes = reinterpret_cast<const unsigned char*>(body.data());
  std::string out(1024, '\0');
  std::size_t size = out.size();
  REQUIRE(EVP_DigestSignInit(context.get(), nullptr, digest, nullptr, key) == 1);
  REQUIRE(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size, bytes, body.size()) == 1);
  return wire::base64(std::string_view{out}.substr(0, size));
}

}  // namespace

TEST_CASE("update by Mender: a request is signed by the key that it names, or it is not") {
  using probes::update::is_signed_by_own_key;
  const MenderKey rsa{EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{2048}), &EVP_PKEY_free};
  const MenderKey ec{EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"), &EVP_PKEY_free};
  const MenderKey edwards{EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), &EVP_PKEY_free};
  for (const auto* key : {&rsa, &ec, &edwards}) {
    const auto* digest = key == &edwards ? nullptr : EVP_sha256();
    const auto body = json::serialize(json::object{{"id_data", "{}"}, {"pubkey", mender_public(key->get())}});
    const auto signature = mender_signed(key->get(), digest, body);
    CHECK(is_signed_by_own_key(body, signature));
    CHECK_FALSE(is_signed_by_own_key(body + " ", signature));
    const auto other = json::serialize(json::object{{"pubkey", mender_public((key == &rsa ? ec : rsa).get())}});
    CHECK_FALSE(is_signed_by_own_key(other, mender_signed(key->get(), digest, other)));
    CHECK_FALSE(is_signed_by_own_key(body, "no base64"));
  }
  CHECK_FALSE(is_signed_by_own_key("{}", "AAAA"));
  CHECK_FALSE(is_signed_by_own_key(R"({"pubkey": "-----BEGIN"})", "AAAA"));
}

TEST_CASE("update by Mender: a token is given to whoever asks, and everything else is for those who have it") {
  ask_mender([](MenderSite& site, Acquaintance& device) {
    for (const auto* target : {kMenderNext1, kMenderNext2, "/api/devices/v1/inventory/device/attributes"}) {
      CHECK(site.answer(mender_asked("GET", target, "", ""), true).status == 401);
      CHECK(site.answer(mender_asked("GET", target, "", "other"), true).status == 401);
    }
    auto asked =
        mender_asked("POST", "/api/devices/v1/authentication/auth_requests", R"({"id_data": "{\"mac\":1}"})", "");
    asked.headers.push_back({"X-MEN-Signature", "c2lnbmF0dXJl"});
    const auto admitted = site.answer(asked, true);
    CHECK(admitted.status == 200);
    CHECK(admitted.text == device.token);
    CHECK(device.identity == R"({"mac":1}, with a signature that is not its key's)");
    CHECK(site.answer(mender_asked("GET", "/somewhere", "", ""), true).status == 404);
  });
}

TEST_CASE("update by Mender: both versions of the interface give the deployment, for the type that asks") {
  ask_mender([](MenderSite& site, Acquaintance& device) {
    const auto* body = R"({"device_provides": {"artifact_name": "a", "device_type": "hub"}})";
    for (const auto& asked : {mender_asked("GET", kMenderNext1, "", device.token),
                              mender_asked("POST", kMenderNext2, body, device.token)}) {
      const auto reply = site.answer(asked, true);
      CHECK(reply.status == 200);
      const auto value = json::parse(reply.text);
      CHECK(value.at("id").as_string() == kMenderDeployment);
      CHECK(value.at("artifact").at("artifact_name").as_string() == "hub-2.5.0");
      CHECK(value.at("artifact").at("device_types_compatible").as_array() == json::array{"hub"});
      const std::string uri{value.at("artifact").at("source").at("uri").as_string()};
      const auto path = uri.substr(uri.find('/', 8));
      const auto image = site.answer(mender_asked("GET", path, "", ""), true);  // no token is sent for it
      CHECK(image.status == 200);
      CHECK(image.image);
    }
  });
}

TEST_CASE("update by Mender: what the device reports is kept, and ends the deployment") {
  ask_mender([](MenderSite& site, Acquaintance& device) {
    for (const auto* status : {"downloading", "downloading", "installing"}) {
      const auto body = std::string{R"({"status": ")"} + status + "\"}";
      CHECK(site.answer(mender_asked("PUT", own_path("/status"), body, device.token), true).status == 204);
    }
    CHECK(site.statuses() == std::vector<std::string>{"downloading", "installing"});
    CHECK_FALSE(site.over());
    const auto* log = R"({"messages": [{"level": "error", "message": "no room"}]})";
    CHECK(site.answer(mender_asked("PUT", own_path("/log"), log, device.token), true).status == 204);
    CHECK(site.words() == "no room");
    CHECK(
        site.answer(mender_asked("PUT", own_path("/status"), R"({"status": "failure"})", device.token), true).status ==
        204);
    CHECK(site.over());
    CHECK(site.answer(mender_asked("GET", kMenderNext1, "", device.token), true).status == 204);
    CHECK(site.answer(mender_asked("PUT", "/api/devices/v1/deployments/device/deployments/7/status", "", device.token),
                      true)
              .status == 404);
  });
}

}  // namespace assay
