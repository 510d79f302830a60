// Against trying every packing.
#include <moeplan/balance/sequence_packing.hpp>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <optional>
#include <ostream>
#include <random>
#include <vector>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

struct job {
  std::vector<std::int64_t> lengths;
  std::int64_t bins = 1;
  std::optional<std::int64_t> limit{};
  std::uint64_t per_token = 1;
  std::uint64_t per_pair = 0;

  [[nodiscard]] std::uint64_t cost(std::int64_t length) const {
    std::uint64_t sum = 0;
    for (std::int64_t query = 1; query <= length; ++query) sum += per_token + per_pair * static_cast<std::uint64_t>(query);
    return sum;
  }

  /// What the costliest micro-batch costs at least, by trying; nothing if there is no packing. Empty micro-batches are all alike.
  [[nodiscard]] std::optional<std::uint64_t> least() const {
    std::vector<std::uint64_t> costs(static_cast<std::size_t>(bins));
    std::vector<std::int64_t> tokens(static_cast<std::size_t>(bins));
    std::optional<std::uint64_t> best;
    const auto place = [&](const auto& self, std::size_t sequence) -> void {
      if (sequence == lengths.size()) {
        const std::uint64_t most = *std::max_element(costs.begin(), costs.end());
        if (!best || most < *best) best = most;
        return;
      }
      for (std::size_t b = 0; b < costs.size(); ++b) {
        const bool was_empty = tokens[b] == 0;
        if (!limit || tokens[b] + lengths[sequence] <= *limit) {
          tokens[b] += lengths[sequence];
          costs[b] += cost(lengths[sequence]);
          self(self, sequence + 1);
          tokens[b] -= lengths[sequence];
          costs[b] -= cost(lengths[sequence]);
        }
        if (was_empty) break;
      }
    };
    place(place, 0);
    return best;
  }
};

struct packed {
  std::vector<packed_micro_batch> micro_batches;
  std::vector<std::int32_t> micro_batch_of;
  std::vector<std::int32_t> next;
  sequence_packing result;
};

packed pack(const job& j, const packing_effort& effort = {}) {
  const auto bins = static_cast<std::size_t>(j.bins);
  packed p{std::vector<packed_micro_batch>(bins),
           std::vector<std::int32_t>(j.lengths.size(), -1),
           std::vector<std::int32_t>(j.lengths.size(), -2),
           {}};
  std::vector<std::int32_t> scratch(std::max(bins, j.lengths.size()));
  p.result = pack_sequences(j.lengths, {.per_token = j.per_token, .per_pair = j.per_pair},
                            j.limit ? optional_integer{*j.limit} : optional_integer{},
                            {p.micro_batches, p.micro_batch_of, p.next, scratch}, effort);
  return p;
}

/// What the arrays say of the packing is true, and the numbers descend.
void expect_consistent(const job& j, const packed& p) {
  std::vector<packed_micro_batch> expected(p.micro_batches.size());
  for (std::size_t i = 0; i < j.lengths.size(); ++i) {
    REQUIRE(p.micro_batch_of[i] >= 0);
    REQUIRE(p.micro_batch_of[i] < j.bins);
    packed_micro_batch& b = expected[static_cast<std::size_t>(p.micro_batch_of[i])];
    b.cost += j.cost(j.lengths[i]);
    b.tokens += j.lengths[i];
    ++b.sequences;
  }
  for (std::size_t b = 0; b < expected.size(); ++b) {
    expected[b].number = static_cast<std::int32_t>(b);
    expected[b].first = p.micro_batches[b].first;
    std::int64_t listed = 0;
    for (std::int32_t i = expected[b].first; i >= 0; i = p.next[static_cast<std::size_t>(i)], ++listed)
      REQUIRE(p.micro_batch_of[static_cast<std::size_t>(i)] == expected[b].number);
    CHECK(listed == expected[b].sequences);
    CHECK(p.micro_batches[b] == expected[b]);
    if (b != 0) CHECK(p.micro_batches[b].cost <= p.micro_batches[b - 1].cost);
    if (j.limit) CHECK(p.micro_batches[b].tokens <= *j.limit);
  }
  CHECK(p.result.largest == p.micro_batches[0].cost);
}

/// No single move, and no change of places, makes the costliest micro-batch cheaper without making another as costly.
void expect_no_improvement(const job& j, const packed& p) {
  const auto cost_with = [&](std::size_t bin, std::uint64_t out, std::uint64_t in) {
    return p.micro_batches[bin].cost.value() - out + in;
  };
  const auto tokens_with = [&](std::size_t bin, std::int64_t out, std::int64_t in) {
    return static_cast<std::int64_t>(p.micro_batches[bin].tokens.value()) - out + in;
  };
  const std::uint64_t largest = p.result.largest.value();
  for (std::size_t i = 0; i < j.lengths.size(); ++i) {
    if (p.micro_batch_of[i] != 0) continue;
    for (std::size_t b = 1; b < p.micro_batches.size(); ++b)
      CHECK((cost_with(b, 0, j.cost(j.lengths[i])) >= largest || (j.limit && tokens_with(b, 0, j.lengths[i]) > *j.limit)));
    for (std::size_t other = 0; other < j.lengths.size(); ++other) {
      const auto b = static_cast<std::size_t>(p.micro_batch_of[other]);
      if (b == 0 || j.lengths[other] >= j.lengths[i]) continue;
      CHECK((cost_with(b, j.cost(j.lengths[other]), j.cost(j.lengths[i])) >= largest ||
             (j.limit && tokens_with(b, j.lengths[other], j.lengths[i]) > *j.limit)));
    }
  }
}

job random_job(std::mt19937_64& random, std::size_t most_sequences) {
  job j;
  j.bins = static_cast<std::int64_t>(1 + random() % 4);
  j.lengths.resize(1 + random() % most_sequences);
  const std::uint64_t longest = 1 + random() % 40;
  for (std::int64_t& length : j.lengths) length = static_cast<std::int64_t>(1 + random() % longest);
  j.per_token = random() % 3;
  j.per_pair = j.per_token == 0 ? 1 : random() % 2;
  if (random() % 2 == 0) {
    const std::int64_t tokens = std::accumulate(j.lengths.begin(), j.lengths.end(), std::int64_t{0});
    j.limit = tokens / j.bins + static_cast<std::int64_t>(random() % 8);
  }
  return j;
}

TEST_CASE("never better than the best, never worse than said") {
  std::mt19937_64 random{36};
  int optimal = 0, proven = 0, found = 0, missed = 0, impossible = 0;
  for (int i = 0; i < 6000; ++i) {
    const job j = random_job(random, 8);
    const std::optional<std::uint64_t> least = j.least();
    const packed p = pack(j);
    if (p.result.outcome == packing_outcome::none_exists) {
      CHECK(!least);
      ++impossible;
      continue;
    }
    if (least) CHECK(p.result.lower_bound <= *least);
    if (p.result.outcome == packing_outcome::none_found) {
      if (least) ++missed;
      continue;
    }
    ++found;
    REQUIRE(least);
    expect_consistent(j, p);
    CHECK(p.result.largest >= *least);
    if (p.result.largest == *least) ++optimal;
    if (p.result.is_optimal()) {
      CHECK(p.result.largest == *least);
      ++proven;
    } else {
      expect_no_improvement(j, p);
      CHECK(p.result.gap() == ratio{p.result.largest, p.result.lower_bound} - ratio{1});
    }
    // Graham's bound, in whole numbers; what came after longest-first only made it better.
    const auto m = static_cast<std::uint64_t>(j.bins);
    if (!j.limit) CHECK(3 * m * p.result.largest.value() <= (4 * m - 1) * *least);
  }
  // Each kind was met, and most are best.
  CHECK(found > 4000);
  CHECK(impossible > 100);
  CHECK(optimal > found * 9 / 10);
  CHECK(proven > found / 2);
  CHECK(missed < found / 20);
}

TEST_CASE("thousands of sequences") {
  std::mt19937_64 random{4096};
  for (const std::int64_t bins : {8, 64, 512}) {
    job j;
    j.bins = bins;
    j.lengths.resize(1024);
    for (std::int64_t& length : j.lengths) {
      const std::uint64_t share = random() % 4096; // Short ones are more frequent, as they are in reality.
      length = static_cast<std::int64_t>(1 + random() % 4096 * share / 4096);
    }
    j.per_token = 7;
    j.per_pair = 1;
    const packed p = pack(j);
    REQUIRE(p.result.outcome == packing_outcome::packed);
    expect_consistent(j, p);
  }
}

/// The sums of longest first as its definition has it, in descending order.
std::vector<std::uint64_t> longest_first(const job& j) {
  std::vector<std::int64_t> lengths = j.lengths;
  std::sort(lengths.rbegin(), lengths.rend());
  std::vector<std::uint64_t> costs(static_cast<std::size_t>(j.bins));
  for (const std::int64_t length : lengths) *std::min_element(costs.begin(), costs.end()) += j.cost(length);
  std::sort(costs.rbegin(), costs.rend());
  return costs;
}

// What 20,000 sequences took more than 20 s for, without limits.
TEST_CASE("more effort never makes a packing worse, and there is an end to it") {
  std::mt19937_64 random{20};
  job j;
  j.bins = 300;
  j.per_pair = 1;
  j.lengths.resize(2400);
  for (std::int64_t& length : j.lengths) length = static_cast<std::int64_t>(1 + random() % 500);
  const packed none = pack(j, {.trials = 0});
  const std::vector<std::uint64_t> expected = longest_first(j);
  for (std::size_t b = 0; b < expected.size(); ++b) CHECK(none.micro_batches[b].cost == expected[b]);

  count largest = none.result.largest;
  count after_a_thousand;
  for (const std::int64_t trials : {299, 1000, 10'000, 100'000, 1'000'000}) {
    const packed p = pack(j, {.enough = {1}, .trials = trials});
    expect_consistent(j, p);
    CHECK(p.result.largest <= largest);
    if (trials < j.bins) CHECK(p.result.largest == largest); // Not enough to look at every micro-batch once.
    largest = p.result.largest;
    if (trials == 1000) after_a_thousand = largest;
  }
  CHECK(largest < after_a_thousand);
  CHECK(largest < none.result.largest);
  const ratio half = ratio{1} + none.result.gap() * ratio{1, 2};
  const packed enough = pack(j, {.enough = half});
  CHECK(enough.result.largest < none.result.largest);
  CHECK(enough.result.largest > largest); // ends as soon as it is enough
  CHECK(enough.result.gap() <= none.result.gap() * ratio{1, 2});
}

TEST_CASE("numbered by cost, ranks that wait for each other wait as little as they can") {
  std::mt19937_64 random{7};
  for (int i = 0; i < 200; ++i) {
    std::vector<packed_micro_batch> bins(6);
    for (packed_micro_batch& b : bins) b.cost = random() % 20;
    const auto by_cost = [](const packed_micro_batch& a, const packed_micro_batch& b) { return a.cost > b.cost; };
    std::sort(bins.begin(), bins.end(), by_cost);
    for (const std::int64_t dp : {1, 2, 3, 6}) {
      const count numbered = step_cost(bins, dp);
      std::vector<std::size_t> order{0, 1, 2, 3, 4, 5};
      count least = numbered;
      do {
        std::vector<packed_micro_batch> other(6);
        for (std::size_t b = 0; b < 6; ++b) other[b] = bins[order[b]];
        least = std::min(least, step_cost(other, dp));
      } while (std::next_permutation(order.begin(), order.end()));
      CHECK(least == numbered);
    }
  }
}

} // namespace
