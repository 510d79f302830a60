#pragma once

#include <cstdint>

#include <moeplan/number/array_view.hpp>
#include <moeplan/pipeline/in_flight.hpp>
#include <moeplan/pipeline/operation.hpp>
#include <moeplan/pipeline/pass_times.hpp>
#include <moeplan/pipeline/stage_placement.hpp>

/// @file
/// What a replay asks for times.

namespace moeplan {

/// Anything with two members: of(rank, o), how long an operation of a rank takes, and transfer(from, to), how long from the end of a pass
/// on one rank until what it sends is on the other. Both are not negative, and the same whenever they are asked.
template <class T>
concept replay_times = requires(const T& times, std::int64_t rank, const operation& o) {
  std::int64_t{times.of(rank, o)};
  std::int64_t{times.transfer(rank, rank)};
};

/// Every chunk takes the same times, and every transfer from rank to rank. Precondition: none is negative.
struct equal_times {
  pass_times passes{};
  std::int64_t latency = 0; ///< of a transfer; it occupies neither rank

  [[nodiscard]] constexpr std::int64_t of(std::int64_t, const operation& o) const noexcept { return passes[o.kind]; }
  [[nodiscard]] constexpr std::int64_t transfer(std::int64_t, std::int64_t) const noexcept { return latency; }

  friend constexpr bool operator==(const equal_times&, const equal_times&) noexcept = default;
};

/// Times by virtual stage. A pair takes what is given for the virtual stage of its forward pass, which in DualPipe and DualPipeV, and in
/// 1F1B with one chunk a rank, determines that of its backward pass. Precondition: none is negative.
struct stage_times {
  pipeline_shape shape{};
  array_view<const pass_times> stages{}; ///< one element a virtual stage; DualPipe: one a rank, held by both ends
  std::int64_t latency = 0;              ///< of a transfer; it occupies neither rank

  [[nodiscard]] constexpr std::int64_t of(std::int64_t rank, const operation& o) const noexcept {
    return stages[virtual_stage(shape.schedule, shape.ranks, rank, o.chunk)][o.kind];
  }
  [[nodiscard]] constexpr std::int64_t transfer(std::int64_t, std::int64_t) const noexcept { return latency; }
};

} // namespace moeplan
