#include <moeplan/search/ranking.hpp>

#include <doctest/doctest.h>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr search_candidate candidate(std::int64_t gpus, std::int64_t peak, std::int64_t idle, std::uint64_t number) {
  return {.gpus = gpus,
          .cluster_gpus = 64,
          .memory_known = true,
          .peak_bytes = peak,
          .capacity_bytes = 80,
          .bubble = {true, 100 - idle, idle},
          .number = number};
}

} // namespace

BOTH_TIMES("the first criterion decides, the others between equals, and at last what was found first", [] {
  const auto by = ranking::in_order(criterion::gpus, criterion::peak_memory);
  EXPECT(by.before(candidate(8, 70, 0, 1), candidate(16, 10, 0, 0)));
  EXPECT(by.before(candidate(8, 60, 9, 1), candidate(8, 70, 0, 0)));
  EXPECT(by.before(candidate(8, 60, 9, 0), candidate(8, 60, 0, 1)));
  EXPECT(!by.before(candidate(8, 60, 9, 0), candidate(8, 60, 9, 0)));
});

BOTH_TIMES("each criterion has its direction", [] {
  EXPECT(better_by(criterion::gpus, candidate(8, 1, 1, 0), candidate(16, 1, 1, 0)));
  EXPECT(better_by(criterion::idle_gpus, candidate(16, 1, 1, 0), candidate(8, 1, 1, 0)));
  EXPECT(better_by(criterion::peak_memory, candidate(8, 1, 1, 0), candidate(8, 2, 1, 0)));
  EXPECT(better_by(criterion::headroom, candidate(8, 1, 1, 0), candidate(8, 2, 1, 0)));
  EXPECT(better_by(criterion::bubble, candidate(8, 1, 1, 0), candidate(8, 1, 2, 0)));
  search_candidate even;
  search_candidate uneven;
  even.layer_balance = {16, 15};
  uneven.layer_balance = {8, 7};
  EXPECT(better_by(criterion::layer_balance, even, uneven));
  EXPECT(!better_by(criterion::layer_balance, uneven, even));
  search_candidate near{.network_bytes = 5, .step_bound = {true, 2.0}, .tokens_in_turn = 3e6};
  search_candidate far{.network_bytes = 6, .step_bound = {true, 2.5}, .tokens_in_turn = 2e6};
  EXPECT(better_by(criterion::network_traffic, near, far) && !better_by(criterion::network_traffic, far, near));
  EXPECT(better_by(criterion::step_time, near, far) && !better_by(criterion::step_time, far, near));
  EXPECT(!better_by(criterion::step_time, near, near));
  EXPECT(better_by(criterion::throughput, near, far) && !better_by(criterion::throughput, far, near));
  EXPECT(!better_by(criterion::throughput, near, near));
});

BOTH_TIMES("what is not known is worse than what is", [] {
  const search_candidate known = candidate(8, 80, 99, 0);
  search_candidate unknown = known;
  unknown.memory_known = false;
  unknown.bubble = {};
  for (const criterion by : {criterion::peak_memory, criterion::headroom, criterion::bubble})
    EXPECT(!better_by(by, unknown, known));
  EXPECT(better_by(criterion::bubble, known, unknown));
  search_candidate measured = known;
  measured.network_bytes = __INT64_MAX__;
  measured.step_bound = {true, 1e9};
  measured.tokens_in_turn = 1e-9;
  for (const criterion by : {criterion::network_traffic, criterion::step_time, criterion::throughput}) {
    EXPECT(better_by(by, measured, known));
    EXPECT(!better_by(by, known, measured) && !better_by(by, known, known));
  }
});

// Half of the cluster at a utilisation of a half: three quarters of its FLOPs are left.
BOTH_TIMES("the step's time is weighed by the FLOPs of the cluster that the model leaves", [] {
  search_candidate c = candidate(32, 0, 0, 0);
  c.step_bound = {true, 7.0};
  c.most_utilisation = 0.5;
  const auto by = ranking::by_weight(ranking::entry{criterion::step_time, 4});
  EXPECT(by.score(c) == std::uint64_t{3} << 32);
  c.step_bound = {};
  EXPECT(by.score(c) == std::uint64_t{4} << 32);
  EXPECT(by.compares(criterion::step_time) && !by.compares(criterion::bubble));
});

// Twice as long as it has to be: a utilisation of a quarter on half of the cluster leaves seven eighths.
BOTH_TIMES("so is the step whose communication hides behind nothing, by those that it leaves", [] {
  search_candidate c = candidate(32, 0, 0, 0);
  c.step_bound = {true, 7.0};
  c.most_utilisation = 0.5;
  c.step_in_turn = {true, 14.0};
  const auto by = ranking::by_weight(ranking::entry{criterion::throughput, 8});
  EXPECT(by.score(c) == std::uint64_t{7} << 32);
  c.step_in_turn = {};
  EXPECT(by.score(c) == std::uint64_t{8} << 32);
});

// 8 of 64 GPUs are an eighth of 2^32, 40 of 80 bytes a half, 25 of 100 idle a quarter.
BOTH_TIMES("a weighted ranking adds up shares", [] {
  constexpr std::uint64_t whole = std::uint64_t{1} << 32;
  const auto by = ranking::by_weight(ranking::entry{criterion::gpus, 8}, ranking::entry{criterion::peak_memory, 2},
                                     ranking::entry{criterion::bubble, 4});
  EXPECT(by.score(candidate(8, 40, 25, 0)) == whole + whole + whole);
  EXPECT(by.before(candidate(8, 40, 25, 5), candidate(9, 40, 25, 0)));
  EXPECT(by.before(candidate(16, 40, 0, 5), candidate(16, 40, 1, 0)));
  // Equal sums, 1 + 2 + 0 and 1 + 1 + 1: as many GPUs, and less peak memory.
  EXPECT(by.before(candidate(8, 40, 25, 1), candidate(8, 80, 0, 0)) && !by.before(candidate(8, 80, 0, 0), candidate(8, 40, 25, 1)));
  EXPECT(by.before(candidate(8, 80, 0, 0), candidate(8, 80, 0, 1)));
});
