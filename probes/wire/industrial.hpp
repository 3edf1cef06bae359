#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "probes/wire/bytes.hpp"

/// Automation protocols over TCP, as far as a question that changes nothing goes: Modbus/TCP (Modbus Application
/// Protocol 1.1b3, function 43/14) and the hello of OPC UA (OPC 10000-6, 7.1.2).
namespace assay::wire {

/// Read Device Identification, basic objects, to unit 1.
std::string modbus_identify(std::uint16_t transaction);

struct ModbusReply {
  std::uint8_t unit = 0;
  std::uint8_t function = 0;   // with the high bit set: an exception
  std::uint8_t exception = 0;  // 0: none
  std::vector<std::pair<std::uint8_t, std::string>> objects;

  /// 0 vendor, 1 product code, 2 revision; empty when not given.
  std::string object(std::uint8_t id) const;
};

struct ModbusParse {
  Parse state = Parse::malformed;
  ModbusReply reply;
};

/// The answer to our question: its transaction, protocol 0, function 43 or its exception, lengths that agree.
ModbusParse parse_modbus(std::string_view bytes, std::uint16_t transaction);

/// Hello to an endpoint URL such as "opc.tcp://192.0.2.1:4840".
std::string opcua_hello(std::string_view url);

struct OpcuaReply {
  bool acknowledged = false;  // false: an error
  std::uint32_t version = 0;  // of the protocol; of an error its status code
  std::string reason;         // of an error
};

struct OpcuaParse {
  Parse state = Parse::malformed;
  OpcuaReply reply;
};

OpcuaParse parse_opcua(std::string_view bytes);

}  // namespace assay::wire
