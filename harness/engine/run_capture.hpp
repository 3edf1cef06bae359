#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "harness/engine/secret_handling.hpp"
#include "harness/evidence/pcapng.hpp"
#include "harness/model/concealed.hpp"
#include "harness/model/dut.hpp"
#include "harness/model/run_plan.hpp"
#include "harness/net/capture.hpp"
#include "harness/net/guarded_network.hpp"

/// The packets of a run as evidence: a file for each invocation, one for what belongs to none. No verdict rests on it.
namespace assay {

enum class CaptureMode : std::uint8_t {
  off,
  automatic,  // where this process may
  on,         // without it the run does not begin
};

struct CaptureOptions {
  CaptureMode mode = CaptureMode::automatic;
  std::int64_t run_bytes = std::int64_t{256} << 20;        // of all files
  std::int64_t invocation_bytes = std::int64_t{32} << 20;  // of one file
  std::string application = "assay";                       // as the files name it
};

/// The place of a vantage; null: where the run is.
using VantageOf = std::function<const Vantage*(const std::string& vantage)>;

class RunCapture {
 public:
  /// Opens the capture for these targets, each at its vantage; its errors are those of Capture::open.
  static Result<std::unique_ptr<RunCapture>> open(const asio::any_io_executor& executor,
                                                  const std::vector<Target>& targets, const VantageOf& at,
                                                  const Dut& dut, CaptureOptions options, Keeping keep);

  /// What the network of an invocation tells and is told. `owner` is the invocation's id, or what else contacts the
  /// device.
  CaptureLink link_for(const std::string& owner);

  /// For the journal: `interfaces` with their filters, and the bounds.
  json::object description() const;

  /// Writes the file of an invocation that has ended and names it in its observation. An error is one of the bundle's.
  /// `withheld` is written over for the laboratory too.
  asio::awaitable<Result<>> finish(Observation& observation, const Concealed& concealed, const Concealed& withheld);

  /// Writes what is left, and says for the journal what came, what was lost and what was cut.
  asio::awaitable<Result<json::object>> finish_run();

  /// Ends the capture at once.
  void stop() { capture_->stop(); }

 private:
  struct File {
    std::string bytes;
    std::vector<CapturedFrame> frames;  // those in it
    std::int64_t cut = 0;
    std::int64_t masked = 0;
  };

  RunCapture(std::unique_ptr<Capture> capture, CaptureOptions options, Keeping keep)
      : capture_(std::move(capture)), options_(std::move(options)), keep_(std::move(keep)), began_ns_(packet_clock()) {}

  evidence::PcapngWriter begin_file(const std::string& comment) const;
  File file_of(std::vector<CapturedFrame> frames, const Concealed& concealed, const std::string& comment);
  Result<std::vector<ArtifactRef>> store(std::vector<CapturedFrame> frames, const Concealed& concealed,
                                         const std::string& title, const std::string& comment, File& file);
  std::int64_t lost() const;

  std::unique_ptr<Capture> capture_;
  CaptureOptions options_;
  Keeping keep_;
  std::int64_t began_ns_;
  Concealed accounts_;                               // secrets of the DUT file
  Concealed withheld_;                               // what nobody may keep, of all invocations so far
  Concealed concealed_;                              // with what all invocations so far concealed
  std::map<std::string, std::int64_t> lost_before_;  // owner -> frames lost when it began
  std::int64_t spent_ = 0;                           // bytes of files
  std::int64_t cut_ = 0;                             // frames
};

/// The conversations in a file, numbered as its frames are. Those that do not fit are counted. Pure.
void put_exchanges(const std::vector<CapturedFrame>& frames, const std::vector<TapInterface>& interfaces,
                   CaptureRef& into);

}  // namespace assay
