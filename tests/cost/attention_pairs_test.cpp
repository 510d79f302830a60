#include <moeplan/cost/attention_pairs.hpp>

#include <cstdint>
#include <initializer_list>
#include <ostream>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr count pairs(std::int64_t cached, std::int64_t tokens, attention_reach reach, counted_pairs counted) {
  return twice_attention_pairs({.cached = cached, .tokens = tokens}, reach, counted);
}

/// Twice the pairs, one by one: which key a query sees, and which of those an indexer leaves.
constexpr std::int64_t twice_one_by_one(std::int64_t cached, std::int64_t tokens, attention_reach reach) {
  std::int64_t all = 0;
  for (std::int64_t query = cached; query < cached + tokens; ++query) {
    std::int64_t seen = 0;
    for (std::int64_t key = 0; key <= query; ++key) {
      const bool sliding = query - key < reach.window;
      const bool chunked = reach.window > 0 && key / reach.window == query / reach.window;
      if (reach.window == 0 || (reach.kind == window_kind::sliding ? sliding : chunked)) ++seen;
    }
    all += reach.top_k > 0 && seen > reach.top_k ? reach.top_k : seen;
  }
  return 2 * all;
}

BOTH_TIMES("a sequence of s tokens has s (s + 1) / 2 pairs, half of s^2, or s^2", [] {
  EXPECT(pairs(0, 4096, {}, counted_pairs::causal) == 4096LL * 4097);
  EXPECT(pairs(0, 4096, {}, counted_pairs::half) == 4096LL * 4096);
  EXPECT(pairs(0, 4096, {}, counted_pairs::all) == 2LL * 4096 * 4096);
  // Of an odd length half of s^2 is no integer, twice as much is.
  EXPECT(pairs(0, 5, {}, counted_pairs::half) == 25);
  EXPECT(pairs(0, 0, {}, counted_pairs::causal) == 0);
});

BOTH_TIMES("one token looks at all before it and at itself", [] {
  EXPECT(pairs(1000, 1, {}, counted_pairs::causal) == 2 * 1001);
  EXPECT(pairs(1000, 1, {}, counted_pairs::half) == 2 * 1000 + 1);
  EXPECT(pairs(1000, 1, {}, counted_pairs::all) == 2 * 1001);
});

BOTH_TIMES("a window of 4, by hand", [] {
  // 1 + 2 + 3 + 4 + 4 + 4, and 1 + 2 + 3 + 4 + 1 + 2.
  EXPECT(pairs(0, 6, {.window = 4}, counted_pairs::causal) == 2 * 18);
  EXPECT(pairs(0, 6, {.window = 4, .kind = window_kind::chunked}, counted_pairs::causal) == 2 * 13);
  EXPECT(pairs(0, 6, {.window = 4}, counted_pairs::half) == 2 * 18 - 6);
  EXPECT(pairs(0, 6, {.window = 4}, counted_pairs::all) == 2 * 36); // No mask, no window.
});

constexpr void expect_as_one_by_one(std::int64_t cached, std::int64_t tokens, attention_reach reach) {
  const std::int64_t all = twice_one_by_one(cached, tokens, reach);
  EXPECT(pairs(cached, tokens, reach, counted_pairs::causal) == all);
  EXPECT(pairs(cached, tokens, reach, counted_pairs::half) == all - tokens);
}

BOTH_TIMES("every short sequence, window and choice, against counting pairs one by one", [] {
  for (const window_kind kind : {window_kind::sliding, window_kind::chunked})
    for (std::int64_t cached = 0; cached < 4; ++cached)
      for (std::int64_t tokens = 0; tokens < 6; tokens += 2)
        for (std::int64_t window = 0; window < 5; ++window)
          for (std::int64_t top_k = 0; top_k < 4; ++top_k)
            expect_as_one_by_one(cached, tokens, {.window = window, .kind = kind, .top_k = top_k});
});

TEST_CASE("the same up to 40 tokens") {
  for (const window_kind kind : {window_kind::sliding, window_kind::chunked})
    for (std::int64_t cached = 0; cached < 20; cached += 3)
      for (std::int64_t tokens = 0; tokens < 20; tokens += 2)
        for (std::int64_t window = 0; window < 14; ++window)
          for (std::int64_t top_k = 0; top_k < 14; top_k += 3)
            expect_as_one_by_one(cached, tokens, {.window = window, .kind = kind, .top_k = top_k});
}

TEST_CASE("a sequence too long for 64 bits saturates") {
  CHECK(pairs(0, std::int64_t{1} << 33, {}, counted_pairs::causal).overflowed());
  CHECK(pairs(0, std::int64_t{1} << 33, {}, counted_pairs::half).overflowed());
  CHECK(pairs(0, std::int64_t{1} << 33, {}, counted_pairs::all).overflowed());
  CHECK(pairs(0, std::int64_t{1} << 33, {.window = 128}, counted_pairs::causal) ==
        128LL * 129 + 2LL * 128 * ((std::int64_t{1} << 33) - 128));
}

} // namespace
