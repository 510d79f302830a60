// A slow walker over the passes of one pipeline rank, one after the other. It knows no formula: it counts.
#pragma once

#include <moeplan/pipeline/in_flight.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace moeplan_test {

/// What runs at once on a rank.
struct work {
  static constexpr std::int64_t none = -1;
  std::int64_t forward = none;  ///< chunk
  std::int64_t backward = none; ///< chunk
  bool split = false;           ///< the backward pass is the one for the input alone
  std::int64_t weights = none;  ///< chunk whose pass for the weights runs
};

using passes = std::vector<work>;

/// Bytes, as it were, by chunk.
struct weighing {
  std::vector<std::int64_t> whole;           ///< kept until the backward pass
  std::vector<std::int64_t> weight_gradient; ///< kept from there to the pass for the weights
  std::vector<std::int64_t> forward;         ///< taken besides during a forward pass
  std::vector<std::int64_t> backward;        ///< and during a backward pass
};

inline std::int64_t at(const std::vector<std::int64_t>& values, std::int64_t i) {
  return i < 0 || values.empty() ? 0 : values[static_cast<std::size_t>(i) % values.size()];
}

/// The same weight for activations whatever they wait for, and nothing besides.
inline weighing kept(const std::vector<std::int64_t>& whole) { return {whole, whole, {}, {}}; }

/// The most that the rank ever needs.
inline std::int64_t replayed_peak(const passes& all, std::int64_t chunks, const weighing& w) {
  std::vector<std::int64_t> whole(static_cast<std::size_t>(chunks));
  std::vector<std::int64_t> waiting(whole.size());
  std::int64_t peak = 0;
  for (const work& now : all) {
    if (now.forward >= 0) ++whole[static_cast<std::size_t>(now.forward)];
    std::int64_t sum = at(w.forward, now.forward) + at(w.backward, now.backward);
    for (std::int64_t c = 0; c < chunks; ++c) sum += at(whole, c) * at(w.whole, c) + at(waiting, c) * at(w.weight_gradient, c);
    peak = std::max(peak, sum);
    if (now.backward >= 0) {
      --whole[static_cast<std::size_t>(now.backward)];
      if (now.split) ++waiting[static_cast<std::size_t>(now.backward)];
    }
    if (now.weights >= 0) --waiting[static_cast<std::size_t>(now.weights)];
  }
  return peak;
}

/// The same from the library's moments.
inline std::int64_t computed_peak(const moeplan::pipeline_shape& shape, std::int64_t rank, const weighing& w) {
  std::int64_t peak = 0;
  moeplan::visit_peaks(shape, rank, [&](const moeplan::pipeline_moment& moment) {
    std::int64_t sum = at(w.forward, moment.forward_chunk()) + at(w.backward, moment.backward_chunk());
    for (std::int64_t c = 0; c < chunks_of_rank(shape); ++c) {
      const moeplan::held_activations held = moment.held(c);
      sum += held.whole * at(w.whole, c) + held.weight_gradient * at(w.weight_gradient, c);
    }
    peak = std::max(peak, sum);
  });
  return peak;
}

/// Megatron-LM's get_schedule_table, as it is written there: the chunk of each step.
inline std::vector<std::int64_t> schedule_table(std::int64_t chunks, std::int64_t micro_batches, std::int64_t group) {
  std::vector<std::int64_t> table;
  for (std::int64_t first = 0; first < micro_batches; first += group)
    for (std::int64_t chunk = 0; chunk < chunks; ++chunk)
      for (std::int64_t m = first; m < std::min(first + group, micro_batches); ++m) table.push_back(chunk);
  return table;
}

/// `warm_up` forward passes, then forward and backward passes in turn, then backward passes, all in the order of the table.
inline passes in_turn(const std::vector<std::int64_t>& table, std::int64_t chunks, std::int64_t warm_up, bool at_once = false) {
  passes result;
  const auto steps = static_cast<std::int64_t>(table.size());
  for (std::int64_t step = 0; step < warm_up; ++step) result.push_back({.forward = at(table, step)});
  for (std::int64_t step = 0; step < steps; ++step) {
    const bool both = warm_up + step < steps;
    const std::int64_t forward = both ? at(table, warm_up + step) : work::none;
    const std::int64_t backward = chunks - 1 - at(table, step);
    if (both && !at_once) result.push_back({.forward = forward});
    result.push_back({.forward = at_once ? forward : work::none, .backward = backward});
  }
  return result;
}

} // namespace moeplan_test
