// For unit programs that load the shipped library in each of their cases: its programs are checked once, not in each.
#define CATCH_CONFIG_EXTERNAL_INTERFACES  // Catch2 2 shows its listeners only then

#include "harness/expr/expr.hpp"
#include "tests/support/catch.hpp"

namespace {

#if __has_include(<catch2/catch_all.hpp>)
using Listener = Catch::EventListenerBase;
#else
using Listener = Catch::TestEventListenerBase;
#endif

struct RememberPrograms : Listener {
  using Listener::Listener;

  void testRunStarting(const Catch::TestRunInfo&) override { assay::remember_programs(ASSAY_REMEMBER_IN); }
};

CATCH_REGISTER_LISTENER(RememberPrograms)

}  // namespace
