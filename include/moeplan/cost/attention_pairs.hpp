#pragma once

#include <cstdint>

#include <moeplan/cost/flops_convention.hpp>
#include <moeplan/cost/pass_tokens.hpp>
#include <moeplan/describe/attention_window.hpp>
#include <moeplan/number/count.hpp>

/// @file
/// How many pairs of a query and a key there are in attention.

namespace moeplan {

/// How far back a token looks.
struct attention_reach {
  std::int64_t window = 0; ///< tokens, as attention_window says; 0: all
  window_kind kind = window_kind::sliding;
  std::int64_t top_k = 0; ///< the most that an indexer chooses; 0: all

  friend constexpr bool operator==(const attention_reach&, const attention_reach&) noexcept = default;
};

namespace detail {

/// Twice the sum of min(i, most) over i from 1 to n.
template <class Integer>
[[nodiscard]] constexpr Integer twice_capped_sum(const Integer& n, const Integer& most) noexcept(noexcept(Integer{} * Integer{})) {
  if (n <= most) return n * (n + Integer(1));
  return most * (most + Integer(1)) + Integer(2) * (n - most) * most;
}

/// Twice the pairs of the first n tokens of a sequence, each with those it looks back at and with itself.
template <class Integer>
[[nodiscard]] constexpr Integer twice_pairs_below(const Integer& n,
                                                  const attention_reach& reach) noexcept(noexcept(Integer{} * Integer{})) {
  const Integer chosen = reach.top_k > 0 ? Integer(reach.top_k) : n;
  if (reach.window == 0) return twice_capped_sum<Integer>(n, chosen);
  const Integer window(reach.window);
  if (reach.kind == window_kind::sliding) return twice_capped_sum<Integer>(n, window < chosen ? window : chosen);
  return n / window * twice_capped_sum<Integer>(window, chosen) + twice_capped_sum<Integer>(n % window, chosen);
}

} // namespace detail

/// Twice the pairs of a query of the new tokens and a key of any token, in one head of one sequence. Twice, because a token's pair with
/// itself may count half. With counted_pairs::all the reach does not matter. Precondition: as for pass_tokens; nothing of the reach is
/// negative.
template <class Integer = count>
[[nodiscard]] constexpr Integer twice_attention_pairs(const pass_tokens& pass, const attention_reach& reach,
                                                      counted_pairs counted) noexcept(noexcept(Integer{} * Integer{})) {
  const Integer tokens(pass.tokens);
  const Integer cached(pass.cached);
  const Integer end = cached + tokens;
  if (counted == counted_pairs::all) return Integer(2) * tokens * end;
  const Integer causal = detail::twice_pairs_below<Integer>(end, reach) - detail::twice_pairs_below<Integer>(cached, reach);
  return counted == counted_pairs::half ? Integer(causal - tokens) : causal;
}

} // namespace moeplan
