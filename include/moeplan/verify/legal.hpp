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

/// TP that divides all that TP splits.
[[nodiscard]] constexpr legal_values legal_tp(const facts& f) noexcept {
  return divisors(common(common(f.heads, f.hidden_size), common(f.dense_mlp, f.shared_mlp)), f.tp);
}

/// Sequence lengths that every rule on context and sequence parallelism accepts.
[[nodiscard]] constexpr legal_values legal_sequence(const facts& f) noexcept {
  const auto chunks = saturating_count{f.cp} * (f.profile == profile::megatron && f.cp > 1 ? 2 : 1);
  const auto shards = saturating_count{f.cp} * (f.sp > 1 ? f.tp : 1);
  if (chunks.overflowed() || shards.overflowed()) return {};
  const auto unit = lcm(chunks, shards);
  return unit.bits >> 63 != 0 ? legal_values{} : multiples(static_cast<std::int64_t>(unit.bits), f.sequence_length);
}

[[nodiscard]] constexpr legal_values one(const facts&) noexcept { return only(1); }

} // namespace moeplan::detail
