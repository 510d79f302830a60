#pragma once

#include <cstdint>

#include <moeplan/number/divisors.hpp>
#include <moeplan/verify/rule.hpp>

/// @file
/// Nearest legal values: what one could write instead.

namespace moeplan::detail {

[[nodiscard]] constexpr legal_values values(nearest n) noexcept {
  legal_values v;
  if (n.below != 0) v.push_back(static_cast<std::int64_t>(n.below));
  if (n.above != 0 && n.above >> 63 == 0) v.push_back(static_cast<std::int64_t>(n.above));
  return v;
}

/// Divisors of `number` next to `value`.
[[nodiscard]] constexpr legal_values divisors(std::int64_t number, std::int64_t value) noexcept {
  if (number < 1 || value < 1) return {};
  return values(nearest_divisors(static_cast<std::uint64_t>(number), static_cast<std::uint64_t>(value)));
}

/// Multiples of `unit` next to `value`.
[[nodiscard]] constexpr legal_values multiples(std::int64_t unit, std::int64_t value) noexcept {
  if (unit < 1 || value < 0) return {};
  return values(nearest_multiples(static_cast<std::uint64_t>(unit), static_cast<std::uint64_t>(value)));
}

[[nodiscard]] constexpr std::int64_t common(std::int64_t a, std::int64_t b) noexcept { return gcd(a, b); }

/// One value alone.
[[nodiscard]] constexpr legal_values only(std::int64_t value) noexcept {
  legal_values v;
  v.push_back(value);
  return v;
}

/// GPUs of a stage that EP can spread over; 0 where ETP alone does not divide them, or they are not known.
[[nodiscard]] constexpr std::int64_t ranks_for_ep(const facts& f) noexcept {
  const bool divide = f.knows(known::degrees | known::no_overflow | known::folded) && f.stage_gpus % f.etp == 0;
  return divide ? f.stage_gpus / f.etp : 0;
}

/// EP that divides the experts and, where there is any, the ranks for it too, so that following one rule does not break the other.
[[nodiscard]] constexpr legal_values legal_ep(const facts& f) noexcept {
  const std::int64_t ranks = ranks_for_ep(f);
  return divisors(ranks == 0 ? f.physical_experts : common(f.physical_experts, ranks), f.ep);
}

/// EP that divides the ranks for it and, where the model has any, its experts too.
[[nodiscard]] constexpr legal_values legal_ep_on_stage(const facts& f) noexcept {
  const std::int64_t ranks = ranks_for_ep(f);
  return divisors(ranks == 0 || f.physical_experts < 1 ? ranks : common(f.physical_experts, ranks), f.ep);
}

/// Whether heads, hidden size and intermediate sizes allow a TP.
[[nodiscard]] constexpr bool allows_tp(const facts& f, std::int64_t tp) noexcept {
  const bool kv_heads = f.profile != profile::megatron || f.kv_heads % tp == 0 || tp % f.kv_heads == 0;
  const bool vocabulary = f.vocabulary_multiple != 0 || f.vocabulary_size % tp == 0;
  return kv_heads && vocabulary && f.heads % tp == 0 && f.hidden_size % tp == 0 && f.dense_mlp % tp == 0 && f.shared_mlp % tp == 0;
}

/// TP that every rule on what TP splits accepts. It is at most the number of heads.
[[nodiscard]] constexpr legal_values legal_tp(const facts& f) noexcept {
  constexpr auto reach = static_cast<std::int64_t>(nearest_divisor_reach);
  legal_values v;
  const std::int64_t start = f.tp <= f.heads ? f.tp : f.heads + 1;
  for (std::int64_t tp = start - 1; tp >= 1 && tp >= start - reach && v.empty(); --tp)
    if (allows_tp(f, tp)) v.push_back(tp);
  const std::size_t below = v.size();
  for (std::int64_t tp = start + 1; tp <= f.heads && tp <= start + reach && v.size() == below; ++tp)
    if (allows_tp(f, tp)) v.push_back(tp);
  return v;
}

/// What DP must be a multiple of so that ETP x EP divides the GPUs of a stage; 0 if that needs more than 64 bits.
/// Precondition: all degrees but DP are known.
[[nodiscard]] constexpr std::int64_t dp_unit(const facts& f) noexcept {
  if (!f.knows(known::folded)) return 1;
  const auto dense = saturating_count{f.tp} * f.cp;
  const auto expert = saturating_count{f.etp} * f.ep;
  return dense.overflowed() || expert.overflowed() ? 0 : or_zero(expert / gcd(dense, expert));
}

/// Numbers of GPUs that both grids divide.
[[nodiscard]] constexpr legal_values legal_gpus(const facts& f) noexcept {
  return multiples(or_zero(saturating_count{f.model_parallel} * dp_unit(f)), f.available);
}

/// The largest DP that the cluster has GPUs for, the experts fit and the global batch divides by.
[[nodiscard]] constexpr legal_values legal_dp(const facts& f) noexcept {
  const std::int64_t unit = dp_unit(f);
  if (unit == 0) return {};
  const bool batch_counts = f.knows(known::training | known::batch) && f.global_batch_given && f.global_batch % f.micro_batch == 0;
  std::int64_t dp = f.available / f.model_parallel / unit * unit;
  for (std::uint64_t tried = 0; dp >= 1 && tried < nearest_divisor_reach; dp -= unit, ++tried)
    if (!batch_counts || f.global_batch / f.micro_batch % dp == 0) return only(dp);
  return {};
}

/// The DP that leaves no GPU idle, if there is one.
[[nodiscard]] constexpr legal_values legal_dp_for_all(const facts& f) noexcept {
  const legal_values v = legal_dp(f);
  return !v.empty() && v[0] * f.model_parallel == f.available ? v : legal_values{};
}

/// What context and sequence parallelism want a sequence to be a multiple of; 0 if that needs more than 64 bits.
[[nodiscard]] constexpr std::int64_t sequence_unit(const facts& f) noexcept {
  if (!f.knows(known::training | known::cp)) return 1;
  const auto chunks = saturating_count{f.cp} * (f.profile == profile::megatron && f.cp > 1 ? 2 : 1);
  const auto shards = saturating_count{f.cp} * (f.knows(known::tp | known::sp) && f.sp > 1 ? f.tp : 1);
  return chunks.overflowed() || shards.overflowed() ? 0 : or_zero(lcm(chunks, shards));
}

/// Sequence lengths that every rule accepts.
[[nodiscard]] constexpr legal_values legal_sequence(const facts& f) noexcept {
  const bool bounded = f.profile == profile::megatron && f.has_max_positions;
  legal_values v;
  for (const std::int64_t length : multiples(sequence_unit(f), f.sequence_length))
    if (!bounded || length <= f.max_positions) v.push_back(length);
  return v;
}

/// The longest sequence that the model's positions and every rule allow.
[[nodiscard]] constexpr legal_values legal_longest_sequence(const facts& f) noexcept {
  const std::int64_t unit = sequence_unit(f);
  return unit < 1 || f.max_positions < unit ? legal_values{} : only(f.max_positions / unit * unit);
}

/// Off, where nothing needs it, or TP.
[[nodiscard]] constexpr legal_values legal_sp(const facts& f) noexcept {
  legal_values v;
  if (!f.knows(known::training) || !f.overlap.tensor_parallel) v.push_back(1);
  if (f.tp != 1) v.push_back(f.tp);
  return v;
}

/// CP that divides both the query heads and the heads of keys and values of a TP rank, which all-to-all exchange needs.
[[nodiscard]] constexpr legal_values legal_cp_for_heads(const facts& f) noexcept {
  const std::int64_t heads = f.heads % f.tp == 0 ? f.heads / f.tp : 0;
  const std::int64_t kv_heads = f.kv_heads % f.tp == 0 ? f.kv_heads / f.tp : f.tp % f.kv_heads == 0 ? 1 : 0;
  return divisors(common(heads, kv_heads), f.cp);
}

/// Groups that a token may visit: no more than there are, nor than it has experts.
[[nodiscard]] constexpr legal_values legal_group_top_k(const facts& f) noexcept {
  if (f.groups < 1) return {};
  if (f.group_top_k < 1) return only(1);
  return only(f.top_k >= 1 && f.top_k < f.groups ? f.top_k : f.groups);
}

/// The fewest layers that each of a rank's virtual stages can share evenly.
[[nodiscard]] constexpr legal_values one_a_virtual_stage(const facts& f) noexcept { return only(f.knows(known::vpp) ? f.vpp : 1); }

[[nodiscard]] constexpr legal_values one(const facts&) noexcept { return only(1); }

} // namespace moeplan::detail
