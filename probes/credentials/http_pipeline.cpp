#include "probes/credentials/http_pipeline.hpp"

#include <utility>

namespace assay::probes::credentials {

namespace {

constexpr int kMostReads = 1024;  // of one response

/// One whole response out of what came already and what comes; the rest is left for the next one.
asio::awaitable<Result<wire::HttpResponse>> receive_one(sessions::Channel& channel, std::string& pending, bool head,
                                                        milliseconds within) {
  using State = wire::HttpReader::State;
  wire::HttpReader reader{head};
  reader.expect_more();
  auto state = reader.feed(std::exchange(pending, {}));
  for (int reads = 0; reads < kMostReads && state != State::done && state != State::malformed; ++reads) {
    auto part = co_await channel.receive(within);
    if (!part) {
      co_return part.error();
    }
    state = reader.feed(*part);
  }
  if (state != State::done || !reader.response().complete) {
    co_return Error{ErrorKind::protocol, "an answer of several is not whole", {}};
  }
  pending = reader.take_rest();
  co_return reader.response();
}

}  // namespace

asio::awaitable<PipelineAnswers> ask_pipeline(sessions::Channel& channel, Pipeline pipeline, milliseconds within) {
  PipelineAnswers answers;
  answers.in_order = true;
  auto sent = co_await channel.send_concealed(std::move(pipeline.bytes), std::move(pipeline.shown));
  if (!sent) {
    answers.error = sent.error();
    co_return answers;
  }
  std::string pending;
  for (std::size_t i = 0; i < pipeline.count && !answers.announced; ++i) {
    const bool head = i == pipeline.head;
    const auto before = channel.spent();
    auto answer = co_await receive_one(channel, pending, head, within);
    if (!answer) {
      answers.error = answer.error();
      answers.in_order = answers.in_order && answer.error().kind != ErrorKind::protocol;
      break;
    }
    answers.in_order = answers.in_order && (head || !answer->body.empty());
    answers.announced = !answer->keeps_open;
    answers.took.push_back(channel.spent() - before);
    answers.responses.push_back(std::move(*answer));
  }
  // Bytes that no request asked for: a body of the HEAD, or an answer too many.
  answers.in_order = answers.in_order && (answers.announced || pending.empty());
  co_return answers;
}

}  // namespace assay::probes::credentials
