#pragma once

#include <cstdint>

#include <moeplan/describe/degree.hpp>
#include <moeplan/describe/rank_order.hpp>

/// @file
/// A parallel strategy: the degrees, how ranks are numbered, and how degrees make up the world.

namespace moeplan {

/// How the degrees make up the number of GPUs.
enum class mapping : std::uint16_t {
  folded, ///< TP x CP x DP x PP; experts lie on the same GPUs as ETP x EP x EDP x PP (arXiv 2504.14960; Megatron Core)
  product ///< all degrees multiplied, as many deployment documents do: there to read and check such a document, not to run it
};

template <class Part>
inline constexpr bool is_degree = false;
template <axis Axis>
inline constexpr bool is_degree<degree<Axis>> = Axis != axis::edp;

/// What a strategy is composed of.
template <class Part>
concept strategy_part = is_degree<Part> || __is_same(Part, rank_order) || __is_same(Part, mapping);

template <class First, class... Rest>
inline constexpr bool all_different = (!__is_same(First, Rest) && ...) && all_different<Rest...>;
template <class Last>
inline constexpr bool all_different<Last> = true;

/// Degrees in any order, each at most once, with an optional rank_order and mapping: `strategy{pp{16}, ep{64}, dp{128}}`.
///
/// A degree that is not given is 1, but for DP: it is to be derived from the number of GPUs, see resolve(). Which degrees were given
/// is part of the value. A single degree converts to a strategy.
struct strategy {
  std::int64_t degrees[axis_count]{1, 1, 1, 1, 1, 0, 1, 1, 0}; ///< by axis; DP is 0 while it is not given
  std::uint16_t given = 0;                                     ///< one bit an axis
  moeplan::mapping mapping = moeplan::mapping::folded;
  rank_order order{};

  constexpr strategy() noexcept = default;

  template <strategy_part... Parts>
    requires(sizeof...(Parts) != 0 && all_different<Parts...>)
  constexpr strategy(Parts... parts) noexcept { (set(parts), ...); }

  /// The default argument is there to be printed: compilers name it when they refuse this constructor.
  template <strategy_part... Parts, class = struct the_same_axis_is_given_twice>
    requires(sizeof...(Parts) != 0 && !all_different<Parts...>)
  constexpr strategy(Parts...) = delete;

  [[nodiscard]] constexpr std::int64_t operator[](axis a) const noexcept { return degrees[static_cast<std::size_t>(a)]; }

  [[nodiscard]] constexpr bool gives(axis a) const noexcept { return (given >> static_cast<unsigned>(a) & 1U) != 0; }

  /// Whether DP is known, so that the number of GPUs is.
  [[nodiscard]] constexpr bool resolved() const noexcept { return gives(axis::dp); }

  constexpr void set(axis a, std::int64_t value) noexcept {
    degrees[static_cast<std::size_t>(a)] = value;
    given = static_cast<std::uint16_t>(given | 1U << static_cast<unsigned>(a));
  }

  /// The same strategy with one part replaced.
  template <strategy_part Part>
  [[nodiscard]] constexpr strategy with(Part part) const noexcept {
    strategy changed = *this;
    changed.set(part);
    return changed;
  }

  friend constexpr bool operator==(const strategy&, const strategy&) noexcept = default;

private:
  template <axis Axis>
  constexpr void set(degree<Axis> d) noexcept {
    set(Axis, d.value);
  }
  constexpr void set(rank_order o) noexcept { order = o; }
  constexpr void set(moeplan::mapping m) noexcept { mapping = m; }
};

} // namespace moeplan
