#include <moeplan/memory/block_timeline.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

/// So many blocks of 512 bytes.
constexpr tensor blocks(std::int64_t n, std::uint16_t from, std::uint16_t until, bool for_weights = false) {
  return {"a tensor", "a test", n, 512, number_type::int8, from, until, for_weights};
}

constexpr saturating_count bytes(std::int64_t n) { return n * 512; }

// Steps 0 to 2 are the forward pass, 3 to 5 the backward pass.
constexpr block_timeline empty{3, 6};

BOTH_TIMES("nothing takes nothing", [] { EXPECT(empty.summary() == block_memory{}); });

BOTH_TIMES("kept is what lives from before the backward pass into it", [] {
  block_timeline timeline = empty;
  timeline(blocks(1, 0, 6));
  timeline(blocks(2, 2, 4));
  timeline(blocks(4, 0, 3)); // only in the forward pass
  timeline(blocks(8, 3, 6)); // only in the backward pass
  EXPECT(timeline.summary().kept == bytes(1 + 2));
});

BOTH_TIMES("each pass has its own peak and place, the first of equal ones", [] {
  block_timeline timeline = empty;
  timeline(blocks(1, 0, 6));
  timeline(blocks(5, 1, 2));
  timeline(blocks(5, 2, 3));
  timeline(blocks(7, 4, 5));
  const block_memory m = timeline.summary();
  EXPECT(m.forward_peak == bytes(6) && m.forward_step == 1);
  EXPECT(m.backward_peak == bytes(8) && m.backward_step == 4);
  EXPECT(!m.peaks_again);
});

BOTH_TIMES("a tensor is not there any more at the step at which its successor is", [] {
  block_timeline timeline = empty;
  timeline(blocks(3, 0, 1));
  timeline(blocks(3, 1, 2));
  EXPECT(timeline.summary().forward_peak == bytes(3));
});

BOTH_TIMES("a tensor that dies as it is born takes nothing", [] {
  block_timeline timeline = empty;
  timeline(blocks(3, 2, 2));
  EXPECT(timeline.summary() == block_memory{});
});

BOTH_TIMES("what gradients of weights need is added up whenever it lives", [] {
  block_timeline timeline = empty;
  timeline(blocks(1, 0, 6, true));
  timeline(blocks(2, 4, 6, true));
  timeline(blocks(4, 0, 6));
  EXPECT(timeline.summary().for_weights == bytes(3));
});

BOTH_TIMES("sizes are whole blocks", [] {
  block_timeline timeline = empty;
  timeline({"a number", "a test", 1, 1, number_type::fp32, 0, 6});
  timeline({"another", "a test", 1, 1, number_type::fp32, 0, 6});
  EXPECT(timeline.summary().kept == 2 * 512);
});

BOTH_TIMES("a sum that overflows makes every answer say so, even where no step does", [] {
  block_timeline timeline = empty;
  timeline(blocks(std::int64_t{1} << 54, 0, 1));
  timeline(blocks(std::int64_t{1} << 54, 1, 2));
  const block_memory m = timeline.summary();
  EXPECT(m.kept.overflowed() && m.for_weights.overflowed() && m.forward_peak.overflowed() && m.backward_peak.overflowed());
});

BOTH_TIMES("there is room for all steps", [] {
  block_timeline timeline{16, block_timeline::most_steps};
  timeline(blocks(1, 0, block_timeline::most_steps));
  timeline(blocks(1, block_timeline::most_steps - 1, block_timeline::most_steps));
  EXPECT(timeline.summary().kept == bytes(1));
  EXPECT(timeline.summary().backward_peak == bytes(2));
  EXPECT(timeline.summary().backward_step == block_timeline::most_steps - 1);
});

} // namespace
