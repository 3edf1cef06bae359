#pragma once

#include <map>
#include <set>
#include <string>

#include "harness/evidence/journal.hpp"
#include "harness/evidence/layout.hpp"
#include "harness/evidence/writer.hpp"

/// The writer behind the interface: opening and reopening in writer_open.cpp, events and closing in writer.cpp.
namespace assay::evidence {

/// An error about the bundle as a whole: "<directory> <what>".
Error refuse(const std::filesystem::path& directory, std::string_view what);

/// Removes what an interrupted write left under a temporary name.
Result<> remove_temporaries(const std::filesystem::path& directory);

class Writer final : public BundleWriter {
 public:
  Writer(std::filesystem::path directory, BundleClock clock)
      : directory_(std::move(directory)), clock_(std::move(clock)) {}

  Result<> begin(const RunPlan& plan, const BundleInputs& inputs);
  Result<> go_on();
  Result<> reopen();

  const std::filesystem::path& directory() const override { return directory_; }

  Result<> append(std::string_view type, json::object data) override;
  Result<ArtifactRef> artifact(std::string_view title, std::string_view media_type, std::string_view bytes) override;
  Result<ArtifactRef> restricted(std::string_view title, std::string_view media_type, std::string_view bytes) override;
  Result<> close(const Verdicts& verdicts) override;

 private:
  Result<ArtifactRef> keep(ArtifactRef reference, std::string_view bytes);
  Result<> put(const std::string& path, std::string_view bytes);
  Result<std::string> line_for(std::string_view type, json::object data, Event& event);
  Result<> write_line(const std::string& line, const Event& event);
  Result<> write_bytes(const std::string& bytes);
  Result<Chain> lock_and_read();
  Result<> restore(const Chain& chain);
  Result<> recover(const Chain& chain);
  Result<> append_reopened();
  json::array unnamed_artifacts() const;
  Result<FileMap> digest_files() const;
  Result<> write_closing(const std::string& verdicts, const Event& closed, const std::string& line);
  json::object files_data() const;

  std::filesystem::path directory_;
  BundleClock clock_;
  Fd journal_;
  std::uint64_t size_ = 0;  // of the journal up to its last whole event
  std::int64_t sequence_ = 0;
  std::string head_ = no_previous();
  std::map<std::string, std::string> files_;    // written at the start: path -> sha256
  std::map<std::string, ArtifactRef> on_disk_;  // by path
  std::set<std::string> named_;                 // paths of artifacts that an event names
  std::string shut_;                            // why nothing can be written any more
};

}  // namespace assay::evidence
