#include "probes/discovery/descriptions.hpp"

#include <algorithm>

#include "probes/sessions/channel.hpp"
#include "probes/wire/http.hpp"

namespace assay::probes::discovery {

namespace {

constexpr std::size_t kMostDescriptions = 4;

asio::awaitable<Result<>> fetch(Network& network, const wire::HttpPlace& place, Transcript& transcript,
                                SsdpDescription& into) {
  const Endpoint to{Transport::tcp, place.port == 0 ? std::uint16_t{80} : place.port};
  auto channel = co_await sessions::open_channel(network, to, transcript);
  if (!channel) {
    into.reason = channel.error().what;
    co_return channel.error();
  }
  wire::HttpRequest request;
  request.target = place.path;
  request.host = sessions::host_header(place.host, to.port, false);
  request.headers = {{"Connection", "close"}};
  auto bytes = wire::http_request(request);
  auto sent = co_await (*channel)->send(std::move(bytes));
  if (!sent) {
    into.reason = sent.error().what;
    co_return sent;
  }
  const auto within = network.reply_timeout();
  auto answer = co_await sessions::receive_http(**channel, within);
  if (!answer) {
    into.reason = answer.error().what;
    co_return answer.error();
  }
  into.status = answer->understood ? answer->response.status : 0;
  into.reason = answer->understood ? answer->response.reason : "the answer is not HTTP";
  if (into.status == 200) {
    into.devices = wire::upnp_devices(answer->response.body);
  }
  co_return Result<>{};
}

}  // namespace

asio::awaitable<Result<>> fetch_descriptions(Network& network, std::string_view address, Transcript& transcript,
                                             SsdpPicture& picture) {
  const auto locations = picture.locations();
  for (const auto& location : locations) {
    const auto place = wire::http_location(location, "/");
    if (!place || place->host != address) {
      picture.elsewhere.push_back(location);
      continue;
    }
    SsdpDescription description;
    description.location = location;
    if (place->scheme != "http") {
      description.reason = "not fetched: the location is not plain HTTP";
    } else if (picture.descriptions.size() >= kMostDescriptions) {
      description.reason = "not fetched: four descriptions are enough";
    } else {
      auto fetched = co_await fetch(network, *place, transcript, description);
      if (!fetched && sessions::ends_probe(fetched.error().kind)) {
        co_return fetched;
      }
    }
    picture.descriptions.push_back(std::move(description));
  }
  co_return Result<>{};
}

}  // namespace assay::probes::discovery
