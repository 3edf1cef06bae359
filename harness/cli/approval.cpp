#include "harness/cli/approval.hpp"

#include <algorithm>
#include <fstream>

#include "harness/evidence/bundle.hpp"

namespace assay {

namespace {

/// Takes out "where", "where_fail" and the like at any depth.
void drop_places(json::value& value) {
  if (auto* object = value.if_object()) {
    for (auto at = object->begin(); at != object->end();) {
      if (std::string_view{at->key()}.starts_with("where")) {
        at = object->erase(at);
      } else {
        drop_places(at->value());
        ++at;
      }
    }
  } else if (auto* array = value.if_array()) {
    for (auto& item : *array) {
      drop_places(item);
    }
  }
}

}  // namespace

std::string plan_digest(const Plan& plan) {
  auto document = to_json(plan);
  document.as_object().erase("approval");
  document.as_object().erase("inputs");
  drop_places(document);
  return sha256_hex(canonical(document));
}

void take_approval(Plan& plan, const std::vector<Approval>& approvals) {
  const auto digest = plan_digest(plan);
  for (const auto& approval : approvals) {
    if (approval.plan == plan.id && approval.digest == digest) {
      plan.approval = approval;
    }
  }
}

Result<std::filesystem::path> write_approval(const PlanLibrary& library, const Approval& approval) {
  const auto folder = library.root / "approvals";
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  auto name = approval.plan;
  std::replace(name.begin(), name.end(), '/', '-');
  const auto path = folder / (name + "-" + approval.digest.substr(0, 12) + ".yaml");
  if (!failed && std::filesystem::exists(path)) {
    return Error{ErrorKind::bad_input, "this state of the plan is approved already", path.string()};
  }
  std::ofstream file(path, std::ios::binary);
  file << "assay: approval/1\nplan: " << approval.plan << "\ndigest: " << approval.digest
       << "\ndocument: " << yaml_quoted(approval.document) << "\nby: " << yaml_quoted(approval.by)
       << "\norganisation: " << yaml_quoted(approval.organisation) << "\ndate: " << yaml_quoted(approval.date)
       << "\nnote: " << yaml_quoted(approval.note) << "\n";
  if (!file.flush()) {
    return Error{ErrorKind::io, "the approval could not be written; name a library that you may write with --library",
                 path.string()};
  }
  return path;
}

}  // namespace assay
