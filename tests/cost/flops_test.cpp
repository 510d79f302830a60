#include <moeplan/cost/flops.hpp>

#include <cstdint>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

/// A power of two in each component, so that every sum says what is in it.
constexpr flops<> powers{.attention_projections = 1,
                         .core_attention = 2,
                         .indexer_projections = 4,
                         .indexer_scores = 8,
                         .linear_projections = 16,
                         .delta_rule = 32,
                         .dense_mlp = 64,
                         .router = 128,
                         .routed_experts = 256,
                         .shared_experts = 512,
                         .mtp_projections = 1024,
                         .head = 2048};

BOTH_TIMES("the total is the sum of all components", [] {
  static_assert(sizeof(flops<>) == 12 * sizeof(count), "a component that this test does not know");
  EXPECT(powers.total() == 4095);
});

BOTH_TIMES("three components multiply activations with each other, the others with weights", [] {
  EXPECT(powers.without_weights() == 2 + 8 + 32);
  EXPECT(powers.with_weights() == 4095 - 42);
});

BOTH_TIMES("sums and multiples, component by component", [] {
  EXPECT(powers + powers == count{2} * powers);
  const flops<> three = count{3} * powers;
  EXPECT(three.total() == 3 * 4095);
  EXPECT(three.router == 384 && three.head == 6144 && three.delta_rule == 96);
  flops<> sum = powers;
  sum += three;
  EXPECT(sum == count{4} * powers);
});

TEST_CASE("nothing of an overflowed component is nothing") {
  flops<> large;
  large.head = count{INT64_MAX} * count{INT64_MAX};
  CHECK(large.head.overflowed());
  CHECK(count{0} * large == flops<>{});
  CHECK((count{1} * large).total().overflowed());
}

} // namespace
