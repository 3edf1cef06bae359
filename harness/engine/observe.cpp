#include "harness/engine/observe.hpp"

namespace assay {

asio::awaitable<void> observe_once(const Invocation& invocation, const ProbeDescriptor& probe, const Dut& dut,
                                   const ProbeLibrary& library, Network& network, InvocationRecorder& recorder,
                                   const Progress& progress, Bench& bench) {
  ProbeContext context{
      invocation.target, invocation.endpoint, invocation.parameters, dut, library, network, recorder, progress, bench};
  Result<> result = Error{ErrorKind::internal, "the probe did not run", {}};
  try {
    const auto instance = probe.make();
    result = co_await instance->observe(context);
  } catch (const std::exception& failure) {
    result = Error{ErrorKind::internal, std::string{"the probe threw: "} + failure.what(), {}};
  }
  recorder.finish(result);
}

}  // namespace assay
