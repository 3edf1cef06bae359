#include "probes/images/fdt.hpp"

#include <algorithm>

#include "probes/images/scan.hpp"

namespace assay::images {

namespace {

constexpr std::size_t kHeader = 40;
constexpr std::uint32_t kBeginNode = 1;
constexpr std::uint32_t kEndNode = 2;
constexpr std::uint32_t kProperty = 3;
constexpr std::uint32_t kNop = 4;
constexpr std::size_t kMaximumName = 256;
constexpr std::size_t kMaximumValue = 4096;
constexpr std::size_t kMaximumNodes = 4096;
constexpr std::size_t kMaximumTokens = 32768;
constexpr std::size_t kMaximumDepth = 16;
constexpr std::size_t kMaximumStrings = 64 * 1024;

std::uint64_t aligned(std::uint64_t at) {
  return (at + 3) / 4 * 4;
}

/// Walks the tokens once; each function says false when the tree is broken there.
class Walk {
 public:
  Walk(const ByteSource& source, std::string strings, Fdt& out)
      : source_(source), strings_(std::move(strings)), out_(out) {}

  Result<> run() {
    at_ = out_.structure;
    for (bool more = true; more;) {
      if (out_.tokens.size() >= kMaximumTokens) {
        out_.doubts.emplace_back("the tree has more tokens than are looked at");
        return {};
      }
      const auto words = read_text(source_, at_, 12);
      if (!words) {
        return words.error();
      }
      const auto step = token(*words);
      if (!step) {
        return step.error();
      }
      more = *step;
    }
    out_.structure_end = at_;
    return {};
  }

 private:
  /// False at the end of the tree, with a doubt when that is not where it should be.
  Result<bool> token(const std::string& words) {
    const auto kind = words.size() < 4 ? 0 : big_u32(words, 0);
    switch (kind) {
      case kBeginNode:
        return begin_node();
      case kEndNode:
        return end_node();
      case kProperty:
        return property(words);
      case kNop:
        add(FdtToken::Kind::nop, at_ + 4, {});
        return true;
      case 9:
        add(FdtToken::Kind::end, at_ + 4, {});
        if (!open_.empty()) {
          out_.doubts.emplace_back("the tree ends within a node");
        }
        return false;
      default:
        out_.doubts.push_back("the tree is broken at byte " + std::to_string(at_));
        return false;
    }
  }

  void add(FdtToken::Kind kind, std::uint64_t end, std::string name) {
    out_.tokens.push_back({kind, at_, end, std::move(name)});
    at_ = end;
  }

  Result<bool> begin_node() {
    const auto text = read_text(source_, at_ + 4, kMaximumName);
    if (!text) {
      return text.error();
    }
    const auto length = text->find('\0');
    if (length == std::string::npos || open_.size() >= kMaximumDepth || out_.nodes.size() >= kMaximumNodes ||
        (open_.empty() && !out_.nodes.empty())) {
      out_.doubts.push_back("a node at byte " + std::to_string(at_) + " cannot be read");
      return false;
    }
    auto name = text->substr(0, length);
    auto path = open_.empty() ? std::string{"/"} : out_.nodes[open_.back()].path;
    if (!open_.empty()) {
      path += (path.size() > 1 ? "/" : "") + name;
    }
    open_.push_back(out_.nodes.size());
    out_.nodes.push_back({std::move(path), at_, 0, {}});
    add(FdtToken::Kind::begin_node, aligned(at_ + 4 + length + 1), std::move(name));
    return true;
  }

  Result<bool> end_node() {
    if (open_.empty()) {
      out_.doubts.emplace_back("the tree closes a node that is not open");
      return false;
    }
    out_.nodes[open_.back()].end = at_ + 4;
    open_.pop_back();
    add(FdtToken::Kind::end_node, at_ + 4, {});
    return true;
  }

  Result<bool> property(const std::string& words) {
    FdtProperty one{{}, at_, at_ + 12, big_u32(words, 4), {}};
    const auto name = big_u32(words, 8);
    if (words.size() < 12 || open_.empty() || name >= strings_.size() || one.value + one.length > source_.size()) {
      out_.doubts.push_back("a property at byte " + std::to_string(at_) + " cannot be read");
      return false;
    }
    one.name = until_nul(std::string_view{strings_}.substr(name, kMaximumName));
    if (one.length <= kMaximumValue) {
      auto value = read_text(source_, one.value, one.length);
      if (!value) {
        return value.error();
      }
      one.bytes = std::move(*value);
    }
    const auto end = aligned(one.value + one.length);
    add(FdtToken::Kind::property, end, one.name);
    out_.nodes[open_.back()].properties.push_back(std::move(one));
    return true;
  }

  const ByteSource& source_;
  std::string strings_;
  Fdt& out_;
  std::uint64_t at_ = 0;
  std::vector<std::size_t> open_;
};

}  // namespace

std::uint32_t FdtProperty::cell() const {
  return big_u32(bytes, 0);
}

std::string FdtProperty::text() const {
  return std::string{until_nul(bytes)};
}

std::vector<std::string> FdtProperty::texts() const {
  std::vector<std::string> out;
  for (std::string_view rest = bytes; !rest.empty();) {
    const auto one = until_nul(rest);
    out.emplace_back(one);
    rest.remove_prefix(std::min(one.size() + 1, rest.size()));
  }
  return out;
}

const FdtProperty* FdtNode::property(std::string_view wanted) const {
  const auto found =
      std::find_if(properties.begin(), properties.end(), [&](const FdtProperty& one) { return one.name == wanted; });
  return found == properties.end() ? nullptr : &*found;
}

std::string FdtNode::name() const {
  return path.substr(path.rfind('/') + 1);
}

std::string FdtNode::parent() const {
  const auto slash = path.rfind('/');
  return slash == 0 ? std::string{"/"} : path.substr(0, slash);
}

const FdtNode* Fdt::node(std::string_view path) const {
  const auto found = std::find_if(nodes.begin(), nodes.end(), [&](const FdtNode& one) { return one.path == path; });
  return found == nodes.end() ? nullptr : &*found;
}

Result<Fdt> read_fdt(const ByteSource& source) {
  const auto header = read_text(source, 0, kHeader);
  if (!header) {
    return header.error();
  }
  Fdt out;
  out.total = big_u32(*header, 4);
  out.structure = big_u32(*header, 8);
  out.strings = big_u32(*header, 12);
  out.strings_size = std::min<std::uint64_t>(big_u32(*header, 32), kMaximumStrings);
  if (header->size() < kHeader || out.structure < kHeader || out.strings < kHeader) {
    out.doubts.emplace_back("the header of the tree does not fit the image");
    return out;
  }
  if (out.total > source.size()) {
    out.doubts.push_back("the tree says that it has " + std::to_string(out.total) + " bytes, more than the image");
  }
  auto strings = read_text(source, out.strings, out.strings_size);
  if (!strings) {
    return strings.error();
  }
  out.structure_end = out.structure;
  Walk walk{source, std::move(*strings), out};
  if (const auto walked = walk.run(); !walked) {
    return walked.error();
  }
  return out;
}

}  // namespace assay::images
