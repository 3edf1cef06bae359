#include <cstdint>
#include <string>

#include "harness/load/check.hpp"
#include "harness/load/load.hpp"
#include "harness/load/parts.hpp"
#include "harness/load/written_secrets.hpp"

namespace {

/// What goes into a bundle has no written secret any more: leaving them out again changes nothing.
void check_written_secrets(const assay::SourceText& source) {
  const auto once = assay::without_written_secrets(source, [](std::string_view) { return std::string{"x"}; });
  if (!once) {
    return;
  }
  const auto twice =
      assay::without_written_secrets({source.path, *once}, [](std::string_view) { return std::string{"y"}; });
  if (!twice || *twice != *once) {
    __builtin_trap();
  }
}

}  // namespace

/// Whatever the bytes are, reading them as each kind of file ends in a value or in errors with a place. Cases are
/// checked against their table only: a library on disk and jq would hide the reader behind their own cost.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const assay::SourceText source{"f.yaml", std::string(reinterpret_cast<const char*>(data), size)};
  const auto dut = assay::load_dut(source);
  const auto payloads = assay::load_payload_list(source);
  const auto keys = assay::load_known_key_list(source);
  const auto dictionary = assay::load_dictionary(source);
  const auto job = assay::load_job(source);
  assay::Faults faults(source.path);
  const auto root = assay::read_yaml(source.text, faults);
  if (root) {
    assay::check_table(*root, assay::kCasesTable, faults);
    assay::policy_of(*root, faults);
  }
  check_written_secrets(source);
  const bool told = !faults.errors().empty();
  // A file is one kind or none: more than one value, or neither a value nor an error, is a fault of ours.
  const int values = (dut.value ? 1 : 0) + (dictionary.value ? 1 : 0) + (payloads.value ? 1 : 0) + (job.value ? 1 : 0) +
                     (keys.value ? 1 : 0);
  if (values > 1 || (!root && !told) || dut.value.has_value() != dut.errors.empty()) {
    __builtin_trap();
  }
  return 0;
}
