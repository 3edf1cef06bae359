#pragma once

#include <string>

#include "probes/update/servers/server.hpp"

/// What a device finds at our server when it comes to look, or because it was told to: a manifest, its signature, the
/// image.
namespace assay::probes::update {

/// A manifest or an announcement of an offer: {version}, {url}, {size} and {sha256} filled in.
std::string filled(std::string text, const Offer& offer, const std::string& url);

/// The maker's manifest that is given with an offer.
const SignedText& given_with(const Offer& offer, const Files& files);

/// What a device finds that polls.
struct Polled {
  std::string manifest;    // as it is given
  std::string image_path;  // the image lies there; where the manifest is polled, when it is all that there is
};

/// Of an offer, whose image is what lies beside an envelope afterwards. `url` is where the image lies.
Polled polled(const UpdateManifest& manifest, const Files& files, Offer& offer, const std::string& url);

/// What a maker gives apart: the envelope, and behind it the payload that it leaves out.
Result<images::Source> with_payload(images::Source envelope, images::Source payload);

class PullSite final : public Site {
 public:
  struct Places {
    std::string url;        // where the manifest says that the image is
    std::string elsewhere;  // who the image is redirected to; empty: nobody
  };

  /// `manifest` and `files` must outlive it.
  PullSite(const UpdateManifest& manifest, const Files& files, Offer offer, Places places)
      : manifest_(manifest),
        files_(files),
        offer_(std::move(offer)),
        places_(std::move(places)),
        polled_(polled(manifest_, files_, offer_, places_.url)) {}

  Reply answer(const wire::HttpAsked& asked, bool tls) override;

  bool asked_signature = false;

 private:
  Reply manifest() const;
  Reply image(const wire::HttpAsked& asked, bool tls);

  const UpdateManifest& manifest_;
  const Files& files_;
  Offer offer_;
  Places places_;
  Polled polled_;
  int downloads_ = 0;
};

/// Of an offer at a server of ours.
PullSite::Places places_of(const HttpServer& server, const Behaviour& behaviour, const std::string& image_path);

}  // namespace assay::probes::update
