#pragma once

#include <cstdint>

#include <moeplan/describe/deployment.hpp>
#include <moeplan/mesh/stage_layers.hpp>
#include <moeplan/number/count.hpp>
#include <moeplan/verify/facts.hpp>

/// @file
/// One deployment can be described in several ways. Flags leave one of them.

namespace moeplan::dialect {

/// The same deployment with every degree given: those that the description leaves to their defaults, and DP and VPP where the number of
/// GPUs and the layout decide them. Defined for every deployment; what cannot be derived stays as it is.
[[nodiscard]] constexpr deployment spelled_out(const deployment& d) noexcept {
  deployment result = d;
  const facts f = facts_of(d);
  for (const axis a : {axis::tp, axis::pp, axis::ep, axis::etp, axis::cp, axis::sp}) result.strategy.set(a, d.strategy[a]);
  result.strategy.set(axis::vpp, f.vpp);
  if (f.knows(known::dp)) result.strategy.set(axis::dp, f.dp);
  if (!d.workload.is_training() || d.workload.train.global_batch.given || f.batch_unit == 0) return result;
  result.workload.train.global_batch = f.batch_unit;
  return result;
}

namespace detail {

/// Whether numbers are small enough to look at each virtual stage. More of anything no pipeline has.
[[nodiscard]] constexpr bool has_countable_stages(const deployment& d) noexcept {
  constexpr std::int64_t most = 1 << 16;
  const layout& l = d.layout;
  const auto small = [](std::int64_t n) { return n >= 0 && n <= most; };
  bool countable = small(d.model.layers) && small(d.model.mtp_layers) && small(l.first.number) && small(l.last.number);
  for (const axis a : {axis::pp, axis::vpp}) countable = countable && small(d.strategy[a]) && d.strategy[a] > 0;
  for (const stage_run& run : l.runs)
    countable = countable && small(run.stages) && small(run.decoder_layers) && small(run.mtp_layers);
  const std::int64_t stages = countable ? virtual_stages(d.strategy, l) : 0;
  return stages > 0 && stages <= most;
}

} // namespace detail

/// Whether two layouts put the same on every virtual stage. Precondition: degrees are given, as spelled_out() does.
[[nodiscard]] constexpr bool same_stages(const deployment& a, const deployment& b) noexcept {
  if (a.layout == b.layout) return true;
  if (!detail::has_countable_stages(a) || !detail::has_countable_stages(b)) return false;
  const std::int64_t stages = virtual_stages(a.strategy, a.layout);
  if (stages != virtual_stages(b.strategy, b.layout)) return false;
  for (std::int64_t i = 0; i < stages; ++i)
    if (!(contents(a.model, a.strategy, a.layout, i) == contents(b.model, b.strategy, b.layout, i))) return false;
  return true;
}

/// Whether two descriptions are of the same deployment: equal but for what is given or left to be derived, for how the layout is
/// spelled, and for what DP ranks are to each other where there is one of them, or nothing that they could share.
[[nodiscard]] constexpr bool same(const deployment& a, const deployment& b) noexcept {
  const deployment left = spelled_out(a);
  deployment right = spelled_out(b);
  if (!same_stages(left, right)) return false;
  right.layout = left.layout;
  const bool nothing_shared = !left.model.has_experts() || left.strategy[axis::dp] == 1;
  if (nothing_shared && left.workload.is_serving() && right.workload.is_serving())
    right.workload.serve.data_parallelism = left.workload.serve.data_parallelism;
  return left == right;
}

} // namespace moeplan::dialect
