#include "harness/load/library.hpp"

#include <algorithm>
#include <cctype>
#include <system_error>

#include "harness/load/check.hpp"
#include "harness/load/read.hpp"
#include "harness/load/words.hpp"

namespace assay {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMostFiles = 5000;

fs::path canonical_path(const fs::path& path) {
  std::error_code failed;
  auto canonical = fs::weakly_canonical(path, failed);
  return failed ? path : canonical;
}

/// The key that a file of this kind is found by.
std::string_view id_key(std::string_view kind) {
  return kind == "cases/1" ? "method" : kind == "mapping/1" ? "from" : "id";
}

bool is_plain(char letter) {
  return std::isalnum(static_cast<unsigned char>(letter)) != 0 || std::string_view{"@./_-"}.find(letter) != std::string_view::npos;
}

/// The value of a top-level key that stands on one line of the head as a plain or quoted word; empty when it does not.
std::string head_value(std::string_view text, std::string_view key) {
  constexpr std::size_t kHead = 8192;
  std::string_view rest = text.substr(0, kHead);
  while (!rest.empty()) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (!line.starts_with(key) || !line.substr(key.size()).starts_with(": ")) {
      continue;
    }
    auto value = line.substr(key.size() + 2);
    if (value.size() > 2 && value.front() == '"' && value.back() == '"') {
      value = value.substr(1, value.size() - 2);
    }
    return std::all_of(value.begin(), value.end(), is_plain) ? std::string{value} : std::string{};
  }
  return {};
}

}  // namespace

LibraryFile::LibraryFile(SourceText text, fs::path at)
    : source(std::move(text)), path(std::move(at)), faults(source.path) {
  kind = head_value(source.text, "assay");
  id = find_file_kind(kind) == nullptr ? std::string{} : head_value(source.text, id_key(kind));
  if (id.empty()) {  // not written as files usually are
    kind = text_of(root(), "assay");
    id = text_of(root(), id_key(kind));
  }
}

const Node& LibraryFile::root() const {
  static const Node kNothing;
  if (!parsed_) {
    parsed_ = true;
    root_ = read_yaml(source.text, faults);
  }
  return root_ ? *root_ : kNothing;
}

bool LibraryFile::readable() const {
  (void)root();
  return root_.has_value();
}

void LibraryFile::check() {
  if (checked_ || !readable()) {
    return;
  }
  checked_ = true;
  if (const auto* known = check_kind(root(), faults)) {
    check_table(root(), *known->table, faults);
  }
}

Library::Library(const PlanLibrary& library, std::initializer_list<std::string_view> folders,
                 const SourceText* instead) {
  std::error_code failed;
  if (!fs::is_directory(library.root, failed)) {
    errors_.push_back({ErrorKind::io, "there is no plan library here", library.root.string()});
  }
  for (const auto folder : folders) {
    read_folder(library, folder);
  }
  if (instead != nullptr) {
    put_given(*instead);
  }
  for (const auto& file : files_) {
    // A file that does not say what it is could be part of anything.
    if (find_file_kind(file->kind) == nullptr && file->readable()) {
      check_kind(file->root(), file->faults);
    }
  }
}

void Library::read_folder(const PlanLibrary& library, std::string_view folder) {
  std::vector<fs::path> paths;
  std::error_code failed;
  for (fs::recursive_directory_iterator at(library.root / folder, failed), end; !failed && at != end;
       at.increment(failed)) {
    if (at->path().extension() == ".yaml" && at->is_regular_file(failed)) {
      paths.push_back(at->path());
    }
    if (paths.size() > kMostFiles) {
      errors_.push_back(
          {ErrorKind::bad_input, "the folder has more than 5000 files", (library.root / folder).string()});
      return;
    }
  }
  if (failed && failed != std::errc::no_such_file_or_directory) {
    errors_.push_back(
        {ErrorKind::io, "the folder cannot be read: " + failed.message(), (library.root / folder).string()});
  }
  std::sort(paths.begin(), paths.end());
  const auto parent = library_parent(library);
  for (const auto& path : paths) {
    read_one(path, fs::absolute(path).lexically_normal().lexically_relative(parent).generic_string());
  }
}

void Library::read_one(const fs::path& path, const std::string& shown_path) {
  auto source = read_source(path);
  if (!source) {
    errors_.push_back({source.error().kind, source.error().what, shown_path});
    return;
  }
  files_.push_back(std::make_unique<LibraryFile>(SourceText{shown_path, std::move(source->text)}, path));
}

void Library::put_given(const SourceText& instead) {
  auto file = std::make_unique<LibraryFile>(instead, instead.path);
  given_ = file.get();
  const auto path = canonical_path(instead.path);
  for (auto& other : files_) {
    if (canonical_path(other->path) == path) {
      other = std::move(file);
      given_is_inside_ = true;
      return;
    }
  }
  std::erase_if(files_, [&](const auto& other) {
    return other->kind == file->kind && other->id == file->id && file->kind != "cases/1";
  });
  files_.push_back(std::move(file));
}

std::vector<LibraryFile*> Library::of_kind(std::string_view kind) const {
  std::vector<LibraryFile*> out;
  for (const auto& file : files_) {
    if (file->kind == kind) {
      out.push_back(file.get());
    }
  }
  return out;
}

LibraryFile* Library::find(std::string_view kind, std::string_view id) const {
  LibraryFile* found = nullptr;
  for (auto* file : of_kind(kind)) {
    if (file->id != id) {
      continue;
    }
    if (found == nullptr) {
      found = file;
    } else {
      const auto* node = assay::find(file->root(), "id");
      file->faults.add(node->place, "the id " + shown(id) + " is taken already by " +
                                        found->where(assay::find(found->root(), "id")->place));
    }
  }
  return found;
}

std::vector<std::string> Library::ids(std::string_view kind) const {
  std::vector<std::string> out;
  for (const auto* file : of_kind(kind)) {
    out.push_back(file->id);
  }
  return out;
}

std::vector<Error> Library::errors() const {
  auto out = errors_;
  for (const auto& file : files_) {
    for (auto& error : file->faults.errors()) {
      out.push_back(std::move(error));
    }
  }
  return out;
}

fs::path library_parent(const PlanLibrary& library) {
  auto root = fs::absolute(library.root).lexically_normal();
  if (!root.has_filename()) {  // written with a slash behind it
    root = root.parent_path();
  }
  return root.parent_path();
}

}  // namespace assay
