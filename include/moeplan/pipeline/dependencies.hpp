#pragma once

#include <cstdint>

#include <moeplan/describe/schedule.hpp>
#include <moeplan/pipeline/in_flight.hpp>
#include <moeplan/pipeline/operation.hpp>

/// @file
/// What a pass of a pipeline has to wait for.

namespace moeplan {

/// A chunk of a rank: where a virtual stage lies.
struct chunk_place {
  static constexpr std::int64_t none = -1;

  std::int64_t rank = none;
  std::int64_t chunk = 0; ///< of the rank

  [[nodiscard]] constexpr bool exists() const noexcept { return rank != none; }

  friend constexpr bool operator==(const chunk_place&, const chunk_place&) noexcept = default;
};

namespace detail {

/// Whether activations leave a chunk for the rank behind; otherwise for the rank before: on the way back of a V, and in the direction of
/// DualPipe that starts at the last rank.
[[nodiscard]] constexpr bool goes_up(schedule order, std::int64_t chunk) noexcept {
  return chunk % 2 == 0 || !(placed_in_a_v(order) || order == schedule::dualpipe);
}

} // namespace detail

/// Where the activations of a chunk go to: the place of the next virtual stage, see virtual_stage. None behind the last one.
/// Precondition: 0 <= rank < ranks, 0 <= chunk < chunks_of_rank(p).
[[nodiscard]] constexpr chunk_place next_place(const pipeline_shape& p, chunk_place at) noexcept {
  const bool up = detail::goes_up(p.schedule, at.chunk);
  if (at.rank != (up ? p.ranks - 1 : 0)) return {up ? at.rank + 1 : at.rank - 1, at.chunk};
  if (p.schedule == schedule::dualpipe || at.chunk + 1 == chunks_of_rank(p)) return {};
  return {placed_in_a_v(p.schedule) ? at.rank : 0, at.chunk + 1};
}

/// Where they come from: the place of the virtual stage before. None before the first one. Precondition: as for next_place.
[[nodiscard]] constexpr chunk_place previous_place(const pipeline_shape& p, chunk_place at) noexcept {
  const bool up = detail::goes_up(p.schedule, at.chunk);
  if (at.rank != (up ? 0 : p.ranks - 1)) return {up ? at.rank - 1 : at.rank + 1, at.chunk};
  if (p.schedule == schedule::dualpipe || at.chunk == 0) return {};
  return {placed_in_a_v(p.schedule) ? at.rank : p.ranks - 1, at.chunk - 1};
}

/// Micro-batches that pass through each chunk: all of them, or those of one direction. DualPipe counts those of each direction from 0.
[[nodiscard]] constexpr std::int64_t micro_batches_of_chunk(const pipeline_shape& p) noexcept {
  return p.schedule == schedule::dualpipe ? (p.micro_batches + 1) / 2 : p.micro_batches;
}

/// What an operation waits for: a forward pass (`kind` is pass::forward), or a backward pass for the input (pass::input_gradient), which
/// is part of a whole backward pass too. Either may be one half of pass::forward_and_backward.
struct required_pass {
  pass kind = pass::forward;
  chunk_place place{};
  std::int64_t micro_batch = 0;

  friend constexpr bool operator==(const required_pass&, const required_pass&) noexcept = default;
};

[[nodiscard]] constexpr bool has_forward(const operation& o) noexcept {
  return o.kind == pass::forward || o.kind == pass::forward_and_backward;
}

/// The backward pass for the input, alone or with that for the weights.
[[nodiscard]] constexpr bool has_input_gradient(const operation& o) noexcept {
  return o.kind == pass::backward || o.kind == pass::input_gradient || o.kind == pass::forward_and_backward;
}

/// Chunk and micro-batch of the backward half of an operation. Precondition: it has one.
struct chunk_pass {
  std::int64_t chunk = 0;
  std::int64_t micro_batch = 0;
  friend constexpr bool operator==(const chunk_pass&, const chunk_pass&) noexcept = default;
};
[[nodiscard]] constexpr chunk_pass backward_of(const operation& o) noexcept {
  if (o.kind == pass::forward_and_backward) return {o.backward_chunk, o.backward_micro_batch};
  return {o.chunk, o.micro_batch};
}

/// Whether an operation of rank `rank` is, or has in it, what is required.
[[nodiscard]] constexpr bool fulfils(const required_pass& r, std::int64_t rank, const operation& o) noexcept {
  if (rank != r.place.rank) return false;
  if (r.kind == pass::forward) return has_forward(o) && o.chunk == r.place.chunk && o.micro_batch == r.micro_batch;
  return has_input_gradient(o) && backward_of(o) == chunk_pass{r.place.chunk, r.micro_batch};
}

/// Calls `visit` with each required_pass of an operation of rank `rank`, as long as it returns true; at most three. A forward pass needs
/// that of the virtual stage before; a backward pass its own forward pass and the backward pass of the virtual stage behind; a pass for
/// the weights its own backward pass for the input. The order of the rank itself is not among them. Returns whether all returned true.
/// Precondition: 0 <= rank < ranks, chunks from 0 to below chunks_of_rank(p).
template <class Visitor>
constexpr bool visit_required(const pipeline_shape& p, std::int64_t rank, const operation& o, Visitor&& visit) {
  if (o.kind == pass::weight_gradient) return visit(required_pass{pass::input_gradient, {rank, o.chunk}, o.micro_batch});
  if (has_forward(o)) {
    const chunk_place before = previous_place(p, {rank, o.chunk});
    if (before.exists() && !visit(required_pass{pass::forward, before, o.micro_batch})) return false;
  }
  if (!has_input_gradient(o)) return true;
  const chunk_pass back = backward_of(o);
  if (!visit(required_pass{pass::forward, {rank, back.chunk}, back.micro_batch})) return false;
  const chunk_place behind = next_place(p, {rank, back.chunk});
  return !behind.exists() || visit(required_pass{pass::input_gradient, behind, back.micro_batch});
}

} // namespace moeplan
