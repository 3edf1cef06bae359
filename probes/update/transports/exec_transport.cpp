#include <cstdlib>
#include <filesystem>
#include <utility>

#include "probes/update/transports/transports.hpp"
#include "probes/wire/bytes.hpp"

/// exec: a recipe of the laboratory brings the image to the device, and its end is the device's answer.
namespace assay::probes::update {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kKeptWords = 500;

/// A file with the image, gone with its owner.
class Handed {
 public:
  static Result<Handed> write(const images::ByteSource& image) {
    auto pattern = (fs::temp_directory_path() / "assay-image-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
      return Error{ErrorKind::io, "no folder for the image could be made", {}};
    }
    Handed out{fs::path{pattern}};
    if (const auto written = images::write_file(image, out.path()); !written) {
      return written.error();
    }
    return Result<Handed>{std::move(out)};
  }

  Handed(Handed&& other) noexcept : folder_(std::exchange(other.folder_, {})) {}

  Handed& operator=(Handed&&) = delete;

  ~Handed() {
    std::error_code ignored;
    if (!folder_.empty()) {
      fs::remove_all(folder_, ignored);
    }
  }

  fs::path path() const { return folder_ / "image"; }

 private:
  explicit Handed(fs::path folder) : folder_(std::move(folder)) {}

  fs::path folder_;
};

class ExecTransport final : public Transport {
 public:
  ExecTransport(ProbeContext& context, const UpdateMechanism& mechanism) : context_(context), mechanism_(mechanism) {}

  asio::awaitable<Result<>> open() override { co_return Result<>{}; }

  std::string cannot(const Behaviour& behaviour) const override {
    auto rest = behaviour;
    rest.loss = Loss::power;
    rest.loss_installing = false;  // that needs no server: the image is there when the command ends
    return rest == Behaviour{} ? std::string{}
                               : "a recipe of the laboratory brings the image: there is no server of ours";
  }

  asio::awaitable<Result<>> offer(Offer offer) override {
    fetched_ = {};
    reported_.clear();
    taken_ = false;
    final_ = false;
    const auto handed = Handed::write(*offer.image);
    if (!handed) {
      co_return handed.error();
    }
    RecipeUse use;
    use.purpose = offer.attack.empty() ? "offer the genuine update" : "offer " + offer.attack;
    use.does = Intrusiveness::destructive;
    use.environment = {
        {"ASSAY_IMAGE", handed->path().string()}, {"ASSAY_VERSION", offer.version}, {"ASSAY_ATTACK", offer.attack}};
    const auto ran = co_await context_.bench.run(*mechanism_.offer, use);
    fetched_.handed_over = true;
    fetched_.bytes = offer.image->size();
    fetched_.whole = true;
    fetched_.first = fetched_.last = context_.network.elapsed();
    if (!ran && ran.error().kind != ErrorKind::io) {
      co_return ran.error();  // the recipe could not be run, which says nothing of the device
    }
    taken_ = ran.has_value();
    final_ = true;
    const auto& said = ran ? ran->said : ran.error().what;
    const auto last = said.size() > kKeptWords ? said.substr(said.size() - kKeptWords) : said;
    reported_ = wire::printable(wire::trim(last), kKeptWords);
    co_return Result<>{};
  }

  const Fetched& fetched() const override { return fetched_; }

  std::string reported() const override { return reported_; }

  bool final_word() const override { return final_ && !taken_; }

  bool says_success() const override { return taken_; }

  std::string log() const override { return reported_; }

  asio::awaitable<void> withdraw() override { co_return; }

  asio::awaitable<void> close() override { co_return; }

  json::object passive() const override { return {{"transport", "exec"}, {"over", nullptr}, {"tls", nullptr}}; }

 private:
  ProbeContext& context_;
  const UpdateMechanism& mechanism_;
  Fetched fetched_;
  std::string reported_;
  bool taken_ = false;
  bool final_ = false;
};

}  // namespace

std::unique_ptr<Transport> make_exec(ProbeContext& context, const UpdateMechanism& mechanism) {
  return std::make_unique<ExecTransport>(context, mechanism);
}

}  // namespace assay::probes::update
