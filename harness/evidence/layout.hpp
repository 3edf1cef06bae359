#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/evidence/files.hpp"
#include "harness/model/json.hpp"

/// The names in a bundle and the two lists that close it: manifest.json and SHA256SUMS.
namespace assay::evidence {

inline constexpr std::string_view kPlan = "plan.json";
inline constexpr std::string_view kRunPlan = "runplan.json";
inline constexpr std::string_view kHost = "host.json";
inline constexpr std::string_view kVerdicts = "verdicts.json";
inline constexpr std::string_view kManifest = "manifest.json";
inline constexpr std::string_view kSums = "SHA256SUMS";
inline constexpr std::string_view kInputs = "inputs/";
inline constexpr std::string_view kArtifacts = "artifacts/";
inline constexpr std::string_view kRestricted = "restricted/";  // encrypted to the laboratory

/// In the order in which closing renames them into place; the manifest last.
inline constexpr std::string_view kClosing[] = {kVerdicts, kSums, kManifest};

inline constexpr std::uint64_t kMaximumDocument = std::uint64_t{64} * 1024 * 1024;  // any one JSON file, SHA256SUMS
inline constexpr std::uint64_t kMaximumArtifact = std::uint64_t{4} * 1024 * 1024 * 1024;

/// One line of the manifest.
struct ManifestFile {
  std::string path;
  std::int64_t size = 0;
  std::string sha256;

  bool operator==(const ManifestFile&) const = default;
};
BOOST_DESCRIBE_STRUCT(ManifestFile, (), (path, size, sha256))

/// manifest.json: every file but itself and SHA256SUMS, and where the journal ends.
struct Manifest {
  std::string format = "bundle/1";
  std::string chain_head;
  std::int64_t events = 0;
  std::vector<ManifestFile> files;  // by path

  bool operator==(const Manifest&) const = default;
};
BOOST_DESCRIBE_STRUCT(Manifest, (), (format, chain_head, events, files))

using FileMap = std::map<std::string, FileFacts>;

/// Canonical JSON and a newline: how every JSON file of a bundle is written.
std::string document(const json::value& value);

Manifest make_manifest(const FileMap& files, std::string chain_head, std::int64_t events);

/// Strict: canonical, sorted, real digests.
Result<Manifest> read_manifest(std::string_view text);

/// Text of SHA256SUMS over the manifest's files and the manifest itself, as coreutils writes and checks it.
std::string sums_text(const Manifest& manifest);

/// path -> digest. Strict: "<64 hex>  <path>\n" in order of path.
Result<std::map<std::string, std::string>> read_sums(std::string_view text);

/// A name below inputs/: relative, no empty part, no "." or "..", nothing unprintable, no backslash.
bool is_input_name(std::string_view name);

/// "artifacts/<sha256>" or "restricted/<sha256>".
std::string artifact_path(std::string_view sha256, bool restricted);

/// The digest in such a path, none in any other.
std::optional<std::string> artifact_digest(std::string_view path);

/// verdicts.json, SHA256SUMS, manifest.json: there only when the bundle is closed.
bool is_closing_file(std::string_view path);

/// The name under which a closing file or an artifact is written before it is renamed.
bool is_temporary(std::string_view path);

/// Whether a file of that path belongs into a bundle, temporary names included.
bool is_bundle_file(std::string_view path);

}  // namespace assay::evidence
