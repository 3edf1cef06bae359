#pragma once

#include <string>
#include <vector>

#include "harness/probe/network.hpp"

/// The datagrams that this probe sends.
namespace assay::probes::discovery {

/// The first round: service types and the name behind the device's address by mDNS, everything by SSDP and
/// WS-Discovery, and the name behind the address by LLMNR.
std::vector<GroupQuestion> first_questions(std::string_view address, int wait_s);

/// The question of one protocol for the device's own port. What a responder makes of it differs; a refusal of the port
/// tells that no responder is there.
GroupQuestion direct_question(DiscoveryGroup group, std::string_view address);

/// Asks the LLMNR group for the addresses of a host name; at most its first label is asked.
std::vector<GroupQuestion> llmnr_questions(std::string_view host_name);

std::uint16_t port_of(DiscoveryGroup group);

Bytes to_bytes(std::string_view text);

}  // namespace assay::probes::discovery
