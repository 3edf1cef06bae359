#pragma once

#include <map>
#include <set>
#include <string>

#include "probes/web_session/visit.hpp"

/// The pages that links lead to, for one user.
namespace assay::probes::web_session {

/// What can be done with a page.
enum class Kind : std::uint8_t {
  form,  // it sends something: a function
  data,  // JSON: the answer of a call
  text,  // it shows something
};
BOOST_DESCRIBE_ENUM(Kind, form, data, text)

struct Found {
  Page page;
  Kind kind = Kind::text;
};

struct Crawled {
  std::map<std::string, Found> pages;  // by path, those that were shown
  std::set<std::string> led_to;        // every path that a link named
  std::set<std::string> named;         // calls that scripts and descriptions of an API name
  std::set<std::string> left_out;      // links and calls that say that they change something
  std::size_t bytes = 0;
  bool whole = true;  // false: a bound was met before the links came to an end, or something did not come
};

/// A call that may, as scripts and descriptions name it: nobody meant it to be asked for by itself, so a verb in any of
/// its parts or a query is enough.
bool is_risky_call(const std::string& path);

/// Follows links of this endpoint, and what its scripts and descriptions of an API name, by GET from the given paths,
/// each once. Scripts count as pages do. Errors only for what ends the probe.
asio::awaitable<Result<Crawled>> crawl(Visit& visit, WebUser& user, std::vector<std::string> from, milliseconds until);

Kind kind_of(const Page& page);

}  // namespace assay::probes::web_session
