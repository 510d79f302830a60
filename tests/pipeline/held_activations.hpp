// A slow walk over the operations of one pipeline rank, one after the other. It knows no formula: it counts what is held.
#pragma once

#include <moeplan/pipeline/in_flight.hpp>
#include <moeplan/pipeline/operation.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace moeplan_test {

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

/// The chunks whose forward and whose backward pass (that for the input) an operation is; -1 where it is none.
struct chunks_at_work {
  std::int64_t forward = -1;
  std::int64_t backward = -1;
};
inline chunks_at_work chunks_of(const moeplan::operation& o) {
  switch (o.kind) {
    case moeplan::pass::forward: return {o.chunk, -1};
    case moeplan::pass::backward:
    case moeplan::pass::input_gradient: return {-1, o.chunk};
    case moeplan::pass::forward_and_backward: return {o.chunk, o.backward_chunk};
    case moeplan::pass::weight_gradient: break;
  }
  return {};
}

/// The most that the rank ever needs.
inline std::int64_t walked_peak(const std::vector<moeplan::operation>& order, std::int64_t chunks, const weighing& w) {
  std::vector<std::int64_t> whole(static_cast<std::size_t>(chunks));
  std::vector<std::int64_t> waiting(whole.size());
  std::int64_t peak = 0;
  for (const moeplan::operation& o : order) {
    const auto [forward, backward] = chunks_of(o);
    if (forward >= 0) ++whole[static_cast<std::size_t>(forward)];
    std::int64_t sum = at(w.forward, forward) + at(w.backward, backward);
    for (std::int64_t c = 0; c < chunks; ++c) sum += at(whole, c) * at(w.whole, c) + at(waiting, c) * at(w.weight_gradient, c);
    peak = std::max(peak, sum);
    if (backward >= 0) --whole[static_cast<std::size_t>(backward)];
    if (o.kind == moeplan::pass::input_gradient) ++waiting[static_cast<std::size_t>(o.chunk)];
    if (o.kind == moeplan::pass::weight_gradient) --waiting[static_cast<std::size_t>(o.chunk)];
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

} // namespace moeplan_test
