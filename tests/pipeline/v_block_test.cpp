#include <moeplan/pipeline/v_block.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

// zero-bubble-pipeline-parallelism scheduler/zbv_greedy.py, stable_pattern_v_min and stable_pattern_v_half, worked out by hand.
BOTH_TIMES("the blocks of four ranks", [] {
  EXPECT(v_min_block(4, 0) == v_block{{0, 7}, {15, 8}});
  EXPECT(v_min_block(4, 3) == v_block{{3, 4}, {12, 11}});
  EXPECT(v_half_block(4, 0) == v_block{{0, 10}, {25, 14}});
  EXPECT(v_half_block(4, 3) == v_block{{6, 7}, {22, 20}});
});

BOTH_TIMES("a wait keeps passes out of each other's slot", [] {
  EXPECT(v_min_block(3, 0) == v_block{{0, 5}, {13, 8}});
  EXPECT(v_half_block(3, 0) == v_block{{0, 7}, {16, 8}});
});

BOTH_TIMES("passes of V-Min follow each other from stage to stage, without a gap", [] {
  for (std::int64_t rank = 1; rank < 4; ++rank) {
    EXPECT(v_min_block(4, rank).forward[0] == v_min_block(4, rank - 1).forward[0] + 1);
    EXPECT(v_min_block(4, rank).forward[1] == v_min_block(4, rank - 1).forward[1] - 1);
    EXPECT(v_min_block(4, rank).backward[1] == v_min_block(4, rank - 1).backward[1] + 1);
    EXPECT(v_min_block(4, rank).backward[0] == v_min_block(4, rank - 1).backward[0] - 1);
  }
  EXPECT(v_min_block(4, 3).forward[1] == v_min_block(4, 3).forward[0] + 1);
  EXPECT(v_min_block(4, 0).backward[1] == v_min_block(4, 0).forward[1] + 1);
  EXPECT(v_min_block(4, 3).backward[0] == v_min_block(4, 3).backward[1] + 1);
});

// arXiv 2405.15362: 2 floor((p + 2) / 2) and 2 floor((p + 4) / 3) half stages.
BOTH_TIMES("the limits of both chunks", [] {
  EXPECT(v_block_limit(schedule::v_half, 1) == 2);
  EXPECT(v_block_limit(schedule::v_half, 8) == 10);
  EXPECT(v_block_limit(schedule::v_half, 9) == 10);
  EXPECT(v_block_limit(schedule::v_min, 1) == 2);
  EXPECT(v_block_limit(schedule::v_min, 8) == 8);
  EXPECT(v_block_limit(schedule::v_min, 10) == 8);
  EXPECT(v_block_limit(schedule::v_min, 11) == 10);
});

BOTH_TIMES("the limits of each chunk", [] {
  EXPECT(v_half_block(4, 0).most_held(0) == 5);
  EXPECT(v_half_block(4, 0).most_held(1) == 2);
  for (std::int64_t ranks = 1; ranks <= 16; ++ranks) {
    std::int64_t before = 0;
    for (std::int64_t rank = 0; rank < ranks; ++rank) {
      const std::int64_t second = v_half_second_limit(ranks, rank);
      EXPECT(second >= v_half_block(ranks, rank).most_held(1));
      EXPECT(second >= before); // towards the turn of the V more of the second chunk, less of the first
      EXPECT(2 * second <= v_block_limit(schedule::v_half, ranks));
      before = second;
    }
    EXPECT(2 * before == v_block_limit(schedule::v_half, ranks)); // the last rank does both chunks one after the other
  }
});

// By hand: rank 0 of V-Half on four ranks has passes in slots 0, 10, 14 and 25, that is 0, 4, 2 and 1 of six; 3 and 5 are free.
// In slot 24 the first chunk has what started in 0, 6, 12, 18 and 24; the second what started in 20 (10 + 10), which ends in 24.
BOTH_TIMES("what the first rank of V-Half holds", [] {
  const v_block block = v_half_block(4, 0);
  EXPECT(block.held(0, 0) == 5);
  EXPECT(block.held(1, 0) == 1);
  EXPECT(block.held(0, 25) == 5);
  EXPECT(block.held(1, 25) == 1);
  EXPECT(block.held(0, 14) == 5); // four, and the one of slot 1 waits until slot 3
  EXPECT(block.held(1, 14) == 1);
  EXPECT(block.held(0, 10) == 4);
  EXPECT(block.held(1, 10) == 2); // one, and the one of slot 2 waits until slot 5
});

} // namespace

TEST_CASE("a block that repeats, slot by slot") {
  constexpr std::int64_t blocks = 60;
  constexpr std::int64_t looked_at = 40 * v_block_slots; // by then nothing changes from block to block any more
  for (std::int64_t ranks = 1; ranks <= 20; ++ranks)
    for (std::int64_t rank = 0; rank < ranks; ++rank)
      for (const v_block& block : {v_min_block(ranks, rank), v_half_block(ranks, rank)}) {
        struct pass {
          bool forward;
          std::int64_t chunk;
        };
        std::vector<std::vector<pass>> slots(1000);
        for (std::int64_t m = 0; m < blocks; ++m)
          for (std::int64_t chunk = 0; chunk < 2; ++chunk) {
            slots.at(static_cast<std::size_t>(block.forward[chunk] + m * v_block_slots)).push_back({true, chunk});
            slots.at(static_cast<std::size_t>(block.backward[chunk] + m * v_block_slots)).push_back({false, chunk});
          }
        std::int64_t held[2]{};
        std::deque<std::int64_t> waiting;
        for (std::int64_t slot = 0; slot < looked_at + v_block_slots; ++slot) {
          const std::vector<pass>& here = slots[static_cast<std::size_t>(slot)];
          REQUIRE(here.size() <= 1);
          if (here.empty()) {
            if (waiting.empty()) continue;
            --held[waiting.front()];
            waiting.pop_front();
            continue;
          }
          if (here[0].forward) ++held[here[0].chunk];
          if (slot >= looked_at)
            for (std::int64_t chunk = 0; chunk < 2; ++chunk) CHECK(block.held(chunk, slot) == held[chunk]);
          if (!here[0].forward) waiting.push_back(here[0].chunk);
        }
      }
}
