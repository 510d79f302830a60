#pragma once

#include <cstdint>

#include <moeplan/describe/deployment.hpp>
#include <moeplan/mesh/gpus.hpp>
#include <moeplan/search/fit_trial.hpp>

/// @file
/// The fewest GPUs that a deployment fits on.

namespace moeplan {

/// fewest_gpus() looks at no more than this many times the fewest GPUs that the degrees allow.
inline constexpr std::int64_t most_worlds = 65536;

namespace detail {

/// Errors that another DP may mend. Whoever adds a rule on DP adds it here; a test compares this list with what rules do.
inline constexpr rules::rule_bits mended_by_dp = [] {
  rules::rule_bits bits;
  for (const rule r :
       {rule::gpus_divide_over_nodes, rule::global_batch_divides_by_dp, rule::ep_divides_dp, rule::dp_divides_by_replicate,
        rule::ranks_divide_by_replicate, rule::edp_divides_by_replicate, rule::ep_divides_sharded_ranks, rule::moe_dp_is_1_or_cp,
        rule::experts_fill_tp, rule::micro_batches_fill_a_group, rule::micro_batches_divide_by_pp, rule::stages_have_micro_batches,
        rule::micro_batches_divide_into_rounds, rule::dualpipe_halves_micro_batches, rule::dualpipe_needs_twice_pp_micro_batches})
    bits.set(static_cast<std::size_t>(r));
  return bits;
}();

/// Whether more data parallelism may make it legal.
[[nodiscard]] constexpr bool more_dp_may_help(const findings& f) noexcept {
  for (std::size_t i = 0; i < findings::words; ++i)
    if ((f.violated[i] & rules::errors.words[i] & ~mended_by_dp.words[i]) != 0) return false;
  return true;
}

/// A deployment on a multiple of the fewest GPUs that its degrees allow.
template <int OnUse = 0>
struct fit_worlds {
  deployment tried{};
  std::int64_t dp = 1;      ///< on the fewest GPUs
  std::int64_t gpus = 1;    ///< the fewest
  std::int64_t batches = 0; ///< DP is `dp` times a divisor of this; 0: any number
  std::int64_t last = 0;

  [[nodiscard]] constexpr bool counts(std::int64_t times) const noexcept { return batches == 0 || batches % times == 0; }

  constexpr void set(std::int64_t times) noexcept { tried.strategy = tried.strategy.with(moeplan::dp{dp * times}); }

  [[nodiscard]] constexpr findings check_on(std::int64_t times) noexcept {
    set(times);
    return check<OnUse>(tried);
  }

  /// Whether so many may have room at all, as far as a step of one micro-batch says. Rounding can make more of the second moments of
  /// Muon by a number for each of both grids: 8 bytes.
  [[nodiscard]] constexpr bool may_fit(std::int64_t times) noexcept {
    set(times);
    deployment one = tried;
    if (one.workload.is_training()) one.workload.train.global_batch = {};
    facts f = facts_of(one);
    return read_memory<OnUse>(f, one) && f.missing_bytes <= 8;
  }

  /// The first beyond `times` that may fit; last + 1 if there is none.
  [[nodiscard]] constexpr std::int64_t next_that_may_fit(std::int64_t times) noexcept {
    if (may_fit(times)) return times + 1;
    if (!may_fit(last)) return last + 1;
    std::int64_t low = times;
    std::int64_t high = times;
    do {
      low = high;
      high = high > last / 2 ? last : 2 * high;
    } while (!may_fit(high));
    while (high - low > 1) {
      const std::int64_t middle = low + (high - low) / 2;
      (may_fit(middle) ? high : low) = middle;
    }
    return high;
  }
};

} // namespace detail

/// The fewest GPUs on which a deployment is legal and fits, DP being what they leave, everything else staying as it is: a multiple of
/// minimum_gpus(strategy), of which DP is value / (TP x CP x PP). A DP that is given does not count. At most the cluster's GPUs
/// where these are described, and most_worlds times minimum_gpus().
///
/// More data parallelism takes no more memory where states are sharded, and else no less. But with a global batch it makes fewer
/// micro-batches, of which pipelines with several chunks a rank can hold more of the larger chunk; and rules may want divisors or
/// multiples. So every number is tried from the smallest up, except those without the memory for a step of one micro-batch, which all
/// others take at least: these are passed over by halving. Where nothing fits, the answer's candidate is the largest world tried.
template <int OnUse = 0>
[[nodiscard]] constexpr fit_answer fewest_gpus(const deployment& d) noexcept {
  detail::fit_worlds<OnUse> worlds{.tried = d};
  worlds.tried.strategy = d.strategy.with(dp{1});
  const facts f = facts_of(worlds.tried);
  if (!f.knows(known::degrees | known::no_overflow | known::folded)) return {};
  const auto unit = minimum_gpus<saturating_count>(d.strategy);
  if (!detail::fits(unit * most_worlds)) return {};
  worlds.gpus = detail::or_zero(unit);
  worlds.dp = worlds.gpus / f.model_parallel;
  worlds.last = most_worlds;
  const bool cut = !f.knows(known::cluster) || f.available / worlds.gpus > most_worlds;
  if (!cut) worlds.last = f.available / worlds.gpus;
  if (f.knows(known::training) && f.global_batch_given) {
    if (!f.knows(known::batch)) return {};
    const auto of_smallest = saturating_count{f.micro_batch} * worlds.dp;
    if (!detail::fits(of_smallest) || f.global_batch % detail::or_zero(of_smallest) != 0) return {};
    worlds.batches = f.global_batch / detail::or_zero(of_smallest);
    if (worlds.batches < worlds.last) worlds.last = worlds.batches;
  }

  fit_answer nearest;
  bool passed_over = false;
  std::int64_t times = 1;
  for (; times <= worlds.last; ++times) {
    if (!worlds.counts(times)) continue;
    const findings found = worlds.check_on(times);
    const detail::fit_trial t = detail::trial_of(found);
    if (t.fits()) return t.answer(times * worlds.gpus);
    if (t.judged()) {
      nearest = t.answer(times * worlds.gpus);
      if (!passed_over && detail::one_micro_batch_is_least(d.workload.train)) times = worlds.next_that_may_fit(times) - 1;
      passed_over = true;
    } else if (t.outcome == fit_outcome::not_judged || !detail::more_dp_may_help(found)) {
      if (nearest.candidate == 0) nearest.outcome = t.outcome;
      return nearest;
    }
  }
  if (cut && (worlds.batches == 0 || worlds.batches > worlds.last)) nearest.outcome = fit_outcome::too_many;
  return nearest;
}

} // namespace moeplan
