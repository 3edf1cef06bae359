#include "harness/load/written_secrets.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "harness/load/faults.hpp"
#include "harness/load/read.hpp"
#include "harness/load/yaml.hpp"

namespace assay {

namespace {

/// Lists of a DUT file whose entries hold a secret, and under which key.
constexpr std::pair<std::string_view, std::string_view> kHolders[] = {
    {"accounts", "secret"}, {"vendor_credentials", "password"}, {"password_samples", "secret"}};

bool is_written_out(const Node& node) {
  return node.is_scalar() && !node.text.empty() && !node.text.starts_with("env:") && !node.text.starts_with("file:") &&
         !node.text.starts_with(kMaskedSecret);
}

/// In the order of the file.
std::vector<Node> written_out(const Node& root) {
  std::vector<Node> out;
  for (const auto& [list, key] : kHolders) {
    for (const auto& entry : child(root, list).items) {
      const auto* node = entry.is_mapping() ? find(entry, key) : nullptr;
      if (node != nullptr && is_written_out(*node)) {
        out.push_back(*node);
      }
    }
  }
  for (const auto& update : child(root, "updates").items) {
    const auto* node = find(child(child(update, "serve"), "psk"), "key");
    if (node != nullptr && is_written_out(*node)) {
      out.push_back(*node);
    }
  }
  std::sort(out.begin(), out.end(), [](const Node& one, const Node& other) { return one.offset < other.offset; });
  return out;
}

/// The end of a scalar in single or double quotes.
std::size_t end_of_quoted(std::string_view text, std::size_t at) {
  const char quote = text[at];
  for (auto i = at + 1; i < text.size(); ++i) {
    if (quote == '"' && text[i] == '\\') {
      ++i;
    } else if (text[i] == quote && quote == '\'' && i + 1 < text.size() && text[i + 1] == '\'') {
      ++i;
    } else if (text[i] == quote) {
      return i + 1;
    }
  }
  return text.size();
}

/// The end of a plain scalar on one line: where it stands as its own text. One that goes on in the next line, a block
/// and an alias are not.
std::size_t end_of_plain(std::string_view text, const Node& node) {
  return text.substr(node.offset).starts_with(node.text) ? node.offset + node.text.size() : node.offset;
}

/// Whether two trees are the same but for the secrets that were written over.
bool same_but_for(const Node& one, const Node& other, std::size_t& masked) {
  if (one.kind != other.kind || one.items.size() != other.items.size() || one.keys.size() != other.keys.size()) {
    return false;
  }
  if (one.is_scalar() && one.text != other.text) {
    ++masked;
    return other.text.starts_with(kMaskedSecret);
  }
  for (std::size_t i = 0; i < one.keys.size(); ++i) {
    if (one.keys[i].text != other.keys[i].text) {
      return false;
    }
  }
  for (std::size_t i = 0; i < one.items.size(); ++i) {
    if (!same_but_for(one.items[i], other.items[i], masked)) {
      return false;
    }
  }
  return true;
}

Error not_understood(const SourceText& dut, const Node& node) {
  Faults faults(dut.path);
  faults.add(
      node.place,
      "this secret cannot be left out of the bundle: write it on one line, in quotes, or name it by env: or file:");
  return faults.errors().front();
}

}  // namespace

Result<std::string> without_written_secrets(const SourceText& dut,
                                            const std::function<std::string(std::string_view secret)>& shown) {
  Faults faults(dut.path);
  const auto root = read_yaml(dut.text, faults);
  if (!root || !faults.empty()) {
    return faults.errors().front();
  }
  const auto secrets = written_out(*root);
  std::string out = dut.text;
  auto last = std::string::npos;  // an alias stands where its anchor does
  for (auto node = secrets.rbegin(); node != secrets.rend(); ++node) {
    if (std::exchange(last, node->offset) == node->offset) {
      continue;
    }
    const bool quoted = node->offset < out.size() && (out[node->offset] == '"' || out[node->offset] == '\'');
    const auto end = quoted ? end_of_quoted(out, node->offset) : end_of_plain(out, *node);
    if (end == node->offset) {
      return not_understood(dut, *node);
    }
    out.replace(node->offset, end - node->offset, "\"" + std::string{kMaskedSecret} + shown(node->text) + "\"");
  }
  // Read again: what was replaced were the secrets and nothing else.
  const auto again = read_yaml(out, faults);
  std::size_t masked = 0;
  if (!again || !faults.empty() || !same_but_for(*root, *again, masked) || masked != secrets.size()) {
    return secrets.empty() ? Error{ErrorKind::internal, "the DUT file reads differently a second time", dut.path}
                           : not_understood(dut, secrets.front());
  }
  return out;
}

}  // namespace assay
