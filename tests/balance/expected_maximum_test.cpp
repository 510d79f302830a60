#include <moeplan/balance/expected_maximum.hpp>

#include <moeplan/number/ratio.hpp>

#include <cmath>
#include <ostream>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

template <class Number>
constexpr Number maximum(std::int64_t tokens, std::int64_t routed, std::int64_t top_k) {
  const experts e{.routed = routed, .top_k = top_k};
  Number storage[1024]{};
  EXPECT(expected_maximum_storage(e, tokens) <= 1024);
  return expected_maximum<Number>(e, tokens, storage);
}

template <class Number>
constexpr Number at_most(std::int64_t limit, std::int64_t tokens, std::int64_t routed, std::int64_t top_k) {
  Number storage[1024]{};
  return maximum_load_probability<Number>({.routed = routed, .top_k = top_k}, tokens, limit, storage);
}

constexpr bool is_near(double x, double expected) { return x - expected <= 5e-8 && expected - x <= 5e-8; }

// Balls in bins: n! / k^n times the coefficient of x^n in (sum over j <= c of x^j / j!)^k, summed over c.
BOTH_TIMES("balls in bins", [] {
  EXPECT(maximum<ratio>(2, 2, 1) == ratio{3, 2});
  EXPECT(maximum<ratio>(3, 3, 1) == ratio{17, 9});
  EXPECT(maximum<ratio>(4, 4, 1) == ratio{17, 8});
  EXPECT(maximum<ratio>(8, 4, 1) == ratio{3623, 1024});
});

BOTH_TIMES("sixteen balls", [] {
  EXPECT(is_near(maximum<double>(8, 8, 1), 2.5972328));
  EXPECT(is_near(maximum<double>(8, 4, 1), 3.5380859));
  EXPECT(is_near(maximum<double>(16, 8, 1), 4.2014157));
});

BOTH_TIMES("two tokens that choose two of three experts always share one", [] {
  EXPECT(maximum<ratio>(2, 3, 2) == ratio{2});
  EXPECT(maximum<ratio>(1, 3, 2) == ratio{1});
  // Of four experts they share none with probability 1 / C(4, 2).
  EXPECT(maximum<ratio>(2, 4, 2) == ratio{11, 6});
  EXPECT(at_most<ratio>(1, 2, 4, 2) == ratio{1, 6});
});

BOTH_TIMES("ends", [] {
  EXPECT(maximum<ratio>(0, 4, 2) == ratio{0});
  EXPECT(maximum<ratio>(5, 1, 1) == ratio{5});
  EXPECT(maximum<ratio>(4, 3, 3) == ratio{4});
  EXPECT(at_most<ratio>(4, 4, 3, 3) == ratio{1});
  EXPECT(at_most<ratio>(3, 4, 3, 3) == ratio{0});
  EXPECT(at_most<ratio>(0, 4, 4, 1) == ratio{0});
  EXPECT(at_most<ratio>(0, 0, 4, 1) == ratio{1});
  EXPECT(at_most<ratio>(1, 4, 4, 1) == ratio{24, 256});
});

BOTH_TIMES("room", [] {
  EXPECT(expected_maximum_storage({.routed = 8, .top_k = 1}, 16) == 34);
  EXPECT(expected_maximum_storage({.routed = 8, .top_k = 3}, 9) == 2000);
  EXPECT(expected_maximum_storage({.routed = 256, .top_k = 8}, 4096).overflowed());
});

BOTH_TIMES("more experts than can be added to the copies", [] { EXPECT(maximum<double>(1, INT64_MAX, 1) == 1); });

} // namespace

TEST_CASE("no answer without room, and without its preconditions") {
  double storage[10]{};
  const experts e{.routed = 4, .top_k = 1};
  CHECK(expected_maximum_storage(e, 4) == 10);
  const array_view<double> short_storage{storage, 9};
  CHECK(std::isnan(expected_maximum<double>(e, 4, short_storage)));
  CHECK(std::isnan(maximum_load_probability<double>(e, 4, 2, short_storage)));
  for (const double x : storage) CHECK(x == 0);
  CHECK(std::isnan(expected_maximum<double>({.routed = 4, .top_k = 0}, 4, storage)));
  CHECK(std::isnan(expected_maximum<double>({.routed = 4, .top_k = 5}, 0, storage)));
  CHECK(std::isnan(expected_maximum<double>(e, -1, storage)));
  CHECK(!std::isnan(expected_maximum<double>(e, 4, storage)));
  ratio ratios[10]{};
  CHECK(expected_maximum<ratio>(e, 4, array_view<ratio>{ratios, 9}).overflowed());
  CHECK(expected_maximum<ratio>(e, 4, ratios) == ratio{17, 8});
}

TEST_CASE("more balls") {
  CHECK(maximum<ratio>(8, 8, 1) == ratio{680849, 262144});
  CHECK(is_near(maximum<double>(16, 16, 1), 3.0782468));
  CHECK(is_near(maximum<double>(32, 8, 1), 7.0477841));
  CHECK(is_near(maximum<double>(64, 8, 1), 12.2352947));
}
