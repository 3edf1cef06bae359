#pragma once

#include <string>
#include <vector>

#include <boost/describe.hpp>

namespace assay {

/// One way to know a product: a pattern on a named field of what a service said (docs/dut-format.md).
struct Fingerprint {
  std::string field;    // banner, server, title, software, comment, product, realm, version_bind
  std::string pattern;  // the whole field; `*` any text, `{version}` and `{update}` are taken out
  std::string product;
  std::string cpe;      // CPE 2.3 with the same marks; empty where no name is certain
  std::string os_hint;  // empty: none

  bool operator==(const Fingerprint&) const = default;
};
BOOST_DESCRIBE_STRUCT(Fingerprint, (), (field, pattern, product, cpe, os_hint))

}  // namespace assay
