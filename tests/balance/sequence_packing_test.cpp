#include <moeplan/balance/sequence_packing.hpp>

#include <initializer_list>
#include <ostream>

#include "support/both_times.hpp"
#include "support/is_constant.hpp"

using namespace moeplan;
using moeplan_test::is_constant;

namespace {

/// A packing of up to 12 sequences into up to 6 micro-batches, with all that it was written to.
struct packed {
  std::int64_t lengths[12]{};
  std::int64_t sequences = 0;
  std::int64_t bins = 1;
  packed_micro_batch micro_batches[6]{};
  std::int32_t micro_batch_of[12]{};
  std::int32_t next[12]{};
  std::int32_t scratch[12]{};
  sequence_packing result{};

  constexpr packed(std::initializer_list<std::int64_t> tokens, std::int64_t into, optional_integer limit = {},
                   sequence_cost cost = {})
      : bins{into} {
    for (const std::int64_t n : tokens) lengths[sequences++] = n;
    result = pack_sequences({lengths, sequences}, cost, limit,
                            {.micro_batches = {micro_batches, bins},
                             .micro_batch_of = {micro_batch_of, sequences},
                             .next = {next, sequences},
                             .scratch = {scratch, sequences < bins ? bins : sequences}});
  }

  constexpr bool costs(std::initializer_list<std::int64_t> expected) const {
    if (static_cast<std::int64_t>(expected.size()) != bins) return false;
    for (std::int64_t b = 0; b < bins; ++b)
      if (micro_batches[b].cost != expected.begin()[b] || micro_batches[b].number != b) return false;
    return true;
  }
};

BOTH_TIMES("what a sequence costs", [] {
  EXPECT(sequence_cost{}.of(4096) == 4096);
  EXPECT(sequence_cost{.per_token = 0, .per_pair = 1}.of(4) == 4 + 3 + 2 + 1);
  EXPECT(sequence_cost{.per_token = 0, .per_pair = 1}.of(5) == 15);
  EXPECT(sequence_cost{.per_token = 3, .per_pair = 2}.of(1) == 5);
  EXPECT(sequence_cost{.per_token = 3, .per_pair = 2}.of(0) == 0);
  EXPECT(sequence_cost{.per_token = 1, .per_pair = 1}.of(4'294'967'295) == 9'223'372'039'002'259'455U); // 2^32 - 1
  EXPECT(sequence_cost{.per_token = 1}.of(INT64_MAX) == INT64_MAX); // The pairs, which cost nothing, would not fit.
});

static_assert(!is_constant<decltype([] { return sequence_cost{.per_pair = 1}.of(INT64_MAX); })>);
TEST_CASE("a cost of more than 64 bits says so") { CHECK(sequence_cost{.per_pair = 1}.of(INT64_MAX).overflowed()); }

// R. L. Graham, Bounds on multiprocessing timing anomalies (1969): longest first takes 4/3 - 1/(3 m) of the best at worst, and here it
// does: 5+3+3 5+3 4+4, 11 where 9 is possible. Moving and changing places finds the 9.
BOTH_TIMES("where longest first is at its worst", [] {
  const packed p{{5, 5, 4, 4, 3, 3, 3}, 3};
  EXPECT(p.result.lower_bound == 9);
  EXPECT(p.result.largest == 9 && p.result.is_optimal() && p.result.gap() == ratio{0});
  EXPECT(p.costs({9, 9, 9}));
  const packed two{{3, 3, 2, 2, 2}, 2};
  EXPECT(two.costs({6, 6}));
});

// The family on which longest first is at its worst, of two sequences each of 2 m - 1 down to m + 1, and three of m: every micro-batch but
// the first gets 3 m at most, the first 4 m - 1. Its shares, 7/6 11/9 15/12 19/15, are what Graham's bound gives.
BOTH_TIMES("longest first alone, and a little effort", [] {
  constexpr std::int64_t worst[] = {0, 0, 7, 11, 15, 19};
  const auto tight = [](std::int64_t m, const packing_effort& effort) {
    std::int64_t lengths[11]{};
    std::int64_t n = 0;
    for (std::int64_t length = 2 * m - 1; length > m; --length) lengths[n++] = length, lengths[n++] = length;
    for (int i = 0; i < 3; ++i) lengths[n++] = m;
    packed_micro_batch bins[5]{};
    std::int32_t arrays[3][11]{};
    return pack_sequences({lengths, n}, {}, {}, {{bins, m}, arrays[0], arrays[1], arrays[2]}, effort);
  };
  for (std::int64_t m = 2; m <= 5; ++m) {
    const sequence_packing first = tight(m, {.trials = 0});
    EXPECT(first.largest == worst[m] && first.lower_bound == 3 * m);
    EXPECT(ratio(first.largest, first.lower_bound) == ratio{4, 3} - ratio(1, 3 * m));
    EXPECT(tight(m, {.enough = {worst[m], 3 * m}}).largest == worst[m]); // is enough
    EXPECT(tight(m, {.enough = {worst[m] - 1, 3 * m}}).largest < worst[m]);
    EXPECT(tight(m, {}).largest == 3 * m);
  }
  // 3 + 2 + 2 and 3 + 2: two micro-batches to look at, then for each of three sequences to move it or exchange it for one of two.
  EXPECT(tight(2, {.trials = 10}).largest == 7);
  EXPECT(tight(2, {.trials = 11}).largest == 6);
});

BOTH_TIMES("arrays that are too short are not written to", [] {
  constexpr std::int64_t lengths[] = {3, 2, 1};
  packed_micro_batch bins[4]{};
  std::int32_t of[] = {-7, -7, -7, -7};
  std::int32_t next[] = {-7, -7, -7, -7};
  std::int32_t scratch[] = {-7, -7, -7, -7};
  const auto outcome = [&](std::int64_t micro_batches, std::int64_t of_size, std::int64_t next_size, std::int64_t scratch_size) {
    return pack_sequences(lengths, {}, {},
                          {.micro_batches = {bins, micro_batches},
                           .micro_batch_of = {of, of_size},
                           .next = {next, next_size},
                           .scratch = {scratch, scratch_size}});
  };
  constexpr sequence_packing none{.outcome = packing_outcome::too_little_storage};
  EXPECT(outcome(0, 3, 3, 3) == none);
  EXPECT(outcome(2, 2, 3, 3) == none);
  EXPECT(outcome(2, 3, 2, 3) == none);
  EXPECT(outcome(2, 3, 3, 2) == none);
  EXPECT(outcome(4, 3, 3, 3) == none); // as long as micro-batches
  EXPECT(!none.is_optimal());
  for (int i = 0; i < 4; ++i) EXPECT(of[i] == -7 && next[i] == -7 && scratch[i] == -7 && bins[i] == packed_micro_batch{});
  EXPECT(outcome(2, 4, 4, 4).is_optimal()); // longer ones are fine
  EXPECT(of[0] == 0 && of[3] == -7 && next[3] == -7);
});

BOTH_TIMES("a longest sequence that no packing makes shorter", [] {
  const packed p{{100, 1, 2, 3}, 2};
  EXPECT(p.result.lower_bound == 100 && p.result.is_optimal());
  EXPECT(p.costs({100, 6}));
  EXPECT(p.micro_batches[0].sequences == 1 && p.micro_batches[1].sequences == 3 && p.micro_batches[1].tokens == 6);
  EXPECT(p.micro_batches[0].first == 0 && p.next[0] == -1); // Which of the others is the first is not said.
  EXPECT(p.next[1] + p.next[2] + p.next[3] + p.micro_batches[1].first == 1 + 2 + 3 - 1);
  EXPECT(p.micro_batch_of[0] == 0 && p.micro_batch_of[1] == 1 && p.micro_batch_of[2] == 1 && p.micro_batch_of[3] == 1);
});

BOTH_TIMES("more sequences than micro-batches: two of the largest share one", [] {
  // The average is 7 1/3 and the longest 7, but two are together, which is 4 + 5 at least.
  const packed p{{7, 6, 5, 4}, 3};
  EXPECT(p.result.lower_bound == 9);
  EXPECT(p.result.is_optimal() && p.costs({9, 7, 6}));
});

BOTH_TIMES("micro-batches may stay empty", [] {
  const packed p{{3, 4}, 4};
  EXPECT(p.costs({4, 3, 0, 0}) && p.result.is_optimal());
  EXPECT(p.micro_batches[3].sequences == 0 && p.micro_batches[3].first == -1);
  const packed none{{}, 2};
  EXPECT(none.costs({0, 0}) && none.result.is_optimal());
});

BOTH_TIMES("attention makes long sequences dear", [] {
  // Of 4 4 2 2 2 2 the pairs are 10 10 3 3 3 3: with the tokens alone 4+4 and 2+2+2+2 were as good as 4+2+2 twice.
  const packed p{{4, 4, 2, 2, 2, 2}, 2, {}, {.per_token = 0, .per_pair = 1}};
  EXPECT(p.costs({16, 16}) && p.result.is_optimal());
  // One of 8 (36 pairs) is as dear as a dozen of 2, and is left alone although that leaves 8 tokens on one side and 22 on the other.
  const packed q{{8, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2}, 2, {}, {.per_token = 0, .per_pair = 1}};
  EXPECT(q.costs({36, 33}) && q.micro_batches[0].tokens == 8 && q.micro_batches[1].tokens == 22);
});

BOTH_TIMES("the token limit", [] {
  // As above, but there is room for 16 tokens at most.
  const packed p{{8, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2}, 2, 16, {.per_token = 0, .per_pair = 1}};
  EXPECT(p.result.outcome == packing_outcome::packed);
  EXPECT(p.costs({45, 24}) && p.micro_batches[0].tokens == 14 && p.micro_batches[1].tokens == 16);
  EXPECT(p.result.lower_bound == 36 && !p.result.is_optimal() && p.result.gap() == ratio{1, 4});
});

BOTH_TIMES("what is proven not to fit", [] {
  EXPECT(packed({5, 1}, 2, 4).result.outcome == packing_outcome::none_exists);          // one is too long
  EXPECT(packed({4, 4, 4, 1}, 3, 4).result.outcome == packing_outcome::none_exists);    // all together are
  EXPECT(packed({3, 3, 3, 3}, 3, 5).result.outcome == packing_outcome::none_exists);    // and two of four would have to share
  EXPECT(packed({2, 2, 2, 2, 2}, 2, 5).result.outcome == packing_outcome::none_exists); // three of five
  EXPECT(packed({1}, 1, 0).result.outcome == packing_outcome::none_exists);
  EXPECT(packed({4, 4, 4}, 3, 4).result.outcome == packing_outcome::packed);
});

BOTH_TIMES("where longest first finds no room, filling up may", [] {
  // Each into the cheapest: 6+3 and 4+4, and no room for the other 3.
  const packed p{{6, 4, 4, 3, 3}, 2, 10};
  EXPECT(p.result.outcome == packing_outcome::packed);
  EXPECT(p.costs({10, 10}));
});

BOTH_TIMES("what neither finds is not said to be impossible", [] {
  // 8+5+5 and 6+6+6 would do; both ways put a 6 to the 8.
  const packed p{{8, 6, 6, 6, 5, 5}, 2, 18};
  EXPECT(p.result.outcome == packing_outcome::none_found);
  EXPECT(!p.result.is_optimal() && p.result.lower_bound == 18);
});

BOTH_TIMES("a step in which the ranks wait for each other", [] {
  packed_micro_batch bins[6]{};
  const std::int64_t costs[] = {9, 8, 7, 3, 2, 1};
  for (std::size_t i = 0; i < 6; ++i) bins[i].cost = costs[i];
  EXPECT(step_cost(bins, 1) == 30);
  EXPECT(step_cost(bins, 2) == 9 + 7 + 2);
  EXPECT(step_cost(bins, 3) == 9 + 3);
  EXPECT(step_cost(bins, 6) == 9);
  bins[0].cost = 1, bins[5].cost = 9;
  EXPECT(step_cost(bins, 2) == 8 + 7 + 9);
});

template <std::int64_t Length>
struct three_on_two {
  constexpr count operator()() const { return packed{{Length, Length, Length}, 2}.result.largest; }
};
static_assert(is_constant<three_on_two<INT64_MAX>>); // 2^64 - 2
static_assert(three_on_two<INT64_MAX>{}() == count::top - 1);

TEST_CASE("ranks that do not share the micro-batches evenly take no step") {
  const packed_micro_batch bins[6]{};
  CHECK(step_cost(bins, 4).overflowed());
  CHECK(step_cost(bins, 0).overflowed());
  CHECK(step_cost(bins, -1).overflowed());
}

TEST_CASE("sums of more than 64 bits say so") {
  CHECK(packed{{INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX}, 2}.result.largest.overflowed());
  const packed p{{INT64_MAX, 1}, 2, {}, {.per_pair = 1}};
  CHECK(p.result.largest.overflowed());
  CHECK(p.result.lower_bound.overflowed());
  CHECK(!p.result.is_optimal());
  CHECK(p.result.gap().overflowed());
}

} // namespace
