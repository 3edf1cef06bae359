#pragma once

#include <optional>
#include <string>
#include <vector>

#include "probes/sessions/channel.hpp"
#include "probes/wire/http.hpp"

namespace assay::probes::credentials {

/// Requests that are sent in one go, and the one among them that is a HEAD: its answer alone has no body, which shows
/// where in the series the server is.
struct Pipeline {
  std::string bytes;
  std::string shown;  // what the transcript may have of them
  std::size_t count = 0;
  std::size_t head = 0;
};

struct PipelineAnswers {
  std::vector<wire::HttpResponse> responses;  // in the order of the requests, each whole
  std::vector<milliseconds> took;             // of each: since the one before it
  bool in_order = false;                      // those that came have the shapes that were asked for
  bool announced = false;                     // the server said with the last that it closes
  std::optional<Error> error{};               // why the rest did not come
};

/// The responses are believed only where all that came are whole, the HEAD was answered without a body and the others
/// with one. Memory is bounded by the reader of each response.
asio::awaitable<PipelineAnswers> ask_pipeline(sessions::Channel& channel, Pipeline pipeline, milliseconds within);

}  // namespace assay::probes::credentials
