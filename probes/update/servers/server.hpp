#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "probes/update/servers/reception.hpp"
#include "probes/update/transport.hpp"
#include "probes/wire/http_request.hpp"

/// The server that the device was pointed at. It alone may connect; what it is given is the business of a `Site`.
namespace assay::probes::update {

constexpr std::uint64_t kMostFlood = std::uint64_t{256} << 20U;  // bytes behind an image without end
constexpr milliseconds kDrop{250};                               // between two bytes of a slow one

/// An answer: a text, or a source that is streamed.
struct Reply {
  int status = 200;
  std::vector<wire::HttpHeader> headers{};
  std::string text{};
  images::Source body{};  // none: `text`
  bool image = false;     // the offered image: the behaviour applies
};

class Site {
 public:
  virtual ~Site() = default;

  /// `tls`: the request came over TLS.
  virtual Reply answer(const wire::HttpAsked& asked, bool tls) = 0;
};

/// The offered image, or the genuine one where only later downloads are attacked. `downloads` counts them.
Reply image_reply(const Offer& offer, int& downloads);

/// Sends on to where the image is redirected.
Reply redirect_reply(std::string elsewhere);

/// Whether the image has to be sent on: the request did not come to where the behaviour leads to.
bool sent_on(const Behaviour& behaviour, const wire::HttpAsked& asked, bool tls, const std::string& elsewhere);

class HttpServer {
 public:
  struct Settings {
    bool tls = false;
    std::string name;          // that the device asks for; empty: our address
    milliseconds hold{30000};  // how long a download that never ends is kept up
    std::optional<TlsIdentity> genuine, misnamed, expired;
  };

  HttpServer(ProbeContext& context, Settings settings);

  asio::awaitable<Result<>> open(std::uint16_t port);

  /// From now on. `on_loss` is called once when the behaviour says so.
  void serve(std::shared_ptr<Site> site, const Behaviour& behaviour);

  /// Called when the device is to lose its power or link.
  CutOff on_loss;

  /// Nothing is on offer; connections are cut.
  asio::awaitable<void> withdraw();

  asio::awaitable<void> close();

  const Fetched& fetched() const { return fetched_; }

  const std::string& log() const { return log_; }

  /// "https://updates.example:8443", or with `how` "http" or "host" the one that the device ought not to go to.
  std::string origin(const std::string& how = {}) const;

  /// What the last finished handshake showed.
  const TlsVisit& visit() const { return visit_; }

  std::int64_t strangers() const { return reception_.listener() != nullptr ? reception_.listener()->strangers() : 0; }

  void note(std::string_view line);

 private:
  asio::awaitable<void> attend(std::unique_ptr<Stream> raw);
  asio::awaitable<Result<std::unique_ptr<Stream>>> begin(std::unique_ptr<Stream> raw, bool& tls);
  asio::awaitable<void> converse(Stream& stream, std::string over);
  asio::awaitable<Result<>> reply(Stream& stream, const wire::HttpAsked& asked, std::string over, bool& unseen);
  asio::awaitable<Result<>> send_body(Stream& stream, const Reply& reply, std::uint64_t first, std::uint64_t length);
  asio::awaitable<Result<>> send_piece(Stream& stream, const images::ByteSource& body, std::uint64_t offset,
                                       std::uint64_t size);
  asio::awaitable<Result<>> hold(Stream& stream);
  asio::awaitable<Result<>> drip(Stream& stream, const images::ByteSource& body, std::uint64_t first,
                                 std::uint64_t length);
  asio::awaitable<Result<>> flood(Stream& stream);
  Result<TlsIdentity> identity();
  void active();
  void gave_up(milliseconds began);

  ProbeContext& context_;
  Settings settings_;
  Reception reception_;
  std::shared_ptr<Site> site_;
  Behaviour behaviour_;
  Fetched fetched_;
  TlsVisit visit_;
  bool lost_ = false;
  std::string log_;
  milliseconds log_began_{};
};

/// The image, or the way to where the behaviour of the offer redirects it.
Reply image_or_way(const HttpServer& server, const Offer& offer, const wire::HttpAsked& asked, bool tls,
                   int& downloads);

/// A certificate of our own for a name, that nobody trusts: signed by itself, or by an authority with the same names as
/// `like` (PEM) has.
Result<TlsIdentity> false_identity(const std::string& name, bool by_authority, const std::string& like);

}  // namespace assay::probes::update
