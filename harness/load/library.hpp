#pragma once

#include <filesystem>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/load/faults.hpp"
#include "harness/load/load.hpp"
#include "harness/load/yaml.hpp"

namespace assay {

/// One file of the plan library: its tree and all that is wrong with it. Its path is relative to the library's parent,
/// so that places in plans and bundles are the same on every machine.
///
/// The library is large and a plan needs few of its files: what a file is stands in its first lines, and the rest is parsed
/// when somebody asks for it. What is wrong with a file that nobody asks for is told by `validate`.
struct LibraryFile {
  LibraryFile(SourceText text, std::filesystem::path at);

  SourceText source;
  std::filesystem::path path;  // on this machine
  mutable Faults faults;
  std::string kind;  // "plan/1"; empty when it does not say
  std::string id;    // its `id`; of a cases file its `method`, of a mapping its `from`

  std::string where(Place place) const { return faults.where(place); }

  /// The tree; a null node when the file cannot be read.
  const Node& root() const;

  bool readable() const;

  /// Checks the keys once; later calls do nothing.
  void check();

 private:
  mutable std::optional<Node> root_;
  mutable bool parsed_ = false;
  bool checked_ = false;
};

/// The files of some folders of the library, in the order of their paths. Whole files are read again at each load:
/// nothing is kept between loads.
class Library {
 public:
  /// `instead` takes the place of the library's file at the same path, or of the one with the same kind and id.
  Library(const PlanLibrary& library, std::initializer_list<std::string_view> folders,
          const SourceText* instead = nullptr);

  const std::vector<std::unique_ptr<LibraryFile>>& files() const { return files_; }

  std::vector<LibraryFile*> of_kind(std::string_view kind) const;

  /// The file with this kind and id; when there are several each but the first gets a fault.
  LibraryFile* find(std::string_view kind, std::string_view id) const;

  std::vector<std::string> ids(std::string_view kind) const;

  /// The file that `instead` became, or null.
  LibraryFile* given() const { return given_; }

  /// `instead` is a file of the library itself.
  bool given_is_inside() const { return given_is_inside_; }

  /// Of all files, in the order of their paths.
  std::vector<Error> errors() const;

 private:
  void read_folder(const PlanLibrary& library, std::string_view folder);
  void read_one(const std::filesystem::path& path, const std::string& shown);
  void put_given(const SourceText& instead);

  std::vector<std::unique_ptr<LibraryFile>> files_;
  std::vector<Error> errors_;
  LibraryFile* given_ = nullptr;
  bool given_is_inside_ = false;
};

/// The library's parent, in front of the paths in Plan::inputs.
std::filesystem::path library_parent(const PlanLibrary& library);

}  // namespace assay
