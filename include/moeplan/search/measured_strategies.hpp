#pragma once

#include <moeplan/cost/deployment_cost.hpp>
#include <moeplan/search/network_traffic.hpp>
#include <moeplan/search/ranking.hpp>
#include <moeplan/search/search_candidate.hpp>
#include <moeplan/search/search_counts.hpp>
#include <moeplan/search/search_space.hpp>
#include <moeplan/search/strategy_search.hpp>

/// @file
/// Strategies with what a ranking compares them by beyond what every search computes.

namespace moeplan {

/// The step whose communication hides behind nothing, of the bounds of one that hides it all: what passes and memory take, whichever is
/// longer, then what NVLink takes, then what the network takes. No bound, and no forecast: kernels and links stay below their peaks, and
/// frameworks hide some of what they send. But it charges each strategy for all that it sends, over the link that it sends it over, in
/// the one unit that computing is charged in, and nothing in it is fitted. Not known where one of the four is not.
[[nodiscard]] constexpr known_seconds step_in_turn(const step_time& bound) noexcept {
  if (!bound.pipeline.known || !bound.memory.known || !bound.nvlink.known || !bound.network.known) return {};
  const double busy = bound.pipeline.seconds < bound.memory.seconds ? bound.memory.seconds : bound.pipeline.seconds;
  return {true, busy + bound.nvlink.seconds + bound.network.seconds};
}

namespace detail {

/// A visitor that measures what a ranking asks for, and passes a candidate on to another visitor.
template <class Visit, int OnUse = 0>
class measuring_visitor {
public:
  constexpr measuring_visitor(const search_space& space, const ranking& by, Visit& visit) noexcept
      : space_{&space},
        visit_{&visit},
        network_{by.compares(criterion::network_traffic)},
        time_{by.compares(criterion::step_time) || by.compares(criterion::throughput)} {}

  constexpr bool operator()(const search_candidate& c, const search_counts& counts) noexcept {
    if (!network_ && !time_) return call(*visit_, c, counts);
    const deployment d = deployment_of(*space_, c);
    search_candidate measured = c;
    if (network_) measured.network_bytes = network_traffic<OnUse>(d);
    if (time_) {
      const deployment_cost step = cost<OnUse>(d);
      measured.step_bound = step.bound.step();
      measured.most_utilisation = step.utilisation();
      measured.step_in_turn = step_in_turn(step.bound);
      if (measured.step_in_turn.known && measured.step_in_turn.seconds > 0)
        measured.tokens_in_turn = static_cast<double>(step.tokens.bits) / measured.step_in_turn.seconds;
    }
    return call(*visit_, measured, counts);
  }

  constexpr void decided(const search_counts& counts) noexcept { tell(*visit_, counts); }

private:
  const search_space* space_;
  Visit* visit_;
  bool network_;
  bool time_;
};

} // namespace detail

/// The same as visit_strategies() without a ranking, but that of each candidate all is known that the ranking compares by. The step's time
/// and its traffic take some microseconds for each candidate; a ranking that asks for neither costs nothing.
template <int OnUse = 0, class Visit>
constexpr search_counts visit_strategies(const search_space& space, const ranking& by, Visit& visit) noexcept {
  detail::measuring_visitor<Visit, OnUse> measuring{space, by, visit};
  return visit_strategies<OnUse>(space, measuring);
}
template <int OnUse = 0, class Visit>
constexpr search_counts visit_strategies(const search_space& space, const ranking& by, const Visit& visit) noexcept {
  detail::measuring_visitor<const Visit, OnUse> measuring{space, by, visit};
  return visit_strategies<OnUse>(space, measuring);
}

} // namespace moeplan
