#include <string>

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "probes/update/servers/server.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fake_network.hpp"

/// What our HTTP server takes for a download that came to its end, when a device of script loses its link in the
/// middle.
namespace assay {
namespace {

using probes::update::Behaviour;
using probes::update::Fetched;
using probes::update::HttpServer;
using probes::update::Loss;
using probes::update::Reply;
using probes::update::Site;

constexpr const char* kFetchImage = "GET /image HTTP/1.1\r\nHost: updates\r\n\r\n";
constexpr const char* kFetchImageOnce = "GET /image HTTP/1.1\r\nHost: updates\r\nConnection: close\r\n\r\n";

/// What a device does when it was sent all of the image.
enum class Taken : std::uint8_t { asks_again, ends, resets, says_nothing };

struct LinkStage {
  Behaviour behaviour;
  int cuts = 0;
  Fetched fetched;
};

LinkStage link_stage;

class ImageSite final : public Site {
 public:
  Reply answer(const wire::HttpAsked& asked, bool) override {
    Reply out;
    out.image = asked.target == "/image";
    out.status = out.image ? 200 : 404;
    out.body = out.image ? std::make_shared<images::MemorySource>(std::string(5000, 'n')) : nullptr;
    return out;
  }
};

asio::awaitable<Result<>> count_link_cut(Loss) {
  ++link_stage.cuts;
  co_return Result<>{};
}

class LinkUser final : public Probe {
 public:
  asio::awaitable<Result<>> observe(ProbeContext& context) override {
    constexpr int kTurns = 2000;  // of what else is to be done
    HttpServer server(context, {});
    server.on_loss = &count_link_cut;
    server.serve(std::make_shared<ImageSite>(), link_stage.behaviour);
    const std::uint16_t port = 80;
    const auto opened = co_await server.open(port);
    CHECK(opened);
    auto executor = co_await asio::this_coro::executor;
    for (int i = 0; i < kTurns; ++i) {
      co_await asio::post(executor, asio::use_awaitable);
    }
    link_stage.fetched = server.fetched();
    co_await server.withdraw();
    co_await server.close();
    co_return Result<>{};
  }
};

std::unique_ptr<Probe> make_link_user() {
  return std::make_unique<LinkUser>();
}

const ProbeDescriptor kLinkUser{
    .id = "link_user", .summary = "Serves.", .parameters = {}, .facts = {}, .make = &make_link_user};

const Fetched& fetch(const char* request, Taken taken, std::optional<int> link_at) {
  link_stage = {};
  link_stage.behaviour.loss = Loss::link;
  link_stage.behaviour.loss_at = link_at;
  fake::FakeNetwork network;
  network.visitors.push_back(
      [=, left = std::size_t{5000}, asks = true](std::string_view written, fake::Line& line) mutable {
        if (std::exchange(asks, false)) {
          line.say(request);
        }
        if (left == 0 || written.empty() || written.front() != 'n') {
          return;
        }
        left -= written.size();
        if (left == 0 && taken == Taken::asks_again) {
          line.say("GET /next HTTP/1.1\r\nHost: updates\r\n\r\n");
        } else if (left == 0 && taken == Taken::ends) {
          line.close();
        } else if (left == 0 && taken == Taken::resets) {
          line.reset();
        }
      });
  const auto ran = fake::observe(kLinkUser, network, "tcp/80");
  CHECK(ran.ended.has_value());
  return link_stage.fetched;
}

TEST_CASE("update at our HTTP server: the rest behind a cut of the link was taken when the device shows it") {
  for (const auto* request : {kFetchImage, kFetchImageOnce}) {
    for (const auto taken : {Taken::asks_again, Taken::ends, Taken::resets, Taken::says_nothing}) {
      CAPTURE(request, static_cast<int>(taken));
      const auto& cut = fetch(request, taken, 50);
      CHECK(link_stage.cuts == 1);
      CHECK(cut.lost);
      CHECK(cut.bytes == 5000);
      CHECK(cut.whole == (taken == Taken::asks_again || taken == Taken::ends));
      CHECK(fetch(request, taken, std::nullopt).whole);
    }
  }
}

}  // namespace
}  // namespace assay
