#include "probes/tls/suites.hpp"

#include <algorithm>
#include <utility>

#include "probes/sessions/channel.hpp"

namespace assay::probes::tls {

namespace {

constexpr std::size_t kShortHello = 64;
constexpr std::size_t kChallenge = 16;
constexpr std::size_t kMostAnomalies = 16;

std::string title_of(std::uint16_t version, std::size_t suites) {
  return wire::tls_version_name(version) + " hello, " + std::to_string(suites) + " suites";
}

/// An end that may be the hello's length, or the device being busy, instead of a no.
bool unclear(Answer answer) {
  return answer == Answer::cut || answer == Answer::silent || answer == Answer::no_connection ||
         answer == Answer::not_tls;
}

}  // namespace

asio::awaitable<Reply> SuiteSurvey::ask(Row& row) {
  if (row.version == wire::kSsl2) {
    auto bytes = wire::ssl2_hello(sessions::random_bytes(kChallenge));
    auto reply = co_await asker_.ask("SSLv2 hello", std::move(bytes), &at_end);
    co_return reply;
  }
  HelloWish wish;
  wish.version = row.version;
  wish.suites = row.left;
  wish.server_name = effort_.server_name;
  row.narrow = narrow_ && !wide_.contains(row.version) && narrow_(wish);
  const auto hello = make_hello(wish);
  const auto wanted = wanted_;
  auto title = title_of(row.version, row.left.size());
  auto reply = co_await asker_.ask(std::move(title), hello, wanted);
  co_return reply;
}

asio::awaitable<Reply> SuiteSurvey::begin() {
  Row row;
  row.version = effort_.family.tls12;
  row.left = suites_for(row.version);
  auto reply = co_await ask(row);
  const bool stumbled = reply.answer == Answer::cut || reply.answer == Answer::silent ||
                        (reply.answer == Answer::refused && reply.why == "alert decode_error");
  if (stumbled && !reply.ends) {
    row.left = common_suites(row.version);
    auto second = co_await ask(row);
    if (second.hello() || second.answer == Answer::refused) {
      longest_ = kShortHello;
      reply = std::move(second);
    }
  }
  if (reply.hello() || reply.answer == Answer::refused || reply.ends) {
    rest_[row.version] = take_first(row, reply);
  }
  co_return reply;
}

asio::awaitable<void> SuiteSurvey::ask_newest() {
  Row row;
  row.version = effort_.family.newest;
  row.left = first_offer(row.version);
  const auto reply = co_await ask(row);
  rest_[row.version] = take_first(row, reply);
}

std::vector<std::uint16_t> SuiteSurvey::first_offer(std::uint16_t version) const {
  if (version == wire::kSsl2) {
    return {};
  }
  return longest_ == kLongest ? suites_for(version) : common_suites(version);
}

/// The first answer of a version, and which suites it leaves to ask for.
std::vector<std::uint16_t> SuiteSurvey::take_first(Row& row, const Reply& reply) {
  const bool goes_on = take(row, reply);
  auto rest = suites_for(row.version);
  if (goes_on) {
    std::erase(rest, versions_[row.version].suites.back());
  } else if (reply.answer == Answer::refused && longest_ == kShortHello) {
    // Only the common suites were refused.
    std::erase_if(rest, [&](std::uint16_t suite) {
      return std::find(row.left.begin(), row.left.end(), suite) != row.left.end();
    });
  } else {
    return {};
  }
  return rest;
}

std::size_t SuiteSurvey::rows_for(std::uint16_t version) const {
  // As many as a common list of suites keeps busy; more would only buy refusals.
  const auto age = wire::tls_age(version);
  const std::size_t most = age == wire::kTls13 ? 1 : age == wire::kTls12 ? 12 : 6;
  return std::min(most, effort_.width);
}

void SuiteSurvey::add(Row row) {
  ++open_rows_;
  jobs_.add([this, row = std::move(row)]() { return strike_out(row); });
}

void SuiteSurvey::add_in_parts(std::uint16_t version, std::vector<std::uint16_t> left) {
  const auto rows = std::max(rows_for(version), (left.size() + longest_ - 1) / longest_);
  std::vector<Row> parts(rows);
  // Dealt like cards: the likely suites stand first, and each part gets its share of them.
  for (std::size_t index = 0; index < left.size(); ++index) {
    parts[index % rows].left.push_back(left[index]);
  }
  for (auto& part : parts) {
    if (!part.left.empty()) {
      part.version = version;
      add(std::move(part));
    }
  }
}

void SuiteSurvey::plan() {
  for (auto& [version, rest] : rest_) {
    add_in_parts(version, std::move(rest));
  }
  for (const auto version : effort_.family.versions) {
    if (versions_[version].asked) {
      continue;
    }
    Row row;
    row.version = version;
    row.first = true;
    row.left = first_offer(version);
    add(std::move(row));
  }
}

asio::awaitable<void> SuiteSurvey::strike_out(Row row) {
  const bool last = row.version == effort_.family.newest && !row.first;  // there is one row of that version
  co_await ask_row(std::move(row));
  if (last && newest_done_ && !over_) {
    std::exchange(newest_done_, nullptr)();
  }
  if (--open_rows_ == 0 && all_done_ && unclear_.empty() && !over_) {
    std::exchange(all_done_, nullptr)();
  }
}

asio::awaitable<void> SuiteSurvey::ask_row(Row row) {
  do {
    if (over_) {
      co_return;
    }
    const auto reply = co_await ask(row);
    if (row.narrow && !reply.hello() && !reply.ends) {
      wide_.insert(row.version);
      continue;
    }
    if (row.first) {
      add_in_parts(row.version, take_first(row, reply));
      co_return;
    }
    if (!take(row, reply)) {
      co_return;
    }
  } while (!row.left.empty());
}

/// Takes a reply; true when the row goes on.
bool SuiteSurvey::take(Row& row, const Reply& reply) {
  auto& facts = versions_[row.version];
  facts.version = row.version;
  facts.asked = true;
  if (reply.ends) {
    over_ = reply.ends;
    return false;
  }
  if (reply.hello()) {
    on_hello_(row.version, reply);
    return accept(row, reply);
  }
  facts.refusal = reply.why;
  // To close on a hello of SSL 2.0 is what everybody does who has no SSL 2.0.
  const bool closes = row.version == wire::kSsl2 && (reply.answer == Answer::cut || reply.answer == Answer::not_tls);
  if (unclear(reply.answer) && !closes) {
    unclear_.push_back(row);
  }
  return false;
}

bool SuiteSurvey::accept(Row& row, const Reply& reply) {
  auto& facts = versions_[row.version];
  if (const auto& ssl2 = reply.flight.ssl2()) {
    for (const auto cipher : ssl2->ciphers) {
      facts.suites.push_back(static_cast<std::uint16_t>(cipher >> 8U));
    }
    return false;
  }
  const auto& hello = *reply.flight.hello();
  if (hello.version != row.version) {
    facts.refusal = "answered in " + wire::tls_version_name(hello.version);
    return false;
  }
  if (std::erase(row.left, hello.suite) == 0) {
    // Nothing is proven by asking on in this way: the server does not look at the list.
    if (facts.anomalies.size() < kMostAnomalies) {
      facts.anomalies.push_back("chose " + wire::tls_suite_name(hello.suite) + ", which was not offered");
    }
    facts.refusal = "chose a suite that was not offered";
    return false;
  }
  if (std::find(facts.suites.begin(), facts.suites.end(), hello.suite) == facts.suites.end()) {
    facts.suites.push_back(hello.suite);
  }
  return true;
}

void SuiteSurvey::give_up(const Row& row, const Reply& reply) {
  auto& facts = versions_[row.version];
  facts.refusal = reply.why;
  if (reply.answer != Answer::cut) {
    facts.settled = false;
  }
}

/// A server that closes on a hello it cannot serve does so each time; one that was busy, or that stumbled over the
/// length, answers now.
asio::awaitable<void> SuiteSurvey::ask_again(Row row) {
  do {
    const auto reply = co_await ask(row);
    if (reply.ends || !unclear(reply.answer)) {
      if (!take(row, reply)) {
        co_return;
      }
      continue;
    }
    if (row.left.size() <= kShortHello) {
      give_up(row, reply);
      co_return;
    }
    for (std::size_t at = 0; at < row.left.size(); at += kShortHello) {
      auto part = row;
      const auto end = std::min(at + kShortHello, row.left.size());
      part.left.assign(row.left.begin() + static_cast<std::ptrdiff_t>(at),
                       row.left.begin() + static_cast<std::ptrdiff_t>(end));
      unclear_.push_back(std::move(part));
    }
    co_return;
  } while (!over_ && !row.left.empty());
}

asio::awaitable<void> SuiteSurvey::settle() {
  for (auto& [version, facts] : versions_) {
    facts.settled = facts.asked && facts.anomalies.empty();
  }
  while (!unclear_.empty() && !over_) {
    auto row = std::move(unclear_.front());
    unclear_.pop_front();
    co_await ask_again(std::move(row));
  }
  if (over_) {
    for (auto& [version, facts] : versions_) {
      facts.settled = false;
    }
  }
}

}  // namespace assay::probes::tls
