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

[[nodiscard]] constexpr std::int64_t common(std::int64_t a, std::int64_t b) noexcept {
  return static_cast<std::int64_t>(gcd(static_cast<std::uint64_t>(a), static_cast<std::uint64_t>(b)));
}

/// One value alone.
[[nodiscard]] constexpr legal_values only(std::int64_t value) noexcept {
  legal_values v;
  v.push_back(value);
  return v;
}

/// EP that divides both the experts and the GPUs of a stage over ETP, so that following one rule does not break the other.
[[nodiscard]] constexpr legal_values legal_ep(const facts& f) noexcept {
  std::int64_t number = f.physical_experts;
  if (f.knows(known::degrees | known::no_overflow | known::folded) && f.stage_gpus % f.etp == 0)
    number = number < 1 ? f.stage_gpus / f.etp : common(number, f.stage_gpus / f.etp);
  return divisors(number, f.ep);
}

/// TP that divides all that TP splits.
[[nodiscard]] constexpr legal_values legal_tp(const facts& f) noexcept {
  return divisors(common(common(f.heads, f.hidden_size), common(f.dense_mlp, f.shared_mlp)), f.tp);
}

/// Sequence lengths that every rule on them accepts.
[[nodiscard]] constexpr legal_values legal_sequence(const facts& f) noexcept {
  saturating_count unit = f.cp;
  if (f.profile == profile::megatron && f.cp > 1) unit = unit * 2;
  if (f.sp > 1 && unit.value() % static_cast<std::uint64_t>(f.cp * f.tp) != 0)
    unit = lcm<saturating_count>(unit.value(), static_cast<std::uint64_t>(f.cp * f.tp));
  return unit.bits >> 63 != 0 ? legal_values{} : multiples(static_cast<std::int64_t>(unit.bits), f.sequence_length);
}

[[nodiscard]] constexpr legal_values one(const facts&) noexcept { return only(1); }

} // namespace moeplan::detail
