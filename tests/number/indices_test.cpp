#include <moeplan/number/indices.hpp>

#include <type_traits>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

static_assert(std::is_same_v<indices_below<0>, indices<>>);
static_assert(std::is_same_v<indices_below<1>, indices<0>>);
static_assert(std::is_same_v<indices_below<4>, indices<0, 1, 2, 3>>);

template <std::size_t... I>
constexpr std::size_t sum(indices<I...> /*numbers*/) {
  return (I + ... + 0);
}

BOTH_TIMES("a pack of the numbers below N", [] {
  EXPECT(sum(indices_below<5>{}) == 10);
  EXPECT(sum(indices_below<0>{}) == 0);
});

} // namespace
