#pragma once

#include <cstddef>
#include <cstdint>

#include <moeplan/describe/deployment.hpp>
#include <moeplan/verify/check.hpp>

/// @file
/// A deployment of which some numbers are not chosen yet, for a search that asks early what can no longer become legal.

namespace moeplan::detail {

/// The rule that a degree is at least 1.
[[nodiscard]] constexpr rule positive_rule(axis a) noexcept {
  switch (a) {
    case axis::tp: return rule::tp_is_at_least_1;
    case axis::cp: return rule::cp_is_at_least_1;
    case axis::pp: return rule::pp_is_at_least_1;
    case axis::vpp: return rule::vpp_is_at_least_1;
    case axis::ep: return rule::ep_is_at_least_1;
    case axis::etp: return rule::etp_is_at_least_1;
    case axis::sp: return rule::sp_is_at_least_1;
    default: return rule::dp_is_at_least_1;
  }
}

/// A deployment of which some numbers are not chosen yet. They are 0, so that rules which need them are not judged; the rules that are
/// judged hold or not whatever those numbers will be.
struct open_deployment {
  deployment tried{};
  rules::rule_bits open{}; ///< the rules that say of numbers not chosen that they are at least 1

  constexpr void choose(axis a, std::int64_t value) noexcept {
    tried.strategy.set(a, value);
    set_open(positive_rule(a), false);
  }
  constexpr void leave_open(axis a) noexcept {
    tried.strategy.set(a, 0);
    set_open(positive_rule(a), true);
  }
  constexpr void choose_micro_batch(std::int64_t sequences) noexcept {
    tried.workload.train.micro_batch = sequences;
    set_open(rule::micro_batch_is_at_least_1, false);
  }
  constexpr void leave_micro_batch_open() noexcept {
    tried.workload.train.micro_batch = 0;
    set_open(rule::micro_batch_is_at_least_1, true);
  }

  [[nodiscard]] constexpr bool is_complete() const noexcept { return only_open({}); }

  [[nodiscard]] constexpr bool only_micro_batch_is_open() const noexcept {
    rules::rule_bits micro_batch;
    micro_batch.set(static_cast<std::size_t>(rule::micro_batch_is_at_least_1));
    return only_open(micro_batch);
  }

  /// The first rule that is violated whatever the open numbers will be; rule_count if there is none.
  [[nodiscard]] constexpr std::size_t first_violated(const findings& found) const noexcept {
    for (std::size_t i = 0; i < findings::words; ++i) {
      const std::uint64_t errors = found.violated[i] & rules::errors.words[i] & ~open.words[i];
      if (errors != 0) return i * 64 + static_cast<std::size_t>(__builtin_ctzll(errors));
    }
    return rule_count;
  }

private:
  [[nodiscard]] constexpr bool only_open(const rules::rule_bits& expected) const noexcept {
    for (std::size_t i = 0; i < findings::words; ++i)
      if (open.words[i] != expected.words[i]) return false;
    return true;
  }

  constexpr void set_open(rule r, bool is_open) noexcept {
    const auto i = static_cast<std::size_t>(r);
    const std::uint64_t bit = std::uint64_t{1} << i % 64;
    open.words[i / 64] = is_open ? open.words[i / 64] | bit : open.words[i / 64] & ~bit;
  }
};

} // namespace moeplan::detail
