// Expressions come from plan files that anyone may write: finding names in them, the fence, compiling and running must
// end in an answer, never in the death of this process. Half of the input may be a document.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "harness/expr/expr.hpp"
#include "harness/expr/scan.hpp"

namespace {

constexpr std::size_t kRunUpTo = 512;  // a fork for each input: only short ones are worth it

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view program{reinterpret_cast<const char*>(data), size};
  for (const auto& use : assay::names_used(program)) {
    require(program.substr(use.offset, use.name.size()) == use.name);
  }
  const auto refused = assay::expr::refusal(program);
  if (size > kRunUpTo) {
    return 0;
  }
  const auto checked = assay::check_program(program, "fuzz:1:1");
  require(!refused || !checked);
  assay::ExprLimits limits;
  limits.time = std::chrono::milliseconds{20};
  limits.memory_bytes = 64u << 20u;
  limits.items = 100;
  const assay::json::value document{{"obs", assay::json::object{}}, {"specs", assay::json::object{}}};
  const assay::Evaluation evaluation{std::string{program}, "fuzz:1:1", document};
  const auto result = assay::evaluate({&evaluation, 1}, limits).front();
  require(checked || !result.error.empty());
  require(result.items.size() <= limits.items);
  return 0;
}
