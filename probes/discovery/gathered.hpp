#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "harness/model/json.hpp"
#include "harness/probe/network.hpp"
#include "probes/wire/bytes.hpp"
#include "probes/wire/dns.hpp"
#include "probes/wire/ssdp.hpp"
#include "probes/wire/wsd.hpp"

/// What the device told so far, put together from its datagrams. Pure. Every text that comes out is printable ASCII.
namespace assay::probes::discovery {

constexpr std::string_view kServiceTypes = "_services._dns-sd._udp.local";

/// Text of the device as it may be shown, at most 512 bytes of it.
inline std::string shown(std::string_view text) {
  return wire::printable(text, 512);
}

/// mDNS and DNS-SD. Names are compared without regard to case (RFC 6762, 16).
class MdnsPicture {
 public:
  /// Takes the records of a response; false when the datagram is none.
  bool take(std::string_view datagram);

  /// What is still to be asked, at most 24 questions, each once in the life of the picture.
  std::vector<wire::DnsQuestion> open_questions();

  /// Host names as they were announced, at most 32.
  std::vector<std::string> host_names() const;

  json::object fact() const;
  void tell(json::array& into) const;

 private:
  struct Service {
    std::string name;  // "Hub._http._tcp.local"
    std::string type;  // "_http._tcp.local"
    std::string host;
    std::uint16_t port = 0;
    bool located = false;
    std::vector<std::string> texts;
    bool described = false;
  };

  struct Host {
    std::string name;
    std::set<std::string> addresses;
  };

  void take_record(const wire::DnsRecord& record);
  void note_type(const std::string& name);
  Service* service(const std::string& name, const std::string& type);
  Host* host(const std::string& name);
  void want(std::vector<wire::DnsQuestion>& into, const std::string& name, std::uint16_t type);

  std::map<std::string, std::string> types_;  // by lower-case name
  std::map<std::string, Service> services_;
  std::map<std::string, Host> hosts_;
  std::set<std::pair<std::string, std::uint16_t>> asked_;
};

struct SsdpDescription {
  std::string location;
  int status = 0;  // of HTTP; 0: no answer, with the reason
  std::string reason;
  std::vector<wire::UpnpDevice> devices;
};

class SsdpPicture {
 public:
  bool take(std::string_view datagram);

  /// Distinct locations as they came, at most 16.
  const std::vector<std::string>& locations() const { return locations_; }

  std::vector<SsdpDescription> descriptions;
  std::vector<std::string> elsewhere;  // locations that are not the device's own address

  json::object fact() const;
  void tell(json::array& into) const;

 private:
  std::map<std::string, wire::SsdpMessage> announced_;  // by USN and target
  std::vector<std::string> locations_;
};

class WsdPicture {
 public:
  bool take(std::string_view datagram);
  json::array fact() const;
  void tell(json::array& into) const;

 private:
  std::vector<wire::WsdMatch> matches_;
};

class LlmnrPicture {
 public:
  bool take(std::string_view datagram);
  json::array fact() const;
  void tell(json::array& into) const;

 private:
  std::map<std::string, json::object> answers_;
};

}  // namespace assay::probes::discovery
