#pragma once

#include <cstddef>
#include <cstdint>

#include <moeplan/describe/deployment.hpp>
#include <moeplan/number/bytes.hpp>
#include <moeplan/verify/check.hpp>

/// @file
/// What the searches for deployments that fit have in common: what they answer, and how they try one out. `check` alone decides whether
/// a deployment is legal and fits.

namespace moeplan {

/// What came of a search.
enum class fit_outcome : std::uint16_t {
  found,
  lacks_memory, ///< some candidates are legal, and none of them fits
  illegal,      ///< no candidate is legal, however much memory there were: `check` says why
  not_judged,   ///< the GPU's memory is not described, or there are more stages or layers than `check` judges the memory of
  too_many      ///< there are more candidates than are looked at, and none of those fits
};

/// The largest or smallest number with which a deployment is legal and fits.
struct fit_answer {
  fit_outcome outcome = fit_outcome::illegal;
  std::int64_t value = 0;     ///< 0: there is none
  std::int64_t candidate = 0; ///< what `peak` and `missing` are of: the value, or where there is none the least demanding candidate
  bytes peak{};               ///< on each rank of the fullest stage
  bytes missing{};            ///< more than a GPU has for it

  [[nodiscard]] constexpr bool found() const noexcept { return outcome == fit_outcome::found; }

  friend constexpr bool operator==(const fit_answer&, const fit_answer&) noexcept = default;
};

/// Searches go no further than this: 2^40 sequences in a micro-batch, or tokens in a sequence.
inline constexpr std::int64_t most_searched = std::int64_t{1} << 40;

namespace detail {

/// Whether a step of one micro-batch takes no more memory than a step of several of the same size. V-Half and V-Min follow another order
/// when they are few, which can hold a little more.
[[nodiscard]] constexpr bool one_micro_batch_is_least(const training& t) noexcept {
  return t.schedule != schedule::v_half && t.schedule != schedule::v_min;
}

/// One candidate, tried out.
struct fit_trial {
  fit_outcome outcome = fit_outcome::illegal;
  std::int64_t peak = 0; ///< the largest number where it needs more than 63 bits
  std::int64_t capacity = 0;
  std::int64_t missing = 0;

  [[nodiscard]] constexpr bool fits() const noexcept { return outcome == fit_outcome::found; }
  [[nodiscard]] constexpr bool judged() const noexcept { return fits() || outcome == fit_outcome::lacks_memory; }

  [[nodiscard]] constexpr fit_answer answer(std::int64_t value) const noexcept {
    return {outcome, fits() ? value : 0, value, bytes{peak}, bytes{missing}};
  }
};

[[nodiscard]] constexpr fit_trial trial_of(const findings& f) noexcept {
  if (!f.facts.knows(known::memory)) return {.outcome = f.ok() ? fit_outcome::not_judged : fit_outcome::illegal};
  return {f.ok() ? fit_outcome::found : fit_outcome::lacks_memory, f.facts.peak_bytes, f.facts.capacity_bytes,
          f.facts.missing_bytes};
}

template <int OnUse = 0>
[[nodiscard]] constexpr fit_trial try_out(const deployment& d) noexcept {
  return trial_of(check<OnUse>(d));
}

/// About a x n / b, or `most` where that is more: only a guess at where to look. Precondition: n is at most twice most_searched.
[[nodiscard]] constexpr std::int64_t about(std::int64_t a, std::int64_t n, std::int64_t b, std::int64_t most) noexcept {
  for (; a >> 20 != 0; a >>= 1) b >>= 1;
  if (b == 0) return most;
  const std::int64_t guess = a * n / b;
  return guess < most ? guess : most;
}

/// Where the largest number lies that fits.
struct fit_bracket {
  std::int64_t low = 1;  ///< fits
  std::int64_t high = 2; ///< does not, or is one too many
  fit_trial at_low{};
  fit_trial at_high{}; ///< judged if it has been tried
  std::int64_t before = 0;
  std::int64_t peak_before = 0; ///< of a smaller one that fits

  /// As memory grows almost in proportion, what two trials say about the place is nearly right.
  [[nodiscard]] constexpr std::int64_t guess() const noexcept {
    const std::int64_t room = at_low.capacity - at_low.peak;
    if (at_high.judged()) return low + about(room, high - low, at_high.peak - at_low.peak, high - low);
    if (before == 0 || at_low.peak == peak_before) return low * 4;
    return low + about(room, low - before, at_low.peak - peak_before, high - low);
  }

  /// Where guesses do not halve what is left: that in powers of two where it spans several, and else the middle.
  [[nodiscard]] constexpr std::int64_t middle() const noexcept {
    const auto ratio = static_cast<std::uint64_t>(high / low);
    return ratio < 8 ? low + (high - low) / 2 : low << (63 - __builtin_clzll(ratio)) / 2;
  }

  constexpr void narrow(std::int64_t at, const fit_trial& t) noexcept {
    if (!t.fits()) {
      high = at;
      at_high = t;
      return;
    }
    before = low;
    peak_before = at_low.peak;
    low = at;
    at_low = t;
  }
};

struct largest_fit {
  std::int64_t number = 0;
  fit_trial trial{}; ///< of the number, or of 1 where that is not one that fits
};

/// A number to begin with.
struct fit_hint {
  std::int64_t number = 16;
  bool likely = false; ///< to be the answer, so that the next one is to be tried then
};

/// The largest number from 1 to `last` whose trial fits. Precondition: last >= 1, and the peaks of larger numbers are no smaller, so that
/// none beyond one that does not fit does. It halves what is left only where guesses from the peaks do not: four to seven trials are usual.
template <class Try>
[[nodiscard]] constexpr largest_fit largest_that_fits(Try try_number, std::int64_t last, fit_hint hint = {}) noexcept {
  fit_bracket b{.high = last + 1, .at_low = try_number(1)};
  if (!b.at_low.fits()) return {0, b.at_low};
  int slow = 0;
  std::int64_t next = hint.number;
  while (b.high - b.low > 1) {
    const std::int64_t width = b.high - b.low;
    std::int64_t at = next != 0 ? next : slow == 2 ? b.middle() : b.guess();
    if (at <= b.low) at = b.low + 1;
    if (at >= b.high) at = b.high - 1;
    b.narrow(at, try_number(at));
    next = hint.likely && next == hint.number && b.low == at ? at + 1 : 0;
    slow = slow == 2 || (b.high - b.low) * 2 <= width ? 0 : slow + 1;
  }
  return {b.low, b.at_low};
}

/// Whether b violates no rule that a does not.
[[nodiscard]] constexpr bool no_more_violated(const findings& a, const findings& b) noexcept {
  for (std::size_t i = 0; i < findings::words; ++i)
    if ((b.violated[i] & ~a.violated[i]) != 0) return false;
  return true;
}

/// The rules that bind the number of tokens of a micro-batch, without its memory.
template <int OnUse = 0>
[[nodiscard]] constexpr findings check_tokens(const deployment& d) noexcept {
  findings result{.facts = facts_of(d)};
  judge<rules::tensor>(result);
  judge<rules::batch>(result);
  return result;
}

/// The number of which exactly the multiples are legal, as far as divisibility goes, found by asking the rules. Precondition: it divides
/// `multiple`. `set` gives a number to the deployment.
template <class Set>
[[nodiscard]] constexpr std::int64_t legal_unit(deployment d, Set set, std::int64_t multiple) noexcept {
  set(d, multiple);
  const findings all = check_tokens(d);
  std::int64_t unit = multiple;
  std::int64_t rest = multiple;
  for (std::int64_t prime = 2; rest > 1; ++prime) {
    if (prime > rest / prime) prime = rest;
    bool smaller_is_legal = true;
    for (; rest % prime == 0; rest /= prime) {
      if (!smaller_is_legal) continue;
      set(d, unit / prime);
      smaller_is_legal = no_more_violated(all, check_tokens(d));
      if (smaller_is_legal) unit /= prime;
    }
  }
  return unit;
}

} // namespace detail

} // namespace moeplan
