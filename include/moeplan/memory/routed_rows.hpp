#pragma once

#include <cstdint>

#include <moeplan/balance/capacity.hpp>
#include <moeplan/describe/experts.hpp>
#include <moeplan/describe/strategy.hpp>
#include <moeplan/describe/training.hpp>
#include <moeplan/number/count.hpp>

/// @file
/// How many copies of tokens a rank sends to experts and receives for its own.

namespace moeplan {

/// Rows of hidden states, of one micro-batch and one MoE layer.
struct routed_rows {
  saturating_count sent;     ///< copies of a rank's own tokens, padding included
  saturating_count received; ///< for the experts of the busiest EP rank
  saturating_count computed; ///< by them: gathered over ETP
  friend constexpr bool operator==(const routed_rows&, const routed_rows&) noexcept = default;
};

/// Rows of a rank with `tokens` tokens. A balanced load does not depend on EP: a rank receives as many copies as it sends. Sources:
/// Megatron-LM token_dispatcher.py; arXiv 2504.14960 section 3.3. Precondition: a model with experts and a training run that `check`
/// accepts.
[[nodiscard]] constexpr routed_rows rows_of_rank(const experts& e, const strategy& s, const routing& r,
                                                 saturating_count tokens) noexcept {
  const saturating_count expert_ranks = s[axis::ep];
  const saturating_count local_experts = saturating_count{e.routed} / expert_ranks;
  const bool limited = r.capacity_factor.numerator != 0;
  const saturating_count capacity = limited ? expert_capacity(e, r, tokens) : tokens;
  const saturating_count most_kept = capacity * e.routed;
  routed_rows rows;
  rows.sent = tokens * e.top_k;
  if (limited && (r.pad_to_capacity || rows.sent > most_kept)) rows.sent = most_kept;
  rows.received = rows.sent;
  if (!r.pad_to_capacity) {
    const saturating_count choices = local_experts < saturating_count{e.top_k} ? local_experts : saturating_count{e.top_k};
    const saturating_count most_received = limited ? capacity * local_experts * expert_ranks : tokens * choices * expert_ranks;
    if (r.load == routing_load::worst) rows.received = tokens * choices * expert_ranks;
    if (r.busiest_share.numerator != 0)
      rows.received =
          (tokens * e.top_k * expert_ranks * r.busiest_share.numerator.value() + r.busiest_share.denominator.value() - 1) /
          r.busiest_share.denominator.value();
    if (rows.received > most_received) rows.received = most_received;
  }
  rows.computed = rows.received * s[axis::etp];
  return rows;
}

} // namespace moeplan
