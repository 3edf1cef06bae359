#include "harness/evidence/layout.hpp"

#include <algorithm>

#include "harness/evidence/bundle.hpp"
#include "harness/evidence/digest.hpp"
#include "harness/evidence/journal.hpp"

namespace assay::evidence {

namespace {

Error damaged(std::string_view file, std::string what) {
  return Error{ErrorKind::bad_input, std::move(what), std::string{file}};
}

}  // namespace

std::string document(const json::value& value) {
  return canonical(value) + "\n";
}

Manifest make_manifest(const FileMap& files, std::string chain_head, std::int64_t events) {
  Manifest out;
  out.chain_head = std::move(chain_head);
  out.events = events;
  for (const auto& [path, facts] : files) {
    out.files.push_back({path, facts.size, facts.sha256});
  }
  return out;
}

Result<Manifest> read_manifest(std::string_view text) {
  auto value = parse_json(text, kManifest);
  if (!value) {
    return value.error();
  }
  Manifest out;
  if (auto read = from_json(*value, out); !read) {
    return damaged(kManifest, read.error().what);
  }
  if (document(to_json(out)) != text) {
    return damaged(kManifest, "is not in the form it was written in");
  }
  if (out.format != "bundle/1") {
    return damaged(kManifest, "has the format \"" + printable(out.format) + "\", this version reads bundle/1");
  }
  const bool sorted = std::adjacent_find(out.files.begin(), out.files.end(), [](const auto& a, const auto& b) {
                        return a.path >= b.path;
                      }) == out.files.end();
  const bool digests =
      std::all_of(out.files.begin(), out.files.end(), [](const auto& f) { return is_sha256(f.sha256); });
  if (!sorted || !digests || !is_sha256(out.chain_head)) {
    return damaged(kManifest, "is not a list of files by path with their digests");
  }
  return out;
}

std::string sums_text(const Manifest& manifest) {
  std::map<std::string, std::string> lines;
  for (const auto& file : manifest.files) {
    lines.emplace(file.path, file.sha256);
  }
  lines.emplace(kManifest, sha256_hex(document(to_json(manifest))));
  std::string out;
  for (const auto& [path, digest] : lines) {
    out += digest + "  " + path + "\n";
  }
  return out;
}

Result<std::map<std::string, std::string>> read_sums(std::string_view text) {
  std::map<std::string, std::string> out;
  std::string last;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    const bool shaped =
        end != text.npos && line.size() > 66 && is_sha256(line.substr(0, 64)) && line.substr(64, 2) == "  ";
    if (!shaped || line.substr(66) <= last) {
      return damaged(kSums, "line " + std::to_string(number) + " is not a digest and a path, in order");
    }
    last = line.substr(66);
    out.emplace(last, line.substr(0, 64));
    text.remove_prefix(end + 1);
  }
  return out;
}

bool is_input_name(std::string_view name) {
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte != 0x7F && c != '\\';
  });
  if (!plain || name.empty() || name.size() > 4000) {
    return false;
  }
  while (true) {
    const auto slash = name.find('/');
    const auto part = name.substr(0, slash);
    if (part.empty() || part == "." || part == ".." || part.size() > 250) {
      return false;
    }
    if (slash == name.npos) {
      return true;
    }
    name.remove_prefix(slash + 1);
  }
}

std::string artifact_path(std::string_view sha256, bool restricted) {
  return std::string{restricted ? kRestricted : kArtifacts} + std::string{sha256};
}

std::optional<std::string> artifact_digest(std::string_view path) {
  const auto folder = path.starts_with(kRestricted) ? kRestricted : kArtifacts;
  if (!path.starts_with(folder) || !is_sha256(path.substr(folder.size()))) {
    return std::nullopt;
  }
  return std::string{path.substr(folder.size())};
}

bool is_closing_file(std::string_view path) {
  return std::find(std::begin(kClosing), std::end(kClosing), path) != std::end(kClosing);
}

bool is_temporary(std::string_view path) {
  if (!path.ends_with(kTemporary)) {
    return false;
  }
  path.remove_suffix(kTemporary.size());
  return is_closing_file(path) || artifact_digest(path).has_value();
}

bool is_bundle_file(std::string_view path) {
  const bool fixed = path == kPlan || path == kRunPlan || path == kHost || path == kJournal;
  const bool input = path.starts_with(kInputs) && is_input_name(path.substr(kInputs.size()));
  return fixed || input || is_closing_file(path) || artifact_digest(path) || is_temporary(path);
}

}  // namespace assay::evidence
