#pragma once

#include <array>
#include <map>
#include <optional>

#include "harness/probe/probe.hpp"
#include "harness/probe/transcript.hpp"
#include "probes/discovery/gathered.hpp"

namespace assay::probes::discovery {

inline constexpr std::array kGroups{DiscoveryGroup::mdns, DiscoveryGroup::ssdp, DiscoveryGroup::wsd,
                                    DiscoveryGroup::llmnr};

/// What is known of one protocol.
struct Protocol {
  std::int64_t asked = 0;    // datagrams to the group
  std::int64_t told = 0;     // datagrams of the device that make sense
  std::int64_t unclear = 0;  // others of the device
  std::string direct;        // the device's own port: "answered", "refused", "silent", an error; empty: not asked
};

struct Settings {
  int rounds = 2;
  milliseconds wait{2500};
  milliseconds listen{0};
  bool describe = true;
};

/// The conversation of one observation and all it brought.
class Asking {
 public:
  Asking(ProbeContext& context, Settings settings) : context_(context), settings_(settings) {}

  /// An error only for what ends the probe.
  asio::awaitable<Result<>> run();

  MdnsPicture mdns;
  SsdpPicture ssdp;
  WsdPicture wsd;
  LlmnrPicture llmnr;
  std::map<DiscoveryGroup, Protocol> protocols;
  std::optional<Error> no_groups;  // why no group could be asked
  std::optional<Result<LinkNeighbour>> neighbour;
  std::string interface;
  std::int64_t left_out = 0;
  std::set<std::string> deaf;
  bool followed_to_end = true;  // every mDNS name that came up was asked

  json::array others() const;

  Transcript transcript{"link discovery", kTranscript};

 private:
  static constexpr std::size_t kTranscript = 512U << 10U;

  asio::awaitable<Result<>> ask(std::vector<GroupQuestion> questions, milliseconds within);
  asio::awaitable<Result<>> follow();
  asio::awaitable<Result<>> ask_directly(DiscoveryGroup group);
  asio::awaitable<Result<>> look_at_link();
  asio::awaitable<Result<>> nudge();
  void take(const GroupAnswers& answers);
  bool understand(DiscoveryGroup group, std::string_view datagram);

  struct Stranger {
    std::set<std::string> protocols;
    std::int64_t replies = 0;
    std::int64_t heard = 0;
  };

  ProbeContext& context_;
  Settings settings_;
  std::map<std::string, Stranger> others_;
  std::set<std::string> llmnr_asked_;
};

}  // namespace assay::probes::discovery
