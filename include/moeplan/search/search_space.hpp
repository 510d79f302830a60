#pragma once

#include <cstddef>
#include <cstdint>

#include <moeplan/describe/deployment.hpp>
#include <moeplan/describe/rank_order.hpp>
#include <moeplan/number/count.hpp>
#include <moeplan/number/sequence.hpp>
#include <moeplan/search/fit_recompute.hpp>

/// @file
/// What a search may vary: each part of a strategy is pinned, one of a list, or free.

namespace moeplan {

/// The values that one number of a strategy may take.
struct search_values {
  enum class kind : std::uint16_t {
    free,     ///< every value that can be legal; see search_space
    listed,   ///< these, of which one alone is a pinned value
    described ///< the one of the deployment that the search starts from
  };

  static constexpr std::size_t most = 32;

  kind what = kind::free;
  sequence<std::int64_t, most> list{}; ///< in the order in which they are tried, none of them twice

  constexpr search_values() noexcept = default;

  template <built_in_integer... Integers>
    requires(sizeof...(Integers) != 0 && sizeof...(Integers) <= most)
  constexpr search_values(Integers... values) noexcept : what{kind::listed} {
    (list.push_back(static_cast<std::int64_t>(values)), ...);
  }

  [[nodiscard]] static constexpr search_values as_described() noexcept {
    search_values v;
    v.what = kind::described;
    return v;
  }

  friend constexpr bool operator==(const search_values&, const search_values&) noexcept = default;
};

/// Layouts that fit every number of stages, and the one of the deployment.
enum class search_layout : std::uint16_t {
  described,
  even,
  embedding_as_layer, ///< even, the embedding counted as a layer
  loss_as_layer,      ///< even, the loss counted as a layer
  both_as_layers,     ///< even, both counted
  balanced
};

/// A set of strategies, and with it everything that all of them share. Distinct from `strategy`, which is one.
///
/// A free number takes, within the cluster's GPUs, what the thing that it divides can be divided by: TP the divisors of the attention
/// heads, CP those of a training run's sequence (serving: any number, with a cluster), EP those of the routed experts and their copies, ETP those of
/// an expert's intermediate size, PP those of the layers of an even layout (balanced, or with a first or last stage of its own: any number
/// up to the layers; listed: the divisors of its stages), VPP the divisors of a stage's layers up to 64 (balanced: any number that
/// leaves a layer for each; without a pipeline 1), SP 1 and TP, DP the divisors of the global batch where there is one and else any
/// number, the micro-batch the divisors of the global batch (where there is none it stays as described). Whatever else `check` accepts
/// differs from one of these in name alone: ETP of a model without experts, or stages without layers.
///
/// A free DP needs a cluster; without one `check` says that it cannot be derived.
struct search_space {
  deployment base{}; ///< all that the search does not vary

  search_values tp{};
  search_values cp{};
  search_values ep{};
  search_values etp{};
  search_values pp{};
  search_values vpp{};
  search_values dp{};
  search_values sp{};

  sequence<search_layout, 6> layouts{};                         ///< empty: as described, here and below
  sequence<schedule, 9> schedules{};                            ///< of training
  sequence<sharding, 4> shardings{};                            ///< of training
  search_values micro_batch = search_values::as_described();    ///< of training
  sequence<recompute_choice, search_values::most> recomputes{}; ///< of training
  /// In place of a list: for each strategy the least that fits, of those that smallest_recompute() tries.
  bool smallest_recompute = false;

  sequence<rank_order, search_values::most> orders{}; ///< of ranks
  /// In place of a list: for each strategy the nearest of those that rank_orders() finds, which keeps TP, EP and CP inside a node or on a
  /// rail where that is possible; tp-cp-ep-dp-pp where the cluster does not say what a node is.
  bool nearest_order = false;

  friend constexpr bool operator==(const search_space&, const search_space&) noexcept = default;
};

namespace detail {

[[nodiscard]] constexpr layout layout_of(search_layout which, const layout& described) noexcept {
  switch (which) {
    case search_layout::described: return described;
    case search_layout::even: break;
    case search_layout::embedding_as_layer: return layout::even_with(true, false);
    case search_layout::loss_as_layer: return layout::even_with(false, true);
    case search_layout::both_as_layers: return layout::even_with(true, true);
    case search_layout::balanced: return layout::balanced();
  }
  return layout::even();
}

[[nodiscard]] constexpr recompute_choice recompute_of(const training& t) noexcept {
  return {t.recompute, t.recompute_modules, t.recompute_method, t.recompute_layers};
}

} // namespace detail

} // namespace moeplan
