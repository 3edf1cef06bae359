#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/probe/probe.hpp"
#include "probes/images/byte_source.hpp"

/// The ways in which an update reaches a device, behind one interface.
namespace assay::probes::update {

/// What a device loses for a while.
enum class Loss : std::uint8_t { power, link };
BOOST_DESCRIBE_ENUM(Loss, power, link)

/// What our server does otherwise than an honest one (attacks/1, key `server`).
struct Behaviour {
  std::string certificate;       // self_signed, unknown_authority, misnamed, expired; empty: the one that is trusted
  bool plain = false;            // no TLS, http on its port
  std::string redirect;          // "http", "host": where the image is redirected to
  std::string url;               // "http", "host": where the manifest sends for it
  std::optional<int> cut_at;     // percent of the image after which the connection ends
  std::optional<int> stall_at;   // … after which nothing more comes
  std::optional<int> loss_at;    // … after which the device loses something
  bool loss_installing = false;  // it loses it when the image is there and being installed
  Loss loss = Loss::power;       // which
  bool drip = false;             // byte by byte
  bool endless = false;
  int length = 1;          // factor of the length that is said
  bool second = false;     // the first download is genuine
  int status = 0;          // of every answer; 0: none of its own
  std::string date;        // a day, such as 2026-08-01, that it tells for today; empty: today
  bool anonymous = false;  // the image is put into the device's page without its login

  /// Whether it holds the device for as long as that waits.
  bool holds() const { return stall_at || drip || endless; }

  bool operator==(const Behaviour&) const = default;
};

Behaviour behaviour_of(const json::object& object);

/// Which of the maker's manifests is given.
enum class Given : std::uint8_t { newest, expired, older };
BOOST_DESCRIBE_ENUM(Given, newest, expired, older)

/// What is offered: an image and what is said of it.
struct Offer {
  std::string attack;  // id; empty: the genuine update
  std::string what;    // one sentence
  images::Source image;
  images::Source genuine;
  images::Source told;        // whose size and digests are said
  std::string version;        // that is said
  std::string image_version;  // that a device which runs it should tell; empty: not known
  std::string sha256;         // that is said
  bool signature = true;      // a manifest's signature is given
  bool altered = false;       // the manifest has a line feed more than what was signed
  Given manifest = Given::newest;
  Behaviour behaviour;
};

/// What the device did about an offer, as far as our side of the wire shows.
struct Fetched {
  std::int64_t connections = 0;
  std::int64_t handshakes = 0;  // that finished
  std::int64_t requests = 0;
  std::int64_t downloads = 0;       // requests of the image
  std::uint64_t bytes = 0;          // of the image, all downloads together
  bool whole = false;               // one download came to its end
  bool handed_over = false;         // we brought it there ourselves
  bool told = false;                // it was told of it, and may have made up its mind by that alone
  std::string over;                 // "TLSv1.3", "http"; of the last request of the image, else of the last request
  std::vector<milliseconds> asked;  // when requests came, by Network::elapsed; the first 64
  std::string refusal;              // how it refused our certificate, in words
  std::string agent;                // how it named itself, escaped
  std::optional<milliseconds> gave_up_after;  // of a download that never ends: when the device ended it
  bool held_to_the_end = false;               // … or that we ended it
  bool holding = false;                       // it goes on now
  std::optional<milliseconds> released;       // when the first of them ended, by Network::elapsed
  std::optional<milliseconds> first;          // activity, by Network::elapsed
  milliseconds last{0};
  bool cutting = false;  // it is losing its power or link, as the behaviour says
  bool lost = false;     // … and it did
  std::string trouble;   // what failed at our side, so that what the device did is no answer; empty: nothing

  bool any() const { return connections > 0 || handed_over || told; }

  /// Something of the offer, were it a word, came to the device; a handshake that it broke off is nothing of it.
  bool reached() const { return requests > 0 || bytes > 0 || handed_over || told; }

  /// Something of the device came.
  void come(milliseconds now);

  /// … and it was a request.
  void ask(milliseconds now);

  /// The device is kept waiting from now on.
  void hold() { holding = held_to_the_end = true; }

  /// It is not any more: `held` to the end, or because it gave up.
  void release(milliseconds now, bool held);

  /// The recipe that cuts the power or the link runs from now on.
  void begin_cut() { cutting = true; }

  /// It ended. One that failed is `trouble`.
  void end_cut(Loss loss, const Result<>& done);
};

/// "the power was not cut: " and why.
std::string uncut(Loss loss, const Error& why);

/// Takes something from the device for a while; an error when it is not known to have lost it.
using CutOff = std::function<asio::awaitable<Result<>>(Loss)>;

/// … from a device whose fetching is counted there. `by` outlives it.
asio::awaitable<void> cut_in_the_middle(const CutOff& by, Loss loss, Fetched& fetched);

/// One mechanism. A transport is made for one campaign; offers follow one another.
class Transport {
 public:
  virtual ~Transport() = default;

  /// Gets ready to offer: listens.
  virtual asio::awaitable<Result<>> open() = 0;

  /// Why this transport cannot play a behaviour, empty when it can.
  virtual std::string cannot(const Behaviour& behaviour) const = 0;

  /// Whether what comes by itself is a question for an update. Where a device only says that it is there, no watch
  /// shows that it asks.
  virtual bool is_asked() const { return true; }

  /// Puts it on offer; returns when the device can take it, or took it. An error is ours; what the device answered is
  /// in `reported`.
  virtual asio::awaitable<Result<>> offer(Offer offer) = 0;

  virtual const Fetched& fetched() const = 0;

  /// What the device said by the means of the transport, escaped; empty: nothing.
  virtual std::string reported() const = 0;

  /// It said that it is done with the offer.
  virtual bool final_word() const = 0;

  /// It said that it took the offer.
  virtual bool says_success() const = 0;

  /// It was seen to start anew with what was offered; false where that is not to be seen.
  virtual bool started_anew() const { return false; }

  /// The exchange as text.
  virtual std::string log() const = 0;

  /// Takes the offer back and cuts what is open.
  virtual asio::awaitable<void> withdraw() = 0;

  /// What the device says at a place of the transport's own (VersionSource, `resource`, and `mqtt` without a port).
  virtual asio::awaitable<Result<std::string>> read(std::string place);

  /// For how long a device that is there may say nothing at that place.
  virtual milliseconds silence() const { return milliseconds{0}; }

  /// It is connected and has said nothing there since the offer: whether it is there is not known, nor that it went.
  virtual bool keeps_silent() const { return false; }

  /// Ends everything. Awaited before the transport dies.
  virtual asio::awaitable<void> close() = 0;

  /// What the genuine exchange showed of the mechanism: transport, tls, …
  virtual json::object passive() const = 0;
};

/// A manifest and its signature, which is empty where it is within.
struct SignedText {
  std::string text;
  std::string signature;
};

/// The files of a mechanism, read.
struct Files {
  std::optional<TlsIdentity> genuine, misnamed, expired;
  SignedText manifest, expired_manifest, older_manifest;
  std::string announcement;
};

/// `bad_input` names the file that cannot be read.
Result<Files> read_files(const UpdateMechanism& mechanism, Bench& bench);

/// The first account of a role in the DUT file; null where there is none, or no role.
const Account* account_of(const ProbeContext& context, const std::string& role);

/// Reads a file of the DUT file's folder, at most 1 MiB.
Result<std::string> read_small(Bench& bench, const std::string& name);

}  // namespace assay::probes::update
