#pragma once

#include <cstdint>

#include <moeplan/balance/placement.hpp>
#include <moeplan/balance/placement_bound.hpp>
#include <moeplan/number/array_view.hpp>

/// @file
/// What redundant experts can bring at best: the bound of the most even placement, for one more slot on each GPU after the other.

namespace moeplan {

/// A number of slots, and how even a placement with them can be at most.
struct redundancy_point {
  std::int64_t slots = 0;     ///< on all GPUs
  std::int64_t redundant = 0; ///< experts: slots beyond one for each expert
  placement_bound bound{};
};

/// Calls `visit` with a redundancy_point for each number of slots from the fewest that hold all experts to s.slots. Each of
/// them is a bound, so that the slots between two points bring no more than from what a placement with the fewer reaches to the
/// bound with the more; the bounds themselves need not descend, since each GPU has to hold as many copies and more of them can be
/// harder to pair. `scratch`: placement_bound_scratch(s) elements. Returns what is wrong, if anything is; then nothing is visited.
template <class Visitor>
constexpr placement_error visit_redundancy(placement_shape s, array_view<const std::int64_t> loads, placement_policy policy,
                                           array_view<std::int64_t> scratch, Visitor&& visit,
                                           std::int64_t trials = usual_trials) noexcept {
  if (const placement_error e = check_shape(s, policy); !e.ok()) return e;
  if (const placement_error e = check_loads(s, loads); !e.ok()) return e;
  if (const std::int64_t needed = placement_bound_scratch(s); scratch.size() < needed)
    return {placement_problem::storage_too_small, scratch.size(), needed};
  const std::int64_t most = s.slots;
  for (s.slots = ((s.experts - 1) / s.gpus + 1) * s.gpus; s.slots <= most; s.slots += s.gpus)
    visit(redundancy_point{s.slots, s.slots - s.experts, bound_placement(s, loads, policy, scratch, trials)});
  return {};
}

} // namespace moeplan
