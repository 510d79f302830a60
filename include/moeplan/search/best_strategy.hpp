#pragma once

#include <cstdint>

#include <moeplan/search/best_strategies.hpp>
#include <moeplan/search/measured_strategies.hpp>
#include <moeplan/search/ranking.hpp>
#include <moeplan/search/search_counts.hpp>
#include <moeplan/search/strategy_search.hpp>

/// @file
/// The best strategy of a search space, or why there is none.

namespace moeplan {

struct search_answer {
  bool found = false;
  search_candidate best{}; ///< where one was found
  search_counts counts{};  ///< where none was, `rejected` says why

  [[nodiscard]] constexpr explicit operator bool() const noexcept { return found; }
};

namespace detail {

/// The best on no more than so many GPUs.
template <int OnUse>
[[nodiscard]] constexpr search_answer best_strategy(const search_space& space, const ranking& by, std::int64_t most_gpus) noexcept {
  search_candidate storage[1];
  best_strategies best{storage, by};
  search_answer answer;
  measuring_visitor<best_strategies, OnUse> measuring{space, by, best};
  strategy_search<measuring_visitor<best_strategies, OnUse>, OnUse> search{space, measuring, most_gpus};
  answer.counts = search.run();
  answer.found = answer.counts.legal != 0;
  if (answer.found) answer.best = storage[0];
  return answer;
}

} // namespace detail

/// The best by a ranking; of equals the first found.
template <int OnUse = 0>
[[nodiscard]] constexpr search_answer best_strategy(const search_space& space, const ranking& by) noexcept {
  return detail::best_strategy<OnUse>(space, by, __INT64_MAX__);
}

/// A strategy on the fewest GPUs that can run the model at all, of these one with the most headroom. It looks at strategies on 1 GPU, then
/// on at most 2, 4 and so on, until some of them are legal: on large clusters it never comes to most of the space. `counts` are of the last
/// look, in which strategies on more GPUs are not considered or, where degrees are listed, rejected by gpus_are_available.
template <int OnUse = 0>
[[nodiscard]] constexpr search_answer fewest_gpus(const search_space& space) noexcept {
  const ranking by = ranking::in_order(criterion::gpus, criterion::headroom);
  const auto there_are = space.base.cluster.gpus<saturating_count>();
  if (!space.base.cluster.described() || !detail::fits(there_are)) return best_strategy<OnUse>(space, by);
  const std::int64_t all = detail::or_zero(there_are);
  for (std::int64_t most = 1; most <= all / 2; most *= 2)
    if (const search_answer answer = detail::best_strategy<OnUse>(space, by, most)) return answer;
  return best_strategy<OnUse>(space, by);
}

} // namespace moeplan
