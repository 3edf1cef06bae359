#include "probes/update/version.hpp"

#include "probes/sessions/channel.hpp"
#include "probes/update/version_text.hpp"
#include "probes/wire/bytes.hpp"
#include "probes/wire/coap.hpp"

/// Where nobody logs in. The rest is in version_logins.cpp.
namespace assay::probes::update {

namespace {

constexpr std::size_t kKept = std::size_t{16} << 10U;  // characters of the transcript
constexpr milliseconds kTellWithin{3000};
constexpr milliseconds kAskAgain{1000};  // of datagrams, which may be lost
constexpr std::size_t kTokenBytes = 4;
constexpr int kMostQuestions = 4;  // to a person whose answers differ

}  // namespace

VersionReader::VersionReader(ProbeContext& context, const UpdateMechanism& mechanism, Transport& transport)
    : context_(context),
      source_(mechanism.version_at),
      takes_(mechanism.takes_ms),
      transport_(transport),
      transcript_("the version, as it was first read", kKept),
      expected_{mechanism.image.version} {
  for (const auto& image : {mechanism.older, mechanism.other_model, mechanism.component()}) {
    if (image) {
      expected_.insert(image->version);
    }
  }
}

bool is_unasked(ErrorKind kind) {
  return kind == ErrorKind::denied || kind == ErrorKind::unsupported;
}

void VersionReader::keep(std::string_view fact) {
  if (read_by_network_) {
    const auto digest = context_.record.artifact("how the version was read", "text/plain", transcript_.text());
    context_.record.evidence(fact, digest);
  }
}

asio::awaitable<Result<Told>> VersionReader::ask_page() {
  TlsSession session;
  auto channel = co_await sessions::open_channel(context_.network, *source_.http, source_.tls, transcript_, session);
  if (!channel) {
    co_return channel.error();
  }
  wire::HttpRequest request;
  request.target = source_.path;
  request.host = sessions::host_header(context_.target.address, source_.http->port, source_.tls);
  request.headers = {{"Accept", "*/*"}, {"Connection", "close"}};
  auto bytes = wire::http_request(request);
  const auto sent = co_await (*channel)->send(std::move(bytes));
  if (!sent) {
    co_return sent.error();
  }
  const auto answer = co_await sessions::receive_http(**channel, kTellWithin);
  if (!answer) {
    co_return answer.error();
  }
  if (!answer->understood || answer->response.status != 200) {
    co_return no_version(answer->understood ? "the page has status " + std::to_string(answer->response.status)
                                            : "the answer is not HTTP");
  }
  co_return told_in(answer->response.body, source_);
}

/// One resource that fits one datagram.
asio::awaitable<Result<Told>> VersionReader::ask_resource() {
  const auto socket = co_await context_.network.open_udp(*source_.coap);
  if (!socket) {
    co_return socket.error();
  }
  auto request = wire::coap_request(wire::kCoapGet, source_.path);
  request.token = sessions::random_bytes(kTokenBytes);
  request.id = static_cast<std::uint16_t>(wire::coap_number_of(request.token).value_or(0));
  const auto bytes = wire::encode_coap(request);
  const auto span = wire::bytes_of(bytes);
  const auto until = context_.network.elapsed() + kTellWithin;
  Error last{ErrorKind::timed_out, "the resource did not answer", {}};
  while (context_.network.elapsed() < until) {
    transcript_.sent(span);
    const auto sent = co_await (*socket)->send(span);
    if (!sent) {
      co_return sent.error();
    }
    const auto received = co_await (*socket)->receive(kAskAgain);
    if (!received && received.error().kind != ErrorKind::timed_out) {
      co_return received.error();
    }
    if (received) {
      transcript_.received(received->payload);
    }
    const auto parse = received ? wire::parse_coap(wire::text_of(received->payload)) : wire::CoapParse{};
    if (parse.state != wire::Parse::complete || parse.message.token != request.token || parse.message.code == 0) {
      continue;
    }
    if (parse.message.code != wire::kCoapContent) {
      co_return no_version("the resource answers " + wire::coap_code(parse.message.code));
    }
    co_return told_in(parse.message.payload, source_);
  }
  co_return last;
}

asio::awaitable<Result<Told>> VersionReader::ask_transport(std::string place) {
  const auto said = co_await transport_.read(std::move(place));
  if (!said) {
    co_return said.error();
  }
  transcript_.note(*said);
  co_return told_in(*said, source_);
}

asio::awaitable<Result<Told>> VersionReader::ask_banner() {
  auto channel = co_await sessions::open_channel(context_.network, *source_.banner, transcript_);
  if (!channel) {
    co_return channel.error();
  }
  const milliseconds quiet{200};
  const auto said = co_await (*channel)->receive_burst(kTellWithin, quiet);
  if (!said) {
    co_return said.error();
  }
  const auto line = said->substr(0, said->find_first_of("\r\n"));
  co_return told_behind(line, source_.after, "its first line");
}

asio::awaitable<Result<Told>> VersionReader::ask_command() {
  RecipeUse use;
  use.purpose = "read the version";
  use.does = Intrusiveness::benign;
  const auto ran = co_await context_.bench.run(*source_.exec, use);
  if (!ran && ran.error().kind == ErrorKind::io) {
    co_return no_version(ran.error().what);  // the command failed: mostly because the device does not answer
  }
  if (!ran) {
    co_return ran.error();
  }
  co_return told_at_end(ran->said);
}

/// An empty line says that the device shows none.
asio::awaitable<Result<Told>> VersionReader::ask_person_once(bool again) {
  RecipeUse use;
  use.purpose = "read the version";
  use.does = Intrusiveness::benign;
  use.wants_answer = true;
  auto recipe = *source_.prompt;
  recipe.prompt = *source_.prompt->prompt +
                  (again ? " (once more, for that one was not expected: type the version" : " (type the version") +
                  "; nothing, if it shows none)";
  const auto asked = co_await context_.bench.run(recipe, use);
  if (!asked && asked.error().kind == ErrorKind::unsupported) {
    co_return Error{ErrorKind::unsupported,
                    "a person has to read it, and nobody at a terminal does: \"" + *source_.prompt->prompt + "\"",
                    {}};
  }
  if (!asked) {
    co_return asked.error();
  }
  co_return told_by(asked->said);
}

/// A slip of the pen is no version: one that no image is known to have and that was not read before is typed twice.
asio::awaitable<Result<Told>> VersionReader::ask_person() {
  std::string before;
  for (int left = kMostQuestions; left > 0; --left) {
    auto told = co_await ask_person_once(!before.empty());
    if (!told) {
      co_return told;
    }
    if (expected_.contains(told->version) || told->version == before) {
      expected_.insert(told->version);
      co_return told;
    }
    before = told->version;
  }
  co_return no_version("each answer of the person was another one");
}

asio::awaitable<Result<Told>> VersionReader::read() {
  read_by_network_ = !source_.exec && !source_.prompt;
  Result<Told> told = no_version("the DUT file does not say where");
  if (source_.http) {
    told = co_await ask_page();
  } else if (source_.coap) {
    told = co_await ask_resource();
  } else if (source_.mqtt && source_.mqtt->port) {
    told = co_await ask_topic();
  } else if (source_.mqtt) {
    auto topic = source_.mqtt->topic;
    told = co_await ask_transport(std::move(topic));
  } else if (source_.ssh) {
    told = co_await ask_by_ssh();
  } else if (source_.snmp) {
    told = co_await ask_object();
  } else if (!source_.resource.empty()) {
    auto path = source_.resource;
    told = co_await ask_transport(std::move(path));
  } else if (source_.banner) {
    told = co_await ask_banner();
  } else if (source_.prompt) {
    told = co_await ask_person();
  } else if (source_.exec) {
    told = co_await ask_command();
  }
  co_return told;
}

}  // namespace assay::probes::update
