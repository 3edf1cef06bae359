#include "probes/images/fit_signature.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "probes/images/scan.hpp"
#include "probes/images/signature.hpp"
#include "probes/wire/bytes.hpp"

namespace assay::images {

namespace {

constexpr std::size_t kMaximumSignatures = 16;

/// "sha256,rsa2048" and the padding beside it.
struct Algorithm {
  std::string digest;  // for OpenSSL
  std::string key;     // for Signer::make
  Plain how = Plain::rsa_pkcs1;
};

std::optional<Algorithm> algorithm_of(const FdtNode& node) {
  const auto* algorithm = node.property("algo");
  const auto* padding = node.property("padding");
  const auto text = algorithm == nullptr ? std::string{} : algorithm->text();
  const auto comma = text.find(',');
  if (comma == std::string::npos) {
    return std::nullopt;
  }
  const auto key = text.substr(comma + 1);
  Algorithm out{text.substr(0, comma), {}, Plain::rsa_pkcs1};
  std::transform(out.digest.begin(), out.digest.end(), out.digest.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  if (key == "ecdsa256" || key == "ecdsa384") {
    out.key = key == "ecdsa256" ? "ec-p256" : "ec-p384";
    out.how = Plain::ecdsa_raw;
  } else if (key == "rsa2048" || key == "rsa3072" || key == "rsa4096") {
    out.key = "rsa-" + key.substr(3);
    out.how = padding != nullptr && padding->text() == "pss" ? Plain::rsa_pss : Plain::rsa_pkcs1;
  }
  return out.key.empty() ? std::nullopt : std::optional{out};
}

bool over_configuration(const FdtNode& node) {
  return node.path.starts_with("/configurations/");
}

bool is_left_out(std::string_view property) {
  constexpr std::array<std::string_view, 4> kNames{"data", "data-size", "data-position", "data-offset"};
  return std::find(kNames.begin(), kNames.end(), property) != kNames.end();
}

/// Which pieces of the structure a configuration's signature covers: nodes that are named with their properties but the
/// content, of their children and of the way to them the marks (U-Boot's doc/usage/fit/signature, fdt_find_regions).
class Regions {
 public:
  explicit Regions(const std::vector<std::string>& nodes) : nodes_(nodes) {}

  std::vector<FitContent> of(const Fdt& tree) {
    for (const auto& token : tree.tokens) {
      auto stop = token.end;
      bool include = false;
      switch (token.kind) {
        case FdtToken::Kind::property:
          include = want_ >= 2 && !is_left_out(token.name);
          stop = token.begin;
          break;
        case FdtToken::Kind::nop:
          include = want_ >= 2;
          stop = token.begin;
          break;
        case FdtToken::Kind::begin_node:
          stop = enter(token);
          include = want_ != 0;
          break;
        case FdtToken::Kind::end_node:
          include = want_ != 0;
          leave();
          break;
        case FdtToken::Kind::end:
          include = true;
          break;
      }
      add(token, include, stop);
    }
    if (open_) {
      regions_.push_back({start_, tree.structure_end - start_});
    }
    return std::move(regions_);
  }

 private:
  std::uint64_t enter(const FdtToken& token) {
    levels_.push_back({want_, path_.size()});
    if (path_ != "/") {
      path_ += '/';
    }
    path_ += token.name;
    auto stop = token.end;
    if (want_ == 1) {
      stop = token.begin;
    }
    if (std::find(nodes_.begin(), nodes_.end(), path_) != nodes_.end()) {
      want_ = 2;
    } else if (want_ > 0) {
      --want_;
    } else {
      stop = token.begin;
    }
    return stop;
  }

  void leave() {
    if (!levels_.empty()) {
      want_ = levels_.back().want;
      path_.resize(levels_.back().path);
      levels_.pop_back();
    }
  }

  void add(const FdtToken& token, bool include, std::uint64_t stop) {
    if (include && !open_) {
      open_ = true;
      start_ = token.begin;
      if (!regions_.empty() && regions_.back().offset + regions_.back().length == token.begin) {
        start_ = regions_.back().offset;
        regions_.pop_back();
      }
    } else if (!include && open_) {
      open_ = false;
      regions_.push_back({start_, stop - start_});
    }
  }

  struct Level {
    int want = 0;
    std::size_t path = 0;
  };

  const std::vector<std::string>& nodes_;
  std::vector<FitContent> regions_;
  std::vector<Level> levels_;
  std::string path_;
  int want_ = 0;
  bool open_ = false;
  std::uint64_t start_ = 0;
};

/// What a signature is over, as one source; nothing when its node does not say it.
Result<Source> covered_by(const Source& image, const Fdt& tree, const FdtNode& node) {
  if (!over_configuration(node)) {
    const auto* parent = tree.node(node.parent());
    const auto content = fit_content(tree, parent);
    return content ? Result<Source>{Source{std::make_shared<SliceSource>(image, content.offset, content.length)}}
                   : Result<Source>{not_for("fit", "a signature stands over no content")};
  }
  const auto* nodes = node.property("hashed-nodes");
  const auto* strings = node.property("hashed-strings");
  if (nodes == nullptr || strings == nullptr || strings->bytes.size() != 8) {
    return not_for("fit", "a signature does not say what it is over");
  }
  const auto names = nodes->texts();
  auto regions = Regions{names}.of(tree);
  regions.push_back({tree.strings + big_u32(strings->bytes, 0), big_u32(strings->bytes, 4)});
  std::vector<Edit> parts;
  for (const auto& region : regions) {
    parts.push_back({0, 0, std::make_shared<SliceSource>(image, region.offset, region.length)});
  }
  const auto joined = EditedSource::make(text_source({}), std::move(parts));
  return joined ? Result<Source>{*joined} : Result<Source>{joined.error()};
}

}  // namespace

FitContent fit_content(const Fdt& tree, const FdtNode* node) {
  if (node == nullptr || node->parent() != "/images") {
    return {};
  }
  if (const auto* data = node->property("data")) {
    return {data->value, data->length};
  }
  const auto* size = node->property("data-size");
  const auto* offset = node->property("data-offset");
  const auto* position = node->property("data-position");
  if (size == nullptr || (offset == nullptr && position == nullptr)) {
    return {};
  }
  const auto behind = (tree.total + 3) / 4 * 4;
  return {position != nullptr ? position->cell() : behind + offset->cell(), size->cell()};
}

bool is_fit_hash(const FdtNode& node) {
  return node.name().starts_with("hash");
}

bool is_fit_signature(const FdtNode& node) {
  return node.name().starts_with("signature");
}

json::object fit_signature_facts(const Fdt& tree) {
  json::object out{{"present", false}};
  bool image = false;
  bool configuration = false;
  for (const auto& node : tree.nodes) {
    if (!is_fit_signature(node) || node.property("value") == nullptr) {
      continue;
    }
    (over_configuration(node) ? configuration : image) = true;
    out["present"] = true;
    if (const auto* hint = node.property("key-name-hint")) {
      out["key_name"] = shown(hint->text());
    }
    if (const auto algorithm = algorithm_of(node)) {
      const bool rsa = algorithm->key.starts_with("rsa-");
      out["scheme"] = enum_name(algorithm->how);
      out["digest"] = shown(wire::lower(algorithm->digest));
      out["key"] = rsa ? "rsa" : "ec";
      out["key_bits"] = rsa ? std::stoi(algorithm->key.substr(4)) : algorithm->key == "ec-p256" ? 256 : 384;
    }
  }
  json::array over;
  if (configuration) {
    over.emplace_back("configuration");
  }
  if (image) {
    over.emplace_back("image");
  }
  out["over"] = std::move(over);
  return out;
}

Result<Change> fit_resigned(const MutationSpec& spec, const Materials& materials, const Source& image,
                            const Fdt& tree) {
  Change out;
  std::shared_ptr<const Signer> signer;
  for (const auto& node : tree.nodes) {
    const auto* value = node.property("value");
    const auto algorithm = algorithm_of(node);
    if (!is_fit_signature(node) || value == nullptr || !algorithm) {
      continue;
    }
    if (out.edits.size() >= kMaximumSignatures) {
      return not_for("fit", "the tree has more signatures than are looked at");
    }
    if (!signer) {
      auto made = signer_for(spec, materials, algorithm->key, nullptr);
      if (!made) {
        return made.error();
      }
      signer = std::move(*made);
    }
    const auto covered = covered_by(image, tree, node);
    auto signature = covered ? plain_sign(**covered, signer->key(), algorithm->how, algorithm->digest)
                             : Result<std::string>{covered.error()};
    if (!signature) {
      return signature.error();
    }
    if (signature->size() != value->length) {
      return not_for("fit", "the signing key is of another size than the genuine one");
    }
    out.edits.push_back(edit_text(value->value, value->length, std::move(*signature)));
  }
  out.what = std::to_string(out.edits.size()) + " signatures are made " + signed_words(spec);
  return out.edits.empty() ? Result<Change>{not_for("fit", "the tree has no signature that could be made anew")}
                           : Result<Change>{std::move(out)};
}

Result<Verified> fit_verified(const Source& image, const ImageMap&, const Trusted& trusted) {
  const auto tree = read_fdt(*image);
  if (!tree) {
    return tree.error();
  }
  Verified out;
  std::size_t signatures = 0;
  bool all = true;
  for (const auto& node : tree->nodes) {
    const auto* value = node.property("value");
    const auto algorithm = algorithm_of(node);
    if (!is_fit_signature(node) || value == nullptr || !algorithm) {
      continue;
    }
    if (++signatures > kMaximumSignatures) {
      return not_for("fit", "the tree has more signatures than are looked at");
    }
    const auto covered = covered_by(image, *tree, node);
    const bool right =
        covered && plain_verifies(**covered, value->bytes, trusted.key.get(), algorithm->how, algorithm->digest);
    all = all && right;
    out.scheme = enum_name(algorithm->how);
    if (!right) {
      out.reason = covered ? "the signature of " + wire::printable(node.parent(), 128) +
                                 " is of another key or over other content"
                           : covered.error().what;
    }
  }
  if (signatures == 0) {
    return not_for("fit", "the tree has no signature");
  }
  out.verified = all;
  return out;
}

}  // namespace assay::images
