#include <moeplan/search/fit_micro_batch.hpp>

#include <doctest/doctest.h>

#include <moeplan/catalog/gpus.hpp>
#include <moeplan/catalog/mixtral.hpp>

#include "search/random_fits.hpp"
#include "support/both_times.hpp"

using namespace moeplan;
using moeplan_test::below;
using moeplan_test::for_random_fits;

namespace {

constexpr deployment with_micro_batch(deployment d, std::int64_t sequences) {
  d.workload.train.micro_batch = sequences;
  return d;
}

BOTH_TIMES("the largest divisor that is at most some number", [] {
  EXPECT(detail::divisor_at_most(12, 100) == 12);
  EXPECT(detail::divisor_at_most(12, 11) == 6);
  EXPECT(detail::divisor_at_most(12, 5) == 4);
  EXPECT(detail::divisor_at_most(12, 3) == 3);
  EXPECT(detail::divisor_at_most(12, 0) == 0);
  EXPECT(detail::divisor_at_most(1, 1) == 1);
  EXPECT(detail::divisor_at_most(97, 96) == 1);
});

/// Twelve sequences of eight tokens a rank and step, all of which GPipe holds at once. The model is so small that what is held decides.
constexpr deployment small = [] {
  deployment d{.model = catalog::mixtral_8x7b,
               .cluster = {.gpu = catalog::h100_sxm, .total = 32},
               .strategy = {pp{4}, ep{8}, dp{8}},
               .workload = training{.global_batch = 96, .sequence_length = 8, .schedule = schedule::gpipe}};
  d.model.vocabulary_size = 1024;
  d.model.hidden_size = 64;
  d.model.attention = attention::multi_head(4, 16);
  d.model.experts.intermediate_size = 64;
  return d;
}();

// Each tensor of each micro-batch is rounded up to 512 bytes, and of two sequences there are twice as many as of four.
BOTH_TIMES("a smaller micro-batch may take more", [] {
  const auto of_two = check(with_micro_batch(small, 2)).facts.peak_bytes;
  const auto of_four = check(with_micro_batch(small, 4)).facts.peak_bytes;
  EXPECT(of_four < of_two);
  deployment d = small;
  d.cluster.gpu = gpu{.memory = bytes{of_four}};
  EXPECT(largest_micro_batch(d).value == 4);
  d.cluster.gpu = gpu{.memory = bytes{of_four - 1}};
  EXPECT(largest_micro_batch(d).outcome == fit_outcome::lacks_memory);
});

// Nine sequences a rank: nine micro-batches on PP 4 are two rounds of different length, which PyTorch refuses, and three are one round.
BOTH_TIMES("where nothing fits, the smallest micro-batch that is legal is told of", [] {
  deployment d = small;
  d.profile = profile::torchtitan;
  d.strategy = d.strategy.with(vpp{2});
  d.workload.train.schedule = schedule::one_forward_one_backward;
  d.workload.train.global_batch = 72;
  d.cluster.gpu = gpu{.memory = bytes{1'000'000}};
  const fit_answer a = largest_micro_batch(d);
  EXPECT(a.outcome == fit_outcome::lacks_memory && a.candidate == 3 && a.missing == a.peak - 1_MB);
  d.cluster.gpu = gpu{.memory = bytes{1'000'000'000'000}};
  EXPECT(largest_micro_batch(d).value == 9);
  d.profile = profile::megatron; // Neither nine, three nor one are a multiple of four.
  EXPECT(largest_micro_batch(d).outcome == fit_outcome::illegal);
});

} // namespace

TEST_CASE("every divisor, one after the other") {
  for (std::int64_t n = 1; n <= 300; ++n) {
    std::int64_t at = n;
    for (std::int64_t d = n; d >= 1; --d)
      if (n % d == 0) {
        CHECK(at == d);
        at = detail::divisor_at_most(n, at - 1);
      }
    CHECK(at == 0);
  }
  const std::int64_t large = (std::int64_t{1} << 40) - 1;
  CHECK(detail::divisor_at_most(large, large - 1) == large / 3);
}

TEST_CASE("the largest micro-batch is the one that trying all of them finds") {
  int found = 0;
  int lacking = 0;
  int with_global_batch = 0;
  int gaps = 0; // smaller micro-batches that take more
  const auto set = [](deployment& d, std::mt19937_64& bits) {
    training& t = d.workload.train;
    t.global_batch = {};
    t.micro_batch = 1 + below(bits, 12);
  };
  for_random_fits(1, 1500, set, [&](deployment d, std::mt19937_64& bits) {
    if (!d.workload.is_training()) {
      CHECK(largest_micro_batch(d) == fit_answer{});
      return;
    }
    const facts f = facts_of(d);
    if (below(bits, 3) != 0 && f.dp > 0 && f.dp < 100000)
      d.workload.train.global_batch = f.dp * (1 + below(bits, 60));
    else
      d.workload.train.global_batch = {};
    std::int64_t last = 120;
    if (d.workload.train.global_batch.given) last = d.workload.train.global_batch.number / f.dp;
    std::int64_t largest = 0;
    std::int64_t smallest_legal = 0;
    bool smaller_lacks = false;
    bool gap = false;
    for (std::int64_t m = 1; m <= last; ++m) {
      const detail::fit_trial t = detail::try_out(with_micro_batch(d, m));
      smaller_lacks |= t.outcome == fit_outcome::lacks_memory;
      if (t.judged() && smallest_legal == 0) smallest_legal = m;
      if (!t.fits()) continue;
      largest = m;
      gap |= smaller_lacks;
    }
    if (largest == 120) return;
    gaps += gap ? 1 : 0;
    CHECK((!gap || d.workload.train.global_batch.given));
    const fit_answer a = largest_micro_batch(d);
    CHECK(a.value == largest);
    CHECK(a.found() == (largest != 0));
    if (largest != 0) CHECK(moeplan_test::confirmed(a, with_micro_batch(d, a.value)));
    CHECK((a.outcome == fit_outcome::illegal || smallest_legal != 0 || a.outcome == fit_outcome::not_judged));
    CHECK((a.outcome != fit_outcome::illegal || smallest_legal == 0));
    if (a.outcome == fit_outcome::lacks_memory) {
      CHECK(a.candidate == smallest_legal);
      const findings least = check(with_micro_batch(d, a.candidate));
      CHECK(least.facts.missing_bytes > 0);
      CHECK(bytes{least.facts.missing_bytes} == a.missing);
      CHECK(bytes{least.facts.peak_bytes} == a.peak);
    }
    found += a.found() ? 1 : 0;
    lacking += a.outcome == fit_outcome::lacks_memory ? 1 : 0;
    with_global_batch += a.found() && d.workload.train.global_batch.given ? 1 : 0;
  });
  CHECK(found > 400);
  CHECK(lacking > 20);
  CHECK(with_global_batch > 200);
  CHECK(gaps > 0);
}
