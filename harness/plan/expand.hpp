#pragma once

// Expansion lives with the expressions, so that the judge, which may not see the planner, shares it with the engine.
#include "harness/expr/expand.hpp"
