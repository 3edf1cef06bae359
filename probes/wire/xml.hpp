#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace assay::wire {

/// One step through a document.
struct XmlEvent {
  bool open = false;  // else the element ends, and `text` is its own text without that of its children
  std::string name;   // without the namespace's prefix
  std::string text;
};

/// Reads the elements and texts of an XML document the way devices write them: attributes, comments, processing
/// instructions and document types are passed over, nothing is ever fetched or defined (no entities but the five of XML
/// and numbers), end tags that do not fit close what is open. Bounded: 256 KiB, 4096 events, depth 32, 4 KiB of text
/// for an element. What comes after a bound is left out.
std::vector<XmlEvent> xml_events(std::string_view document);

}  // namespace assay::wire
