#include <algorithm>
#include <utility>

#include "probes/credentials/logins.hpp"

/// Logins that are sent before the first of them is answered. Only where the pace has no interval between logins and
/// the server was seen to keep the order; each draws its permit as any other, and what got no answer is asked alone.
namespace assay::probes::credentials {

namespace {

constexpr std::size_t kControls = 3;
constexpr std::size_t kAtFirst = 4;
constexpr std::size_t kMost = 64;

}  // namespace

std::size_t Logins::at_once() const {
  return at_once_ == 1 ? 1 : std::min({at_once_, dialect_.room(), context_.network.logins_at_once()});
}

/// Controls in one go: a server that answers each as alone, and in their order, is asked so from now on.
asio::awaitable<Result<>> Logins::prove_order() {
  const auto most = std::min(dialect_.room(), context_.network.logins_at_once());
  if (most < kControls || !dialect_.names_accounts() || candidates_.size() < 2 * kControls) {
    co_return Result<>{};
  }
  std::vector<Login> controls;
  for (std::size_t i = 0; i < kControls; ++i) {
    Login login{"assay" + sessions::random_word(8 + i), Secret{sessions::random_word(12 + i), "random password"}};
    auto permitted = co_await context_.network.permit_login(door_.endpoint, login.username);
    if (!permitted) {
      co_return permitted;
    }
    controls.push_back(std::move(login));
  }
  tally_.controls += static_cast<std::int64_t>(kControls);
  auto several = co_await dialect_.attempt_several(std::move(controls));
  if (several.ended) {
    co_return *several.ended;
  }
  const bool all = several.in_order && several.answered.size() == kControls;
  const bool refused = std::all_of(several.answered.begin(), several.answered.end(),
                                   [](const Attempt& one) { return one.outcome == Outcome::rejected; });
  if (all && refused) {
    tally_.refusals += static_cast<std::int64_t>(kControls);
    at_once_ = kAtFirst;
    door_.transcript.note("the server answers logins that are sent in one go each by itself and in their order");
  } else {
    dialect_.start_afresh();
  }
  co_return Result<>{};
}

/// The next candidates, as many as fit into one go.
asio::awaitable<Result<>> Logins::try_several() {
  const auto most = at_once();
  std::vector<Candidate> sent;
  for (; next_ < candidates_.size() && sent.size() < most; ++next_) {
    const auto candidate = candidates_[next_];
    if (solved_.contains(candidate.username)) {
      ++tally_.skipped_stopped;
      continue;
    }
    auto permitted = co_await permit(candidate.username);
    if (!permitted) {
      tally_.skipped_stopped += std::ssize(sent);
      co_return permitted.error();
    }
    if (*permitted) {
      sent.push_back(candidate);
    } else {
      ++tally_.skipped_budget;
    }
  }
  if (sent.empty()) {
    co_return Result<>{};
  }
  std::vector<Login> logins;
  for (const auto& candidate : sent) {
    tally_.accounts.insert(candidate.username);
    logins.push_back({candidate.username, candidate.password});
  }
  tally_.tried += std::ssize(sent);
  auto several = co_await dialect_.attempt_several(std::move(logins));
  auto settled = co_await settle_several(std::move(sent), std::move(several));
  co_return settled;
}

asio::awaitable<Result<>> Logins::settle_several(std::vector<Candidate> sent, Several several) {
  if (several.ended) {
    tally_.unclear += std::ssize(sent);
    co_return *several.ended;
  }
  // Which of them a server passed over that answered too few is not known: all are asked again, one by one.
  const bool whole = several.in_order && (several.announced || several.answered.size() == sent.size());
  const auto answered = whole ? several.answered.size() : 0;
  at_once_ = whole ? std::min(2 * at_once_, kMost) : 1;
  for (std::size_t i = 0; i < sent.size(); ++i) {
    const bool known = solved_.contains(sent[i].username);
    const bool refused = i < answered && several.answered[i].outcome == Outcome::rejected;
    if (stopped() || known) {
      // It went out before the reason to stop was known; what was not plainly refused is not asked again for now.
      if (!refused && !known) {
        unjudged_.push_back(sent[i]);
      }
      continue;
    }
    Result<bool> settled{false};
    if (i < answered) {
      settled = co_await settle(sent[i], several.answered[i]);
    }
    Result<> done;
    if (settled && !*settled) {
      done = co_await try_candidate(sent[i], true);
    }
    if (!settled || !done) {
      co_return settled ? done.error() : settled.error();
    }
  }
  co_return Result<>{};
}

}  // namespace assay::probes::credentials
