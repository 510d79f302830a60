// A layer and the best placement found for it, in storage of its own.
#pragma once

#include <moeplan/balance/best_placement.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "balance/placed.hpp"

namespace moeplan_test {

/// In constant expressions too. The shape's experts and slots are those of the type.
template <std::size_t Slots, std::size_t Experts>
struct best_of : placed<Slots, Experts> {
  moeplan::found_placement found{};

  constexpr best_of(const moeplan::placement_shape& s, const std::int64_t (&given)[Experts],
                    const moeplan::placement_wish& wish = {.trials = 2000}) {
    this->shape = s;
    for (std::size_t e = 0; e < Experts; ++e) this->loads[e] = given[e];
    std::int64_t scratch[300 * Experts + 40 * Slots + 200]{};
    found = moeplan::best_placement(s, this->loads, wish, this->physical_to_logical, this->logical_count, scratch);
  }

  /// What the busiest GPU carries.
  [[nodiscard]] constexpr moeplan::ratio most() const {
    moeplan::ratio most{0};
    for (std::int64_t g = 0; g < this->shape.gpus; ++g) {
      const moeplan::ratio load = moeplan::exact_gpu_load(this->view(), g);
      most = load > most ? load : most;
    }
    return most;
  }
};

/// The same at run time, for any size.
struct best_layer {
  moeplan::placement_shape shape{};
  std::vector<std::int64_t> loads{};
  std::vector<std::int32_t> physical_to_logical{};
  std::vector<std::int32_t> logical_count{};
  moeplan::found_placement found{};

  best_layer(const moeplan::placement_shape& s, std::vector<std::int64_t> given, const moeplan::placement_wish& wish)
      : shape{s}, loads{std::move(given)} {
    physical_to_logical.resize(static_cast<std::size_t>(s.slots));
    logical_count.resize(static_cast<std::size_t>(s.experts));
    // Not zero: what the search leaves there must not matter.
    std::vector<std::int64_t> scratch(static_cast<std::size_t>(moeplan::best_placement_scratch(s)), 0x5555555555555555);
    found = moeplan::best_placement(s, loads, wish, physical_to_logical, logical_count, scratch);
  }

  [[nodiscard]] moeplan::placement_view view() const { return {shape, loads, physical_to_logical, logical_count}; }
};

} // namespace moeplan_test
