#pragma once

#include <cstdint>

#include <moeplan/describe/strategy.hpp>
#include <moeplan/mesh/gpus.hpp>
#include <moeplan/mesh/grid.hpp>
#include <moeplan/mesh/group.hpp>
#include <moeplan/mesh/group_axes.hpp>
#include <moeplan/number/always_inline.hpp>

/// @file
/// The two grids on which a strategy lays out its ranks, and the groups of ranks that communicate.

namespace moeplan {

namespace not_a_constant {
inline void only_a_folded_mapping_has_a_mesh() noexcept {}
inline void the_number_of_ranks_is_not_from_1_to_2_to_the_63_minus_1() noexcept {}
inline void etp_x_ep_does_not_divide_the_gpus_of_a_stage() noexcept {}
} // namespace not_a_constant

/// A place on the dense grid, or, as sizes, its extent.
struct dense_coordinates {
  std::int64_t tp = 0;
  std::int64_t cp = 0;
  std::int64_t dp = 0;
  std::int64_t pp = 0;
  friend constexpr bool operator==(const dense_coordinates&, const dense_coordinates&) noexcept = default;
};

/// A place on the expert grid, or, as sizes, its extent.
struct expert_coordinates {
  std::int64_t etp = 0;
  std::int64_t ep = 0;
  std::int64_t edp = 0;
  std::int64_t pp = 0;
  friend constexpr bool operator==(const expert_coordinates&, const expert_coordinates&) noexcept = default;
};

/// Both grids of a strategy: TP x CP x DP x PP for dense layers and ETP x EP x EDP x PP for experts, on the same ranks
/// (arXiv 2504.14960; Megatron-LM, parallel_state.py, RankGenerator).
///
/// Precondition: a strategy that `check` accepts: folded, resolved, ETP x EP divides TP x CP x DP. Otherwise the mesh has a world of 0,
/// and in a constant expression the compiler names what is wrong.
class mesh {
public:
  /// Ranks are numbered from `rank_offset`, as where several jobs share a process group. Precondition: 0 <= rank_offset < 2^63 - world.
  constexpr explicit mesh(const strategy& s, std::int64_t rank_offset = 0) noexcept : offset_{rank_offset} {
    const auto ranks = gpus<saturating_count>(s);
    const auto stage = stage_gpus<saturating_count>(s);
    const saturating_count expert_ranks = saturating_count{s[axis::etp]} * s[axis::ep];
    if (s.mapping != mapping::folded) {
      not_a_constant::only_a_folded_mapping_has_a_mesh();
      return;
    }
    if (ranks == 0 || ranks > most_ranks) {
      not_a_constant::the_number_of_ranks_is_not_from_1_to_2_to_the_63_minus_1();
      return;
    }
    if (stage % expert_ranks != 0) {
      not_a_constant::etp_x_ep_does_not_divide_the_gpus_of_a_stage();
      return;
    }
    world_ = static_cast<std::int64_t>(ranks.value());
    grids_[0] = grid{{s[axis::tp], s[axis::cp], s[axis::dp], s[axis::pp]}, places(s.order, axis::cp).by_order};
    grids_[1] = grid{{s[axis::etp], s[axis::ep], static_cast<std::int64_t>((stage / expert_ranks).value()), s[axis::pp]},
                     places(s.order, axis::ep).by_order};
  }

  /// Number of ranks (GPUs).
  [[nodiscard]] constexpr std::int64_t world() const noexcept { return world_; }

  /// Sizes of the dense grid.
  [[nodiscard]] constexpr dense_coordinates dense() const noexcept {
    const grid& g = grids_[0];
    return {g.by_place[0].size, g.by_place[1].size, g.by_place[2].size, g.by_place[3].size};
  }

  /// Sizes of the expert grid; `edp` is TP x CP x DP / (ETP x EP).
  [[nodiscard]] constexpr expert_coordinates expert() const noexcept {
    const grid& g = grids_[1];
    return {g.by_place[0].size, g.by_place[1].size, g.by_place[2].size, g.by_place[3].size};
  }

  /// Where a rank is on the dense grid. Precondition: rank_offset <= rank < rank_offset + world().
  [[nodiscard, MOEPLAN_ALWAYS_INLINE]] constexpr dense_coordinates dense_at(std::int64_t rank) const noexcept {
    const grid& g = grids_[0];
    const std::int64_t r = rank - offset_;
    return {g.coordinate(0, r), g.coordinate(1, r), g.coordinate(2, r), g.coordinate(3, r)};
  }

  /// Where a rank is on the expert grid. Precondition as dense_at.
  [[nodiscard, MOEPLAN_ALWAYS_INLINE]] constexpr expert_coordinates expert_at(std::int64_t rank) const noexcept {
    const grid& g = grids_[1];
    const std::int64_t r = rank - offset_;
    return {g.coordinate(0, r), g.coordinate(1, r), g.coordinate(2, r), g.coordinate(3, r)};
  }

  /// The rank at a place. Precondition: every coordinate from 0 to below its size.
  [[nodiscard]] constexpr std::int64_t rank(const dense_coordinates& at) const noexcept {
    const grid& g = grids_[0];
    return offset_ + at.tp * g.by_place[0].stride + at.cp * g.by_place[1].stride + at.dp * g.by_place[2].stride +
           at.pp * g.by_place[3].stride;
  }
  [[nodiscard]] constexpr std::int64_t rank(const expert_coordinates& at) const noexcept {
    const grid& g = grids_[1];
    return offset_ + at.etp * g.by_place[0].stride + at.ep * g.by_place[1].stride + at.edp * g.by_place[2].stride +
           at.pp * g.by_place[3].stride;
  }

  /// The group of a rank along the given axes. Precondition as dense_at.
  [[nodiscard, MOEPLAN_ALWAYS_INLINE]] constexpr rank_group group(group_axes along, std::int64_t rank) const noexcept {
    const grid& g = of(along.grid);
    const std::int64_t r = rank - offset_;
    // Axis by axis and always inlined, so that it folds for a static mesh and costs nothing beyond what is used of the result.
    const std::int64_t first = rank - (along.spans(0) ? g.share(0, r) : 0) - (along.spans(1) ? g.share(1, r) : 0) -
                               (along.spans(2) ? g.share(2, r) : 0) - (along.spans(3) ? g.share(3, r) : 0);
    return {first, ranks_along(g, along.places)};
  }

  /// All groups along the given axes.
  [[nodiscard, MOEPLAN_ALWAYS_INLINE]] constexpr rank_groups groups(group_axes along) const noexcept {
    const grid& g = of(along.grid);
    return {offset_, ranks_along(g, ~along.places), ranks_along(g, along.places)};
  }

  /// The ranks that hold the embedding and, for tied weights, its copy at the head: first and last stage of each pipeline group
  /// (Megatron-LM, parallel_state.py, default_embedding_ranks).
  [[nodiscard]] constexpr rank_groups embedding_groups() const noexcept {
    const grid& g = grids_[0];
    const grid_axis& stages = g.by_place[3];
    strided_ranks ends;
    ends.append(stages.size == 1 ? 1 : 2, stages.stride * (stages.size - 1));
    return {offset_, ranks_along(g, static_cast<unsigned>(~moeplan::groups::pp.places)), ends};
  }

  friend constexpr bool operator==(const mesh&, const mesh&) noexcept = default;

private:
  static constexpr std::uint64_t most_ranks = ~std::uint64_t{0} >> 1;

  struct placement {
    std::uint16_t by_order[grid::axes]{};
  };

  /// The places of a grid from the fastest axis to the slowest. `inner` is the axis that only this grid has, in place 1: CP or EP.
  /// An axis that the order leaves out has size 1 and may come last.
  static constexpr placement places(const rank_order& order, axis inner) noexcept {
    const axis by_place[grid::axes] = {axis::tp, inner, axis::dp, axis::pp};
    placement p;
    std::size_t used = 0;
    bool placed[grid::axes]{};
    const auto put = [&](std::uint16_t place) {
      if (!placed[place]) p.by_order[used++] = place;
      placed[place] = true;
    };
    for (const axis a : order.axes)
      for (std::uint16_t place = 0; place < grid::axes; ++place)
        if (by_place[place] == a) put(place);
    for (std::uint16_t place = 0; place < grid::axes; ++place) put(place);
    return p;
  }

  [[MOEPLAN_ALWAYS_INLINE]] static constexpr strided_ranks ranks_along(const grid& g, unsigned places) noexcept {
    strided_ranks ranks;
    // One by one, for clang does not unroll a loop early enough to make the result a constant where the mesh is one.
    append(ranks, g, places, g.order[0]);
    append(ranks, g, places, g.order[1]);
    append(ranks, g, places, g.order[2]);
    append(ranks, g, places, g.order[3]);
    return ranks;
  }

  [[MOEPLAN_ALWAYS_INLINE]] static constexpr void append(strided_ranks& ranks, const grid& g, unsigned places,
                                                         unsigned place) noexcept {
    if ((places >> place & 1U) != 0) ranks.append(g.by_place[place].size, g.by_place[place].stride);
  }

  [[nodiscard]] constexpr const grid& of(grid_kind kind) const noexcept { return grids_[static_cast<std::size_t>(kind)]; }

  grid grids_[2]{};
  std::int64_t world_ = 0;
  std::int64_t offset_ = 0;
};

/// The mesh of a strategy that is known at compile time: queries on it fold into constants.
template <strategy S>
inline constexpr mesh static_mesh{S};

} // namespace moeplan
