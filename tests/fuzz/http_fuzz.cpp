#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "probes/wire/html.hpp"
#include "probes/wire/html_tags.hpp"
#include "probes/wire/http.hpp"
#include "probes/wire/http_auth.hpp"
#include "probes/wire/login_form.hpp"
#include "probes/wire/web_page.hpp"
#include "probes/wire/web_script.hpp"

using namespace assay::wire;

/// Responses in one piece and in pieces of the first byte's size must read the same; nothing grows beyond its bound.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::size_t piece = 1 + data[0] % 64U;
  const std::string_view bytes{reinterpret_cast<const char*>(data + 1), size - 1};
  HttpReader whole;
  whole.feed(bytes);
  whole.finish();
  HttpReader parts;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    parts.feed(bytes.substr(at, piece));
  }
  parts.finish();
  HttpReader first;
  first.expect_more();
  if (first.feed(bytes) == HttpReader::State::done && first.take_rest().size() >= bytes.size()) {
    std::abort();
  }
  const auto& response = whole.response();
  if (whole.state() != parts.state() || response.status != parts.response().status ||
      response.body != parts.response().body || response.headers.size() != parts.response().headers.size() ||
      response.body.size() > (256U << 10U) || response.headers.size() > 256) {
    std::abort();
  }
  for (const auto& header : response.headers) {
    const auto challenges = parse_challenges(header.value);
    if (challenges.size() > 16) {
      std::abort();
    }
    const auto place = http_location(header.value, "/a/b");
    if (place && !place->path.starts_with('/')) {
      std::abort();
    }
    const auto cookie = parse_set_cookie(header.value);
    if (cookie && (cookie->name.empty() || cookie->name.size() + cookie->value.size() > header.value.size())) {
      std::abort();
    }
  }
  find_password_form(response.body);
  const auto form = find_login_form(bytes);
  if ((form && (form->fields.size() > 64 || form->password_field.empty())) || html_pages(bytes, 4).size() > 4) {
    std::abort();
  }
  if ((form && !shows_form(bytes, *form)) || find_captcha(bytes).size() > 512) {
    std::abort();  // a page shows its own form
  }
  const auto base = html::base_of(bytes);
  if (base.size() > html::kMaximumTag || !html::from_base(base, "").empty() ||
      !html::from_base(base, bytes.substr(0, 64)).ends_with(bytes.substr(0, 64))) {
    std::abort();  // what is written last in an address is the reference
  }
  goes_in_clear(form ? form->action : bytes, true);
  const auto forms = html_forms(bytes, 8);
  const auto links = html_links(bytes, 8);
  if (forms.size() > 8 || links.size() > 8) {
    std::abort();
  }
  for (const auto& one : forms) {
    if (one.fields.size() > 64 || one.hidden.size() > 64) {
      std::abort();
    }
  }
  const auto scripts = html_scripts(bytes, 8);
  const auto paths = script_paths(bytes, 8);
  const auto described = described_paths(bytes, 8);
  if (scripts.size() > 8 || paths.size() > 8 || described.size() > 8) {
    std::abort();
  }
  for (const auto& path : paths) {
    if (path.size() > 256 || !path.starts_with('/') || bytes.find(path) == std::string_view::npos) {
      std::abort();
    }
  }
  for (html::Tags tags{bytes}; tags.next();) {
    if (html::attribute(tags.inside(), "name").size() > html::kMaximumTag) {
      std::abort();
    }
  }
  html_title(bytes);
  browser_redirect(response);
  return 0;
}
