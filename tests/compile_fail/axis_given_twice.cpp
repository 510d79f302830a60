// expect: the_same_axis_is_given_twice
// expect: moeplan::degree<moeplan::axis::tp>, moeplan::degree<moeplan::axis::pp>, moeplan::degree<moeplan::axis::tp>
#include <moeplan/describe/strategy.hpp>

using namespace moeplan;

constexpr strategy s{tp{8}, pp{4}, tp{2}};
