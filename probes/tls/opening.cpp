#include "probes/tls/opening.hpp"

#include <algorithm>

namespace assay::probes::tls {

namespace {

constexpr std::size_t kMostAtOnce = 24;
constexpr std::size_t kFewConnections = 4;  // a pace that allows no more is for devices that take one at a time
constexpr std::size_t kQueued = 4;          // with a server that serves one and lets others wait: no more than gentle

}  // namespace

asio::awaitable<Reply> ask_first(TcpAsker& asker, std::uint16_t port, std::string name, Question question) {
  asker.hold_next();
  auto reply = co_await question();
  const bool may_upgrade =
      reply.answer == Answer::not_tls || reply.answer == Answer::silent || reply.answer == Answer::cut;
  if (!may_upgrade) {
    co_return reply;
  }
  const auto* dialect = dialect_for(reply.text, port);
  if (dialect == nullptr && reply.answer == Answer::cut && reply.text.empty() && !reply.ends) {
    // The reset of a service that stumbled over the hello takes its greeting with it.
    const auto greeting = co_await asker.hear_greeting();
    dialect = dialect_for(greeting, port);
  }
  if (dialect == nullptr || reply.ends) {
    co_return reply;
  }
  asker.set_upgrade(dialect, std::move(name));
  auto upgraded = co_await question();
  co_return upgraded;
}

std::size_t width_for(const Network& network, std::chrono::nanoseconds answer) {
  const auto spare = network.spare_connections();
  const auto work = answer - network.round_trip(milliseconds{0});
  if (spare <= kFewConnections || work > milliseconds{200}) {
    return 1;
  }
  return work > milliseconds{20} ? 2 : std::min(spare, kMostAtOnce);
}

asio::awaitable<std::size_t> width_beside(TcpAsker& asker, std::size_t width) {
  co_await asker.release();
  if (asker.serves() == Serves::queue) {
    asker.end_early();
    co_return std::min(width, kQueued);
  }
  co_return asker.serves() == Serves::one ? 1 : width;
}

}  // namespace assay::probes::tls
