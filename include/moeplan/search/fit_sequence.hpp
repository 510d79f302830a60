#pragma once

#include <cstdint>

#include <moeplan/describe/deployment.hpp>
#include <moeplan/memory/serving_memory.hpp>
#include <moeplan/search/fit_trial.hpp>

/// @file
/// The longest sequences that fit.

namespace moeplan {

namespace detail {

constexpr void set_sequence_length(deployment& d, std::int64_t tokens) noexcept {
  (d.workload.is_training() ? d.workload.train.sequence_length : d.workload.serve.sequence_length) = tokens;
}

/// Positions of the model where the profile has a rule on them.
[[nodiscard]] constexpr std::int64_t longest_allowed(const deployment& d) noexcept {
  const bool binds = (rules::entry(rule::sequence_fits_positions).scope & scope::of(d.profile)) != 0;
  const bool shorter = binds && d.model.max_positions.given && d.model.max_positions.number < most_searched;
  return shorter ? d.model.max_positions.number : most_searched;
}

/// What a closed form says, which `check` then confirms. Precondition: legal, and the GPU's memory is known.
template <int OnUse = 0>
[[nodiscard]] constexpr std::int64_t longest_by_capacity(const deployment& d, std::int64_t last) noexcept {
  const capacity<saturating_count> longest = serving_capacity_of<saturating_count>(d).longest;
  if (longest.unbounded || longest.amount > saturating_count{last}) return last;
  return static_cast<std::int64_t>(longest.amount.bits);
}

} // namespace detail

/// The longest sequences with which a deployment is legal and fits, everything else staying as it is: of a training run, or of each of the
/// sequences that are served at once (`serving::batch`).
///
/// The memory of longer ones is no smaller, since every tensor has as many rows and columns or more and every sequence has as many
/// blocks of cache or more; the number of micro-batches stays the same. Rules want a multiple of some unit (of CP, twice CP, TP x CP),
/// which is found by asking them; the model's positions are a bound where the profile has that rule, and 2^40 tokens otherwise,
/// which is the answer where sequences take no more memory however long they are.
template <int OnUse = 0>
[[nodiscard]] constexpr fit_answer longest_sequence_length(const deployment& d) noexcept {
  const bool training = d.workload.is_training();
  deployment c = d;
  detail::set_sequence_length(c, 1);
  const facts f = facts_of(c);
  if (!f.knows(known::tp | known::cp) || (training && !f.knows(known::batch))) return {};
  const auto ranks = saturating_count{f.tp} * f.cp;
  if (ranks > saturating_count{most_searched}) return {};
  const std::int64_t unit = training ? detail::legal_unit(c, detail::set_sequence_length, 2 * detail::or_zero(ranks)) : 1;
  const std::int64_t last = detail::longest_allowed(d) / unit;
  if (last < 1) return {};
  const auto of_units = [&c, unit ](std::int64_t units) constexpr noexcept {
    detail::set_sequence_length(c, units * unit);
    return detail::try_out<OnUse>(c);
  };
  detail::fit_hint hint{.number = training ? d.workload.train.sequence_length / unit : 0};
  if (!training && of_units(1).fits()) hint = {detail::longest_by_capacity<OnUse>(c, last), true};
  const detail::largest_fit longest = detail::largest_that_fits(of_units, last, hint);
  return longest.trial.answer(longest.number == 0 ? unit : longest.number * unit);
}

} // namespace moeplan
