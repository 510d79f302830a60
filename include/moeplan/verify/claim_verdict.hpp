#pragma once

#include <cstddef>
#include <cstdint>

#include <moeplan/number/interval.hpp>
#include <moeplan/number/sequence.hpp>
#include <moeplan/verify/claim.hpp>
#include <moeplan/verify/claim_formulas.hpp>

/// @file
/// Whether a claim holds.

namespace moeplan {

enum class claim_outcome : std::uint16_t { holds, fails, undecided };

[[nodiscard]] constexpr text name_of(claim_outcome o) noexcept {
  constexpr text names[] = {"holds", "fails", "undecided"};
  return names[static_cast<std::size_t>(o)];
}

/// What came of computing a claim's quantity. Which words say why, is in verify/claim_reason.hpp.
struct claim_verdict {
  claim_outcome outcome = claim_outcome::undecided;
  bool units_suit = false;
  std::size_t formula = 0;                      ///< that was used, or of which least is missing: its place in claim_formula_table
  needed_inputs missing{};                      ///< of that formula
  bool computed = false;                        ///< whether there is a value
  interval value{};                             ///< of the inputs as they are printed: a point, unless they leave it open
  interval possible{};                          ///< of every choice within the inputs' precision
  interval shortfall{};                         ///< how far below zero the value lies; where all of it does, `value` is 0
  interval possible_shortfall{};                ///< the same of `possible`
  byte_reading reading = byte_reading::decimal; ///< in which this is the verdict; binary only where the decimal one is worse

  [[nodiscard]] constexpr bool holds() const noexcept { return outcome == claim_outcome::holds; }
  [[nodiscard]] constexpr bool fails() const noexcept { return outcome == claim_outcome::fails; }
  [[nodiscard]] constexpr bool is_undecided() const noexcept { return outcome == claim_outcome::undecided; }

  /// Precondition: units_suit.
  [[nodiscard]] constexpr const claim_formula& how() const noexcept { return claim_formula_table[formula]; }

  /// Whether the inputs leave open what the value is, so that it is known between bounds alone.
  [[nodiscard]] constexpr bool is_open() const noexcept { return computed && !(value.is_point() && shortfall.is_point()); }
};

/// What a claim's value stands for. Counts and answers are exact, and so is a limit ("< 64 GB").
[[nodiscard]] constexpr interval claimed_value(const claim& c, byte_reading reading = byte_reading::decimal) noexcept {
  const bool is_limit = c.relation != claim_relation::equals && c.relation != claim_relation::differs;
  const bool has_decimals = c.claimed.first.decimals != 0 || c.claimed.last.decimals != 0;
  return is_limit || (entry(c.quantity).exact && !(c.quantity == claim_quantity::variance && has_decimals))
             ? exact_value(c.claimed, reading)
             : rounded_value(c.claimed, reading);
}

namespace detail {

/// Whether two inputs have one unit, and one thing if they are rates; also where one is not given.
[[nodiscard]] constexpr bool have_one_unit(const claim_inputs& given, claim_input a, claim_input b) noexcept {
  if (!given.gives(a) || !given.gives(b)) return true;
  return given[a].unit == given[b].unit && are_comparable(given[a].thing, given[b].thing);
}

/// Of sequences that are in flight, a throughput is a rate of sequences, not of their tokens.
[[nodiscard]] constexpr bool has_rate_of_sequences(const claim& c) noexcept {
  const bool is_of_sequences = c.quantity == claim_quantity::latency || c.quantity == claim_quantity::layer_latency ||
                               c.quantity == claim_quantity::batch_in_flight;
  return !is_of_sequences || !c.inputs.gives(claim_input::throughput) ||
         suits(dimension::sample_rate, c.inputs[claim_input::throughput]);
}

[[nodiscard]] constexpr bool is_utilisation(claim_quantity q) noexcept {
  return q == claim_quantity::memory_utilisation || q == claim_quantity::cluster_memory_utilisation ||
         q == claim_quantity::compute_utilisation;
}

} // namespace detail

/// Whether all of a claim's numbers have units that their quantities can have, and two that are compared have the same.
[[nodiscard]] constexpr bool has_suitable_units(const claim& c) noexcept {
  if (!suits(entry(c.quantity).dimension, c.claimed)) return false;
  for (const claim_inputs::item& i : c.inputs.items)
    if (!suits(entry(i.name).dimension, i.value)) return false;
  return detail::has_rate_of_sequences(c) && detail::have_one_unit(c.inputs, claim_input::value, claim_input::reference) &&
         detail::have_one_unit(c.inputs, claim_input::throughput, claim_input::base_throughput);
}

namespace detail {

[[nodiscard]] constexpr needed_inputs missing_of(const claim_formula& f, const claim_inputs& given) noexcept {
  needed_inputs missing;
  for (const claim_input needed : f.needs)
    if (!given.gives(needed)) missing.push_back(needed);
  return missing;
}

/// The first formula with everything given, or else of which least is missing.
constexpr void choose_formula(claim_verdict& v, const claim& c) noexcept {
  bool chosen = false;
  for (std::size_t i = 0; i < sizeof claim_formula_table / sizeof(claim_formula); ++i) {
    if (claim_formula_table[i].quantity != c.quantity) continue;
    const needed_inputs missing = missing_of(claim_formula_table[i], c.inputs);
    if (chosen && v.missing.size() <= missing.size()) continue;
    chosen = true;
    v.formula = i;
    v.missing = missing;
  }
}

/// Of a value that is `open`, a relation is decided only if all of it agrees.
[[nodiscard]] constexpr claim_outcome outcome_of(bool some, bool all, bool open) noexcept {
  if (!some) return claim_outcome::fails;
  return all || !open ? claim_outcome::holds : claim_outcome::undecided;
}

[[nodiscard]] constexpr claim_outcome opposite(claim_outcome o) noexcept {
  if (o == claim_outcome::undecided) return o;
  return o == claim_outcome::holds ? claim_outcome::fails : claim_outcome::holds;
}

/// `value` is computed from the inputs as they are printed, `possible` from every choice within their precision. What is open agrees if
/// all of it does for one such choice, and that is the printed one.
[[nodiscard]] constexpr claim_outcome compare(const interval& value, const interval& possible, claim_relation relation,
                                              const interval& claimed, bool open) noexcept {
  switch (relation) {
    case claim_relation::at_most: return outcome_of(possible.low <= claimed.high, value.high <= claimed.high, open);
    case claim_relation::less_than: return outcome_of(possible.low < claimed.high, value.high < claimed.high, open);
    case claim_relation::at_least: return outcome_of(claimed.low <= possible.high, claimed.low <= value.low, open);
    case claim_relation::more_than: return outcome_of(claimed.low < possible.high, claimed.low < value.low, open);
    case claim_relation::equals:
    case claim_relation::differs: break;
  }
  const claim_outcome equal = outcome_of(claimed.meets(possible), claimed.contains(value), open);
  return relation == claim_relation::equals ? equal : opposite(equal);
}

/// A value, and how far below zero it lies.
constexpr void compute(const claim_formula& f, const claim_operands& of, interval& value, interval& shortfall) noexcept {
  value = f.value(of);
  shortfall = f.shortfall == nullptr ? interval{0} : f.shortfall(of);
  if (shortfall.overflowed()) shortfall = interval{0};
  if (value.overflowed() && wide_ratio{} < shortfall.low) value = interval{0};
}

/// What is so far below zero, and else at the value, moved up. Precondition: that is far enough.
[[nodiscard]] constexpr interval moved_up(const interval& value, const interval& below, const interval& up) noexcept {
  const interval from = wide_ratio{} < below.high ? up - interval{below.high} : up + interval{value.low};
  const interval to = wide_ratio{} < below.low ? up - interval{below.low} : up + interval{value.high};
  return {from.low, to.high};
}

/// The same comparison of numbers that may lie below zero: all that is compared is moved up so far that none does.
[[nodiscard]] constexpr claim_outcome compare_signed(const claim_verdict& v, claim_relation relation, const interval& claimed,
                                                     bool open) noexcept {
  const interval& below = v.possible_shortfall;
  if (below.high == wide_ratio{}) return compare(v.value, v.possible, relation, claimed, open);
  const interval up{below.high};
  return compare(moved_up(v.value, v.shortfall, up), moved_up(v.possible, below, up), relation, claimed + up, open);
}

/// What rests on a high end that is no bound is undecided, unless it is so up to what there can be at most.
constexpr void judge_without_bound(claim_verdict& v, const claim& c, const interval& claimed) noexcept {
  const bool is_least = c.relation == claim_relation::at_least || c.relation == claim_relation::more_than;
  const bool rests_on_high =
      is_least ? v.fails() : v.holds() || (c.relation == claim_relation::equals && v.possible.high < claimed.low);
  if (!rests_on_high) return;
  v.outcome = claim_outcome::undecided;
  if (v.how().most == nullptr) return;
  const interval most = v.how().most({c, v.reading, false});
  const interval possible_most = v.how().most({c, v.reading, true});
  if (most.overflowed() || possible_most.overflowed()) return;
  v.outcome = compare({v.value.low, most.high}, {v.possible.low, possible_most.high}, c.relation, claimed, true);
}

/// Precondition: v.formula can be computed.
constexpr void judge_in(byte_reading reading, claim_verdict& v, const claim& c) noexcept {
  v.reading = reading;
  compute(v.how(), {c, reading, false}, v.value, v.shortfall);
  compute(v.how(), {c, reading, true}, v.possible, v.possible_shortfall);
  v.computed = !v.value.overflowed() && !v.possible.overflowed();
  if (!v.computed) return;
  const interval claimed = claimed_value(c, reading);
  v.outcome = compare_signed(v, c.relation, claimed, v.is_open() || !v.how().is_bound_above);
  if (!v.how().is_bound_above) judge_without_bound(v, c, claimed);
  // Nothing is used more than whole, however well the numbers of a claim that it is suit each other.
  if (c.relation == claim_relation::equals && is_utilisation(c.quantity) && wide_ratio{1} < v.possible.low)
    v.outcome = claim_outcome::fails;
}

[[nodiscard]] constexpr bool is_better(claim_outcome a, claim_outcome b) noexcept {
  return b != claim_outcome::holds && a != b && a != claim_outcome::fails;
}

/// Whether the claim agrees with what its inputs give as they are printed, without use of their precision. Precondition: v is the verdict
/// of c, computed and not open.
[[nodiscard]] constexpr bool agrees_as_printed(const claim& c, const claim_verdict& v) noexcept {
  claim_verdict printed = v;
  printed.possible = v.value;
  printed.possible_shortfall = v.shortfall;
  return compare_signed(printed, c.relation, claimed_value(c, v.reading), false) == claim_outcome::holds;
}

} // namespace detail

/// Computes the claim's quantity from its inputs, and compares. Counts, degrees, batches and capacities are exact; whatever else is printed
/// stands for half a unit of its last digit to either side, the ends included. The claim holds if some choice within the inputs' intervals
/// gives a value within its own. Where the inputs leave the value open between two bounds, it holds if, as they are printed, every value
/// between them agrees, fails if none does, and is else undecided, as it is where an input is missing.
///
/// What lies below zero, such as what is left where more is used than there is, equals no claim, and no utilisation is above 100%.
///
/// MB, GB and the like are powers of 1000 in all numbers of a claim, or powers of 1024 in all of them: the better verdict counts. That
/// something differs is judged as the opposite of that it is equal, and so by the reading that is better for that.
[[nodiscard]] constexpr claim_verdict judge(const claim& c) noexcept {
  if (c.relation == claim_relation::differs) {
    claim same = c;
    same.relation = claim_relation::equals;
    claim_verdict v = judge(same);
    v.outcome = detail::opposite(v.outcome);
    return v;
  }
  claim_verdict v{.units_suit = has_suitable_units(c)};
  if (!v.units_suit) return v;
  detail::choose_formula(v, c);
  if (c.quantity == claim_quantity::deployable && formulas::breaks_rules_on_any_gpus(c.inputs)) v.missing = {};
  if (!v.missing.empty() || !v.how().suffices) return v;
  detail::judge_in(byte_reading::decimal, v, c);
  if (v.holds()) return v;
  claim_verdict binary = v;
  detail::judge_in(byte_reading::binary, binary, c);
  return detail::is_better(binary.outcome, v.outcome) ? binary : v;
}

} // namespace moeplan
