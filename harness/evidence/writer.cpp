#include <cerrno>
#include <chrono>
#include <unistd.h>

#include "harness/evidence/bundle_writer.hpp"
#include "harness/evidence/digest.hpp"
#include "harness/evidence/files.hpp"

namespace assay::evidence {

namespace fs = std::filesystem;

json::object Writer::files_data() const {
  json::object out;
  for (const auto& [path, digest] : files_) {
    out[path] = digest;
  }
  return out;
}

/// Makes the next event and its line, without writing it.
Result<std::string> Writer::line_for(std::string_view type, json::object data, Event& event) {
  event.sequence = sequence_ + 1;
  event.time = clock_.utc();
  event.monotonic_ns = clock_.monotonic_ns();
  event.previous = head_;
  event.type = type;
  event.data = std::move(data);
  event.data = readable(event.data).get_object();
  auto line = encode_event(event);
  const auto fault = [&](const std::string& what) {
    return Error{ErrorKind::internal, "an event of type " + event.type + " cannot be stored: " + what, {}};
  };
  if (line.size() > kMaximumLine) {
    return fault("it has " + std::to_string(line.size()) + " bytes, a line holds " + std::to_string(kMaximumLine));
  }
  // What is written must be readable for ever, so it is read once before.
  if (auto read = parse_event(line, "it"); !read) {
    return fault(describe(read.error()));
  }
  return line;
}

/// One write, then fdatasync. A write that came through in part is taken back; when that is impossible, or the
/// state of the disk is unknown, nothing more is written.
Result<> Writer::write_bytes(const std::string& bytes) {
  const auto file = directory_ / kJournal;
  ssize_t written = 0;
  do {
    written = ::write(journal_.get(), bytes.data(), bytes.size());
  } while (written < 0 && errno == EINTR);
  if (written != static_cast<ssize_t>(bytes.size())) {
    const int reason = written < 0 ? errno : ENOSPC;
    if (written > 0 && ::ftruncate(journal_.get(), static_cast<off_t>(size_)) != 0) {
      shut_ = "the journal could not be put in order after a failed write";
    }
    return io_error("write", file, reason);
  }
  if (::fdatasync(journal_.get()) != 0) {
    const int reason = errno;
    shut_ = "the journal could not be made durable";
    return io_error("write", file, reason);
  }
  return {};
}

Result<> Writer::write_line(const std::string& line, const Event& event) {
  if (auto written = write_bytes(line + "\n"); !written) {
    return written;
  }
  size_ += line.size() + 1;
  sequence_ = event.sequence;
  head_ = sha256_hex(line);
  for (const auto& path : named_artifacts(event)) {
    named_.insert(path);
  }
  return {};
}

Result<> Writer::append(std::string_view type, json::object data) {
  if (!shut_.empty()) {
    return refuse(directory_, "cannot take another event: " + shut_);
  }
  Event event;
  auto line = line_for(type, std::move(data), event);
  if (!line) {
    return line.error();
  }
  for (const auto& path : named_artifacts(event)) {
    if (!on_disk_.contains(path)) {
      return Error{
          ErrorKind::internal, "an event of type " + event.type + " names an artifact that was not stored", {}};
    }
  }
  return write_line(*line, event);
}

Result<ArtifactRef> Writer::artifact(std::string_view title, std::string_view media_type, std::string_view bytes) {
  return keep({{}, std::string{media_type}, 0, std::string{title}, false}, bytes);
}

Result<ArtifactRef> Writer::restricted(std::string_view title, std::string_view media_type, std::string_view bytes) {
  return keep({{}, std::string{media_type}, 0, std::string{title}, true}, bytes);
}

Result<ArtifactRef> Writer::keep(ArtifactRef reference, std::string_view bytes) {
  if (!shut_.empty()) {
    return refuse(directory_, "cannot take another artifact: " + shut_);
  }
  if (bytes.size() > kMaximumArtifact) {
    return Error{ErrorKind::internal, "an artifact is larger than " + std::to_string(kMaximumArtifact) + " bytes", {}};
  }
  reference.sha256 = sha256_hex(bytes);
  reference.size = static_cast<std::int64_t>(bytes.size());
  const auto path = artifact_path(reference.sha256, reference.restricted);
  if (on_disk_.contains(path)) {
    return reference;
  }
  // Most bundles have nothing restricted, and no bundle has an empty folder for it.
  if (const auto folder = (directory_ / path).parent_path(); reference.restricted && !fs::exists(folder)) {
    std::error_code failed;
    fs::create_directory(folder, failed);
    if (failed) {
      return io_error("create", folder, failed.value());
    }
    if (auto synced = sync_directory(directory_); !synced) {
      return synced.error();
    }
  }
  if (auto written = write_atomic(directory_ / path, bytes); !written) {
    return written.error();
  }
  on_disk_.emplace(path, reference);
  return reference;
}

json::array Writer::unnamed_artifacts() const {
  json::array out;
  for (const auto& [path, reference] : on_disk_) {
    if (!named_.contains(path)) {
      out.push_back(to_json(reference));
    }
  }
  return out;
}

/// Every file of the bundle with its digest; an error for anything that does not belong into one.
Result<FileMap> Writer::digest_files() const {
  auto root = open_directory(directory_);
  if (!root) {
    return root.error();
  }
  auto tree = list_tree(*root);
  if (!tree) {
    return tree.error();
  }
  FileMap out;
  for (const auto& [path, kind] : *tree) {
    const bool known = kind == EntryKind::folder || (kind == EntryKind::file && is_bundle_file(path));
    if (!known || is_closing_file(path)) {
      return refuse(directory_, "holds " + printable(path) + ", which is no part of an open bundle: move it away");
    }
    if (kind == EntryKind::folder || is_temporary(path)) {
      continue;
    }
    auto facts = digest_beneath(*root, path, kMaximumArtifact);
    if (!facts) {
      return facts.error();
    }
    out.emplace(path, *facts);
  }
  for (const auto& [path, digest] : files_) {
    const auto found = out.find(path);
    if (found == out.end() || found->second.sha256 != digest) {
      return refuse(directory_, "is damaged: " + printable(path) + " is not what it was when the run began");
    }
  }
  return out;
}

/// The closing files under their temporary names. They list the journal as it will be with the event `closed`.
Result<> Writer::write_closing(const std::string& verdicts, const Event& closed, const std::string& line) {
  auto files = digest_files();
  if (!files) {
    return files.error();
  }
  auto root = open_directory(directory_);
  auto journal = root ? read_beneath(*root, kJournal, kMaximumJournal) : Result<std::string>{root.error()};
  if (!journal) {
    return journal.error();
  }
  *journal += line + "\n";
  (*files)[std::string{kJournal}] = {static_cast<std::int64_t>(journal->size()), sha256_hex(*journal)};
  (*files)[std::string{kVerdicts}] = {static_cast<std::int64_t>(verdicts.size()), sha256_hex(verdicts)};
  const auto manifest = make_manifest(*files, sha256_hex(line), closed.sequence);
  const std::map<std::string_view, std::string> texts = {
      {kVerdicts, verdicts}, {kManifest, document(to_json(manifest))}, {kSums, sums_text(manifest)}};
  for (const auto& [path, text] : texts) {
    if (auto written = write_durable(directory_ / (std::string{path} + std::string{kTemporary}), text); !written) {
      return written;
    }
  }
  return sync_directory(directory_);
}

Result<> Writer::close(const Verdicts& verdicts) {
  if (!shut_.empty()) {
    return refuse(directory_, "cannot be closed: " + shut_);
  }
  if (auto removed = remove_temporaries(directory_); !removed) {
    return removed;
  }
  if (auto unnamed = unnamed_artifacts(); !unnamed.empty()) {
    json::object data;
    data["text"] = "Artifacts that were stored and that no observation names.";
    data["artifacts"] = std::move(unnamed);
    if (auto noted = append("note", std::move(data)); !noted) {
      return noted;
    }
  }
  const auto text = document(readable(to_json(verdicts)));
  json::object data;
  data["files"] = files_data();
  data["files"].as_object()[kVerdicts] = sha256_hex(text);
  Event event;
  auto line = line_for("closed", std::move(data), event);
  if (!line) {
    return line.error();
  }
  auto written = write_closing(text, event, *line);
  if (written) {
    written = write_line(*line, event);
  }
  if (!written) {
    // Where the event may have reached the disk, the files it needs stay for `finish_bundle`.
    if (shut_.empty()) {
      if (auto removed = remove_temporaries(directory_); !removed) {
        return removed;
      }
    }
    return written;
  }
  shut_ = "it is closed";
  auto finished = finish_bundle(directory_);
  return finished ? Result<>{} : Result<>{finished.error()};
}

BundleClock system_clocks() {
  return {utc_now, [] {
            const auto now = std::chrono::steady_clock::now().time_since_epoch();
            return std::int64_t{std::chrono::duration_cast<std::chrono::nanoseconds>(now).count()};
          }};
}

Result<std::unique_ptr<BundleWriter>> create_bundle(const fs::path& directory, const RunPlan& plan,
                                                    const BundleInputs& inputs, BundleClock clock) {
  std::error_code failed;
  const auto facts = fs::status(directory, failed);
  if (fs::exists(facts) && (!fs::is_directory(facts) || !fs::is_empty(directory, failed))) {
    return refuse(directory, "exists and is not an empty folder: name another one for the bundle");
  }
  auto writer = std::make_unique<Writer>(directory, std::move(clock));
  if (auto begun = writer->begin(plan, inputs); !begun) {
    return begun.error();
  }
  return std::unique_ptr<BundleWriter>{std::move(writer)};
}

Result<std::unique_ptr<BundleWriter>> resume_bundle(const fs::path& directory, BundleClock clock) {
  auto writer = std::make_unique<Writer>(directory, std::move(clock));
  if (auto resumed = writer->go_on(); !resumed) {
    return resumed.error();
  }
  return std::unique_ptr<BundleWriter>{std::move(writer)};
}

Result<std::unique_ptr<BundleWriter>> amend_bundle(const fs::path& directory, BundleClock clock) {
  auto writer = std::make_unique<Writer>(directory, std::move(clock));
  if (auto reopened = writer->reopen(); !reopened) {
    return reopened.error();
  }
  return std::unique_ptr<BundleWriter>{std::move(writer)};
}

}  // namespace assay::evidence

namespace assay {

Result<std::unique_ptr<BundleWriter>> BundleWriter::create(const std::filesystem::path& directory, const RunPlan& plan,
                                                           const BundleInputs& inputs) {
  return evidence::create_bundle(directory, plan, inputs, evidence::system_clocks());
}

Result<std::unique_ptr<BundleWriter>> BundleWriter::resume(const std::filesystem::path& directory) {
  return evidence::resume_bundle(directory, evidence::system_clocks());
}

Result<std::unique_ptr<BundleWriter>> BundleWriter::amend(const std::filesystem::path& directory) {
  return evidence::amend_bundle(directory, evidence::system_clocks());
}

}  // namespace assay
