#include "probes/discovery/asking.hpp"

#include "probes/discovery/descriptions.hpp"
#include "probes/discovery/questions.hpp"
#include "probes/sessions/channel.hpp"
#include "probes/wire/bytes.hpp"

namespace assay::probes::discovery {

namespace {

constexpr int kMostFollowRounds = 8;
constexpr int kDirectAttempts = 3;
constexpr int kDirectAnswers = 16;
constexpr std::size_t kMostOthers = 256;
constexpr std::size_t kMostLlmnrNames = 4;
constexpr milliseconds kFollowWait{1000};  // RFC 6762, 6: shared records come within 120 ms; lossy radios need more
constexpr milliseconds kDirectWait{500};
constexpr milliseconds kQuiet{300};

}  // namespace

asio::awaitable<Result<>> Asking::run() {
  if (context_.target.address.find(':') != std::string::npos) {
    // Its multicasts come from its link-local address: the MAC must be known to take them for the device's.
    auto nudged = co_await nudge();
    if (!nudged) {
      co_return nudged;
    }
  }
  const auto questions_wait = static_cast<int>(std::max<std::int64_t>(1, settings_.wait.count() / 1000));
  for (int round = 0; round < settings_.rounds && !no_groups; ++round) {
    auto questions = first_questions(context_.target.address, questions_wait);
    auto asked = co_await ask(std::move(questions), settings_.wait);
    if (!asked) {
      co_return asked;
    }
  }
  if (!no_groups && settings_.listen.count() > 0) {
    std::vector<GroupQuestion> only_listen;
    for (const auto group : kGroups) {
      only_listen.push_back({group, {}});
    }
    transcript.note("listening for " + std::to_string(settings_.listen.count()) + " ms");
    auto listened = co_await ask(std::move(only_listen), settings_.listen);
    if (!listened) {
      co_return listened;
    }
  }
  auto followed = co_await follow();
  if (!followed) {
    co_return followed;
  }
  for (const auto group : kGroups) {
    if (protocols[group].told == 0) {
      auto direct = co_await ask_directly(group);
      if (!direct) {
        co_return direct;
      }
    }
  }
  if (settings_.describe) {
    auto fetched = co_await fetch_descriptions(context_.network, context_.target.address, transcript, ssdp);
    if (!fetched) {
      co_return fetched;
    }
  }
  auto looked = co_await look_at_link();
  co_return looked;
}

asio::awaitable<Result<>> Asking::ask(std::vector<GroupQuestion> questions, milliseconds within) {
  for (const auto& question : questions) {
    if (!question.payload.empty()) {
      transcript.note(std::string{"to the group of "} + enum_name(question.group));
      transcript.sent(question.payload);
    }
  }
  auto answers = co_await context_.network.ask_groups(questions, within);
  if (!answers) {
    transcript.note("not asked: " + answers.error().what);
    if (sessions::ends_probe(answers.error().kind)) {
      co_return answers.error();
    }
    no_groups = answers.error();
    co_return Result<>{};
  }
  for (const auto& question : questions) {
    protocols[question.group].asked += question.payload.empty() ? 0 : 1;
  }
  take(*answers);
  co_return Result<>{};
}

void Asking::take(const GroupAnswers& answers) {
  interface = answers.interface;
  left_out += answers.left_out;
  deaf.insert(answers.deaf.begin(), answers.deaf.end());
  for (const auto& answer : answers.answers) {
    transcript.note(std::string{enum_name(answer.group)} + (answer.to_group ? ", to the group, from " : ", from ") +
                    answer.from + " port " + std::to_string(answer.from_port));
    transcript.received(answer.payload);
    const bool understood = understand(answer.group, wire::text_of(answer.payload));
    auto& protocol = protocols[answer.group];
    // What the device sends to the group may be its own questions; only replies to us must make sense.
    protocol.told += understood ? 1 : 0;
    protocol.unclear += !understood && !answer.to_group ? 1 : 0;
  }
  for (const auto& other : answers.others) {
    if (others_.contains(other.address) || others_.size() < kMostOthers) {
      auto& known = others_[other.address];
      known.protocols.insert(std::string{enum_name(other.group)});
      known.replies += other.replies;
      known.heard += other.heard;
    } else {
      ++left_out;
    }
  }
}

bool Asking::understand(DiscoveryGroup group, std::string_view datagram) {
  switch (group) {
    case DiscoveryGroup::mdns:
      return mdns.take(datagram);
    case DiscoveryGroup::ssdp:
      return ssdp.take(datagram);
    case DiscoveryGroup::wsd:
      return wsd.take(datagram);
    case DiscoveryGroup::llmnr:
      break;
  }
  return llmnr.take(datagram);
}

asio::awaitable<Result<>> Asking::follow() {
  for (int round = 0; !no_groups && round < kMostFollowRounds; ++round) {
    std::vector<GroupQuestion> questions;
    const auto open = mdns.open_questions();
    if (!open.empty()) {
      // Twice: one lost datagram must not hide a service.
      const auto query = to_bytes(wire::dns_query(0, open));
      questions = {{DiscoveryGroup::mdns, query}, {DiscoveryGroup::mdns, query}};
    }
    for (const auto& name : mdns.host_names()) {
      if (llmnr_asked_.size() < kMostLlmnrNames && llmnr_asked_.insert(name).second) {
        for (auto& question : llmnr_questions(name)) {
          questions.push_back(std::move(question));
        }
      }
    }
    if (questions.empty()) {
      co_return Result<>{};
    }
    auto asked = co_await ask(std::move(questions), kFollowWait);
    if (!asked) {
      co_return asked;
    }
  }
  followed_to_end = mdns.open_questions().empty();
  co_return Result<>{};
}

asio::awaitable<Result<>> Asking::ask_directly(DiscoveryGroup group) {
  auto& protocol = protocols[group];
  const Endpoint to{Transport::udp, port_of(group)};
  const auto question = direct_question(group, context_.target.address);
  transcript.note(std::string{enum_name(group)} + " to the device's own " + to.text());
  auto socket = co_await context_.network.open_udp(to);
  if (!socket) {
    protocol.direct = socket.error().what;
    co_return sessions::ends_probe(socket.error().kind) ? Result<>{socket.error()} : Result<>{};
  }
  protocol.direct = "silent";
  for (int attempt = 0; attempt < kDirectAttempts && protocol.told == 0; ++attempt) {
    transcript.sent(question.payload);
    auto sent = co_await (*socket)->send(question.payload);
    if (!sent && sessions::ends_probe(sent.error().kind)) {
      co_return sent;
    }
    for (int count = 0; count < kDirectAnswers; ++count) {
      const milliseconds within = count == 0 ? kDirectWait * (attempt + 1) : kQuiet;
      auto got = co_await (*socket)->receive(within);
      if (!got && sessions::ends_probe(got.error().kind)) {
        co_return got.error();
      }
      if (!got && got.error().kind == ErrorKind::refused) {
        transcript.note("refused: ICMP port unreachable");
        protocol.direct = "refused";
        co_return Result<>{};
      }
      if (!got) {
        break;
      }
      transcript.received(got->payload);
      protocol.direct = "answered";
      ++(understand(group, wire::text_of(got->payload)) ? protocol.told : protocol.unclear);
    }
  }
  co_return Result<>{};
}

asio::awaitable<Result<>> Asking::look_at_link() {
  neighbour = context_.network.neighbour();
  if (!*neighbour && neighbour->error().kind == ErrorKind::unreachable) {
    auto nudged = co_await nudge();
    if (!nudged) {
      co_return nudged;
    }
    neighbour = context_.network.neighbour();
  }
  co_return Result<>{};
}

/// One datagram to the device itself makes the kernel ask for its MAC.
asio::awaitable<Result<>> Asking::nudge() {
  const Endpoint to{Transport::udp, port_of(DiscoveryGroup::mdns)};
  const auto question = direct_question(DiscoveryGroup::mdns, context_.target.address);
  auto socket = co_await context_.network.open_udp(to);
  if (!socket) {
    co_return sessions::ends_probe(socket.error().kind) ? Result<>{socket.error()} : Result<>{};
  }
  transcript.note("one datagram to " + to.text() + " for the neighbour table");
  transcript.sent(question.payload);
  auto sent = co_await (*socket)->send(question.payload);
  if (!sent && sessions::ends_probe(sent.error().kind)) {
    co_return sent;
  }
  auto got = co_await (*socket)->receive(kDirectWait);
  if (got) {
    transcript.received(got->payload);
    const bool understood = understand(DiscoveryGroup::mdns, wire::text_of(got->payload));
    protocols[DiscoveryGroup::mdns].told += understood ? 1 : 0;
  } else if (sessions::ends_probe(got.error().kind)) {
    co_return got.error();
  }
  co_return Result<>{};
}

json::array Asking::others() const {
  json::array out;
  for (const auto& [address, known] : others_) {
    json::array names;
    for (const auto& name : known.protocols) {
      names.emplace_back(name);
    }
    out.push_back(
        {{"address", address}, {"protocols", std::move(names)}, {"replies", known.replies}, {"heard", known.heard}});
  }
  return out;
}

}  // namespace assay::probes::discovery
