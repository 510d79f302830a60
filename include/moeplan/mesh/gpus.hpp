#pragma once

#include <cstdint>

#include <moeplan/describe/strategy.hpp>
#include <moeplan/number/always_inline.hpp>
#include <moeplan/number/count.hpp>
#include <moeplan/number/divisors.hpp>

/// @file
/// How many GPUs a strategy takes.

namespace moeplan {

namespace not_a_constant {
inline void dp_is_absent_resolve_the_strategy_first() noexcept {}
} // namespace not_a_constant

/// GPUs of one pipeline stage, TP x CP x DP. Under `folded` the experts of the stage's layers lie on these same GPUs.
/// Precondition: resolved, degrees at least 1.
template <class Integer = count>
[[nodiscard, MOEPLAN_ALWAYS_INLINE]] constexpr Integer stage_gpus(const strategy& s) noexcept(noexcept(Integer{} * Integer{})) {
  return Integer(s[axis::tp]) * Integer(s[axis::cp]) * Integer(s[axis::dp]);
}

/// The product of all degrees that a product mapping multiplies: TP x CP x EP x SP x DP x PP. ETP and VPP are no factors.
/// Under `folded` this is no number of GPUs, but the one that documents mistake for it.
/// Precondition: resolved, degrees at least 1.
template <class Integer = count>
[[nodiscard, MOEPLAN_ALWAYS_INLINE]] constexpr Integer product_of_degrees(const strategy& s) noexcept(noexcept(Integer{} *
                                                                                                               Integer{})) {
  return stage_gpus<Integer>(s) * Integer(s[axis::ep]) * Integer(s[axis::sp]) * Integer(s[axis::pp]);
}

/// The number of GPUs (world size): folded TP x CP x DP x PP (Megatron-LM, parallel_state.py, initialize_model_parallel), product see
/// product_of_degrees.
/// Precondition: resolved and degrees at least 1. Where DP is absent there is no answer: an overflowed count (0 in an integer type that
/// has no top), a compile error in a constant expression. `Integer` may be saturating_count or a type of <moeplan/multiprecision.hpp>.
template <class Integer = count>
[[nodiscard, MOEPLAN_ALWAYS_INLINE]] constexpr Integer gpus(const strategy& s) noexcept(noexcept(Integer{} * Integer{})) {
  if (!s.resolved()) {
    not_a_constant::dp_is_absent_resolve_the_strategy_first();
    if constexpr (saturates<Integer>) return Integer(count::top);
    return Integer(0);
  }
  if (s.mapping == mapping::product) return product_of_degrees<Integer>(s);
  return stage_gpus<Integer>(s) * Integer(s[axis::pp]);
}

/// The fewest GPUs that the degrees other than DP can run on, of which every possible world size is a multiple: folded
/// PP x lcm(TP x CP, ETP x EP), product the product of all degrees but DP. Precondition: degrees at least 1.
template <class Integer = count>
[[nodiscard]] constexpr Integer minimum_gpus(const strategy& s) noexcept(noexcept(Integer{} * Integer{})) {
  if (s.mapping == mapping::product) return product_of_degrees<Integer>(s.with(dp{1}));
  const Integer dense = Integer(s[axis::tp]) * Integer(s[axis::cp]);
  const Integer expert = Integer(s[axis::etp]) * Integer(s[axis::ep]);
  if constexpr (saturates<Integer>)
    if (dense.overflowed() || expert.overflowed()) return dense + expert; // the top
  return Integer(s[axis::pp]) * lcm(dense, expert);
}

} // namespace moeplan
