#pragma once

#include <cstdint>

#include <moeplan/describe/experts.hpp>
#include <moeplan/number/extremes.hpp>

/// @file
/// How many distinct ranks, or nodes, the experts of one token lie on: as many copies of the token travel, where copies to one rank or
/// node are sent once.

namespace moeplan {

/// Of one token, its own rank included. With every rank equally likely to be the token's own, (ranks - 1) / ranks of `expected` are
/// others.
template <class Number>
struct distinct_ranks {
  std::int64_t least = 0; ///< all in one rank, as far as they fit
  Number expected{};
  std::int64_t most = 0; ///< min(top-k, ranks, ranks in the groups that a token may visit)

  friend constexpr bool operator==(const distinct_ranks&, const distinct_ranks&) noexcept = default;
};

/// The most groups a token can visit for which distinct_ranks_of computes with groups.
inline constexpr std::int64_t most_visited_groups = 64;

namespace detail {

/// Whether the choice of groups leaves no expert out.
[[nodiscard]] constexpr bool visits_every_group(const experts& e) noexcept { return e.group_top_k >= e.groups; }

/// n / d for every kind of number. Precondition: 0 <= n, 0 < d.
template <class Number>
[[nodiscard]] constexpr Number quotient(std::int64_t n, std::int64_t d) {
  return static_cast<Number>(n) / static_cast<Number>(d);
}

/// R (1 - C(E - E/R, k) / C(E, k)): a rank is spared with the probability that k of E experts are all others'. The sum of its
/// complements, probability by probability, has no difference in it: a rank is first reached by choice i.
template <class Number>
[[nodiscard]] constexpr Number ranks_of_uniform_choice(std::int64_t experts, std::int64_t choices, std::int64_t ranks) {
  const std::int64_t held = experts / ranks;
  auto spared = static_cast<Number>(1);
  auto reached = static_cast<Number>(0);
  for (std::int64_t i = 0; i < choices; ++i) {
    reached = reached + spared * quotient<Number>(held, experts - i);
    const std::int64_t others = experts - held - i;
    spared = spared * quotient<Number>(others < 0 ? 0 : others, experts - i);
  }
  return reached * static_cast<Number>(ranks);
}

/// A token takes its experts in the order of their scores, which is any order of all experts with equal probability. As long as it
/// has visited fewer groups than it may, the next expert is any that is left; from then on, any that is left in its groups. What is
/// expected of the ranks is linear in the ranks reached so far, so that for each number of groups the probability and the expected
/// ranks suffice.
template <class Number>
class group_limited_choice {
public:
  constexpr group_limited_choice(const experts& e, std::int64_t ranks)
      : experts_{e.routed}, groups_{e.groups}, most_groups_{least(e.group_top_k, e.top_k)}, ranks_{ranks} {
    probability_[0] = static_cast<Number>(1);
    for (std::int64_t i = 0; i < e.top_k; ++i) take(i, e.group_top_k);
  }

  [[nodiscard]] constexpr Number expected() const {
    auto sum = static_cast<Number>(0);
    for (std::int64_t d = 0; d <= most_groups_; ++d) sum = sum + reached_[d];
    return sum;
  }

private:
  /// Expert number `taken`, from the states with the most groups down, so that each is read before it is written.
  constexpr void take(std::int64_t taken, std::int64_t group_limit) {
    const std::int64_t in_group = experts_ / groups_;
    for (std::int64_t d = least(taken, most_groups_); d >= 0; --d) {
      const bool open = d < group_limit;
      const std::int64_t left = (open ? experts_ : group_limit * in_group) - taken;
      const std::int64_t left_in_old = d * in_group - taken;
      const Number was = probability_[d];
      const Number had = reached_[d];
      probability_[d] = static_cast<Number>(0);
      reached_[d] = static_cast<Number>(0);
      if (left_in_old > 0) {
        const auto old_group = quotient<Number>(left_in_old, left);
        probability_[d] = was * old_group;
        reached_[d] = had * old_group + new_rank_in_old_group(was, had, d, left);
      }
      if (open && d < groups_) {
        const auto new_group = quotient<Number>(experts_ - d * in_group, left);
        probability_[d + 1] = probability_[d + 1] + was * new_group;
        reached_[d + 1] = reached_[d + 1] + had * new_group + new_rank_in_new_group(was, had, left, new_group);
      }
    }
  }

  /// The probability that the next expert is on a rank not yet reached, in one of d groups visited, times that of being there.
  [[nodiscard]] constexpr Number new_rank_in_old_group(const Number& was, const Number& had, std::int64_t d,
                                                       std::int64_t left) const {
    if (ranks_ < groups_) return static_cast<Number>(0); // A rank that holds an old group is an old one.
    const std::int64_t ranks_of_groups = d * (ranks_ / groups_);
    return (was * static_cast<Number>(ranks_of_groups) - had) * quotient<Number>(experts_ / ranks_, left);
  }

  /// The same in a group not yet visited.
  [[nodiscard]] constexpr Number new_rank_in_new_group(const Number& was, const Number& had, std::int64_t left,
                                                       const Number& new_group) const {
    if (ranks_ >= groups_) return was * new_group;
    return (was * static_cast<Number>(ranks_) - had) * quotient<Number>(experts_ / ranks_, left);
  }

  std::int64_t experts_;
  std::int64_t groups_;
  std::int64_t most_groups_;
  std::int64_t ranks_;
  Number probability_[most_visited_groups + 1]{}; ///< of having visited d groups
  Number reached_[most_visited_groups + 1]{};     ///< expected ranks reached, times that probability
};

} // namespace detail

/// Ranks that hold an expert of a token, if every expert is equally likely to be chosen. Ranks are EP ranks or nodes, each with as
/// many experts as the others, in order.
///
/// Without limited groups: R (1 - C(E - E/R, k) / C(E, k)). With them, the groups with the best expert are visited, as in DeepSeek-V2
/// (arXiv 2405.04434, section 2.1.2); then the scores' distribution does not matter, and for ranks that are groups the answer is the
/// expected min(group_top_k, groups among the best k of all). DeepSeek-V3 (arXiv 2412.19437, section 2.1.2; Megatron-LM moe_utils.py
/// group_limited_topk) scores a group by the sum of its best top_k / group_top_k experts, for which the answer depends on the
/// distribution: `least` and `most` hold, and `expected` is within 1 % of simulations with uniform, normal and exponential scores (8
/// groups of 32, 4 visited, 8 experts; 4, 8, 16 and 64 ranks).
///
/// Number: double (relative error below 1e-14 for the models in use), ratio (exact, or overflowed where 64 bits are too few) or a
/// rational of unlimited size.
///
/// Precondition: ranks and groups divide the experts; 1 <= group_top_k <= groups, 1 <= top_k <= experts in so many groups; and where
/// not all groups are visited, ranks divide groups or groups divide ranks, and min(group_top_k, top_k) is at most
/// most_visited_groups. Where this does not hold, all members are 0, which is never an answer.
template <class Number = double>
[[nodiscard]] constexpr distinct_ranks<Number> distinct_ranks_of(const experts& e,
                                                                 std::int64_t ranks) noexcept(noexcept(Number{} * Number{})) {
  const bool sizes = e.routed >= 1 && e.top_k >= 1 && ranks >= 1 && e.groups >= 1 && e.group_top_k >= 1;
  if (!sizes || e.routed % ranks != 0 || e.routed % e.groups != 0 || e.group_top_k > e.groups) return {};
  const std::int64_t in_group = e.routed / e.groups;
  if (e.top_k > e.group_top_k * in_group) return {};
  const std::int64_t held = e.routed / ranks;
  distinct_ranks<Number> answer;
  if (detail::visits_every_group(e)) {
    answer.most = detail::least(e.top_k, ranks);
    answer.expected = detail::ranks_of_uniform_choice<Number>(e.routed, e.top_k, ranks);
  } else {
    if ((ranks % e.groups != 0 && e.groups % ranks != 0) || detail::least(e.group_top_k, e.top_k) > most_visited_groups) return {};
    const std::int64_t visited = ranks < e.groups ? e.group_top_k : e.group_top_k * (ranks / e.groups);
    answer.most = detail::least(detail::least(e.top_k, ranks), visited);
    answer.expected = detail::group_limited_choice<Number>{e, ranks}.expected();
  }
  answer.least = (e.top_k + held - 1) / held;
  return answer;
}

} // namespace moeplan
