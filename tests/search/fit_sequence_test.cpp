#include <moeplan/search/fit_sequence.hpp>

#include <doctest/doctest.h>

#include "search/random_fits.hpp"

using namespace moeplan;
using moeplan_test::below;
using moeplan_test::fits;
using moeplan_test::for_random_fits;

namespace {

deployment with_length(deployment d, std::int64_t tokens) {
  detail::set_sequence_length(d, tokens);
  return d;
}

} // namespace

TEST_CASE("the longest sequence is the one that trying all of them finds") {
  int trained = 0;
  int served = 0;
  const auto set = [](deployment& d, std::mt19937_64& bits) {
    const std::int64_t tensor = d.strategy[axis::tp], context = d.strategy[axis::cp];
    const bool small = tensor > 0 && tensor < 1000 && context > 0 && context < 1000;
    detail::set_sequence_length(d, (small ? 2 * tensor * context : 2) * (1 + below(bits, 9)) + (bits() % 3 == 0 ? 1 : 0));
  };
  for_random_fits(2, 800, set, [&](deployment d, std::mt19937_64& bits) {
    if (bits() % 4 == 0) d.model.max_positions = below(bits, 200);
    constexpr std::int64_t last = 1500;
    std::int64_t longest = 0;
    for (std::int64_t s = 1; s <= last; ++s)
      if (fits(with_length(d, s))) longest = s;
    const fit_answer a = longest_sequence_length(d);
    if (longest > last / 2) {
      CHECK(a.value >= longest);
      if (a.value < most_searched) CHECK_FALSE(fits(with_length(d, a.value + 1)));
    } else {
      CHECK(a.value == longest);
    }
    CHECK(a.found() == (longest != 0));
    if (a.found()) CHECK(moeplan_test::confirmed(a, with_length(d, a.value)));
    if (a.found()) ++(d.workload.is_training() ? trained : served);
  });
  CHECK(trained > 200);
  CHECK(served > 50);
}
