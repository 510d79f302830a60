#include <moeplan/pipeline/checkpoints.hpp>

#include <cstdint>
#include <ostream>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

// c = sqrt(l A_mid / A_in), arXiv 2104.04473, wherever that is a whole number.
BOTH_TIMES("the root where it is whole", [] {
  EXPECT(best_checkpoints(16, 1, 1) == 4);
  EXPECT(best_checkpoints(36, 2, 8) == 12);
  EXPECT(best_checkpoints(100, 9, 1) == 3); // 10 / 3: 3 inputs of 9 and 100 / 3, against 36 + 25
  EXPECT(best_checkpoints(24, 2, 12) == 12);
});

BOTH_TIMES("never none, never more than layers", [] {
  EXPECT(best_checkpoints(8, 100, 1) == 1);
  EXPECT(best_checkpoints(8, 1, 100) == 8);
  EXPECT(best_checkpoints(1, 1, 1) == 1);
  EXPECT(best_checkpoints(8, 0, 5) == 8); // keeping all costs nothing
  EXPECT(best_checkpoints(8, 5, 0) == 1);
  EXPECT(best_checkpoints(8, 0, 0) == 1);
});

// c input + layers / c intermediate, times c on both sides: compared without division.
constexpr bool is_least(std::int64_t layers, std::int64_t input, std::int64_t intermediate) {
  const auto best = static_cast<std::int64_t>(best_checkpoints(layers, input, intermediate).value());
  for (std::int64_t c = 1; c <= layers; ++c) {
    const std::int64_t other = (c * c * input + layers * intermediate) * best;
    const std::int64_t ours = (best * best * input + layers * intermediate) * c;
    if (other < ours || (other == ours && c < best)) return false;
  }
  return true;
}

BOTH_TIMES("against trying every number", [] {
  for (std::int64_t layers = 1; layers <= 24; layers += 3)
    for (std::int64_t input = 1; input <= 9; input += 2)
      for (std::int64_t intermediate = 1; intermediate <= 40; intermediate += 3) EXPECT(is_least(layers, input, intermediate));
});

// The quotient fits although numerator and denominator together do not.
BOTH_TIMES("near the largest that fit", [] {
  constexpr std::int64_t half = std::int64_t{1} << 62;
  EXPECT(best_checkpoints(2, count{half} + half + 1, half) == 1); // 2^63 + 1 and 2^63
  EXPECT(best_checkpoints(3, half, half) == 2);                   // 2 + 3 / 2 inputs, against 1 + 3 and 3 + 1
  EXPECT(best_checkpoints(3, count{half} * 3, half) == 1);        // 3 + 3, against 6 + 3 / 2
});

TEST_CASE("what does not fit into 64 bits says so") {
  volatile std::int64_t layers = std::int64_t{1} << 40;
  CHECK(best_checkpoints(layers, 1, std::int64_t{1} << 40).overflowed());
  CHECK(best_checkpoints(layers, std::int64_t{1} << 62, std::int64_t{1} << 22) == 1);
  CHECK(best_checkpoints(layers, 1, 1) == std::int64_t{1} << 20);
}

} // namespace
