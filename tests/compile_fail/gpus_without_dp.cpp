// expect: dp_is_absent_resolve_the_strategy_first
#include <moeplan/mesh/gpus.hpp>

using namespace moeplan;

static_assert(gpus(strategy{tp{8}, pp{4}}) == 32);
