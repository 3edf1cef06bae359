#pragma once

#include "harness/engine/invocation_recorder.hpp"
#include "harness/probe/probe.hpp"

namespace assay {

/// Runs one probe to its end and finishes the recorder. Nothing leaves it but the observation: what the probe throws
/// becomes a harness fault. The references must outlive the coroutine.
asio::awaitable<void> observe_once(const Invocation& invocation, const ProbeDescriptor& probe, const Dut& dut,
                                   const ProbeLibrary& library, Network& network, InvocationRecorder& recorder,
                                   const Progress& progress, Bench& bench);

}  // namespace assay
