#include "probes/update/pull_site.hpp"

#include <utility>

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

Reply PullSite::answer(const wire::HttpAsked& asked, bool tls) {
  const auto path = asked.path();
  if (path == manifest_.path) {
    return manifest();
  }
  if (!manifest_.signature_path.empty() && path == manifest_.signature_path && offer_.signature) {
    asked_signature = true;
    Reply reply;
    reply.text = files_.signature;
    return reply;
  }
  if (path == manifest_.image_path) {
    return image(asked, tls);
  }
  Reply reply;
  reply.status = 404;
  return reply;
}

Reply PullSite::manifest() const {
  Reply reply;
  reply.headers.push_back({"Content-Type", "application/json"});
  reply.headers.push_back({"Cache-Control", "no-store"});
  reply.text = manifest_.body.empty() ? files_.manifest : filled(manifest_.body, offer_, places_.url);
  return reply;
}

Reply PullSite::image(const wire::HttpAsked& asked, bool tls) {
  if (sent_on(offer_.behaviour, asked, tls, places_.elsewhere)) {
    return redirect_reply(places_.elsewhere);
  }
  return image_reply(offer_, downloads_);
}

PullSite::Places places_of(const HttpServer& server, const Behaviour& behaviour, const std::string& image_path) {
  PullSite::Places out;
  out.url = server.origin(behaviour.url) + image_path;
  out.elsewhere = behaviour.redirect.empty() ? std::string{} : server.origin(behaviour.redirect) + image_path;
  return out;
}

}  // namespace assay::probes::update
