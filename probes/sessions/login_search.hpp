#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "probes/wire/http.hpp"

/// Where a web interface asks for its login, if its first page does not.
namespace assay::sessions {

/// Pages of one endpoint that may ask for a login, the likeliest first: where a page sends a browser by itself, links
/// that name a login, frames, then other links, as a visitor may follow them without doing anything. Pure.
class LoginSearch {
 public:
  static constexpr std::size_t kMostPages = 8;  // beside the first one

  LoginSearch(std::string address, std::uint16_t port, bool tls)
      : address_(std::move(address)), port_(port), tls_(tls) {}

  /// What a page leads to.
  void take(const wire::HttpResponse& page, const std::string& path);

  /// The likeliest page that was not asked for yet. Nothing: there is none, or enough were.
  std::optional<std::string> next();

  /// What pages may hold that cannot be read of them, a login among it; empty: nothing.
  std::string unread() const;

  /// Why a login may stand where none was found, with the pages that were looked at; empty: it would have been seen.
  std::string doubt() const;

 private:
  struct Lead {
    std::string path;
    int rank = 0;  // the lower the likelier
  };

  void add(const std::string& target, const std::string& from, int rank);
  void doubt_if(bool is, const std::string& why);

  std::string address_;
  std::uint16_t port_;
  bool tls_;
  std::vector<std::string> unread_;  // what of the pages cannot be read, each once
  std::vector<std::string> looked_;  // at these, in their order
  std::set<std::string> known_;      // paths that were asked for or wait
  std::vector<Lead> leads_;
  std::size_t asked_ = 0;
};

}  // namespace assay::sessions
