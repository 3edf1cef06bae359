#include "harness/load/yaml.hpp"

#include <algorithm>
#include <istream>
#include <map>
#include <set>
#include <streambuf>
#include <unordered_map>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include "harness/load/words.hpp"

namespace assay {

namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kCoreTags = "tag:yaml.org,2002:";

/// Ends the parse from inside a handler; never leaves this file.
struct Refused {
  Place place;
  std::string what;
};

/// Byte positions of yaml-cpp -> places in characters.
class Places {
 public:
  explicit Places(std::string_view text) : text_(text) {
    starts_.push_back(0);
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\n') {
        starts_.push_back(i + 1);
      }
    }
  }

  Place at(std::size_t offset) const {
    offset = std::min(offset, text_.size());
    const auto next = std::upper_bound(starts_.begin(), starts_.end(), offset);
    const auto line = static_cast<std::size_t>(next - starts_.begin());
    // Places are asked for in order: counting goes on from the last one, or a file of one long line costs its square.
    if (line != last_.line || offset < last_offset_) {
      last_ = {line, 1};
      last_offset_ = starts_[line - 1];
    }
    last_.column += characters(text_.substr(last_offset_, offset - last_offset_));
    last_offset_ = offset;
    return last_;
  }

 private:
  std::string_view text_;
  std::vector<std::size_t> starts_;
  mutable Place last_;
  mutable std::size_t last_offset_ = 0;
};

/// How large a finished subtree is: what an alias to it costs.
struct Size {
  std::size_t nodes = 1;
  std::size_t bytes = 0;
  std::size_t height = 1;

  void contain(const Size& other) {
    nodes += other.nodes;
    bytes += other.bytes;
    height = std::max(height, other.height + 1);
  }
};

class Builder : public YAML::EventHandler {
 public:
  Builder(const Places& places, Faults& faults, const YamlLimits& limits)
      : places_(places), faults_(faults), limits_(limits) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0) {
      refuse(mark, "the file goes on after its first document: write one document a file, without a second \"---\"");
    }
  }

  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    push(Node::Kind::null, mark, "?", anchor);
    pop();
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (value.find('\0') != std::string::npos) {
      refuse(mark, "text must not contain a NUL character");
    }
    auto& open = push(Node::Kind::scalar, mark, tag, anchor);
    open.node.text = value;
    open.node.quoted = tag == "!" || tag == std::string{kCoreTags} + "str";
    open.size.bytes = value.size();
    if (tag == std::string{kCoreTags} + "null") {
      open.node.kind = Node::Kind::null;
    }
    pop();
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    push(Node::Kind::list, mark, tag, anchor);
  }

  void OnSequenceEnd() override { pop(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    push(Node::Kind::mapping, mark, tag, anchor);
  }

  void OnMapEnd() override {
    check_duplicates(stack_.back().node);
    pop();
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) {
      refuse(mark, "this alias stands inside the value it names");
    }
    const auto& [node, size] = found->second;
    if (stack_.size() + size.height > limits_.depth) {
      refuse(mark, too_deep());
    }
    count(mark, size.nodes, size.bytes);
    attach(mark, node, size);
  }

  std::optional<Node> take() { return std::move(root_); }

 private:
  struct Open {
    Node node;
    Size size;
    YAML::anchor_t anchor = 0;
    std::optional<KeyMark> key;  // mapping: read, its value not yet
    YAML::Mark mark;
  };

  Place place(const YAML::Mark& mark) const {
    return places_.at(mark.pos < 0 ? 0 : static_cast<std::size_t>(mark.pos));
  }

  [[noreturn]] void refuse(const YAML::Mark& mark, std::string what) const {
    throw Refused{place(mark), std::move(what)};
  }

  std::string too_deep() const { return "values are nested deeper than " + std::to_string(limits_.depth) + " levels"; }

  void count(const YAML::Mark& mark, std::size_t nodes, std::size_t bytes) {
    nodes_ += nodes;
    bytes_ += bytes;
    if (nodes_ > limits_.nodes) {
      refuse(mark, "the file has more than " + std::to_string(limits_.nodes) + " values once its aliases are expanded");
    }
    if (bytes_ > limits_.expanded_bytes) {
      refuse(mark, "the file has more than " + std::to_string(limits_.expanded_bytes) +
                       " bytes once its aliases are expanded");
    }
  }

  Open& push(Node::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (stack_.size() >= limits_.depth) {
      refuse(mark, too_deep());
    }
    check_tag(mark, tag);
    count(mark, 1, 0);
    Open open;
    open.node.kind = kind;
    open.node.place = place(mark);
    open.node.offset = mark.pos < 0 ? 0 : static_cast<std::size_t>(mark.pos);
    open.anchor = anchor;
    open.mark = mark;
    stack_.push_back(std::move(open));
    return stack_.back();
  }

  void check_tag(const YAML::Mark& mark, const std::string& tag) const {
    static const std::set<std::string_view> kKnown{"str", "int", "bool", "float", "null", "seq", "map"};
    const std::string_view view = tag;
    if (view.empty() || view == "?" || view == "!") {
      return;
    }
    if (view.substr(0, kCoreTags.size()) != kCoreTags || !kKnown.contains(view.substr(kCoreTags.size()))) {
      refuse(mark, "the tag " + shown(tag) + " is not known: write the value without a tag");
    }
  }

  void pop() {
    auto open = std::move(stack_.back());
    stack_.pop_back();
    count(open.mark, 0, open.node.is_scalar() ? open.size.bytes : 0);
    if (open.anchor != 0) {
      anchors_[open.anchor] = {open.node, open.size};
    }
    attach(open.mark, std::move(open.node), open.size);
  }

  void attach(const YAML::Mark& mark, Node node, const Size& size) {
    if (stack_.empty()) {
      root_ = std::move(node);
      return;
    }
    auto& parent = stack_.back();
    if (parent.node.is_mapping() && !parent.key) {
      parent.key = key_of(mark, node);
      parent.size.bytes += parent.key->text.size();
      return;
    }
    if (parent.key) {
      parent.node.keys.push_back(std::move(*parent.key));
      parent.key.reset();
    }
    parent.size.contain(size);
    parent.node.items.push_back(std::move(node));
  }

  KeyMark key_of(const YAML::Mark& mark, const Node& node) const {
    if (!node.is_scalar()) {
      refuse(mark, "a key must be a word");
    }
    if (node.text == "<<" && !node.quoted) {
      refuse(mark, "merge keys (<<) are not allowed: write the keys out");
    }
    return {node.text, place(mark)};
  }

  void check_duplicates(const Node& mapping) {
    std::unordered_map<std::string_view, Place> seen;
    for (const auto& key : mapping.keys) {
      const auto [first, added] = seen.emplace(key.text, key.place);
      if (!added) {
        faults_.add(key.place, "the key " + shown(key.text) + " is written twice; the first is at line " +
                                   std::to_string(first->second.line));
      }
    }
  }

  const Places& places_;
  Faults& faults_;
  const YamlLimits& limits_;
  std::vector<Open> stack_;
  std::map<YAML::anchor_t, std::pair<Node, Size>> anchors_;
  std::optional<Node> root_;
  std::size_t documents_ = 0;
  std::size_t nodes_ = 0;
  std::size_t bytes_ = 0;
};

/// Reads from memory without a copy.
class ViewBuffer : public std::streambuf {
 public:
  explicit ViewBuffer(std::string& text) { setg(text.data(), text.data(), text.data() + text.size()); }
};

bool acceptable(std::string_view text, const Places& places, Faults& faults, const YamlLimits& limits) {
  if (text.size() > limits.bytes) {
    faults.add(Place{}, "the file is larger than " + std::to_string(limits.bytes) + " bytes");
    return false;
  }
  if (const auto nul = text.find('\0'); nul != std::string_view::npos) {
    faults.add(places.at(nul), "the file contains a NUL byte: save it as UTF-8 text");
    return false;
  }
  if (!is_utf8(text)) {
    std::size_t good = 0;  // whole lines that are valid: good enough to find the place
    for (auto end = text.find('\n'); end != std::string_view::npos && is_utf8(text.substr(good, end - good));
         end = text.find('\n', good)) {
      good = end + 1;
    }
    faults.add(places.at(good), "this line is not valid UTF-8: save the file as UTF-8 text");
    return false;
  }
  return true;
}

/// yaml-cpp's words, without a full stop and with a small first letter, so that they read on after the place.
std::string yaml_message(const YAML::Exception& error) {
  return "not valid YAML: " + error.msg;
}

}  // namespace

std::optional<Node> read_yaml(std::string_view text, Faults& faults, const YamlLimits& limits) {
  if (text.substr(0, kByteOrderMark.size()) == kByteOrderMark) {
    text.remove_prefix(kByteOrderMark.size());
  }
  const Places places(text);
  if (!acceptable(text, places, faults, limits)) {
    return std::nullopt;
  }
  Builder builder(places, faults, limits);
  std::string copy{text};
  ViewBuffer buffer(copy);
  std::istream stream(&buffer);
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Refused& refused) {
    faults.add(refused.place, refused.what);
    return std::nullopt;
  } catch (const YAML::Exception& error) {
    const auto offset = error.mark.pos < 0 ? text.size() : static_cast<std::size_t>(error.mark.pos);
    faults.add(places.at(offset), yaml_message(error));
    return std::nullopt;
  }
  auto root = builder.take();
  if (!root) {
    faults.add(Place{}, "the file is empty");
  }
  return root;
}

namespace {

/// Walks a scalar's text and its source side by side, through folded lines and indents.
class ScalarWalk {
 public:
  ScalarWalk(std::string_view source, const Node& scalar) : source_(source), text_(scalar.text), at_(scalar.offset) {
    const char first = source_[at_];
    block_ = first == '|' || first == '>';
    if (block_) {
      enter_block();
    } else if (first == '"' || first == '\'') {
      ++at_;
    }
  }

  /// Byte position in the source of byte `offset` of the text, or nothing where an escape gets in the way.
  std::optional<std::size_t> position(std::size_t offset) {
    for (std::size_t i = 0; i < offset; ++i) {
      if (at_ < source_.size() && source_[at_] == text_[i] && text_[i] != '\n') {
        ++at_;
      } else if ((text_[i] != '\n' && text_[i] != ' ') || !line_break()) {
        return std::nullopt;
      }
    }
    return at_ <= source_.size() ? std::optional{at_} : std::nullopt;
  }

 private:
  /// To the first line below the "|" or ">" that is not blank; its indent is that of all lines.
  void enter_block() {
    at_ = std::min(source_.find('\n', at_), source_.size());
    auto line = at_;
    while (line < source_.size()) {
      const auto first = source_.find_first_not_of(' ', line + 1);
      if (first == std::string_view::npos) {
        break;
      }
      if (source_[first] != '\n' && source_[first] != '\r') {
        indent_ = first - line - 1;
        break;
      }
      line = source_.find('\n', first);
    }
    at_ = std::min(at_ + 1, source_.size());
    skip_indent();
  }

  void skip_indent() {
    for (std::size_t i = 0; i < indent_ && at_ < source_.size() && source_[at_] == ' '; ++i) {
      ++at_;
    }
  }

  bool line_break() {
    const auto end = source_.find_first_not_of(" \t\r", at_);
    if (end == std::string_view::npos || source_[end] != '\n') {
      return false;
    }
    at_ = end + 1;
    if (block_) {
      skip_indent();
    } else {
      at_ = std::min(source_.find_first_not_of(" \t", at_), source_.size());
    }
    return true;
  }

  std::string_view source_;
  std::string_view text_;
  std::size_t at_;
  std::size_t indent_ = 0;
  bool block_ = false;
};

}  // namespace

Place place_in(std::string_view source, const Node& scalar, std::size_t offset) {
  if (source.substr(0, kByteOrderMark.size()) == kByteOrderMark) {
    source.remove_prefix(kByteOrderMark.size());
  }
  if (scalar.offset >= source.size()) {
    return scalar.place;
  }
  const auto position = ScalarWalk(source, scalar).position(std::min(offset, scalar.text.size()));
  if (!position) {
    return scalar.place;
  }
  // From the scalar's own place, so that a long file is not walked for each expression.
  const auto between = source.substr(scalar.offset, *position - scalar.offset);
  const auto breaks = static_cast<std::size_t>(std::count(between.begin(), between.end(), '\n'));
  if (breaks == 0) {
    return {scalar.place.line, scalar.place.column + characters(between)};
  }
  return {scalar.place.line + breaks, characters(between.substr(between.rfind('\n') + 1)) + 1};
}

}  // namespace assay
