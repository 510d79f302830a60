#pragma once

#include <initializer_list>

#include <moeplan/describe/axis.hpp>
#include <moeplan/number/sequence.hpp>
#include <moeplan/text/parsed.hpp>

/// @file
/// In which order ranks are numbered along the axes.

namespace moeplan {

namespace not_a_constant {
inline void a_rank_order_lists_each_of_tp_cp_ep_dp_pp_at_most_once() noexcept {}
} // namespace not_a_constant

/// The axes from the fastest-varying to the slowest, as in Megatron-LM's `order` (parallel_state.py, RankGenerator).
///
/// On the dense grid `tp` and `dp` are themselves and `ep` is 1; on the expert grid `tp` stands for ETP, `dp` for EDP, and `cp` is 1.
/// An axis may be left out if its size is 1 on both grids.
struct rank_order {
  sequence<axis, 5> axes{{axis::tp, axis::cp, axis::ep, axis::dp, axis::pp}, 5};

  /// Megatron-LM's default, tp-cp-ep-dp-pp.
  constexpr rank_order() noexcept = default;

  /// Reads "tp-cp-ep-dp-pp" in any order. Precondition: parse(t) succeeds; read what users wrote with parse().
  constexpr explicit rank_order(text t) noexcept;

  [[nodiscard]] static constexpr parsed<rank_order> parse(text t) noexcept;

  /// Where the axis stands from the fastest; 5 if it is left out.
  [[nodiscard]] constexpr std::size_t position(axis a) const noexcept {
    for (std::size_t i = 0; i < axes.size(); ++i)
      if (axes[i] == a) return i;
    return 5;
  }

  friend constexpr bool operator==(const rank_order&, const rank_order&) noexcept = default;
};

constexpr parsed<rank_order> rank_order::parse(text t) noexcept {
  parsed<rank_order> result;
  result.value.axes = {};
  const auto refuse = [&](text problem, text token, std::size_t at) {
    result.error = {problem, token, "each of tp, cp, ep, dp and pp at most once, joined by '-'", at};
    return result;
  };
  std::size_t start = 0;
  while (start <= t.size()) {
    const std::size_t stop = t.find('-', start);
    const text token = t.part(start, stop - start);
    bool known = false;
    for (const axis a : {axis::tp, axis::cp, axis::ep, axis::dp, axis::pp}) {
      if (!same_letters(token, name_of(a))) continue;
      if (result.value.position(a) != 5) return refuse("an axis stands twice in the rank order", token, start);
      known = result.value.axes.push_back(a);
    }
    if (!known) return refuse("not an axis of a rank order", token, start);
    start = stop + 1;
  }
  return result;
}

constexpr rank_order::rank_order(text t) noexcept {
  const parsed<rank_order> read = parse(t);
  if (!read) not_a_constant::a_rank_order_lists_each_of_tp_cp_ep_dp_pp_at_most_once();
  *this = read.value;
}

} // namespace moeplan
