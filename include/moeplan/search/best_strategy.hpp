#pragma once

#include <cstdint>

#include <moeplan/search/best_strategies.hpp>
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

/// The best by a ranking; of equals the first found.
template <int OnUse = 0>
[[nodiscard]] constexpr search_answer best_strategy(const search_space& space, const ranking& by) noexcept {
  search_candidate storage[1];
  best_strategies best{storage, by};
  search_answer answer;
  answer.counts = visit_strategies<OnUse>(space, best);
  answer.found = answer.counts.legal != 0;
  if (answer.found) answer.best = storage[0];
  return answer;
}

/// A strategy on the fewest GPUs that can run the model at all, of these one with the most headroom.
template <int OnUse = 0>
[[nodiscard]] constexpr search_answer fewest_gpus(const search_space& space) noexcept {
  return best_strategy<OnUse>(space, ranking::in_order(criterion::gpus, criterion::headroom));
}

} // namespace moeplan
