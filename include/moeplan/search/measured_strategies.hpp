#pragma once

#include <moeplan/cost/deployment_cost.hpp>
#include <moeplan/cost/step_time.hpp>
#include <moeplan/describe/cluster.hpp>
#include <moeplan/number/bytes.hpp>
#include <moeplan/number/extremes.hpp>
#include <moeplan/search/network_traffic.hpp>
#include <moeplan/search/ranking.hpp>
#include <moeplan/search/search_candidate.hpp>
#include <moeplan/search/search_counts.hpp>
#include <moeplan/search/search_space.hpp>
#include <moeplan/search/strategy_search.hpp>

/// @file
/// Strategies with what a ranking compares them by beyond what every search computes.

namespace moeplan {

/// The step whose communication hides behind nothing: what passes and memory take at least, whichever is longer, then what frameworks send
/// over NVLink, then what they send over the network. No bound, and no forecast: kernels and links stay below their peaks, and frameworks
/// hide some of what they send. But it charges each strategy for all that it sends, over the link that it sends it over, in the one unit
/// that computing is charged in, and nothing in it is fitted. Not known where a rate that it takes is not.
[[nodiscard]] constexpr known_seconds step_in_turn(const step_time& bound, const sent_bytes& sent, const gpu& g) noexcept {
  if (!bound.pipeline.known || !bound.memory.known) return {};
  if ((sent.nvlink > 0 && g.nvlink_bandwidth == bytes{}) || (sent.network > 0 && g.network_bandwidth == bytes{})) return {};
  const auto seconds = [](double amount, bytes rate) { return amount > 0 ? amount / static_cast<double>(rate.value()) : 0; };
  return {true, detail::greatest(bound.pipeline.seconds, bound.memory.seconds) + seconds(sent.nvlink, g.nvlink_bandwidth) +
                    seconds(sent.network, g.network_bandwidth)};
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
        in_turn_{by.compares(criterion::throughput)},
        time_{in_turn_ || by.compares(criterion::step_time)} {}

  constexpr bool operator()(const search_candidate& c, const search_counts& counts) noexcept {
    if (!network_ && !time_) return call(*visit_, c, counts);
    const deployment d = deployment_of(*space_, c);
    search_candidate measured = c;
    if (network_) measured.network_bytes = network_traffic<OnUse>(d);
    if (time_) {
      const deployment_cost step = cost<OnUse>(d);
      measured.step_bound = step.bound.step();
      measured.most_utilisation = step.utilisation();
      if (in_turn_ && d.cluster.gpus_per_node.given)
        measured.step_in_turn = step_in_turn(step.bound, sent_traffic<OnUse>(d), d.cluster.gpu);
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
  bool in_turn_;
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
