#include <moeplan/pipeline/stage_placement.hpp>

#include <initializer_list>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

/// Whether the chunks of one rank are these virtual stages, in this order.
constexpr bool places(schedule order, std::int64_t ranks, std::int64_t rank, std::initializer_list<std::int64_t> expected) {
  std::int64_t chunk = 0;
  for (const std::int64_t stage : expected)
    if (virtual_stage(order, ranks, rank, chunk++) != stage) return false;
  return true;
}

constexpr schedule all[] = {schedule::gpipe,     schedule::one_forward_one_backward,
                            schedule::zb_h1,     schedule::zb_h2,
                            schedule::zb_v,      schedule::v_half,
                            schedule::v_min,     schedule::dualpipe,
                            schedule::dualpipe_v};

BOTH_TIMES("chunk after chunk over all ranks", [] {
  // Megatron-LM, docs on interleaving: with four ranks and two chunks, rank 0 has stages 0 and 4.
  for (const schedule order : {schedule::gpipe, schedule::one_forward_one_backward, schedule::zb_h1, schedule::zb_h2}) {
    EXPECT(places(order, 4, 0, {0, 4, 8}));
    EXPECT(places(order, 4, 3, {3, 7, 11}));
  }
});

BOTH_TIMES("there and back", [] {
  // The first rank has the first and the last stage: embedding and loss (arXiv 2405.15362, figure 1).
  for (const schedule order : {schedule::zb_v, schedule::v_half, schedule::v_min, schedule::dualpipe_v}) {
    EXPECT(places(order, 4, 0, {0, 7}));
    EXPECT(places(order, 4, 1, {1, 6}));
    EXPECT(places(order, 4, 3, {3, 4}));
  }
});

BOTH_TIMES("from both ends", [] {
  // DualPipe: rank r and rank PP - 1 - r hold the same two stages (dualpipe.py, is_in_second_half).
  EXPECT(places(schedule::dualpipe, 8, 0, {0, 7}));
  EXPECT(places(schedule::dualpipe, 8, 7, {7, 0}));
  EXPECT(places(schedule::dualpipe, 8, 3, {3, 4}));
  EXPECT(places(schedule::dualpipe, 8, 4, {4, 3}));
});

BOTH_TIMES("how many chunks a rank has", [] {
  const auto chunks = [](const strategy& s, schedule order) { return chunks_of_rank(s, layout::even(), order); };
  EXPECT(chunks({pp{4}}, schedule::one_forward_one_backward) == 1);
  EXPECT(chunks({pp{4}, vpp{3}}, schedule::one_forward_one_backward) == 3);
  EXPECT(chunks({pp{4}, vpp{2}}, schedule::zb_v) == 2);
  EXPECT(chunks({pp{4}, vpp{2}}, schedule::dualpipe_v) == 2);
  EXPECT(chunks({pp{4}}, schedule::dualpipe) == 2);
  // A listed layout says itself how many virtual stages there are.
  EXPECT(chunks_of_rank({pp{2}}, layout::stages({8, 4}), schedule::one_forward_one_backward) == 4);
});

BOTH_TIMES("every virtual stage is somewhere, once; under DualPipe on two ranks", [] {
  for (const schedule order : all) {
    const bool twice = order == schedule::dualpipe;
    const strategy s{pp{6}, vpp{twice ? 1 : 2}};
    std::int64_t found[12]{};
    for (std::int64_t rank = 0; rank < 6; ++rank)
      for (std::int64_t chunk = 0; chunk < chunks_of_rank(s, layout::even(), order); ++chunk)
        ++found[virtual_stage(order, 6, rank, chunk)];
    for (std::int64_t stage = 0; stage < 12; ++stage) EXPECT(found[stage] == (!twice ? 1 : stage < 6 ? 2 : 0));
  }
});

} // namespace
