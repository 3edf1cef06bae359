#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "probes/wire/coap.hpp"

/// What OMA LwM2M 1.0 to 1.2 puts into CoAP: registrations, and values of single resources.
namespace assay::wire {

constexpr std::uint32_t kPlainText = 0;
constexpr std::uint32_t kOpaque = 42;
constexpr std::uint32_t kLwm2mTlv = 11542;

/// A registration as the client sends it (LwM2M 1.1, 6.2.1); nothing of it is checked.
struct Lwm2mRegistration {
  std::string endpoint;
  std::string version;  // lwm2m
  std::string binding;  // b
  std::uint32_t lifetime_s = 86400;
  std::string objects;  // links, as sent
};

Lwm2mRegistration read_lwm2m_registration(const CoapMessage& request);

/// The path below which the client's objects lie: "/lwm2m" of `</lwm2m>;rt="oma.lwm2m"`, mostly empty.
std::string lwm2m_root(std::string_view links);

/// Whether the links name an object below the root: "</5/0>", or the object alone.
bool has_lwm2m_object(std::string_view links, unsigned object);

/// The value of the one resource that was read, as text: what is plain as it is; of TLV, a number of 1, 2, 4 or 8 bytes
/// as a number when `number` is asked for, else the bytes. Nothing for other formats and what is broken.
std::optional<std::string> lwm2m_value(const CoapMessage& answer, bool number);

}  // namespace assay::wire
