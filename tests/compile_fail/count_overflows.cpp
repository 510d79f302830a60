// expect: a_count_exceeds_64_bits
#include <moeplan/mesh/gpus.hpp>

using namespace moeplan;

constexpr strategy s{tp{1LL << 40}, pp{1LL << 40}, dp{1}};
static_assert(gpus(s) > 0);
