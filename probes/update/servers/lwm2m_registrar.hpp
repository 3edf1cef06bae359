#pragma once

#include <optional>
#include <string>

#include "probes/update/journal.hpp"
#include "probes/update/servers/coap_port.hpp"
#include "probes/wire/lwm2m.hpp"

/// The registration interface of an LwM2M server for one device.
namespace assay::probes::update {

class Registrar {
 public:
  struct Client {
    wire::Lwm2mRegistration told;
    std::string root;        // below which its objects lie
    std::uint16_t port = 0;  // that it came from and is asked at
    int number = 0;          // how many times anybody registered
    milliseconds at{0};
  };

  /// `endpoint`: whose registration is taken; empty: anybody's who may come here.
  Registrar(const Network& clock, Journal& journal, std::string endpoint)
      : clock_(clock), journal_(journal), endpoint_(std::move(endpoint)) {}

  /// Nothing for what is none of the interface.
  std::optional<CoapReply> answer(const wire::CoapMessage& request, std::uint16_t from);

  const std::optional<Client>& client() const { return client_; }

  /// It has to register anew.
  void forget() { client_.reset(); }

 private:
  CoapReply enroll(const wire::CoapMessage& request, std::uint16_t from);

  const Network& clock_;
  Journal& journal_;
  std::string endpoint_;
  std::optional<Client> client_;
  int registrations_ = 0;
};

}  // namespace assay::probes::update
