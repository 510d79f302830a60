// A scheduler's gate: may this job run on the GPUs that are free now, and where?
//
// - refused: the job breaks a rule on its own GPUs, whatever is free. It stays refused until somebody changes it.
// - queued: it is sound, but too few GPUs are free. `missing` says how many more it waits for.
// - admitted: it gets `world.gpus` GPUs, on the nodes that `where` names.
//
// A job that gives DP takes exactly the GPUs of its strategy. A job without DP is elastic: it takes the largest DP that is legal on the
// free GPUs, and is queued only where its smallest legal world does not fit: PP x lcm(TP x CP, ETP x EP) GPUs, or a multiple where more
// ranks have to share what does not fit into one GPU's memory. The cluster in its file is what it was planned for: it never gets more
// GPUs than that, and is refused where it cannot do with as many. What kind of GPU it was planned for, the gate does not compare with
// those that are free; where the file names it, the job must fit into its memory.
//
// Which groups cross nodes is advice: it never makes a job wait. Nothing here allocates or throws, and everything works in constant
// expressions too.
#pragma once

#include <cstdint>

#include <moeplan/describe/deployment.hpp>
#include <moeplan/mesh/mesh.hpp>
#include <moeplan/search/fit_gpus.hpp>
#include <moeplan/verify/check.hpp>

#include "locality.hpp"
#include "placement.hpp"

namespace admission {

enum class verdict : std::uint16_t { admitted, queued, refused };

/// A degree of data parallelism and the GPUs that it takes; 0: none.
struct world_size {
  std::int64_t dp = 0;
  std::int64_t gpus = 0;
  friend constexpr bool operator==(const world_size&, const world_size&) noexcept = default;
};

struct decision {
  admission::verdict verdict = admission::verdict::refused;
  world_size world{};           ///< what it gets; where it is queued, the smallest world with which it would be admitted
  std::int64_t missing = 0;     ///< queued: GPUs beyond the free ones
  world_size fits_now{};        ///< queued, and it gives DP: the largest world that would be admitted now if it gave another DP
  located where{};              ///< admitted
  moeplan::findings findings{}; ///< of the job on `world`: why it is refused, or what is worth knowing
};

namespace detail {

/// The largest divisor of n that is at most `at_most`, in no more than 2 min(at_most, sqrt n) steps. Precondition: both at least 1.
[[nodiscard]] constexpr std::int64_t largest_divisor(std::int64_t n, std::int64_t at_most) noexcept {
  if (at_most >= n) return n;
  // From the square root on a divisor is found by what it leaves, below it by itself.
  std::int64_t rest = (n - 1) / at_most + 1;
  for (; rest <= n / rest; ++rest)
    if (n % rest == 0) return n / rest;
  std::int64_t d = at_most < rest ? at_most : rest - 1;
  while (n % d != 0) --d;
  return d;
}

/// DP of the smallest world; 1 where there is no such world, which `check` then explains.
[[nodiscard]] constexpr std::int64_t smallest_dp(const moeplan::strategy& s) noexcept {
  using moeplan::axis;
  for (const axis a : {axis::tp, axis::cp, axis::pp, axis::etp, axis::ep})
    if (s[a] < 1) return 1;
  if (s.mapping != moeplan::mapping::folded) return 1;
  const auto smallest = moeplan::minimum_gpus<moeplan::saturating_count>(s);
  const auto dp = smallest / moeplan::gpus<moeplan::saturating_count>(s.with(moeplan::dp{1}));
  return dp.overflowed() || dp.bits >> 63 != 0 ? 1 : static_cast<std::int64_t>(dp.value());
}

/// The cluster on which a job is judged: its own GPUs and no more, or, where that plans with fewer or contradicts itself, the one in
/// its file, which `check` then refuses.
[[nodiscard]] constexpr moeplan::cluster own_cluster(const moeplan::deployment& job) noexcept {
  const moeplan::cluster& planned = job.cluster;
  const auto gpus = moeplan::gpus<moeplan::saturating_count>(job.strategy);
  const bool in_nodes = planned.gpus_per_node.given || planned.nodes.given;
  const bool clear = planned.total.given != in_nodes;
  const bool enough = clear ? gpus <= planned.gpus<moeplan::saturating_count>() : !in_nodes;
  if (!enough || gpus.bits >> 63 != 0) return planned;
  return {.gpu = planned.gpu, .total = static_cast<std::int64_t>(gpus.value())};
}

/// GPUs that the file plans with. Precondition: `check` has found nothing wrong with the cluster.
[[nodiscard]] constexpr std::int64_t planned_gpus(const moeplan::cluster& planned) noexcept {
  return planned.described() ? static_cast<std::int64_t>(planned.gpus().value()) : most_free_gpus;
}

/// The most copies of the smallest world, up to `at_most`, that the batch can be divided over. `smallest`: the facts there.
[[nodiscard]] constexpr std::int64_t copies(const moeplan::facts& smallest, std::int64_t at_most) noexcept {
  if (!smallest.names(moeplan::axis::dp)) return 1; // in an order of ranks without dp there is no room for a second one
  const bool batch = smallest.knows(moeplan::known::training) && smallest.global_batch_given;
  return batch ? largest_divisor(smallest.global_batch / smallest.batch_unit, at_most) : at_most;
}

/// Gives a job the GPUs of so many of its smallest worlds, and checks it.
constexpr void set_copies(moeplan::deployment& job, moeplan::findings& found, const moeplan::facts& smallest,
                          std::int64_t n) noexcept {
  job.strategy.set(moeplan::axis::dp, smallest.dp * n);
  job.cluster = {.gpu = job.cluster.gpu, .total = smallest.gpus * n};
  found = check(job);
}

/// Whether nothing is wrong but that memory does not suffice, which more data-parallel ranks may share.
[[nodiscard]] constexpr bool only_lacks_memory(const moeplan::findings& found) noexcept {
  for (const moeplan::finding f : found)
    if (f.level() == moeplan::severity::error && f.id() != moeplan::rule::stage_fits_memory) return false;
  return !found.ok();
}

/// Gives a job the largest legal DP on at most `gpus` GPUs. `smallest`: the facts of its smallest world, of whose DP it has a multiple;
/// `found`: what `check` says of it. Precondition: it is legal, and takes no more than `gpus`.
constexpr void grow(moeplan::deployment& job, moeplan::findings& found, const moeplan::facts& smallest,
                    std::int64_t gpus) noexcept {
  const std::int64_t legal = found.facts.dp / smallest.dp;
  std::int64_t n = copies(smallest, gpus / smallest.gpus);
  for (; n > legal; n = copies(smallest, n - 1)) {
    set_copies(job, found, smallest, n);
    if (found.ok()) return;
  }
  if (found.facts.dp != smallest.dp * legal) set_copies(job, found, smallest, legal);
}

/// Gives a job that only lacks memory the smallest DP with which it has enough, on at most `gpus` GPUs, if there is one. `found`: what
/// `check` says of its smallest world.
constexpr void grow_until_it_fits(moeplan::deployment& job, moeplan::findings& found, std::int64_t gpus) noexcept {
  const moeplan::facts smallest = found.facts;
  moeplan::deployment on_all = job;
  on_all.cluster = {.gpu = job.cluster.gpu, .total = gpus};
  const moeplan::fit_answer fewest = moeplan::fewest_gpus(on_all);
  if (fewest.found()) set_copies(job, found, smallest, fewest.value / smallest.gpus);
}

/// With which other DP a job would fit.
[[nodiscard]] constexpr world_size other_world(moeplan::deployment& job, std::int64_t gpus) noexcept {
  job.strategy.set(moeplan::axis::dp, smallest_dp(job.strategy));
  job.cluster = own_cluster(job);
  moeplan::findings found = check(job);
  const moeplan::facts smallest = found.facts;
  if (only_lacks_memory(found)) grow_until_it_fits(job, found, gpus);
  if (!found.ok() || found.facts.gpus > gpus) return {};
  grow(job, found, smallest, gpus);
  return {found.facts.dp, found.facts.gpus};
}

} // namespace detail

/// Decides on one job. `free` as it is now; to go on to the next job, take() an admitted one's GPUs from it.
[[nodiscard]] constexpr decision decide(const moeplan::deployment& d, free_gpus free, policy how) noexcept {
  const bool elastic = !d.strategy.resolved();
  moeplan::deployment job = d;
  // A rule that is broken on the smallest world is broken on every larger one too, which the tests compare with trying every DP.
  if (elastic) job.strategy.set(moeplan::axis::dp, detail::smallest_dp(d.strategy));
  job.cluster = detail::own_cluster(job);
  decision result{.findings = check(job)};
  // A product mapping can be checked, but no framework lays out ranks like that.
  const bool lacks_memory = elastic && detail::only_lacks_memory(result.findings);
  if ((!result.findings.ok() && !lacks_memory) || !result.findings.facts.knows(moeplan::known::folded)) return result;

  const std::int64_t total = sum(free);
  const std::int64_t planned = detail::planned_gpus(d.cluster);
  const std::int64_t most = total < planned ? total : planned;
  const moeplan::facts smallest = result.findings.facts;
  if (lacks_memory) detail::grow_until_it_fits(job, result.findings, planned);
  if (!result.findings.ok()) return result;
  if (elastic && result.findings.facts.gpus <= most) detail::grow(job, result.findings, smallest, most);
  result.world = {result.findings.facts.dp, result.findings.facts.gpus};
  if (result.world.gpus > total) {
    result.verdict = verdict::queued;
    result.missing = result.world.gpus - total;
    if (!elastic) result.fits_now = detail::other_world(job, total);
    return result;
  }
  result.verdict = verdict::admitted;
  result.where = locate(moeplan::mesh{job.strategy}, free, how);
  return result;
}

} // namespace admission
