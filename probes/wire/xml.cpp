#include "probes/wire/xml.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <utility>

#include "probes/wire/bytes.hpp"

namespace assay::wire {

namespace {

constexpr std::size_t kMaximumDocument = 256U << 10U;
constexpr std::size_t kMaximumEvents = 4096;
constexpr std::size_t kMaximumDepth = 32;
constexpr std::size_t kMaximumText = 4096;
constexpr std::size_t kMaximumName = 128;
constexpr std::size_t kLongestEntity = 10;
constexpr std::string_view kCdata = "<![CDATA[";

void put_utf8(std::string& out, std::uint32_t code) {
  if (code < 0x80) {
    put_u8(out, code);
  } else if (code < 0x800) {
    put_u8(out, 0xc0U | code >> 6U);
    put_u8(out, 0x80U | (code & 0x3fU));
  } else if (code < 0x10000) {
    put_u8(out, 0xe0U | code >> 12U);
    put_u8(out, 0x80U | (code >> 6U & 0x3fU));
    put_u8(out, 0x80U | (code & 0x3fU));
  } else if (code < 0x110000) {
    put_u8(out, 0xf0U | code >> 18U);
    put_u8(out, 0x80U | (code >> 12U & 0x3fU));
    put_u8(out, 0x80U | (code >> 6U & 0x3fU));
    put_u8(out, 0x80U | (code & 0x3fU));
  }
}

/// "amp", "#65", "#x41"; false when it is none of those.
bool put_entity(std::string& out, std::string_view name) {
  constexpr std::pair<std::string_view, char> kKnown[] = {
      {"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
  for (const auto& [known, character] : kKnown) {
    if (name == known) {
      out += character;
      return true;
    }
  }
  if (!name.starts_with('#')) {
    return false;
  }
  name.remove_prefix(1);
  const bool hexadecimal = name.starts_with('x') || name.starts_with('X');
  name.remove_prefix(hexadecimal ? 1 : 0);
  std::uint32_t code = 0;
  const auto [end, failed] = std::from_chars(name.data(), name.data() + name.size(), code, hexadecimal ? 16 : 10);
  if (name.empty() || failed != std::errc{} || end != name.data() + name.size()) {
    return false;
  }
  put_utf8(out, code);
  return true;
}

void add_text(std::string& to, std::string_view raw, bool entities) {
  while (!raw.empty() && to.size() < kMaximumText) {
    const auto mark = entities ? raw.find('&') : std::string_view::npos;
    to += raw.substr(0, std::min(mark, kMaximumText - to.size()));
    if (mark == std::string_view::npos) {
      return;
    }
    raw.remove_prefix(mark + 1);
    const auto end = raw.substr(0, kLongestEntity).find(';');
    if (end == std::string_view::npos || !put_entity(to, raw.substr(0, end))) {
      to += '&';
      continue;
    }
    raw.remove_prefix(end + 1);
  }
}

std::string local_name(std::string_view tag) {
  auto name = tag.substr(0, tag.find_first_of(" \t\r\n/"));
  if (const auto colon = name.rfind(':'); colon != std::string_view::npos) {
    name.remove_prefix(colon + 1);
  }
  return std::string{name.substr(0, kMaximumName)};
}

/// The end of a start tag, which may hold '>' inside quotes.
std::size_t end_of_tag(std::string_view rest) {
  char quote = '\0';
  for (std::size_t i = 1; i < rest.size(); ++i) {
    if (quote != '\0') {
      quote = rest[i] == quote ? '\0' : quote;
    } else if (rest[i] == '"' || rest[i] == '\'') {
      quote = rest[i];
    } else if (rest[i] == '>') {
      return i;
    }
  }
  return std::string_view::npos;
}

class Scanner {
 public:
  std::vector<XmlEvent> scan(std::string_view rest) {
    while (!rest.empty() && events_.size() < kMaximumEvents) {
      const auto mark = rest.find('<');
      text(rest.substr(0, mark), true);
      if (mark == std::string_view::npos) {
        break;
      }
      rest.remove_prefix(mark);
      rest.remove_prefix(markup(rest));
    }
    while (!open_.empty() && events_.size() < 2 * kMaximumEvents) {
      close();
    }
    return std::move(events_);
  }

 private:
  struct Open {
    std::string name;
    std::string text;
  };

  void text(std::string_view raw, bool entities) {
    if (!open_.empty() && skipped_ == 0) {
      add_text(open_.back().text, raw, entities);
    }
  }

  /// Reads what begins with '<' and returns its length.
  std::size_t markup(std::string_view rest) {
    const auto behind = [&](std::string_view end, std::size_t from) {
      const auto found = rest.find(end, from);
      return found == std::string_view::npos ? rest.size() : found + end.size();
    };
    if (rest.starts_with("<!--")) {
      return behind("-->", 4);
    }
    if (rest.starts_with(kCdata)) {
      const auto size = behind("]]>", kCdata.size());
      const auto end = rest.find("]]>", kCdata.size());
      text(rest.substr(kCdata.size(), end == std::string_view::npos ? end : end - kCdata.size()), false);
      return size;
    }
    if (rest.starts_with("<?")) {
      return behind("?>", 2);
    }
    const auto end = end_of_tag(rest);
    if (end == std::string_view::npos) {
      return rest.size();
    }
    const auto tag = rest.substr(1, end - 1);
    if (tag.starts_with('/')) {
      close_until(local_name(tag.substr(1)));
    } else if (!tag.starts_with('!')) {
      open(local_name(tag), tag.ends_with('/'));
    }
    return end + 1;
  }

  void open(std::string name, bool empty) {
    if (open_.size() >= kMaximumDepth) {
      skipped_ += empty ? 0 : 1;
      return;
    }
    events_.push_back({true, name, {}});
    open_.push_back({std::move(name), {}});
    if (empty) {
      close();
    }
  }

  void close() {
    events_.push_back({false, std::move(open_.back().name), std::string{trim(open_.back().text)}});
    open_.pop_back();
  }

  void close_until(const std::string& name) {
    if (skipped_ > 0) {
      --skipped_;
      return;
    }
    const auto fits = std::find_if(open_.rbegin(), open_.rend(), [&](const auto& entry) { return entry.name == name; });
    if (fits == open_.rend()) {
      return;
    }
    for (auto count = fits - open_.rbegin() + 1; count > 0; --count) {
      close();
    }
  }

  std::vector<XmlEvent> events_;
  std::vector<Open> open_;
  std::size_t skipped_ = 0;  // elements open below the greatest depth
};

}  // namespace

std::vector<XmlEvent> xml_events(std::string_view document) {
  return Scanner{}.scan(document.substr(0, kMaximumDocument));
}

}  // namespace assay::wire
