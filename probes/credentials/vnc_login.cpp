#include <algorithm>
#include <array>

#include <openssl/evp.h>

#include "probes/credentials/dialects.hpp"
#include "probes/credentials/line_talk.hpp"
#include "probes/wire/remote.hpp"

/// Remote desktops (RFC 6143). The password of "VNC Authentication" has eight bytes at most and keys a DES of each half
/// of a challenge; what is sent lets whoever reads it guess at leisure, so it is kept out of the records.
namespace assay::probes::credentials {

namespace vnc {

namespace {

constexpr std::size_t kVersion = 12;
constexpr std::size_t kChallenge = 16;
constexpr std::size_t kServerInit = 24;
constexpr std::size_t kMostReason = 1024;
constexpr std::uint8_t kNone = 1;
constexpr std::uint8_t kPassword = 2;
constexpr std::uint32_t kTooMany = 2;

/// What a server offered in its first words.
struct Offer {
  int minor = 8;
  std::vector<std::uint8_t> types;
  std::string refusal;  // none is offered: why
};

std::uint32_t number(std::string_view bytes) {
  return wire::Reader{bytes}.u32();
}

/// A reason with its length before it.
asio::awaitable<std::string> reason_of(LineTalk& talk) {
  auto length = co_await talk.take(4);
  if (!length) {
    co_return std::string{};
  }
  const auto size = std::min<std::size_t>(number(*length), kMostReason);
  auto text = co_await talk.take(size);
  co_return text ? *text : std::string{};
}

asio::awaitable<Result<Offer>> greet(LineTalk& talk) {
  Offer offer;
  auto greeting = co_await talk.take(kVersion);
  if (!greeting) {
    co_return greeting.error();
  }
  const auto version = wire::parse_rfb_version(*greeting);
  if (version.state != wire::Parse::complete || version.major != 3) {
    co_return Error{ErrorKind::protocol, "the greeting is not RFB 3", {}};
  }
  // Versions that are not in the standard are to be answered as 3.3 (RFC 6143, 7.1.1).
  offer.minor = version.minor >= 8 ? 8 : version.minor == 7 ? 7 : 3;
  auto version_of_ours = "RFB 003.00" + std::to_string(offer.minor) + "\n";
  auto said = co_await talk.say(std::move(version_of_ours));
  if (!said) {
    co_return said.error();
  }
  std::size_t count = 1;
  if (offer.minor == 3) {
    auto type = co_await talk.take(4);
    if (!type) {
      co_return type.error();
    }
    count = number(*type) == 0 ? 0 : 1;
    offer.types.assign(count, static_cast<std::uint8_t>(number(*type)));
  } else {
    auto length = co_await talk.take(1);
    if (!length) {
      co_return length.error();
    }
    count = static_cast<unsigned char>((*length)[0]);
    auto types = co_await talk.take(count);
    if (!types) {
      co_return types.error();
    }
    offer.types.assign(types->begin(), types->end());
  }
  if (count == 0) {
    offer.refusal = co_await reason_of(talk);
  }
  co_return offer;
}

bool offers(const Offer& offer, std::uint8_t type) {
  return std::find(offer.types.begin(), offer.types.end(), type) != offer.types.end();
}

/// Shares the desktop with whoever looks at it already. Empty when the server did not go on.
asio::awaitable<std::string> prove(LineTalk& talk) {
  const std::string shared(1, '\x01');
  auto sent = co_await talk.say(shared);
  if (!sent) {
    co_return std::string{};
  }
  auto init = co_await talk.take(kServerInit);
  if (!init) {
    co_return std::string{};
  }
  wire::Reader reader{*init};
  const auto width = reader.u16();
  const auto height = reader.u16();
  co_return "the server went on to describe its desktop of " + std::to_string(width) + " by " + std::to_string(height);
}

/// Each bit of a key byte counts from the other end than in DES.
unsigned char mirrored(unsigned char byte) {
  unsigned value = 0;
  for (unsigned bit = 0; bit < 8; ++bit) {
    value |= ((byte >> bit) & 1U) << (7U - bit);
  }
  return static_cast<unsigned char>(value);
}

/// Single DES, which the library has in its default set only as triple DES with one key thrice.
std::string encrypted(std::string_view challenge, std::string_view password) {
  std::array<unsigned char, 24> key{};
  for (std::size_t i = 0; i < key.size(); ++i) {
    key[i] = i % 8 < password.size() ? mirrored(static_cast<unsigned char>(password[i % 8])) : 0;
  }
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context{EVP_CIPHER_CTX_new(),
                                                                                &EVP_CIPHER_CTX_free};
  std::array<unsigned char, kChallenge + 8> out{};
  int size = 0;
  const bool done =
      context != nullptr && EVP_EncryptInit_ex(context.get(), EVP_des_ede3_ecb(), nullptr, key.data(), nullptr) == 1 &&
      EVP_CIPHER_CTX_set_padding(context.get(), 0) == 1 &&
      EVP_EncryptUpdate(context.get(), out.data(), &size, reinterpret_cast<const unsigned char*>(challenge.data()),
                        static_cast<int>(challenge.size())) == 1;
  return done ? std::string{reinterpret_cast<const char*>(out.data()), static_cast<std::size_t>(size)} : std::string{};
}

class VncLogin final : public FreshLogin {
 public:
  using FreshLogin::FreshLogin;

  std::string_view name() const override { return "vnc"; }

  bool clear() const override { return false; }

  bool names_accounts() const override { return false; }

 protected:
  asio::awaitable<Told> log_in(std::unique_ptr<sessions::Channel> channel, std::string, Secret password) override {
    LineTalk talk{std::move(channel), login_patience(door())};
    auto offer = co_await greet(talk);
    if (!offer) {
      co_return broken(offer.error(), false);
    }
    if (!offers(*offer, kPassword)) {
      Told told;
      told.text = offer->refusal;
      told.answer = says_locked(offer->refusal) ? Told::Answer::locked : Told::Answer::unclear;
      co_return told;
    }
    auto told = co_await respond(talk, *offer, std::move(password));
    co_return told;
  }

 private:
  asio::awaitable<Told> respond(LineTalk& talk, const Offer& offer, Secret password) {
    if (offer.minor > 3) {
      const std::string type(1, static_cast<char>(kPassword));
      auto chosen = co_await talk.say(type);
      if (!chosen) {
        co_return broken(chosen.error(), false);
      }
    }
    auto challenge = co_await talk.take(kChallenge);
    if (!challenge) {
      co_return broken(challenge.error(), false);
    }
    const auto response = encrypted(*challenge, password.reveal());
    const auto shown = "{response with " + password.name() + "}";
    door().record.conceal(response, "response with " + password.name());
    auto sent = co_await talk.say_concealed(response, shown);
    if (!sent) {
      co_return broken(sent.error(), false);
    }
    auto result = co_await talk.take(4);
    if (!result) {
      co_return broken(result.error(), true);
    }
    Told told;
    if (number(*result) == 0) {
      told.answer = Told::Answer::yes;
      told.proof = co_await prove(talk);
      told.answer = told.proof.empty() ? Told::Answer::unclear : Told::Answer::yes;
      co_return told;
    }
    if (offer.minor >= 8) {
      told.text = co_await reason_of(talk);
    }
    const bool locked = number(*result) == kTooMany || says_locked(told.text);
    told.answer = locked ? Told::Answer::locked : Told::Answer::no;
    co_return told;
  }
};

asio::awaitable<Result<Detection>> find(Door& door, bool tls) {
  Detection found;
  auto opened = co_await open_door(door, tls);
  if (!opened) {
    co_return opened.error();
  }
  LineTalk talk{std::move(*opened), login_patience(door)};
  auto offer = co_await greet(talk);
  if (!offer) {
    if (sessions::ends_probe(offer.error().kind)) {
      co_return offer.error();
    }
    found.other_login = "a VNC login whose first exchange failed";
    co_return found;
  }
  if (offers(*offer, kNone)) {
    if (offer->minor > 3) {
      const std::string type(1, static_cast<char>(kNone));
      auto chosen = co_await talk.say(type);
      Result<std::string> result{std::string(4, '\0')};
      if (chosen && offer->minor >= 8) {
        result = co_await talk.take(4);
      }
      if (!result || number(*result) != 0) {
        found.other_login = "a VNC login that offers no security and then refuses it";
        co_return found;
      }
    }
    found.open_proof = co_await prove(talk);
    found.open = !found.open_proof.empty();
  }
  if (found.open || offers(*offer, kPassword)) {
    found.dialect = std::make_unique<VncLogin>(door, tls);
  } else if (offer->types.empty()) {
    found.other_login = "a VNC login that refuses: " + wire::printable(offer->refusal, 128);
  } else {
    found.other_login = "a VNC login of security type " + std::to_string(offer->types.front());
  }
  co_return found;
}

}  // namespace

}  // namespace vnc

asio::awaitable<Result<Detection>> detect_vnc(Door& door, bool tls) {
  return vnc::find(door, tls);
}

}  // namespace assay::probes::credentials
