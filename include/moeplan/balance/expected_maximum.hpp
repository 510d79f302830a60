#pragma once

#include <cstdint>

#include <moeplan/describe/experts.hpp>
#include <moeplan/number/array_view.hpp>
#include <moeplan/number/count.hpp>

/// @file
/// The expected load of the busiest expert under uniform routing, exactly, for few tokens and few choices. For more see
/// maximum_load.hpp.

namespace moeplan {

/// Numbers that expected_maximum needs room for: 2 (tokens + 1)^top-k. Overflowed where there are more than 64 bits count.
[[nodiscard]] constexpr saturating_count expected_maximum_storage(const experts& e, std::int64_t tokens) noexcept {
  saturating_count states = 2;
  for (std::int64_t i = 0; i < e.top_k && !states.overflowed(); ++i) states *= saturating_count{tokens} + 1;
  return states;
}

namespace detail {

/// How the loads of uniform routing can be drawn expert after expert: of the tokens that still need j experts, each takes the next
/// one with probability j / (experts left), independently. A state says how many tokens still need 1, 2, ..., k experts; it is a number
/// with these as digits. Paths on which an expert takes more than a limit are left out.
template <class Number>
class limited_draw {
public:
  constexpr limited_draw(const experts& e, std::int64_t tokens, array_view<Number> storage)
      : experts_{e.routed}, top_k_{e.top_k}, base_{tokens + 1}, storage_{storage} {
    for (std::int64_t i = 0; i < top_k_; ++i) states_ *= base_;
  }

  /// P(no expert has more than `limit`).
  [[nodiscard]] constexpr Number probability(std::int64_t limit) {
    array_view<Number> now = storage_.part(0, states_);
    array_view<Number> next = storage_.part(states_, states_);
    clear(now);
    now[(base_ - 1) * (states_ / base_)] = static_cast<Number>(1); // All tokens need k experts.
    for (std::int64_t left = experts_; left > 0; --left) {
      clear(next);
      for (std::int64_t state = 0; state < states_; ++state)
        if (now[state] != static_cast<Number>(0)) take(next, state, left, 1, 1, state, limit, now[state]);
      const array_view<Number> swapped = now;
      now = next;
      next = swapped;
    }
    return now[0];
  }

private:
  static constexpr void clear(array_view<Number> numbers) {
    for (Number& n : numbers) n = static_cast<Number>(0);
  }

  /// The next expert takes tokens of those that need `need` experts, and of those that need more; `unit` is base^(need - 1), and
  /// `weight` the probability of `state` and of what the expert took already, `room` what it still may take.
  constexpr void take(array_view<Number> next, std::int64_t state, std::int64_t left, std::int64_t need, std::int64_t unit,
                      std::int64_t reached, std::int64_t room, const Number& weight) const {
    if (need > top_k_) {
      next[reached] = next[reached] + weight;
      return;
    }
    const std::int64_t tokens = state / unit % base_;
    const std::int64_t moved = need == 1 ? -1 : unit / base_ - unit; // A token that takes one needs one less.
    if (need >= left) {                                              // They need every expert left.
      if (tokens <= room) take(next, state, left, need + 1, unit * base_, reached + tokens * moved, room - tokens, weight);
      return;
    }
    Number share = weight;
    for (std::int64_t i = 0; i < tokens; ++i) share = share * (static_cast<Number>(left - need) / static_cast<Number>(left));
    for (std::int64_t taken = 0; taken <= tokens && taken <= room; ++taken) {
      take(next, state, left, need + 1, unit * base_, reached + taken * moved, room - taken, share);
      share = share * (static_cast<Number>((tokens - taken) * need) / static_cast<Number>((taken + 1) * (left - need)));
    }
  }

  std::int64_t experts_;
  std::int64_t top_k_;
  std::int64_t base_;
  std::int64_t states_ = 1;
  array_view<Number> storage_;
};

/// Whether there is an answer, and room to compute it in.
[[nodiscard]] constexpr bool can_draw(const experts& e, std::int64_t tokens, std::int64_t storage) noexcept {
  return e.top_k >= 1 && e.top_k <= e.routed && tokens >= 0 && expected_maximum_storage(e, tokens) <= saturating_count{storage};
}

template <class Number>
[[nodiscard]] constexpr Number no_answer() noexcept(noexcept(Number{} * Number{})) {
  if constexpr (__is_class(Number))
    return static_cast<Number>(0) / static_cast<Number>(0);
  else
    return static_cast<Number>(__builtin_nan(""));
}

} // namespace detail

/// P(no expert is chosen by more than `limit` tokens), if every token chooses top-k distinct experts and every choice of them is
/// equally likely. For top-k 1 these are balls in bins. Number: double, ratio (exact, or overflowed where 64 bits are too few: in a
/// constant expression a compile error) or a rational of unlimited size.
///
/// Takes about experts x (tokens + 1)^(2 top-k) steps at most: tens of tokens for top-k 1 and 2, fewer for more. The compilers' default
/// limits on constant expressions are enough for 8 balls in 4 bins as ratios, 16 in 8 as doubles.
/// Precondition: 1 <= top_k <= experts, tokens >= 0, and storage for expected_maximum_storage() numbers. Where it does not hold, the answer
/// is what 0 / 0 is in that kind of number: NaN, an overflowed ratio, an exception of a rational of unlimited size.
template <class Number>
[[nodiscard]] constexpr Number maximum_load_probability(const experts& e, std::int64_t tokens, std::int64_t limit,
                                                        array_view<Number> storage) noexcept(noexcept(Number{} * Number{})) {
  if (!detail::can_draw(e, tokens, storage.size())) return detail::no_answer<Number>();
  return detail::limited_draw<Number>{e, tokens, storage}.probability(limit);
}

/// The expected load of the busiest expert: the sum over c of P(maximum > c). As maximum_load_probability, for each c from the mean
/// to the number of tokens. Precondition and what there is without it as there.
template <class Number>
[[nodiscard]] constexpr Number expected_maximum(const experts& e, std::int64_t tokens,
                                                array_view<Number> storage) noexcept(noexcept(Number{} * Number{})) {
  if (!detail::can_draw(e, tokens, storage.size())) return detail::no_answer<Number>();
  detail::limited_draw<Number> draw{e, tokens, storage};
  const std::int64_t copies = tokens * e.top_k;                                  // fits, as the storage does
  const std::int64_t mean = copies / e.routed + (copies % e.routed > 0 ? 1 : 0); // rounded up: no maximum is below
  auto sum = static_cast<Number>(mean);
  for (std::int64_t c = mean; c < tokens; ++c) sum = sum + (static_cast<Number>(1) - draw.probability(c));
  return sum;
}

} // namespace moeplan
