// expect-gcc: could not convert 'tensor' from 'degree<moeplan::axis::tp>' to 'degree<moeplan::axis::pp>'
// expect-clang: no known conversion from 'const degree<axis::tp aka 0>' to 'degree<axis::pp aka 1>'
#include <moeplan/describe/degree.hpp>

constexpr std::int64_t stages(moeplan::pp p) { return p.value; }

constexpr moeplan::tp tensor{8};
constexpr std::int64_t n = stages(tensor);
