#pragma once

#include <cstddef>
#include <cstdint>

#include <moeplan/describe/deployment.hpp>
#include <moeplan/number/divisors.hpp>
#include <moeplan/number/sequence.hpp>
#include <moeplan/number/wide_ratio.hpp>
#include <moeplan/verify/facts.hpp>

/// @file
/// The values that a repair tries in place of a given one, nearest first, and how far from it they are.

namespace moeplan {

/// A repair gives nothing a larger value than this.
inline constexpr std::int64_t most_repaired_value = std::int64_t{1} << 20;

/// More values of one part than this are not looked at.
inline constexpr std::size_t most_repair_values = 512;

namespace detail {

/// How far a value is from another: the larger over the smaller. Less than 1 counts as 1.
[[nodiscard]] constexpr ratio distance_between(std::int64_t a, std::int64_t b) noexcept {
  if (a < 1) a = 1;
  if (b < 1) b = 1;
  return a < b ? ratio{b, a} : ratio{a, b};
}

/// The distance of several changes: the product of theirs, whose logarithm is the sum of the logarithms.
[[nodiscard]] constexpr wide_ratio product(const wide_ratio& a, const ratio& b) noexcept {
  return {a.numerator * uint256{b.numerator}, a.denominator * uint256{b.denominator}};
}

/// Values of one part.
struct repair_values {
  sequence<std::int64_t, most_repair_values> list{};
  bool complete = true; ///< false: there are more

  constexpr void add(std::int64_t value) noexcept { complete = list.push_back(value) && complete; }

  /// Everything from 1 to `last`.
  constexpr void add_up_to(std::int64_t last) noexcept {
    for (std::int64_t n = 1; n <= last && complete; ++n) add(n);
  }

  /// The divisors of a number that are at most `highest`, in ascending order.
  constexpr void add_divisors(std::int64_t number, std::int64_t highest) noexcept {
    if (number < 1) return;
    std::int64_t low = 1;
    for (; low <= highest && low <= number / low && complete; ++low)
      if (number % low == 0) add(low);
    for (--low; low >= 1 && complete; --low)
      if (number % low == 0 && number / low > low && number / low <= highest) add(number / low);
  }

  /// The given value halved once, twice and so on, rounded down, in ascending order.
  constexpr void add_halves(std::int64_t given) noexcept {
    if (given < 1) return add(1);
    for (int bits = 62; bits > 0; --bits)
      if (given >> bits >= 1 && given >> bits <= most_repaired_value) add(given >> bits);
  }

  /// Orders ascending values by their distance from the given one, which is left out; of two equally far the smaller is first.
  constexpr void sort_by_distance(std::int64_t given) noexcept {
    const repair_values ascending = *this;
    list.length = 0;
    std::size_t above = 0;
    while (above < ascending.list.size() && ascending.list[above] < given) ++above;
    std::size_t below = above;
    if (above < ascending.list.size() && ascending.list[above] == given) ++above;
    while (below > 0 || above < ascending.list.size()) {
      const bool take_below =
          above == ascending.list.size() ||
          (below > 0 && !(distance_between(ascending.list[above], given) < distance_between(ascending.list[below - 1], given)));
      list.push_back(take_below ? ascending.list[--below] : ascending.list[above++]);
    }
  }
};

/// The values that each part is tried with.
struct all_repair_values {
  repair_values tp{}, cp{}, pp{}, vpp{}, ep{}, etp{}, micro_batch{};

  [[nodiscard]] constexpr bool complete() const noexcept {
    return tp.complete && cp.complete && pp.complete && vpp.complete && ep.complete && etp.complete && micro_batch.complete;
  }
};

/// More than this many virtual stages a rank are not looked at: as many as memory of training is computed of.
inline constexpr std::int64_t most_repaired_vpp = 64;

/// Numbers of stages that a layout can have: of decoder layers, of these with embedding and loss, or what is listed.
[[nodiscard]] constexpr std::int64_t most_stages_to_try(const facts& f) noexcept {
  const std::int64_t of_layers = f.layers < most_repaired_value ? f.layers + 2 : most_repaired_value;
  return of_layers < f.listed_stages ? f.listed_stages : of_layers;
}

[[nodiscard]] constexpr std::int64_t at_most(std::int64_t highest, std::int64_t n) noexcept { return n < highest ? n : highest; }

/// See nearest_repairs().
[[nodiscard]] constexpr all_repair_values repair_values_of(const deployment& d, const facts& f) noexcept {
  all_repair_values v;
  const std::int64_t highest = f.knows(known::cluster) ? at_most(most_repaired_value, f.available) : most_repaired_value;
  const bool trains = d.workload.is_training();
  v.tp.add_divisors(f.heads, highest);
  v.cp.add_divisors(trains ? f.sequence_length : f.available, highest);
  v.pp.add_up_to(at_most(highest, most_stages_to_try(f)));
  v.vpp.add_up_to(at_most(most_repaired_vpp, f.layers));
  v.ep.add_divisors(f.experts > 0 ? f.physical_experts : 1, highest);
  v.etp.add_divisors(f.experts > 0 ? f.expert_mlp : 1, highest);
  if (trains && f.global_batch_given)
    v.micro_batch.add_divisors(f.global_batch, most_repaired_value);
  else if (trains)
    v.micro_batch.add_halves(f.micro_batch);
  v.tp.sort_by_distance(f.tp);
  v.cp.sort_by_distance(f.cp);
  v.pp.sort_by_distance(f.pp);
  v.vpp.sort_by_distance(d.strategy[axis::vpp]);
  v.ep.sort_by_distance(f.ep);
  v.etp.sort_by_distance(f.etp);
  v.micro_batch.sort_by_distance(f.micro_batch);
  return v;
}

} // namespace detail

} // namespace moeplan
