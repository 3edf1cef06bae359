#include <exception>
#include <optional>
#include <set>

#include "harness/evidence/bundle.hpp"
#include "harness/evidence/digest.hpp"
#include "harness/evidence/files.hpp"
#include "harness/evidence/journal_check.hpp"
#include "harness/evidence/layout.hpp"

namespace assay {

namespace {

using namespace evidence;

/// path -> digest as one list says it; none when the list could not be read.
using Claims = std::optional<std::map<std::string, std::string>>;

const std::string* claim_of(const Claims& claims, const std::string& path) {
  const auto found = claims ? claims->find(path) : std::map<std::string, std::string>::const_iterator{};
  return !claims || found == claims->end() ? nullptr : &found->second;
}

/// Three lists name the files of a closed bundle: the journal (`created`, `closed` and the artifacts of its events),
/// the manifest, and SHA256SUMS. So a difference is laid at the door of the one that stands alone.
class Verification {
 public:
  Verification() : journal_(findings_) {}

  VerifyReport run(const std::filesystem::path& directory);

 private:
  bool list_files();
  void check_names();
  void digest_files();
  void check_open();
  void check_closed();
  std::optional<std::string> read_closing(std::string_view name);
  void check_manifest(const std::string& text);
  void check_claims();
  void check_claim(const std::string& path);
  void check_missing(const std::string& path, bool in_manifest, bool in_sums, bool in_journal);
  void check_artifacts(bool closed);

  Findings findings_;
  JournalCheck journal_;
  Fd root_;
  std::map<std::string, EntryKind> tree_;
  FileMap files_;            // by final name
  bool unfinished_ = false;  // closing was interrupted: temporary names stand for the final ones
  Claims by_journal_;
  Claims by_manifest_;
  Claims by_sums_;
  bool manifest_sound_ = true;
};

bool Verification::list_files() {
  auto tree = list_tree(root_);
  if (!tree) {
    findings_.fault(".", describe(tree.error()));
    return false;
  }
  tree_ = std::move(*tree);
  const auto manifest = std::string{kManifest};
  unfinished_ = journal_.closed && !tree_.contains(manifest) && tree_.contains(manifest + std::string{kTemporary});
  return true;
}

/// Everything has to be a plain file or folder of a bundle.
void Verification::check_names() {
  std::set<std::string> folders = {"artifacts", "inputs", "restricted"};
  const auto add_folders_of = [&](const std::string& path) {
    for (auto slash = path.find('/'); slash != path.npos; slash = path.find('/', slash + 1)) {
      folders.insert(path.substr(0, slash));
    }
  };
  for (const auto& [path, kind] : tree_) {
    if (kind == EntryKind::file && is_bundle_file(path)) {
      add_folders_of(path);
    }
  }
  for (const auto& [path, digest] : journal_.files) {
    add_folders_of(path);
  }
  for (const auto& [path, kind] : tree_) {
    if (kind == EntryKind::other) {
      findings_.fault(printable(path), "is neither a file nor a folder: links and devices have no place in a bundle");
    } else if (kind == EntryKind::folder ? !folders.contains(path) : !is_bundle_file(path)) {
      findings_.fault(printable(path), "was added: it is no part of a bundle");
    }
  }
}

void Verification::digest_files() {
  for (const auto& [path, kind] : tree_) {
    if (kind != EntryKind::file || !is_bundle_file(path)) {
      continue;
    }
    auto facts = digest_beneath(root_, path, kMaximumArtifact);
    if (!facts) {
      findings_.fault(printable(path), facts.error().what);
      continue;
    }
    std::string name = path;
    if (unfinished_ && is_temporary(path) && is_closing_file(path.substr(0, path.size() - kTemporary.size()))) {
      name.resize(path.size() - kTemporary.size());
    }
    if (!files_.emplace(name, *facts).second) {
      findings_.fault(path, "was added: the file it stands for is there");
    }
  }
}

/// The journal alone vouches for an open bundle.
void Verification::check_open() {
  for (const auto& [path, facts] : files_) {
    const auto* vouched = claim_of(by_journal_, path);
    const auto named = artifact_digest(path);
    if (path == kJournal) {
      continue;
    }
    if (journal_.reopened && is_closing_file(path)) {
      findings_.note(path, "is from before the amendment; going on with it removes it");
    } else if (is_temporary(path)) {
      findings_.note(path, "was left by an interrupted write; resuming removes it");
    } else if ((named && *named != facts.sha256) || (vouched != nullptr && *vouched != facts.sha256)) {
      findings_.fault(printable(path), "was changed");
    } else if (vouched == nullptr && !named && journal_.sound) {
      findings_.fault(printable(path), "was added");
    }
  }
  if (by_journal_) {
    for (const auto& [path, digest] : *by_journal_) {
      if (!files_.contains(path)) {
        findings_.fault(printable(path), "is missing");
      }
    }
  }
  findings_.note(std::string{kJournal}, "is open: events removed from its end could not be detected");
}

std::optional<std::string> Verification::read_closing(std::string_view name) {
  std::string path{name};
  if (!files_.contains(path)) {
    findings_.fault(path, "is missing from a closed bundle");
    return std::nullopt;
  }
  if (!tree_.contains(path)) {
    path += kTemporary;
  }
  auto text = read_beneath(root_, path, kMaximumDocument);
  if (!text) {
    findings_.fault(path, text.error().what);
    return std::nullopt;
  }
  return *text;
}

void Verification::check_manifest(const std::string& text) {
  auto manifest = read_manifest(text);
  if (!manifest) {
    manifest_sound_ = false;
    return findings_.fault(std::string{kManifest}, manifest.error().what);
  }
  by_manifest_.emplace();
  for (const auto& file : manifest->files) {
    by_manifest_->emplace(file.path, file.sha256);
    const auto found = files_.find(file.path);
    if (found != files_.end() && found->second.sha256 == file.sha256 && found->second.size != file.size) {
      manifest_sound_ = false;
      findings_.fault(std::string{kManifest}, "was changed: it has another size for " + printable(file.path));
    }
  }
  if (manifest->chain_head == journal_.head && manifest->events == journal_.events) {
    return;
  }
  const auto* listed = claim_of(by_manifest_, std::string{kJournal});
  const auto journal = files_.find(std::string{kJournal});
  if (listed != nullptr && journal != files_.end() && journal->second.sha256 == *listed) {
    manifest_sound_ = false;
    findings_.fault(std::string{kManifest}, "was changed: it names another last event than the journal has");
  } else {
    journal_.sound = false;
    findings_.fault(event_place(journal_.events), "is not the last event as it was when the bundle was closed");
  }
}

void Verification::check_missing(const std::string& path, bool in_manifest, bool in_sums, bool in_journal) {
  if (in_manifest && !in_sums && !in_journal && by_sums_) {
    manifest_sound_ = false;
    findings_.fault(std::string{kManifest}, "was changed: it lists " + printable(path) + ", which was never there");
  } else if (in_sums && !in_manifest && !in_journal && by_manifest_ && path != kManifest) {
    findings_.fault(std::string{kSums}, "was changed: it lists " + printable(path) + ", which was never there");
  } else if (path != kManifest) {
    findings_.fault(printable(path), "is missing");
  }
}

/// One path against the lists that name it.
void Verification::check_claim(const std::string& path) {
  const auto* in_journal = claim_of(by_journal_, path);
  const auto* in_manifest = claim_of(by_manifest_, path);
  const auto* in_sums = claim_of(by_sums_, path);
  const auto found = files_.find(path);
  if (found == files_.end()) {
    return check_missing(path, in_manifest != nullptr, in_sums != nullptr, in_journal != nullptr);
  }
  const auto& actual = found->second.sha256;
  const auto named = artifact_digest(path);
  if ((in_journal != nullptr && *in_journal != actual) || (named && *named != actual)) {
    return findings_.fault(printable(path), "was changed");
  }
  const bool manifest_differs = by_manifest_ && (in_manifest == nullptr || *in_manifest != actual);
  const bool sums_differ = by_sums_ && (in_sums == nullptr || *in_sums != actual);
  if (path == kManifest) {
    if (sums_differ && manifest_sound_) {
      findings_.fault(std::string{kSums}, "was changed: its line for manifest.json is not right");
    }
  } else if ((manifest_differs || !by_manifest_) && (sums_differ || !by_sums_) && in_journal == nullptr) {
    findings_.fault(printable(path), in_manifest != nullptr || in_sums != nullptr ? "was changed" : "was added");
  } else {
    if (manifest_differs) {
      manifest_sound_ = false;
      findings_.fault(std::string{kManifest}, "was changed: its entry for " + printable(path) + " is not right");
    }
    if (sums_differ) {
      findings_.fault(std::string{kSums}, "was changed: its line for " + printable(path) + " is not right");
    }
  }
}

void Verification::check_claims() {
  std::set<std::string> paths;
  for (const auto& [path, facts] : files_) {
    paths.insert(path);
  }
  for (const auto* claims : {&by_journal_, &by_manifest_, &by_sums_}) {
    if (*claims) {
      for (const auto& [path, digest] : **claims) {
        paths.insert(path);
      }
    }
  }
  paths.erase(std::string{kSums});
  // The manifest last: whether SHA256SUMS is wrong about it depends on whether it is right about the others.
  paths.erase(std::string{kManifest});
  for (const auto& path : paths) {
    check_claim(path);
  }
  check_claim(std::string{kManifest});
}

void Verification::check_closed() {
  if (!journal_.closed) {
    journal_.sound = false;
    findings_.fault(std::string{kJournal}, "does not end with the event `closed` although there is a manifest");
  }
  if (const auto text = read_closing(kManifest)) {
    check_manifest(*text);
  }
  if (!journal_.sound) {
    by_journal_.reset();
  }
  if (const auto text = read_closing(kSums)) {
    auto sums = read_sums(*text);
    if (sums) {
      by_sums_ = std::move(*sums);
    } else {
      findings_.fault(std::string{kSums}, "was changed: " + sums.error().what);
    }
  }
  check_claims();
  if (unfinished_) {
    findings_.note(std::string{kManifest}, "closing was interrupted after the last event; resuming finishes it");
  } else {
    findings_.note(std::string{kManifest}, "is not sealed: a bundle rewritten as a whole cannot be told from this one");
  }
}

void Verification::check_artifacts(bool closed) {
  if (!journal_.sound) {
    return;
  }
  for (const auto& [path, facts] : files_) {
    const auto digest = artifact_digest(path);
    if (!digest || journal_.artifacts.contains(path)) {
      continue;
    }
    if (closed) {
      findings_.fault(path, "is named by no event");
    } else {
      findings_.note(path, "is named by no event yet");
    }
  }
  for (const auto& [digest, event] : journal_.rested_on) {
    if (!journal_.artifacts.contains(artifact_path(digest, false)) &&
        !journal_.artifacts.contains(artifact_path(digest, true))) {
      findings_.fault(event_place(event), "rests on " + printable(digest) + ", which is no artifact of this bundle");
    }
  }
}

VerifyReport Verification::run(const std::filesystem::path& directory) {
  VerifyReport report;
  auto root = open_directory(directory);
  if (!root) {
    report.findings.push_back({".", root.error().what, true});
    return report;
  }
  root_ = std::move(*root);
  journal_.run(root_);
  if (list_files()) {
    check_names();
    digest_files();
    by_journal_ = journal_.files;
    for (const auto& [path, event] : journal_.artifacts) {
      by_journal_->emplace(path, artifact_digest(path).value_or(""));
    }
    const bool closed = journal_.closed || (tree_.contains(std::string{kManifest}) && !journal_.reopened);
    if (!journal_.sound) {
      by_journal_.reset();
    }
    if (closed) {
      check_closed();
    } else {
      check_open();
    }
    check_artifacts(closed);
    report.closed = journal_.closed && !unfinished_ && tree_.contains(std::string{kManifest});
  }
  report.valid = findings_.faultless();
  report.events = journal_.events;
  report.chain_head = journal_.head;
  report.findings = findings_.take();
  return report;
}

}  // namespace

VerifyReport verify_bundle(const std::filesystem::path& directory) {
  try {
    return Verification{}.run(directory);
  } catch (const std::exception& failed) {
    VerifyReport report;
    report.findings.push_back({".", std::string{"could not be verified: "} + failed.what(), true});
    return report;
  }
}

}  // namespace assay
