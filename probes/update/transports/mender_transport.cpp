#include <algorithm>
#include <filesystem>

#include "probes/images/image_map.hpp"
#include "probes/update/servers/mender_site.hpp"
#include "probes/update/transports/served_transport.hpp"

/// mender: the device polls our server by the device API of Mender.
namespace assay::probes::update {

namespace {

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
    return site_->last() + (site_->words().empty() ? std::string{} : ": " + site_->words());
  }

  bool final_word() const override { return site_->over() && !says_success(); }

  bool says_success() const override { return site_->last() == "success"; }

  json::object passive() const override {
    auto out = served_facts(server_, mechanism_);
    out["identifies_by"] = device_.identity;
    out["statuses"] = to_json(site_->statuses());
    out["manifest_signed"] = false;  // the interface has no signature
    return out;
  }

 private:
  std::shared_ptr<MenderSite> site_;
  Acquaintance device_{mender_token()};
  int deployment_ = 0;
};

}  // namespace

std::unique_ptr<Transport> make_mender(ProbeContext& context, const UpdateMechanism& mechanism, const Files& files) {
  return std::make_unique<MenderTransport>(context, mechanism, files);
}

}  // namespace assay::probes::update
