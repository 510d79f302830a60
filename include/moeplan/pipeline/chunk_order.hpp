#pragma once

#include <cstdint>

/// @file
/// In which order a pipeline rank takes its chunks, where it has several.

namespace moeplan {

/// The order of the forward passes of one rank: micro-batches in groups; a group passes through chunk 0, then through chunk 1, and
/// so on, before the next group starts. What is left over is a last, smaller group. The backward passes keep the same order with
/// the chunks counted from the end. One pass of one micro-batch through one chunk is a step; steps and micro-batches count from 0.
/// Source: Megatron-LM core/pipeline_parallel/schedules.py get_schedule_table, here without the table.
struct chunk_order {
  std::int64_t chunks = 1;
  std::int64_t micro_batches = 1;
  std::int64_t group = 1; ///< micro-batches, at least 1

  friend constexpr bool operator==(const chunk_order&, const chunk_order&) noexcept = default;

  [[nodiscard]] constexpr std::int64_t steps() const noexcept { return chunks * micro_batches; }

  /// Steps of the groups that are full: within them the order repeats after group x chunks steps.
  [[nodiscard]] constexpr std::int64_t steps_in_full_groups() const noexcept { return micro_batches / group * group * chunks; }

  /// Precondition: 0 <= step < steps().
  [[nodiscard]] constexpr std::int64_t chunk_at(std::int64_t step) const noexcept {
    const place p = place_of(step);
    return p.step / p.size;
  }

  /// Steps from this one on that stay in its chunk, itself included. Precondition: 0 <= step < steps().
  [[nodiscard]] constexpr std::int64_t steps_left_in_chunk(std::int64_t step) const noexcept {
    const place p = place_of(step);
    return p.size - p.step % p.size;
  }

  /// How many of the first `steps` steps are of this chunk. Precondition: 0 <= steps <= steps(), 0 <= chunk < chunks.
  [[nodiscard]] constexpr std::int64_t started(std::int64_t chunk, std::int64_t steps) const noexcept {
    const place p = place_of(steps);
    const std::int64_t here = p.step - chunk * p.size;
    return p.first_micro_batch + (here < 0 ? 0 : here < p.size ? here : p.size);
  }

  /// The step of a micro-batch in a chunk. Precondition: 0 <= chunk < chunks, 0 <= micro_batch < micro_batches.
  [[nodiscard]] constexpr std::int64_t step_of(std::int64_t chunk, std::int64_t micro_batch) const noexcept {
    const std::int64_t before = micro_batch / group * group;
    return before * chunks + chunk * size_of_group(before) + micro_batch - before;
  }

private:
  struct place {
    std::int64_t first_micro_batch; ///< of the group
    std::int64_t size;              ///< of the group; 0 only behind the last step
    std::int64_t step;              ///< within the group
  };

  [[nodiscard]] constexpr std::int64_t size_of_group(std::int64_t first_micro_batch) const noexcept {
    const std::int64_t left = micro_batches - first_micro_batch;
    return left < group ? left : group;
  }

  [[nodiscard]] constexpr place place_of(std::int64_t step) const noexcept {
    const std::int64_t in_full = steps_in_full_groups();
    const std::int64_t first = step < in_full ? step / (group * chunks) * group : in_full / chunks;
    return {first, size_of_group(first), step - first * chunks};
  }
};

} // namespace moeplan
