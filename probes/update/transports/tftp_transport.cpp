#include <algorithm>

#include "probes/sessions/channel.hpp"
#include "probes/update/servers/tftp_server.hpp"
#include "probes/update/transports/transports.hpp"
#include "probes/wire/bytes.hpp"

/// tftp: the recovery of a device reads its image at our server, or takes it at a server of its own.
namespace assay::probes::update {

namespace {

constexpr std::size_t kBlock = 1024;  // that we ask the device's server for

class TftpPull final : public Transport {
 public:
  TftpPull(ProbeContext& context, const UpdateMechanism& mechanism) : mechanism_(mechanism), server_(context) {
    server_.on_loss = [&context](Loss loss) { return cut_off(context, loss); };
  }

  asio::awaitable<Result<>> open() override {
    const auto port = mechanism_.serve->port;
    auto opened = co_await server_.open(port);
    co_return opened;
  }

  std::string cannot(const Behaviour& behaviour) const override { return cannot_in_the_clear(behaviour, "TFTP"); }

  asio::awaitable<Result<>> offer(Offer offer) override {
    TftpServer::Offered offered;
    offered.offer = std::move(offer);
    offered.file = mechanism_.recovery->file;
    offered.hold = hold_time(mechanism_);
    server_.serve(std::move(offered));
    co_return Result<>{};
  }

  const Fetched& fetched() const override { return server_.fetched(); }

  std::string reported() const override { return server_.words(); }

  bool final_word() const override { return false; }

  bool says_success() const override { return false; }

  std::string log() const override { return server_.journal().text(); }

  asio::awaitable<void> withdraw() override { co_await server_.withdraw(); }

  asio::awaitable<void> close() override { co_await server_.close(); }

  json::object passive() const override {
    const auto& fetched = server_.fetched();
    return {{"transport", "tftp"},
            {"over", fetched.over},
            {"tls", nullptr},
            {"identifies_by", fetched.agent},
            {"downloads", fetched.downloads},
            {"strangers", server_.strangers()}};
  }

 private:
  const UpdateMechanism& mechanism_;
  TftpServer server_;
};

class TftpPush final : public Transport {
 public:
  TftpPush(ProbeContext& context, const UpdateMechanism& mechanism)
      : context_(context), mechanism_(mechanism), journal_(context.network) {}

  asio::awaitable<Result<>> open() override { co_return Result<>{}; }

  std::string cannot(const Behaviour& behaviour) const override {
    if (auto why = cannot_in_the_clear(behaviour, "TFTP"); !why.empty()) {
      return why;
    }
    const bool link = behaviour.loss_at && behaviour.loss == Loss::link;
    const bool ours = link || behaviour.stall_at || behaviour.drip || behaviour.second || behaviour.status != 0;
    return ours ? "the image is written into the device: it fetches nothing that could be kept from it" : std::string{};
  }

  asio::awaitable<Result<>> offer(Offer offer) override {
    fetched_ = {};
    reported_.clear();
    journal_.begin();
    auto port = context_.network.listen_udp(0);
    if (!port) {
      co_return port.error();
    }
    if (offer.attack.empty() && offer.behaviour.status != 0) {
      co_return Result<>{};  // only watched: nothing is written
    }
    const auto pushed = co_await push(**port, offer);
    if (fetched_.holding) {
      fetched_.release(context_.network.elapsed(), pushed || pushed.error().kind == ErrorKind::closed);
    }
    if (pushed || pushed.error().kind == ErrorKind::closed) {
      co_return Result<>{};
    }
    journal_.note("the transfer ended: " + wire::printable(pushed.error().what, 300));
    if (pushed.error().kind == ErrorKind::refused) {
      reported_ = pushed.error().what;
      co_return Result<>{};
    }
    // One that never answered was offered nothing. One that fell silent may still install it, which its version shows;
    // in the middle of the image that it did not is no refusal, for it never had it.
    const bool begun = fetched_.bytes > 0 && !sessions::ends_probe(pushed.error().kind);
    if (begun && fetched_.bytes < offer.image->size()) {
      fetched_.trouble =
          "the device fell silent after " + std::to_string(fetched_.bytes) + " bytes: " + pushed.error().what;
    }
    co_return begun ? Result<>{} : pushed;
  }

  const Fetched& fetched() const override { return fetched_; }

  std::string reported() const override { return reported_; }

  bool final_word() const override { return !reported_.empty(); }

  bool says_success() const override { return false; }

  std::string log() const override { return journal_.text(); }

  asio::awaitable<void> withdraw() override { co_return; }

  asio::awaitable<void> close() override { co_return; }

  json::object passive() const override {
    return {{"transport", "tftp"}, {"over", fetched_.over}, {"tls", nullptr}, {"login", false}};
  }

 private:
  /// The request with options, and without them at a server that refuses them.
  asio::awaitable<Result<std::size_t>> begin(TftpSender& sender, std::uint64_t said) {
    const std::vector<wire::TftpOption> options{{"blksize", std::to_string(kBlock)}, {"tsize", std::to_string(said)}};
    for (const bool plain : {false, true}) {
      auto request = wire::tftp_request(wire::TftpPacket::Kind::write, mechanism_.recovery->file,
                                        plain ? std::vector<wire::TftpOption>{} : options);
      journal_.note("tftp: " + wire::printable(mechanism_.recovery->file, 100) + " is written" +
                    (plain ? " without options" : ", said to be of " + std::to_string(said) + " bytes"));
      const auto begun = co_await sender.begin(std::move(request));
      if (begun || begun.error().kind == ErrorKind::refused) {
        fetched_.over = "tftp";
        fetched_.connections = 1;
        fetched_.come(context_.network.elapsed());
      }
      if (begun) {
        const auto agreed = wire::tftp_number(*begun, "blksize").value_or(wire::kTftpBlock);
        co_return agreed >= wire::kLeastTftpBlock&& agreed <= kBlock ? static_cast<std::size_t>(agreed)
                                                                     : wire::kTftpBlock;
      }
      if (begun.error().kind != ErrorKind::refused || sender.code() != wire::kTftpOptionsRefused) {
        co_return begun.error();
      }
    }
    co_return Error{ErrorKind::refused, "the device refuses the request with and without options", {}};
  }

  asio::awaitable<Result<>> push(DatagramListener& port, const Offer& offer) {
    const auto& behaviour = offer.behaviour;
    const auto size = offer.image->size();
    TftpSender sender(context_.network, port, mechanism_.recovery->port->port, false);
    const auto said = size * static_cast<std::uint64_t>(behaviour.length);
    const auto block = co_await begin(sender, said);
    if (!block) {
      co_return block.error();
    }
    const auto percent = behaviour.cut_at ? behaviour.cut_at : behaviour.loss_at;
    TftpSender::Course course;
    course.image = offer.image;
    course.block = *block;
    course.behind = behaviour.endless ? flood_behind(size) + *block : 0;
    course.until = percent ? TftpSender::cut_of(size, *percent, *block) : size + course.behind;
    const auto enough = context_.network.elapsed() + hold_time(mechanism_);
    const auto most = size + course.behind - (behaviour.endless ? *block : 0);
    course.goes_on = [this, enough, most, size, endless = behaviour.endless](std::uint64_t sent) {
      const auto now = context_.network.elapsed();
      fetched_.bytes = sent;
      fetched_.come(now);
      if (endless && sent > size && !fetched_.holding) {
        fetched_.hold();
      }
      return !endless || (now < enough && sent < most);
    };
    const auto sent = co_await sender.send(std::move(course));
    const bool whole = sent && !percent && !behaviour.endless;
    fetched_.whole = whole;
    fetched_.handed_over = whole;
    journal_.note(std::to_string(sender.sent()) + " of " + std::to_string(size) + " bytes were taken");
    if (sent && behaviour.loss_at) {
      journal_.note("the " + enum_name(behaviour.loss) + " is cut");
      const CutOff by = [this](Loss loss) { return cut_off(context_, loss); };
      co_await cut_in_the_middle(by, behaviour.loss, fetched_);
      if (!fetched_.lost) {
        journal_.note(fetched_.trouble);
      }
    } else if (!whole && (sent || sent.error().kind == ErrorKind::closed)) {
      sender.stop("given up");
    }
    co_return sent;
  }

  ProbeContext& context_;
  const UpdateMechanism& mechanism_;
  Journal journal_;
  Fetched fetched_;
  std::string reported_;
};

}  // namespace

std::unique_ptr<Transport> make_tftp(ProbeContext& context, const UpdateMechanism& mechanism) {
  if (mechanism.recovery->deliver == RecoveryDelivery::push) {
    return std::make_unique<TftpPush>(context, mechanism);
  }
  return std::make_unique<TftpPull>(context, mechanism);
}

}  // namespace assay::probes::update
