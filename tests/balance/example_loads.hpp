// Loads whose metrics are known: the two layers of EPLB's README, one part that has all, and 1 to 4.
#pragma once

#include <cstdint>

namespace moeplan_test {

inline constexpr std::int64_t eplb_layer_0[]{90, 132, 40, 61, 104, 165, 39, 4, 73, 56, 183, 86};
inline constexpr std::int64_t eplb_layer_1[]{20, 107, 104, 64, 19, 197, 187, 157, 172, 86, 16, 27};
inline constexpr std::int64_t one_hot[]{4, 0, 0, 0};
inline constexpr std::int64_t one_to_four[]{1, 2, 3, 4};
inline constexpr std::int64_t all_zero[]{0, 0, 0};
inline constexpr std::int64_t all_equal[]{7, 7, 7, 7, 7};

/// Whether a figure that is published with six decimals is this one.
constexpr bool rounds_to(double x, double six_decimals) {
  const double difference = x - six_decimals;
  return difference < 0.51e-6 && difference > -0.51e-6;
}

/// Each of 0 to 1008 once, in no order, and 15 of them twice.
struct many_loads {
  std::int64_t of[1024]{};
  constexpr many_loads() noexcept {
    for (std::int64_t i = 0; i < 1024; ++i) of[i] = i * 617 % 1009;
  }
};

} // namespace moeplan_test
