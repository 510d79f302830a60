#include <moeplan/search/fit_trial.hpp>

#include <doctest/doctest.h>

#include <random>

#include <moeplan/catalog/gpus.hpp>
#include <moeplan/catalog/mixtral.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

/// A trial of a number whose memory is a sum of powers of it.
constexpr detail::fit_trial trial(std::int64_t constant, std::int64_t linear, std::int64_t square, std::int64_t n,
                                  std::int64_t capacity) {
  std::int64_t peak = 0;
  const bool overflows = __builtin_mul_overflow(square, n, &peak) || __builtin_add_overflow(peak, linear, &peak) ||
                         __builtin_mul_overflow(peak, n, &peak) || __builtin_add_overflow(peak, constant, &peak);
  if (overflows) peak = __INT64_MAX__;
  return {peak <= capacity ? fit_outcome::found : fit_outcome::lacks_memory, peak, capacity, peak > capacity ? peak - capacity : 0};
}

constexpr std::int64_t largest(std::int64_t constant, std::int64_t linear, std::int64_t square, std::int64_t capacity,
                               std::int64_t last, detail::fit_hint hint = {}) {
  const auto one = [=](std::int64_t n) constexpr noexcept { return trial(constant, linear, square, n, capacity); };
  return detail::largest_that_fits(one, last, hint).number;
}

BOTH_TIMES("the largest number that fits", [] {
  EXPECT(largest(10, 7, 0, 80, 1000) == 10);
  EXPECT(largest(10, 7, 0, 79, 1000) == 9);
  EXPECT(largest(10, 7, 0, 17, 1000) == 1);
  EXPECT(largest(10, 7, 0, 16, 1000) == 0);
  EXPECT(largest(10, 7, 0, 1'000'000, 1000) == 1000);
  EXPECT(largest(10, 0, 0, 10, most_searched) == most_searched);
  EXPECT(largest(0, 1, 0, most_searched - 1, most_searched) == most_searched - 1);
  EXPECT(largest(0, 0, 1, 1'000'000, most_searched) == 1000);
  EXPECT(largest(0, 1, 0, 77, 1000, {77, true}) == 77);
  EXPECT(largest(0, 1, 0, 77, 1000, {900, true}) == 77);
  EXPECT(largest(0, 1, 0, 77, 1000, {2, true}) == 77);
});

/// What a sequence of a strategy must be a multiple of.
constexpr std::int64_t unit(strategy s, profile p) {
  const deployment d{.model = catalog::mixtral_8x7b, .strategy = s, .workload = training{}, .profile = p};
  const auto set = [](deployment & changed, std::int64_t n) constexpr noexcept { changed.workload.train.sequence_length = n; };
  return detail::legal_unit(d, set, 2 * s[axis::tp] * s[axis::cp]);
}

BOTH_TIMES("what a sequence must be a multiple of", [] {
  EXPECT(unit({dp{1}}, profile::megatron) == 1);
  EXPECT(unit({tp{4}, dp{1}}, profile::megatron) == 1);
  EXPECT(unit({tp{4}, sp{4}, dp{1}}, profile::megatron) == 4);
  EXPECT(unit({cp{8}, dp{1}}, profile::megatron) == 16);
  EXPECT(unit({cp{8}, dp{1}}, profile::universal) == 8);
  EXPECT(unit({tp{4}, cp{8}, sp{4}, dp{1}}, profile::universal) == 32);
});

BOTH_TIMES("what a trial says", [] {
  deployment d{.model = catalog::mixtral_8x7b,
               .strategy = {pp{4}, ep{8}, dp{16}},
               .workload = training{.sequence_length = 4096, .sharding = sharding::optimizer}};
  EXPECT(detail::try_out(d).outcome == fit_outcome::not_judged);
  d.cluster.gpu = catalog::h100_sxm;
  EXPECT(detail::try_out(d).fits());
  EXPECT(detail::try_out(d).peak <= detail::try_out(d).capacity);
  d.cluster.gpu = catalog::a100_40gb_sxm;
  d.workload.train.micro_batch = 8;
  EXPECT(detail::try_out(d).outcome == fit_outcome::lacks_memory);
  EXPECT(detail::try_out(d).missing > 0);
  d.strategy.set(axis::tp, 7);
  EXPECT(detail::try_out(d).outcome == fit_outcome::illegal);
});

} // namespace

TEST_CASE("the largest number that fits, of any curve, and in how many trials") {
  std::mt19937_64 bits{7};
  const auto below = [&bits](int n) { return std::int64_t{1} << bits() % static_cast<std::uint64_t>(n); };
  int most_trials = 0;
  std::int64_t all_trials = 0;
  for (int i = 0; i < 20000; ++i) {
    const std::int64_t constant = below(36), linear = below(30), square = bits() % 2 == 0 ? 0 : below(16), last = below(40);
    const auto capacity = static_cast<std::int64_t>(bits() >> 20 >> bits() % 16);
    int trials = 0;
    const auto one = [&](std::int64_t n) noexcept {
      ++trials;
      return trial(constant, linear, square, n, capacity);
    };
    const detail::largest_fit found = detail::largest_that_fits(one, last);
    most_trials = trials > most_trials ? trials : most_trials;
    all_trials += trials;
    if (found.number > 0) CHECK(one(found.number).fits());
    if (found.number < last) CHECK_FALSE(one(found.number + 1).fits());
  }
  CHECK(most_trials <= 60);
  CHECK(all_trials / 20000 <= 8);
}
