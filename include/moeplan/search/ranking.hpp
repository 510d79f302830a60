#pragma once

#include <cstddef>
#include <cstdint>

#include <moeplan/cost/step_time.hpp>
#include <moeplan/number/optional_integer.hpp>
#include <moeplan/number/sequence.hpp>
#include <moeplan/search/search_candidate.hpp>

/// @file
/// Which of two strategies is better, by criteria that the user puts in order or weighs.

namespace moeplan {

/// What strategies are compared by. What is not known of a candidate counts as worse than everything that is.
enum class criterion : std::uint16_t {
  gpus,            ///< fewer is better
  idle_gpus,       ///< of the cluster: fewer is better
  peak_memory,     ///< on each rank of the fullest stage: less is better
  headroom,        ///< what a GPU has left beside the peak: more is better
  bubble,          ///< the idle share of all ranks' time, of equally long passes: less is better
  layer_balance,   ///< decoder layers of the stage that has most, over the mean: less is better
  network_traffic, ///< bytes that a GPU sends over the network in a step, see network_traffic(): fewer are better
  step_time,       ///< the time that nothing can beat, unequal stages included, see deployment_cost: less is better
  throughput       ///< tokens a second where communication hides behind nothing, see step_in_turn(): more are better
};

inline constexpr std::size_t criterion_count = static_cast<std::size_t>(criterion::throughput) + 1;

namespace detail {

/// Whether a / b < c / d. Precondition: no denominator is 0.
[[nodiscard]] constexpr bool is_less(std::uint64_t a, std::uint64_t b, std::uint64_t c, std::uint64_t d) noexcept {
  __extension__ using twice_as_wide = unsigned __int128;
  return twice_as_wide{a} * d < twice_as_wide{c} * b;
}

/// A share of something: the whole is the worst.
struct share {
  std::uint64_t part = 1;
  std::uint64_t whole = 1;

  friend constexpr bool operator<(share a, share b) noexcept { return is_less(a.part, a.whole, b.part, b.whole); }

  /// In units of 2^-32, rounded down.
  [[nodiscard]] constexpr std::uint64_t scaled() const noexcept {
    __extension__ using twice_as_wide = unsigned __int128;
    return static_cast<std::uint64_t>((twice_as_wide{part} << 32) / whole);
  }
};

[[nodiscard]] constexpr share share_of(std::int64_t part, std::int64_t whole) noexcept {
  if (part < 0 || whole < 1 || part > whole) return {};
  return {static_cast<std::uint64_t>(part), static_cast<std::uint64_t>(whole)};
}

/// The part of what the cluster can compute in a step of such a length that the model does not need.
[[nodiscard]] constexpr share unused_share(const search_candidate& c, const known_seconds& step) noexcept {
  constexpr std::uint64_t whole = std::uint64_t{1} << 32;
  if (!c.step_bound.known || !step.known || c.cluster_gpus < 1) return {};
  const double at_best = c.most_utilisation * static_cast<double>(c.gpus) / static_cast<double>(c.cluster_gpus);
  const double used = step == c.step_bound ? at_best : at_best * c.step_bound.seconds / step.seconds;
  if (!(used >= 0 && used <= 1)) return {};
  return {whole - static_cast<std::uint64_t>(used * static_cast<double>(whole)), whole};
}

/// How bad a candidate is under a criterion: 0 is perfect, 1 the worst, or not known.
[[nodiscard]] constexpr share badness(criterion by, const search_candidate& c) noexcept {
  switch (by) {
    case criterion::gpus: return share_of(c.gpus, c.cluster_gpus);
    case criterion::idle_gpus: return share_of(c.cluster_gpus - c.gpus, c.cluster_gpus);
    case criterion::peak_memory: return c.memory_known ? share_of(c.peak_bytes, c.capacity_bytes) : share{};
    case criterion::headroom: return c.memory_known ? share_of(c.capacity_bytes - c.headroom_bytes(), c.capacity_bytes) : share{};
    case criterion::bubble: {
      const count all = c.bubble.makespan();
      if (!c.bubble.known || all.overflowed() || all == count{0}) return {};
      return {c.bubble.idle.value(), all.value()};
    }
    case criterion::layer_balance: {
      const ratio r = c.layer_balance; // 1 and more; its reciprocal is the share of the work that is done
      if (r.overflowed() || r.numerator == count{0}) return {};
      return {(r.numerator - r.denominator).value(), r.numerator.value()};
    }
    case criterion::network_traffic: return {};
    case criterion::step_time: return unused_share(c, c.step_bound);
    case criterion::throughput: break;
  }
  return unused_share(c, c.step_in_turn);
}

/// Whether the first of two is strictly less, where what is not known is the most.
[[nodiscard]] constexpr bool is_less(const optional_integer& a, const optional_integer& b) noexcept {
  return a.given && (!b.given || a.number < b.number);
}
[[nodiscard]] constexpr bool is_less(const known_seconds& a, const known_seconds& b) noexcept {
  return a.known && (!b.known || a.seconds < b.seconds);
}

} // namespace detail

/// How good a candidate is by one criterion alone: whether `a` is strictly better than `b`.
[[nodiscard]] constexpr bool better_by(criterion by, const search_candidate& a, const search_candidate& b) noexcept {
  if (by == criterion::gpus) return a.gpus < b.gpus; // Also without a cluster.
  if (by == criterion::network_traffic) return detail::is_less(a.network_bytes, b.network_bytes);
  if (by == criterion::step_time) return detail::is_less(a.step_bound, b.step_bound);
  if (by == criterion::throughput) return a.tokens_in_turn > b.tokens_in_turn;
  return detail::badness(by, a) < detail::badness(by, b);
}

/// Criteria in order, the first deciding and each further one only between equals; or weighed against each other.
struct ranking {
  struct entry {
    criterion by{};
    std::int64_t weight = 1; ///< of a weighted ranking: from 0 to 2^24
    friend constexpr bool operator==(const entry&, const entry&) noexcept = default;
  };

  sequence<entry, criterion_count> criteria{};
  bool weighted = false;

  /// The first criterion decides, the second between equals, and so on.
  template <class... Criteria>
  [[nodiscard]] static constexpr ranking in_order(Criteria... by) noexcept {
    ranking r;
    (r.criteria.push_back({by, 1}), ...);
    return r;
  }

  /// Lower is better of the sum of weight x badness, each badness being a share from 0 to 1: GPUs used, or idle, of the cluster's; peak
  /// memory, or what is no headroom, of a GPU's capacity; idle time of a step; work that the stages other than the fullest lack, of what
  /// they had if all were as full; and what the model leaves of the FLOPs that the cluster has in the shortest possible step, or in one whose
  /// communication hides behind nothing. What is not known counts as 1. Shares are taken in units of 2^-32, rounded down, so that the order
  /// is the same everywhere. Precondition: not network_traffic, which is a share of nothing.
  template <class... Entries>
  [[nodiscard]] static constexpr ranking by_weight(Entries... weighed) noexcept {
    ranking r;
    r.weighted = true;
    (r.criteria.push_back(weighed), ...);
    return r;
  }

  [[nodiscard]] constexpr bool compares(criterion by) const noexcept {
    for (const entry& e : criteria)
      if (e.by == by) return true;
    return false;
  }

  /// Of a weighted ranking. Precondition: weights from 0 to 2^24.
  [[nodiscard]] constexpr std::uint64_t score(const search_candidate& c) const noexcept {
    std::uint64_t sum = 0;
    for (const entry& e : criteria) sum += static_cast<std::uint64_t>(e.weight) * detail::badness(e.by, c).scaled();
    return sum;
  }

  /// Whether `a` comes before `b`. Of equal sums the one that is better by the first criterion in which they differ does, so that nothing
  /// comes before what is better in all; of equals the one that was found first, so that the order is a total one.
  [[nodiscard]] constexpr bool before(const search_candidate& a, const search_candidate& b) const noexcept {
    if (weighted) {
      const std::uint64_t of_a = score(a);
      const std::uint64_t of_b = score(b);
      if (of_a != of_b) return of_a < of_b;
    }
    for (const entry& e : criteria) {
      if (better_by(e.by, a, b)) return true;
      if (better_by(e.by, b, a)) return false;
    }
    return a.number < b.number;
  }

  friend constexpr bool operator==(const ranking&, const ranking&) noexcept = default;
};

} // namespace moeplan
