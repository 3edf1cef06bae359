#include "harness/evidence/bundle.hpp"

#include <sys/stat.h>

#include "harness/evidence/digest.hpp"
#include "harness/evidence/files.hpp"
#include "harness/evidence/journal.hpp"
#include "harness/evidence/layout.hpp"

namespace assay {

namespace {

namespace fs = std::filesystem;
using namespace evidence;

constexpr std::uint64_t kMaximumArtifactRead = std::uint64_t{256} * 1024 * 1024;

Error damaged(std::string_view file, std::string what) {
  return Error{ErrorKind::bad_input, std::move(what), std::string{file}};
}

bool is_file(const fs::path& path) {
  struct stat facts {};

  return ::lstat(path.c_str(), &facts) == 0 && S_ISREG(facts.st_mode);
}

fs::path temporary(const fs::path& directory, std::string_view name) {
  return directory / (std::string{name} + std::string{kTemporary});
}

Result<Chain> open_chain(const Fd& root) {
  auto file = open_beneath(root, kJournal);
  return file ? read_chain(std::move(*file)) : Result<Chain>{file.error()};
}

/// Reads a JSON document for whose bytes the journal vouches.
template <class T>
Result<> read_vouched(const Fd& root, const std::string& file, std::string_view vouched_as,
                      const std::map<std::string, std::string>& vouched, T& out) {
  auto text = read_beneath(root, file, kMaximumDocument);
  if (!text) {
    return text.error();
  }
  const auto digest = vouched.find(std::string{vouched_as});
  if (digest == vouched.end() || digest->second != sha256_hex(*text)) {
    return damaged(file, "is not the file that the journal names: `assay verify` says what was changed");
  }
  auto value = parse_json(*text, file);
  if (!value) {
    return value.error();
  }
  if (auto read = from_json(*value, out); !read) {
    return damaged(file, read.error().what);
  }
  return {};
}

Result<> check_start(const Chain& chain) {
  if (chain.events.empty()) {
    return damaged(kJournal, "is empty: the run was stopped before it began");
  }
  const auto& first = chain.events.front();
  const auto* format = first.data.if_contains("format");
  if (first.type != "created" || format == nullptr || *format != "bundle/1") {
    return damaged(std::string{kJournal} + " line 1", "does not begin a bundle of the format bundle/1");
  }
  for (std::size_t i = 0; i + 1 < chain.events.size(); ++i) {
    if (chain.events[i].type == "closed" && chain.events[i + 1].type != "reopened") {
      return damaged(std::string{kJournal} + " line " + std::to_string(i + 2),
                     "follows the event that closed the bundle");
    }
  }
  return {};
}

/// Takes a statement of a person out of its event, when it is one.
template <class T>
Result<> read_statement(const Event& event, std::string_view type, std::vector<T>& out) {
  if (event.type != type) {
    return {};
  }
  T statement;
  if (auto read = from_json(event.data, statement); !read) {
    return damaged(event_place(event.sequence), "is no " + std::string{type} + ": " + read.error().what);
  }
  statement.sequence = event.sequence;
  statement.time = event.time;
  out.push_back(std::move(statement));
  return {};
}

Result<> read_statements(const Event& event, HumanRecord& out) {
  for (auto& read : {read_statement(event, "answer", out.answers), read_statement(event, "acceptance", out.acceptances),
                     read_statement(event, "review", out.reviews), read_statement(event, "waiver", out.waivers)}) {
    if (!read) {
      return read;
    }
  }
  return {};
}

}  // namespace

Result<bool> finish_bundle(const fs::path& directory) {
  auto root = open_directory(directory);
  if (!root) {
    return root.error();
  }
  auto chain = open_chain(*root);
  if (!chain) {
    return chain.error();
  }
  if (!chain->closed() || is_file(directory / kManifest)) {
    return false;
  }
  // The manifest is renamed last: without its temporary file this is not what an interruption leaves.
  if (!is_file(temporary(directory, kManifest))) {
    return damaged(kManifest, "is missing from a closed bundle: it was removed");
  }
  for (const auto name : kClosing) {
    if (is_file(temporary(directory, name))) {
      if (auto renamed = rename_file(temporary(directory, name), directory / name); !renamed) {
        return renamed.error();
      }
    }
  }
  if (auto synced = sync_directory(directory); !synced) {
    return synced.error();
  }
  return true;
}

Result<Bundle> Bundle::open(const fs::path& directory) {
  auto root = open_directory(directory);
  if (!root) {
    return root.error();
  }
  if (!is_file(directory / kJournal)) {
    return Error{ErrorKind::bad_input, directory.string() + " is not an evidence bundle: it has no journal.jsonl", {}};
  }
  auto chain = open_chain(*root);
  if (!chain) {
    return chain.error();
  }
  if (auto begun = check_start(*chain); !begun) {
    return begun.error();
  }
  Bundle out;
  out.directory_ = directory;
  out.torn_ = !chain->torn.empty();
  out.closed_ = chain->closed();
  const auto written = vouched_files(chain->events.front());
  if (auto read = read_vouched(*root, std::string{kRunPlan}, kRunPlan, written, out.run_plan_); !read) {
    return read.error();
  }
  if (auto read = read_vouched(*root, std::string{kHost}, kHost, written, out.host_); !read) {
    return read.error();
  }
  if (out.closed_) {
    const bool finished = is_file(directory / kVerdicts);
    const auto file = std::string{kVerdicts} + std::string{finished ? "" : kTemporary};
    const auto closing = vouched_files(chain->events.back());
    if (auto read = read_vouched(*root, file, kVerdicts, closing, out.verdicts_.emplace()); !read) {
      return read.error();
    }
  }
  for (const auto& event : chain->events) {
    if (auto read = read_statements(event, out.record_); !read) {
      return read.error();
    }
    const auto* data = event.type == "observation" ? event.data.if_contains("observation") : nullptr;
    if (event.type != "observation") {
      continue;
    }
    Observation observation;
    auto read = from_json(data == nullptr ? json::value{} : *data, observation);
    if (!read) {
      return damaged(event_place(event.sequence), "is not an observation: " + read.error().what);
    }
    out.sequences_.emplace(observation.id, event.sequence);
    out.observations_.push_back(std::move(observation));
  }
  out.events_ = std::move(chain->events);
  return out;
}

RunFacts Bundle::run_facts() const {
  RunFacts out;
  const auto text = [](const json::object& data, std::string_view key) {
    const auto* value = data.if_contains(key);
    return value != nullptr && value->is_string() ? std::string{std::string_view{value->get_string()}} : std::string{};
  };
  std::string lost_address;
  for (const auto& event : events_) {
    const auto* alive = event.type == "liveness" ? event.data.if_contains("alive") : nullptr;
    const bool answered = alive != nullptr && *alive == true && text(event.data, "address") == lost_address;
    if (event.type == "state_failed") {
      out.unreached[text(event.data, "state")] = text(event.data, "because");
    } else if (event.type == "state_reached") {
      out.unreached.erase(text(event.data, "state"));
    } else if (event.type == "run_finished") {
      out.finished = true;
    } else if (event.type == "device_lost") {
      out.device_lost = true;
      out.lost_at = event.time;
      out.lost_after = text(event.data, "after");
      lost_address = text(event.data, "address");
    } else if (event.type == "device_back" || (out.device_lost && answered)) {
      out.device_lost = false;
      out.lost_at.clear();
      out.lost_after.clear();
    }
  }
  return out;
}

Result<std::string> Bundle::artifact(std::string_view sha256) const {
  const auto path = artifact_path(sha256, false);
  if (!is_sha256(sha256)) {
    return Error{ErrorKind::bad_input, "\"" + printable(sha256) + "\" is not the digest of an artifact", {}};
  }
  auto root = open_directory(directory_);
  if (!root) {
    return root.error();
  }
  auto bytes = read_beneath(*root, path, kMaximumArtifactRead);
  if (bytes && sha256_hex(*bytes) != sha256) {
    return damaged(path, "was changed: its bytes have another digest");
  }
  return bytes;
}

std::optional<std::int64_t> Bundle::sequence_of(std::string_view observation_id) const {
  const auto found = sequences_.find(observation_id);
  return found == sequences_.end() ? std::nullopt : std::optional{found->second};
}

}  // namespace assay
