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

namespace detail {

/// A visitor that measures what a ranking asks for, and passes a candidate on to another visitor.
template <class Visit, int OnUse = 0>
class measuring_visitor {
public:
  constexpr measuring_visitor(const search_space& space, const ranking& by, Visit& visit) noexcept
      : space_{&space},
        visit_{&visit},
        network_{by.compares(criterion::network_traffic)},
        time_{by.compares(criterion::step_time)} {}

  constexpr bool operator()(const search_candidate& c, const search_counts& counts) noexcept {
    if (!network_ && !time_) return call(*visit_, c, counts);
    const deployment d = deployment_of(*space_, c);
    search_candidate measured = c;
    if (network_) measured.network_bytes = network_traffic<OnUse>(d);
    if (time_) {
      const deployment_cost step = cost<OnUse>(d);
      measured.step_bound = step.bound.step();
      measured.most_utilisation = step.utilisation();
    }
    return call(*visit_, measured, counts);
  }

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
