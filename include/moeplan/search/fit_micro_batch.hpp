#pragma once

#include <cstdint>

#include <moeplan/describe/deployment.hpp>
#include <moeplan/search/fit_trial.hpp>

/// @file
/// The largest micro-batch that fits.

namespace moeplan {

namespace detail {

/// The largest divisor of n that is at most `most`; 0 if that is below 1. Going on from one to the next takes about the square root of n
/// steps for all of them. Precondition: n >= 1.
[[nodiscard]] constexpr std::int64_t divisor_at_most(std::int64_t n, std::int64_t most) noexcept {
  if (most < 1) return 0;
  if (most >= n) return n;
  std::int64_t root = most;
  for (std::int64_t parts = (n - 1) / most + 1; parts <= n / parts; ++parts) {
    if (n % parts == 0) return n / parts;
    if (n / parts < root) root = n / parts;
  }
  while (n % root != 0) --root;
  return root;
}

constexpr void set_micro_batch(deployment& d, std::int64_t sequences) noexcept { d.workload.train.micro_batch = sequences; }

} // namespace detail

/// The largest micro-batch with which a training run is legal and fits, everything else staying as it is.
///
/// Without a global batch a step is one micro-batch. Then the memory of a larger one is no smaller: every tensor has as many rows or
/// more, and so has every sum of some of them and the largest of such sums.
///
/// With a global batch a micro-batch divides what a rank gets of it, and a larger one makes fewer micro-batches. These can take less
/// memory than more of smaller ones: each tensor of each micro-batch is rounded up to 512 bytes, buffers between stages are needed from the
/// second micro-batch on, and with several chunks a rank it depends on the number which chunks are held. But a step of one micro-batch of
/// that size never takes more (but for V-Half and V-Min). What fits as such bounds the search, and below that every divisor is tried from
/// the largest down.
/// Pipelines can want many micro-batches, or even numbers of them: where nothing fits, the candidate is the smallest that is legal.
template <int OnUse = 0>
[[nodiscard]] constexpr fit_answer largest_micro_batch(const deployment& d) noexcept {
  if (!d.workload.is_training()) return {};
  deployment c = d;
  detail::set_micro_batch(c, 1);
  const facts f = facts_of(c);
  const optional_integer global = d.workload.train.global_batch;
  const bool all_known = f.knows(known::tp | known::dp | known::batch) && f.tp <= most_searched;
  if (!all_known || (global.given && global.number % f.dp != 0)) return {};
  const std::int64_t sequences = global.given ? global.number / f.dp : most_searched; // of a rank and step
  if (sequences > most_searched) return {.outcome = fit_outcome::too_many};

  c.workload.train.global_batch = {};
  const std::int64_t unit = detail::legal_unit(c, detail::set_micro_batch, 2 * f.tp);
  if (global.given && sequences % unit != 0) return {};
  const auto one_a_step = [&c, unit ](std::int64_t units) constexpr noexcept {
    detail::set_micro_batch(c, units * unit);
    return detail::try_out<OnUse>(c);
  };
  const bool bounded = !global.given || detail::one_micro_batch_is_least(d.workload.train);
  const detail::largest_fit bound = bounded ? detail::largest_that_fits(one_a_step, sequences / unit) : detail::largest_fit{};
  if (!global.given || (bounded && !bound.trial.judged()))
    return bound.trial.answer(bound.number == 0 ? unit : bound.number * unit);

  c.workload.train.global_batch = global;
  const std::int64_t highest = !bounded ? sequences : bound.number == 0 ? unit : bound.number * unit;
  fit_answer nearest;
  for (std::int64_t m = detail::divisor_at_most(sequences, highest); m >= unit; m = detail::divisor_at_most(sequences, m - 1)) {
    if (m % unit != 0) continue;
    detail::set_micro_batch(c, m);
    const detail::fit_trial t = detail::try_out<OnUse>(c);
    if (t.fits()) return t.answer(m);
    if (t.judged() || nearest.candidate == 0) nearest = t.answer(m);
  }
  if (nearest.outcome != fit_outcome::illegal) return nearest;
  for (std::int64_t m = sequences; m > highest; m = detail::divisor_at_most(sequences, m - 1)) {
    if (m % unit != 0) continue;
    detail::set_micro_batch(c, m);
    const detail::fit_trial t = detail::try_out<OnUse>(c);
    if (t.judged()) nearest = t.answer(m);
  }
  return nearest;
}

} // namespace moeplan
