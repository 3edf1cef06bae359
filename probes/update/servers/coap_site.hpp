#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "probes/update/journal.hpp"
#include "probes/update/servers/coap_port.hpp"
#include "probes/update/transport.hpp"

/// What a device finds at our server by CoAP, in blocks (RFC 7959). It decides and counts; it sends nothing and does
/// not wait.
namespace assay::probes::update {

/// A resource that is not the image.
struct CoapPage {
  std::string path;
  std::string text;
};

class CoapSite {
 public:
  struct Inputs {
    Offer offer;
    std::string image_path;
    std::vector<CoapPage> pages{};
    std::function<std::string(std::uint16_t port)> over{};  // what a port of the device speaks; none: "coap"
    milliseconds hold{30000};                               // how long a download that never ends is kept up
    std::function<void()> on_loss{};                        // the device is to lose its power or link
    std::function<void()> on_holding{};                     // `look` has to be called from now on
  };

  CoapSite(const Network& clock, Journal& journal, Inputs inputs);

  CoapReply answer(const wire::CoapMessage& request, std::uint16_t from);

  /// The answer that a device was promised and that is due now.
  struct Promise {
    std::uint16_t from = 0;
    std::string token;
  };

  /// Of a download without end: whether the device gave up meanwhile, or the time is over. Called again and again while
  /// it holds. What it returns has to be kept, and `learn` told whether the device still waited for it.
  std::optional<Promise> look();
  void learn(bool waited);

  /// What came of the cut that `on_loss` asked for.
  void end_cut(const Result<>& done);

  Loss loss() const { return in_.offer.behaviour.loss; }

  bool holding() const { return fetched_.holding; }

  /// What the device may still wait for.
  const std::optional<Promise>& promised() const { return promise_; }

  const Fetched& fetched() const { return fetched_; }

  bool asked_for(const std::string& path) const { return asked_paths_.contains(path); }

  /// What the device told of itself in the words of its questions, escaped.
  const std::string& identifies_by() const { return fetched_.agent; }

 private:
  CoapReply image(const wire::CoapMessage& request, std::uint16_t from, const wire::CoapBlock& block);
  CoapReply beyond(const wire::CoapMessage& request, std::uint16_t from, std::uint64_t size);
  CoapReply piece(const images::ByteSource& body, const wire::CoapBlock& block, std::uint32_t format, bool asked);
  std::optional<std::uint64_t> stop() const;
  void begin_holding();
  void gave_up(milliseconds at);
  void release(bool held);
  void seen(std::uint16_t from);

  const Network& clock_;
  Journal& journal_;
  Inputs in_;
  Fetched fetched_;
  std::set<std::uint16_t> ports_;  // that the device came from
  std::set<std::string> asked_paths_;
  std::optional<Promise> promise_;
  std::string etag_;        // of what this download is of
  images::Source current_;  // that this download is of
  milliseconds holding_since_{0};
  bool lost_ = false;
};

}  // namespace assay::probes::update
