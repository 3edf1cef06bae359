#include "probes/update/version.hpp"

#include "harness/probe/transcript.hpp"
#include "probes/sessions/channel.hpp"
#include "probes/wire/bytes.hpp"
#include "probes/wire/coap.hpp"

namespace assay::probes::update {

namespace {

constexpr std::size_t kLongestVersion = 128;
constexpr std::size_t kLongestReport = 512;
constexpr milliseconds kAnswerWithin{3000};
constexpr milliseconds kAskAgain{1000};  // of datagrams, which may be lost
constexpr std::size_t kTokenBytes = 4;

Error no_version(const std::string& why) {
  return {ErrorKind::protocol, "no version was told: " + why, {}};
}

Result<std::string> as_version(std::string_view text) {
  const auto trimmed = wire::trim(text);
  if (trimmed.empty() || trimmed.size() > kLongestVersion) {
    return no_version(trimmed.empty() ? "the place for it is empty" : "what stands there is too long");
  }
  return wire::printable(trimmed, kLongestVersion);
}

std::string scalar_text(const json::value& value) {
  return value.is_string() ? std::string{std::string_view{value.get_string()}} : json::serialize(value);
}

Result<Told> read_page(const std::string& body, const VersionSource& source) {
  if (source.pointer.empty()) {
    const auto version = as_version(body);
    return version ? Result<Told>{Told{*version, nullptr}} : version.error();
  }
  boost::system::error_code failed;
  const auto page = json::parse(body, failed);
  if (failed) {
    return no_version("the page is not JSON");
  }
  const auto* found = page.find_pointer(source.pointer, failed);
  if (found == nullptr || found->is_object() || found->is_array() || found->is_null()) {
    return no_version("the page has nothing at " + source.pointer);
  }
  const auto version = as_version(scalar_text(*found));
  if (!version) {
    return version.error();
  }
  Told out{*version, nullptr};
  const auto* report = source.report.empty() ? nullptr : page.find_pointer(source.report, failed);
  if (report != nullptr && !report->is_null()) {
    out.report = json::string(wire::printable(scalar_text(*report), kLongestReport));
  }
  return out;
}

asio::awaitable<Result<Told>> ask_page(ProbeContext& context, const VersionSource& source) {
  Transcript unread("version page", 0);
  TlsSession session;
  auto channel = co_await sessions::open_channel(context.network, *source.http, source.tls, unread, session);
  if (!channel) {
    co_return channel.error();
  }
  wire::HttpRequest request;
  request.target = source.path;
  request.host = sessions::host_header(context.target.address, source.http->port, source.tls);
  request.headers = {{"Accept", "*/*"}, {"Connection", "close"}};
  auto bytes = wire::http_request(request);
  const auto sent = co_await (*channel)->send(std::move(bytes));
  if (!sent) {
    co_return sent.error();
  }
  const auto answer = co_await sessions::receive_http(**channel, kAnswerWithin);
  if (!answer) {
    co_return answer.error();
  }
  if (!answer->understood || answer->response.status != 200) {
    co_return no_version(answer->understood ? "the page has status " + std::to_string(answer->response.status)
                                            : "the answer is not HTTP");
  }
  co_return read_page(answer->response.body, source);
}

/// One resource that fits one datagram.
asio::awaitable<Result<Told>> ask_resource(ProbeContext& context, const VersionSource& source) {
  const auto socket = co_await context.network.open_udp(*source.coap);
  if (!socket) {
    co_return socket.error();
  }
  auto request = wire::coap_request(wire::kCoapGet, source.path);
  request.token = sessions::random_bytes(kTokenBytes);
  request.id = static_cast<std::uint16_t>(wire::coap_number_of(request.token).value_or(0));
  const auto bytes = wire::encode_coap(request);
  const auto span = wire::bytes_of(bytes);
  const auto until = context.network.elapsed() + kAnswerWithin;
  Error last{ErrorKind::timed_out, "the resource did not answer", {}};
  while (context.network.elapsed() < until) {
    const auto sent = co_await (*socket)->send(span);
    if (!sent) {
      co_return sent.error();
    }
    const auto received = co_await (*socket)->receive(kAskAgain);
    if (!received && received.error().kind != ErrorKind::timed_out) {
      co_return received.error();
    }
    const auto parse = received ? wire::parse_coap(wire::text_of(received->payload)) : wire::CoapParse{};
    if (parse.state != wire::Parse::complete || parse.message.token != request.token || parse.message.code == 0) {
      continue;
    }
    if (parse.message.code != wire::kCoapContent) {
      co_return no_version("the resource answers " + wire::coap_code(parse.message.code));
    }
    co_return read_page(parse.message.payload, source);
  }
  co_return last;
}

asio::awaitable<Result<Told>> ask_transport(const VersionSource& source, Transport& transport) {
  auto path = source.resource;
  const auto said = co_await transport.read(std::move(path));
  if (!said) {
    co_return said.error();
  }
  const auto version = as_version(*said);
  if (!version) {
    co_return version.error();
  }
  Told out{*version, nullptr};
  co_return out;
}

asio::awaitable<Result<Told>> ask_banner(ProbeContext& context, const VersionSource& source) {
  Transcript unread("version banner", 0);
  auto channel = co_await sessions::open_channel(context.network, *source.banner, unread);
  if (!channel) {
    co_return channel.error();
  }
  const milliseconds quiet{200};
  const auto said = co_await (*channel)->receive_burst(kAnswerWithin, quiet);
  if (!said) {
    co_return said.error();
  }
  const auto line = said->substr(0, said->find_first_of("\r\n"));
  const auto at = line.find(source.after);
  if (at == std::string::npos) {
    co_return no_version("its first line does not hold \"" + source.after + "\"");
  }
  const auto rest = line.substr(at + source.after.size());
  const auto version = as_version(rest.substr(0, rest.find_first_of(" \t")));
  if (!version) {
    co_return version.error();
  }
  Told out{*version, nullptr};
  co_return out;
}

asio::awaitable<Result<Told>> ask_command(ProbeContext& context, const VersionSource& source) {
  RecipeUse use;
  use.purpose = "read the version";
  use.does = Intrusiveness::benign;
  const auto ran = co_await context.bench.run(*source.exec, use);
  if (!ran && ran.error().kind == ErrorKind::io) {
    co_return no_version(ran.error().what);  // the command failed: mostly because the device does not answer
  }
  if (!ran) {
    co_return ran.error();
  }
  const auto said = std::string{wire::trim(ran->said)};
  const auto version = as_version(said.substr(said.rfind('\n') + 1));
  if (!version) {
    co_return version.error();
  }
  Told out{*version, nullptr};
  co_return out;
}

}  // namespace

asio::awaitable<Result<Told>> read_version(ProbeContext& context, const VersionSource& source, Transport& transport) {
  if (source.http) {
    auto told = co_await ask_page(context, source);
    co_return told;
  }
  if (source.coap) {
    auto told = co_await ask_resource(context, source);
    co_return told;
  }
  if (!source.resource.empty()) {
    auto told = co_await ask_transport(source, transport);
    co_return told;
  }
  if (source.banner) {
    auto told = co_await ask_banner(context, source);
    co_return told;
  }
  auto told = co_await ask_command(context, source);
  co_return told;
}

}  // namespace assay::probes::update
