#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "probes/wire/http.hpp"

namespace assay::probes::credentials {

/// What a server answers to wrong logins of HTTP Basic or Digest where that is not 401: a page, an error, a way to
/// another page. Learnt from logins that cannot be right, and compared with those that may be.
class HttpRefusals {
 public:
  /// The answer to a wrong login of that name.
  void learn(const wire::HttpResponse& response, std::string_view username);

  /// The answer to a login of that name is one of those, but for figures and the name in it.
  bool know(const wire::HttpResponse& response, std::string_view username) const;

  bool any() const { return !looks_.empty(); }

  /// Every one of them says no in words or asks for a password, so that none can be the page that is protected.
  bool plain() const;

  /// "status 302 to /error.html"
  std::string text() const;

 private:
  struct Look {
    int status = 0;
    std::string location{};
    std::string body{};    // without figures, and with kName for the name
    std::size_t size = 0;  // of the body as it came
    bool varies = false;   // the body was seen to be another each time, and says nothing
    bool says_no = false;
  };

  static Look look_of(const wire::HttpResponse& response, std::string_view username);
  static bool same_place(const Look& one, const Look& other);
  static bool same_page(const Look& known, const Look& seen, std::string_view username);
  bool leads_to_login(const Look& seen) const;

  std::vector<Look> looks_;
};

}  // namespace assay::probes::credentials
