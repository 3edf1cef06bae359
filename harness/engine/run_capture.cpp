#include "harness/engine/run_capture.hpp"

#include <algorithm>
#include <sys/utsname.h>
#include <unordered_map>

#include "harness/engine/masked_frames.hpp"

namespace assay {

namespace {

using evidence::PcapngInterface;
using evidence::PcapngPacket;
using evidence::PcapngStatistics;
using evidence::PcapngWriter;

constexpr std::string_view kMediaType = "application/x-pcapng";
constexpr std::size_t kMostExchanges = 256;  // named in one observation
constexpr std::int64_t kStatisticsRoom = 4096;

std::string system_text() {
  utsname system{};
  uname(&system);
  return std::string{system.sysname} + " " + system.release + " " + system.machine;
}

PcapngPacket packet_of(const CapturedFrame& frame, std::string_view comment) {
  PcapngPacket out;
  out.interface = frame.interface;
  out.time_ns = frame.time_ns;
  out.original_size = frame.original_size;
  out.bytes = frame.bytes;
  out.direction = static_cast<PcapngPacket::Direction>(frame.direction);
  out.comment = comment;
  return out;
}

std::size_t size_of(const std::vector<CapturedFrame>& frames) {
  std::size_t out = 0;
  for (const auto& frame : frames) {
    out += PcapngWriter::size_of(packet_of(frame, {}));
  }
  return out;
}

struct Exchange {
  FrameSpan span;
  bool told = false;  // the device said more than a refusal
};

bool tells(const CapturedFrame& frame, const PacketKey& key) {
  const bool tcp = key.kind == PacketKey::Kind::tcp;
  return frame.direction == CapturedFrame::Direction::inbound && !key.quoted &&
         (!tcp || (!key.reset && (key.syn || key.payload_size > 0)));
}

/// Of the accounts, but for one that says no more than its user name, and the factory values.
Concealed secrets_of(const Dut& dut) {
  Concealed out;
  const auto conceal = [&](const Secret& secret) {
    conceal_in(out, secret.reveal(), secret.name(), kShortestConcealed, Capitals::any);
  };
  for (const auto& account : dut.accounts) {
    if (account.username != account.secret.reveal()) {
      conceal(account.secret);
    }
  }
  for (const auto& one : dut.password_samples) {
    conceal(one.secret);
  }
  for (const auto& update : dut.updates) {
    if (update.serve && update.serve->psk) {
      conceal(update.serve->psk->key);
    }
  }
  return out;
}

std::string where(const Invocation& invocation) {
  return invocation.probe + (invocation.endpoint ? " on " + invocation.endpoint->text() : std::string{});
}

}  // namespace

void put_exchanges(const std::vector<CapturedFrame>& frames, const std::vector<TapInterface>& interfaces,
                   CaptureRef& into) {
  std::unordered_map<std::uint64_t, std::size_t> places;  // by kind and ports
  std::vector<Exchange> all;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const auto& frame = frames[i];
    const auto key = packet_key(frame.bytes, interfaces[frame.interface].link);
    if (!key || frame.own_port == 0) {
      continue;
    }
    const auto name = static_cast<std::uint64_t>(key->kind) << 32U | std::uint64_t{frame.own_port} << 16U;
    const auto [place, fresh] = places.try_emplace(name | frame.device_port, all.size());
    const auto number = static_cast<std::int64_t>(i + 1);
    if (fresh) {
      const Endpoint endpoint{key->kind == PacketKey::Kind::tcp ? Transport::tcp : Transport::udp, frame.device_port};
      all.push_back({{endpoint.text(), frame.own_port, number, number, 0}, false});
    }
    auto& exchange = all[place->second];
    exchange.span.last = number;
    ++exchange.span.frames;
    exchange.told = exchange.told || tells(frame, *key);
  }
  const bool fits = all.size() <= kMostExchanges;
  for (const auto& exchange : all) {
    if (into.exchanges.size() < kMostExchanges && (fits || exchange.told)) {
      into.exchanges.push_back(exchange.span);
    } else {
      ++into.unlisted;
    }
  }
}

Result<std::unique_ptr<RunCapture>> RunCapture::open(const asio::any_io_executor& executor,
                                                     const std::vector<Target>& targets, const VantageOf& at,
                                                     const Dut& dut, CaptureOptions options, Keeping keep) {
  std::vector<CaptureTarget> places;
  for (const auto& target : targets) {
    if (const auto address = IpAddress::parse(target.address)) {
      places.push_back({*address, at(target.vantage)});
    }
  }
  auto capture = Capture::open(executor, places);
  if (!capture) {
    return capture.error();
  }
  std::unique_ptr<RunCapture> out{new RunCapture(std::move(*capture), std::move(options), std::move(keep))};
  if (!out->keep_.secrets.reveal) {
    out->accounts_ = secrets_of(dut);
    out->concealed_ = out->accounts_;
  }
  return out;
}

CaptureLink RunCapture::link_for(const std::string& owner) {
  lost_before_[owner] = lost();
  return {capture_->log_for(owner), [this] { return capture_->dhcp_messages(); }};
}

std::int64_t RunCapture::lost() const {
  std::int64_t out = capture_->not_kept();
  for (const auto& counters : capture_->counters()) {
    out += counters.dropped;
  }
  return out;
}

json::object RunCapture::description() const {
  json::array interfaces;
  for (const auto& interface : capture_->interfaces()) {
    interfaces.push_back({{"name", interface.name},
                          {"filter", interface.filter},
                          {"link_type", static_cast<int>(interface.link)},
                          {"snap_length", interface.snap_length}});
  }
  return {{"interfaces", std::move(interfaces)},
          {"invocation_bytes", options_.invocation_bytes},
          {"run_bytes", options_.run_bytes}};
}

PcapngWriter RunCapture::begin_file(const std::string& comment) const {
  PcapngWriter writer{{options_.application, system_text(), comment}};
  for (const auto& interface : capture_->interfaces()) {
    writer.add(PcapngInterface{static_cast<std::uint16_t>(interface.link), interface.snap_length, interface.name,
                               interface.filter});
  }
  return writer;
}

/// Frames up to the bounds, those that come first; then the counters.
RunCapture::File RunCapture::file_of(std::vector<CapturedFrame> frames, const Concealed& concealed,
                                     const std::string& comment) {
  File out;
  out.frames = std::move(frames);
  const auto masked = mask_frames(out.frames, capture_->interfaces(), concealed);
  auto writer = begin_file(comment);
  const auto room =
      std::max(kStatisticsRoom, std::min(options_.invocation_bytes, options_.run_bytes - spent_)) - kStatisticsRoom;
  writer.reserve(std::min(size_of(out.frames), static_cast<std::size_t>(room)) + kStatisticsRoom);
  std::vector<std::int64_t> kept(capture_->interfaces().size());
  std::size_t count = 0;
  for (; count < out.frames.size(); ++count) {
    const auto note = masked[count].empty() ? std::string{} : "written over: " + masked[count];
    const auto packet = packet_of(out.frames[count], note);
    if (writer.size() + PcapngWriter::size_of(packet) > static_cast<std::size_t>(room)) {
      break;
    }
    writer.add(packet);
    ++kept[packet.interface];
    out.masked += note.empty() ? 0 : 1;
  }
  out.cut = static_cast<std::int64_t>(out.frames.size() - count);
  out.frames.resize(count);
  const auto counters = capture_->counters();
  for (std::size_t i = 0; i < counters.size(); ++i) {
    writer.add(PcapngStatistics{static_cast<std::uint32_t>(i), began_ns_, packet_clock(), counters[i].received,
                                counters[i].dropped_by_interface, counters[i].dropped, kept[i]});
  }
  out.bytes = writer.take();
  return out;
}

/// With what is concealed written over; where that changed anything, for the laboratory also as they were.
Result<std::vector<ArtifactRef>> RunCapture::store(std::vector<CapturedFrame> frames, const Concealed& concealed,
                                                   const std::string& title, const std::string& comment, File& file) {
  std::vector<CapturedFrame> open;
  if (keep_.open && !concealed.empty()) {
    open = frames;
  }
  file = file_of(std::move(frames), concealed, comment);
  cut_ += file.cut;
  std::vector<ArtifactRef> out;
  if (file.frames.empty()) {
    return out;
  }
  auto kept = keep_.plain(title, kMediaType, file.bytes);
  if (!kept) {
    return kept.error();
  }
  spent_ += kept->size;
  out.push_back(std::move(*kept));
  if (open.empty() || file.masked == 0) {
    return out;
  }
  const auto whole = file_of(std::move(open), withheld_, comment);
  if (whole.frames.empty()) {
    return out;  // the bound of the run is reached
  }
  kept = keep_.open(title, kMediaType, whole.bytes);
  if (!kept) {
    return kept.error();
  }
  spent_ += kept->size;
  out.push_back(std::move(*kept));
  return out;
}

asio::awaitable<Result<>> RunCapture::finish(Observation& observation, const Concealed& concealed,
                                             const Concealed& withheld) {
  const auto& invocation = observation.invocation;
  concealed_.insert(concealed.begin(), concealed.end());
  withheld_.insert(withheld.begin(), withheld.end());
  auto secrets = concealed;
  secrets.insert(accounts_.begin(), accounts_.end());
  auto frames = co_await capture_->take(invocation.id);
  if (frames.empty()) {
    co_return Result<>{};
  }
  const auto title = "packets of " + invocation.id;
  const auto comment = title + ": " + where(invocation);
  File file;
  const auto kept = store(std::move(frames), secrets, title, comment, file);
  if (!kept) {
    co_return kept.error();
  }
  CaptureRef reference;
  reference.sha256 = kept->empty() ? std::string{} : kept->front().sha256;
  reference.frames = static_cast<std::int64_t>(file.frames.size());
  reference.cut = file.cut;
  reference.dropped = lost() - lost_before_[invocation.id];
  reference.masked = file.masked;
  put_exchanges(file.frames, capture_->interfaces(), reference);
  observation.artifacts.insert(observation.artifacts.end(), kept->begin(), kept->end());
  observation.captures.push_back(std::move(reference));
  co_return Result<>{};
}

asio::awaitable<Result<json::object>> RunCapture::finish_run() {
  auto frames = co_await capture_->take_rest();
  capture_->stop();
  const std::string title = "packets of no invocation";
  const auto comment = title +
                       ": checks whether the device is there, what came late, and what "
                       "the device said by itself";
  File file;
  const auto kept = store(std::move(frames), concealed_, title, comment, file);
  if (!kept) {
    co_return kept.error();
  }
  json::array interfaces;
  const auto counters = capture_->counters();
  for (std::size_t i = 0; i < counters.size(); ++i) {
    interfaces.push_back({{"name", capture_->interfaces()[i].name},
                          {"received", counters[i].received},
                          {"dropped", counters[i].dropped},
                          {"dropped_by_interface", counters[i].dropped_by_interface}});
  }
  json::object out{{"interfaces", std::move(interfaces)}, {"frames", file.frames.size()}, {"cut", cut_},
                   {"not_kept", capture_->not_kept()},    {"masked", file.masked},        {"bytes", spent_}};
  if (!kept->empty()) {
    out["artifacts"] = to_json(*kept);
  }
  co_return out;
}

}  // namespace assay
