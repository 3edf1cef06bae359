#include "reports/junit/xml.hpp"

#include <ostream>

#include "harness/model/display.hpp"

namespace assay::reports {

std::string xml_text(std::string_view text) {
  const auto visible = displayable_text(text);
  std::string out;
  out.reserve(visible.size());
  for (std::size_t at = 0; at < visible.size(); ++at) {
    const char c = visible[at];
    const auto rest = std::string_view{visible}.substr(at, 3);
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";  // so that "]]>" cannot end anything
    } else if (c == '"') {
      out += "&quot;";
    } else if (rest == "\xEF\xBF\xBE" || rest == "\xEF\xBF\xBF") {
      out += "\xEF\xBF\xBD";  // U+FFFE and U+FFFF are not XML 1.0 characters
      at += 2;
    } else if (static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t') {
      out += c;
    }
  }
  return out;
}

std::string xml_attribute(std::string_view text) {
  std::string out;
  for (const char c : xml_text(text)) {
    if (c == '\n') {
      out += "&#10;";
    } else if (c == '\t') {
      out += "&#9;";
    } else {
      out += c;
    }
  }
  return out;
}

void XmlWriter::begin(std::string_view element, const XmlAttributes& attributes) {
  out_ << std::string(open_.size() * 2, ' ') << '<' << element;
  for (const auto& [name, value] : attributes) {
    out_ << ' ' << name << "=\"" << xml_attribute(value) << '"';
  }
}

void XmlWriter::open(std::string_view element, const XmlAttributes& attributes) {
  begin(element, attributes);
  out_ << ">\n";
  open_.emplace_back(element);
}

void XmlWriter::close() {
  const auto element = open_.back();
  open_.pop_back();
  out_ << std::string(open_.size() * 2, ' ') << "</" << element << ">\n";
}

void XmlWriter::leaf(std::string_view element, const XmlAttributes& attributes, std::string_view text) {
  begin(element, attributes);
  if (text.empty()) {
    out_ << "/>\n";
  } else {
    out_ << '>' << xml_text(text) << "</" << element << ">\n";
  }
}

}  // namespace assay::reports
