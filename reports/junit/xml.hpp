#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace assay::reports {

using XmlAttributes = std::vector<std::pair<std::string_view, std::string>>;

/// Text for the content of an XML 1.0 element: hidden characters made visible, what XML has no place for replaced,
/// marks escaped. Line breaks stay.
std::string xml_text(std::string_view text);

/// The same for an attribute in double quotes: line breaks and tabs as references, or a reader would make them spaces.
std::string xml_attribute(std::string_view text);

/// Writes elements with their indent, one line each. Escapes every value and text.
class XmlWriter {
 public:
  explicit XmlWriter(std::ostream& out) : out_(out) {}

  void open(std::string_view element, const XmlAttributes& attributes);
  void close();

  /// An element without children, with text when there is some.
  void leaf(std::string_view element, const XmlAttributes& attributes, std::string_view text = {});

 private:
  void begin(std::string_view element, const XmlAttributes& attributes);

  std::ostream& out_;
  std::vector<std::string> open_;
};

}  // namespace assay::reports
