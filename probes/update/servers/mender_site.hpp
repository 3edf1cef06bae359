#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "probes/update/servers/server.hpp"
#include "probes/wire/mender.hpp"

/// The server's side of the device API of Mender: a token, the next deployment, the artifact, status and log,
/// inventory. Every device is accepted, and told that the artifact is for its type.
namespace assay::probes::update {

/// What lasts longer than an offer.
struct Acquaintance {
  std::string token;
  std::string identity{};  // the device's own words, once it asked for the token
};

/// A token that nobody guesses, in the form of a JWT without a signature.
std::string mender_token();

class MenderSite final : public Site {
 public:
  /// `id` of the deployment, `name` of the artifact. `server` and `device` must outlive it.
  MenderSite(HttpServer& server, Offer offer, std::string id, std::string name, Acquaintance& device)
      : server_(server), offer_(std::move(offer)), id_(std::move(id)), name_(std::move(name)), device_(device) {}

  Reply answer(const wire::HttpAsked& asked, bool tls) override;

  /// The last words of the deployment's log; empty: none came.
  const std::string& words() const { return words_; }

  /// Each status once, in the order in which they came first.
  const std::vector<std::string>& statuses() const { return statuses_; }

  const std::string& last() const { return last_; }

  /// The device is done with the deployment.
  bool over() const { return last_ == "success" || last_ == "failure" || last_ == "already-installed"; }

 private:
  Reply admit(const wire::HttpAsked& asked);
  Reply next(const wire::MenderDevice& device) const;
  Reply hear(std::string_view what, const std::string& body);

  HttpServer& server_;
  Offer offer_;
  std::string id_;
  std::string name_;
  Acquaintance& device_;
  int downloads_ = 0;
  std::string words_;
  std::vector<std::string> statuses_;
  std::string last_;
};

}  // namespace assay::probes::update
