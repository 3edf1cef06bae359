#include "probes/update/servers/pull_site.hpp"

#include <algorithm>
#include <utility>

#include "probes/images/suit.hpp"

namespace assay::probes::update {

std::string filled(std::string text, const Offer& offer, const std::string& url) {
  const std::pair<std::string_view, std::string> values[] = {{"{version}", offer.version},
                                                             {"{url}", url},
                                                             {"{size}", std::to_string(offer.told->size())},
                                                             {"{sha256}", offer.sha256}};
  for (const auto& [mark, value] : values) {
    for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + value.size())) {
      text.replace(at, mark.size(), value);
    }
  }
  return text;
}

namespace {

/// Of "coap://host/path?query", "/path" or "path".
std::string path_of(std::string_view address) {
  if (const auto scheme = address.find("://"); scheme != std::string_view::npos) {
    address.remove_prefix(scheme + 3);
    address.remove_prefix(std::min(address.find('/'), address.size()));
  }
  const auto path = address.substr(0, address.find_first_of("?#"));
  return (path.starts_with('/') ? "" : "/") + std::string{path};
}

/// How much of an image is its envelope. A change that left it as long as it was left it where it was, readable or not.
std::uint64_t envelope_size(const images::Source& image, const images::Source& genuine) {
  const auto own = images::suit_end(*genuine).value_or(genuine->size());
  return std::min(image->size() == genuine->size() ? own : images::suit_end(*image).value_or(own), image->size());
}

images::Source behind(const images::Source& image, std::uint64_t begin) {
  return std::make_shared<images::SliceSource>(image, begin, image->size() - begin);
}

Polled polled_envelope(const UpdateManifest& manifest, Offer& offer) {
  Polled out;
  const bool apart = images::suit_end(*offer.genuine).value_or(offer.genuine->size()) < offer.genuine->size();
  if (!apart) {
    out.image_path = manifest.path;
    return out;
  }
  // It says of one image what the other need not be: of what is told, not of what is given.
  const auto text = images::read_text(*offer.told, 0, envelope_size(offer.told, offer.genuine));
  out.manifest = text ? *text : std::string{};
  // An envelope that cannot be read any more is refused before its payload is asked for.
  auto addresses = images::suit_addresses(*offer.told);
  addresses = addresses.empty() ? images::suit_addresses(*offer.genuine) : addresses;
  out.image_path = addresses.empty() ? manifest.image_path : path_of(addresses.front());
  offer.image = behind(offer.image, envelope_size(offer.image, offer.genuine));
  offer.genuine = behind(offer.genuine, envelope_size(offer.genuine, offer.genuine));
  return out;
}

/// What the DUT file says of the manifest that is given with an offer; null: it is the newest.
const SignedManifest* other_manifest(const UpdateManifest& manifest, const Offer& offer) {
  const auto& others = offer.manifest == Given::expired ? manifest.expired : manifest.older;
  return offer.manifest == Given::newest || others.empty() ? nullptr : &others.front();
}

}  // namespace

const SignedText& given_with(const Offer& offer, const Files& files) {
  switch (offer.manifest) {
    case Given::expired:
      return files.expired_manifest;
    case Given::older:
      return files.older_manifest;
    default:
      return files.manifest;
  }
}

Polled polled(const UpdateManifest& manifest, const Files& files, Offer& offer, const std::string& url) {
  if (manifest.envelope) {
    return polled_envelope(manifest, offer);
  }
  auto text = manifest.body.empty() ? given_with(offer, files).text : filled(manifest.body, offer, url);
  text += offer.altered ? "\n" : "";
  const auto* other = other_manifest(manifest, offer);
  const bool elsewhere = other != nullptr && !other->image_path.empty();
  return {std::move(text), elsewhere ? other->image_path : manifest.image_path};
}

Result<images::Source> with_payload(images::Source envelope, images::Source payload) {
  const auto end = envelope->size();
  if (images::suit_end(*envelope) != std::optional{end}) {
    return Error{
        ErrorKind::bad_input, "an image with a payload beside it is a SUIT envelope, and this one is none", {}};
  }
  auto whole = images::EditedSource::make(std::move(envelope), {images::Edit{end, 0, std::move(payload)}});
  return whole ? Result<images::Source>{images::Source{*whole}} : whole.error();
}

Reply PullSite::answer(const wire::HttpAsked& asked, bool tls) {
  const auto path = asked.path();
  if (path == polled_.image_path) {
    return image(asked, tls);
  }
  if (path == manifest_.path) {
    return manifest();
  }
  if (!manifest_.signature_path.empty() && path == manifest_.signature_path && offer_.signature) {
    asked_signature = true;
    Reply reply;
    reply.text = given_with(offer_, files_).signature;
    return reply;
  }
  Reply reply;
  reply.status = 404;
  return reply;
}

Reply PullSite::manifest() const {
  Reply reply;
  reply.headers.push_back({"Content-Type", manifest_.envelope ? "application/octet-stream" : "application/json"});
  reply.headers.push_back({"Cache-Control", "no-store"});
  reply.text = polled_.manifest;
  return reply;
}

Reply PullSite::image(const wire::HttpAsked& asked, bool tls) {
  if (sent_on(offer_.behaviour, asked, tls, places_.elsewhere)) {
    return redirect_reply(places_.elsewhere + asked.path());
  }
  return image_reply(offer_, downloads_);
}

PullSite::Places places_of(const HttpServer& server, const Behaviour& behaviour, const std::string& image_path) {
  PullSite::Places out;
  out.url = server.origin(behaviour.url) + image_path;
  out.elsewhere = behaviour.redirect.empty() ? std::string{} : server.origin(behaviour.redirect);
  return out;
}

}  // namespace assay::probes::update
