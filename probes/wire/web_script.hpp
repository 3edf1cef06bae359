#pragma once

#include <string>
#include <string_view>
#include <vector>

/// The calls that the scripts and the descriptions of a web interface name: what a page does beyond its links.
namespace assay::wire {

struct WebScript {
  std::string source;     // entities resolved; empty: the text stands in the page
  std::string_view text;  // of the page that was given
};

/// The scripts of a page in their order, at most `most`.
std::vector<WebScript> html_scripts(std::string_view html, std::size_t most);

/// Texts in quotes that are paths of this place as they stand ("/api/status"), each once, at most `most`. Not those
/// that a script puts together, and none longer than 256 bytes.
std::vector<std::string> script_paths(std::string_view script, std::size_t most);

/// A script, or a page with one, keeps something where sessions are kept: in a cookie, or in the browser's storage.
bool keeps_sessions(std::string_view script);

/// Paths without parameters that an OpenAPI or Swagger document in JSON lets be asked for by GET, below its base, each
/// once, at most `most`. None for what is no such document.
std::vector<std::string> described_paths(std::string_view document, std::size_t most);

}  // namespace assay::wire
