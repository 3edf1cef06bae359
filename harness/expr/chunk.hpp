#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/expr/expr.hpp"

/// libjq behind one door. Programs run only in the worker, and one that no worker has compiled before is compiled
/// there: libjq ends its process when memory or recursion runs out.
namespace assay::expr {

/// Exit status of the worker when libjq gets no more memory.
inline constexpr int kExitMemory = 77;

/// What a running program tells, in order.
struct ProgramEvents {
  std::function<void(std::string_view json)> item;
  std::function<void(std::string_view text)> missing;
};

/// A document as libjq holds it, made once for all programs that read it.
class Document {
 public:
  explicit Document(const json::value& value);
  /// `shared` with the members of `own` put over it.
  Document(const Document& shared, const json::object& own);
  ~Document();
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;

  const void* handle() const { return value_.get(); }

 private:
  std::unique_ptr<void, void (*)(void*)> value_;
};

/// The functions that every program has beside jq's own, in jq.
std::string whole_prelude();

/// Several programs compiled as one with balanced dispatch: jq's own library and the prelude are compiled once for
/// all of them, which is most of the cost.
class Chunk {
 public:
  /// Nothing when it does not compile; `error` is then a sentence. With one program it tells the line.
  static std::unique_ptr<Chunk> compile(std::span<const std::string_view> programs, std::string& error);

  virtual ~Chunk() = default;

  /// Runs program `index`. The returned sentence is why it ended early, empty when it did not.
  virtual std::string run(std::size_t index, const Document& document, const ExprLimits& limits,
                          const ProgramEvents& events) = 0;
};

}  // namespace assay::expr
