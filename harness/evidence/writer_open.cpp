#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "harness/evidence/bundle_writer.hpp"
#include "harness/evidence/digest.hpp"
#include "harness/evidence/files.hpp"

/// How a bundle begins, goes on after an interruption, and is reopened for what people add.
namespace assay::evidence {

namespace fs = std::filesystem;

namespace {

/// Opens the journal for appending and takes the lock that one writer holds. The lock is on the open file, so it
/// ends with the process however that dies.
Result<Fd> lock_journal(const fs::path& file) {
  Fd journal{::open(file.c_str(), O_RDWR | O_APPEND | O_NOFOLLOW | O_CLOEXEC)};
  if (!journal) {
    return io_error("open", file, errno);
  }
  if (::flock(journal.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      return Error{ErrorKind::denied,
                   file.parent_path().string() +
                       " is being written by another assay process: wait until that run ends, or stop it first",
                   {}};
    }
    return io_error("lock", file, errno);
  }
  return journal;
}

/// verdicts.json, manifest.json and SHA256SUMS of the last closing, the manifest first: without it nothing claims that
/// the bundle is closed.
Result<> remove_closing_files(const fs::path& directory) {
  for (const auto name : {kManifest, kSums, kVerdicts}) {
    if (::unlink((directory / name).c_str()) != 0 && errno != ENOENT) {
      return io_error("remove", directory / name, errno);
    }
  }
  return sync_directory(directory);
}

}  // namespace

Error refuse(const fs::path& directory, std::string_view what) {
  return Error{ErrorKind::bad_input, directory.string() + " " + std::string{what}, {}};
}

Result<> remove_temporaries(const fs::path& directory) {
  auto root = open_directory(directory);
  if (!root) {
    return root.error();
  }
  auto tree = list_tree(*root);
  if (!tree) {
    return tree.error();
  }
  for (const auto& [path, kind] : *tree) {
    if (kind == EntryKind::file && is_temporary(path) && ::unlink((directory / path).c_str()) != 0) {
      return io_error("remove", directory / path, errno);
    }
  }
  return {};
}

Result<> Writer::put(const std::string& path, std::string_view bytes) {
  const auto file = directory_ / path;
  std::error_code failed;
  fs::create_directories(file.parent_path(), failed);
  if (failed) {
    return io_error("create", file.parent_path(), failed.value());
  }
  if (auto written = write_durable(file, bytes); !written) {
    return written;
  }
  files_[path] = sha256_hex(bytes);
  // Every folder between the file and the bundle may be new.
  for (auto folder = file.parent_path(); folder != directory_; folder = folder.parent_path()) {
    if (auto synced = sync_directory(folder); !synced) {
      return synced;
    }
  }
  return {};
}

Result<> Writer::begin(const RunPlan& plan, const BundleInputs& inputs) {
  std::error_code failed;
  fs::create_directories(directory_ / kArtifacts, failed);
  fs::create_directories(directory_ / kInputs, failed);
  if (failed) {
    return io_error("create", directory_, failed.value());
  }
  std::map<std::string, std::string> files;
  for (const auto& [name, bytes] : inputs.files) {
    if (!is_input_name(name)) {
      return Error{ErrorKind::bad_input, "\"" + printable(name) + "\" cannot be the name of an input in a bundle", {}};
    }
    files.emplace(std::string{kInputs} + name, bytes);
  }
  files.emplace(kPlan, document(to_json(plan.plan)));
  files.emplace(kRunPlan, document(to_json(plan)));
  files.emplace(kHost, document(readable(inputs.host)));
  for (const auto& [path, bytes] : files) {
    if (auto written = put(path, bytes); !written) {
      return written;
    }
  }
  // The journal appears under its name with its first event in it: from then on this is a bundle.
  Event event;
  json::object data;
  data["format"] = "bundle/1";
  data["files"] = files_data();
  auto line = line_for("created", std::move(data), event);
  if (!line) {
    return line.error();
  }
  const auto journal = directory_ / kJournal;
  if (auto written = write_atomic(journal, *line + "\n"); !written) {
    return written;
  }
  if (auto synced = sync_directory(fs::absolute(directory_).parent_path()); !synced) {
    return synced;
  }
  auto locked = lock_journal(journal);
  if (!locked) {
    return locked.error();
  }
  journal_ = std::move(*locked);
  size_ = line->size() + 1;
  sequence_ = event.sequence;
  head_ = sha256_hex(*line);
  return {};
}

/// Takes the journal for this process and reads it.
Result<Chain> Writer::lock_and_read() {
  auto locked = lock_journal(directory_ / kJournal);
  if (!locked) {
    return locked.error();
  }
  journal_ = std::move(*locked);
  auto chain = read_chain(Fd{::fcntl(journal_.get(), F_DUPFD_CLOEXEC, 0)});
  if (chain && chain->events.empty()) {
    return refuse(directory_, "holds an empty journal: its run was stopped before it began; start a new one");
  }
  return chain;
}

Result<> Writer::go_on() {
  auto chain = lock_and_read();
  if (!chain) {
    return chain.error();
  }
  if (chain->closed()) {
    auto finished = finish_bundle(directory_);
    if (!finished) {
      return finished.error();
    }
    return refuse(directory_, *finished ? "has ended its run; only closing was interrupted, and that is done now"
                                        : "is closed: nothing can be added to it");
  }
  if (chain->reopened()) {
    return refuse(directory_, "has ended its run and is being amended: go on with `assay answer` or `assay review`");
  }
  if (auto recovered = recover(*chain); !recovered) {
    return recovered;
  }
  return append("resumed", {});
}

/// The event that reopens the bundle holds the verdicts as they were: they stay in the record, the lists of files are
/// made anew by the next closing. It comes by the renaming of a whole journal: bytes after `closed` that are no event
/// would be those of a stranger. The new journal is made beside the bundle, where it is in nobody's way.
Result<> Writer::append_reopened() {
  auto root = open_directory(directory_);
  auto verdicts = root ? read_beneath(*root, kVerdicts, kMaximumDocument) : Result<std::string>{root.error()};
  auto document = verdicts ? parse_json(*verdicts, kVerdicts) : Result<json::value>{verdicts.error()};
  auto journal = document ? read_beneath(*root, kJournal, kMaximumJournal) : Result<std::string>{document.error()};
  if (!journal) {
    return journal.error();
  }
  Event event;
  json::object data;
  data["closed_at"] = sequence_;
  data["verdicts"] = std::move(*document);
  auto line = line_for("reopened", std::move(data), event);
  if (!line) {
    return line.error();
  }
  const auto whole = fs::absolute(directory_).lexically_normal();
  const auto folder = whole.has_filename() ? whole : whole.parent_path();
  const auto beside = folder.parent_path() / ("." + folder.filename().string() + ".amended" + std::string{kTemporary});
  if (auto written = write_durable(beside, *journal + *line + "\n"); !written) {
    return written;
  }
  auto locked = lock_journal(beside);
  if (!locked) {
    return locked.error();
  }
  if (auto renamed = rename_file(beside, directory_ / kJournal); !renamed) {
    return renamed;
  }
  journal_ = std::move(*locked);
  size_ = journal->size() + line->size() + 1;
  sequence_ = event.sequence;
  head_ = sha256_hex(*line);
  return sync_directory(directory_);
}

Result<> Writer::reopen() {
  auto chain = lock_and_read();
  if (!chain) {
    return chain.error();
  }
  if (!chain->closed() && !chain->reopened()) {
    return refuse(directory_, "holds a run that has not ended: end it with `assay resume` first");
  }
  if (!chain->closed()) {
    return recover(*chain);  // an amendment that was interrupted goes on
  }
  if (auto finished = finish_bundle(directory_); !finished) {
    return finished.error();
  }
  if (auto restored = restore(*chain); !restored) {
    return restored;
  }
  if (auto reopened = append_reopened(); !reopened) {
    return reopened;
  }
  return remove_closing_files(directory_);
}

/// Takes over what the journal says: where it ends, and which files it vouches for.
Result<> Writer::restore(const Chain& chain) {
  size_ = chain.whole;
  sequence_ = chain.events.back().sequence;
  head_ = chain.head;
  files_ = vouched_files(chain.events.front());
  for (const auto& event : chain.events) {
    for (const auto& path : named_artifacts(event)) {
      named_.insert(path);
      on_disk_[path] = {artifact_digest(path).value_or(""), "", 0, "", path.starts_with(kRestricted)};
    }
  }
  return {};
}

/// Restores and puts in order what an interruption left: a torn last line, temporary files, artifacts that no event
/// names.
Result<> Writer::recover(const Chain& chain) {
  if (auto restored = restore(chain); !restored) {
    return restored;
  }
  if (auto removed = remove_temporaries(directory_); !removed) {
    return removed;
  }
  if (chain.reopened()) {
    if (auto removed = remove_closing_files(directory_); !removed) {
      return removed;
    }
  }
  auto files = digest_files();
  if (!files) {
    return files.error();
  }
  on_disk_.clear();
  for (const auto& [path, facts] : *files) {
    if (const auto digest = artifact_digest(path)) {
      on_disk_[path] = {*digest, "application/octet-stream", facts.size, "left by the interruption",
                        path.starts_with(kRestricted)};
    }
  }
  if (!chain.torn.empty() &&
      (::ftruncate(journal_.get(), static_cast<off_t>(size_)) != 0 || ::fsync(journal_.get()) != 0)) {
    return io_error("cut", directory_ / kJournal, errno);
  }
  const auto unnamed = unnamed_artifacts();
  if (chain.torn.empty() && unnamed.empty()) {
    return {};
  }
  json::object data;
  data["cut_bytes"] = chain.torn.size();
  data["cut_sha256"] = sha256_hex(chain.torn);
  data["artifacts"] = unnamed;
  return append("recovered", std::move(data));
}

}  // namespace assay::evidence
