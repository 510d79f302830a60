// Small deployments at random, with a GPU whose memory is just about what one of the candidates of a search takes.
#pragma once

#include <cstdint>
#include <random>

#include <moeplan/search/fit_trial.hpp>

#include "verify/random_deployment.hpp"

namespace moeplan_test {

/// Calls visit(deployment, bits) `times` times, of which some are illegal. `set(deployment, bits)` makes one candidate of a search out of the
/// deployment, whose peak decides how much memory the GPU has: exactly that, a little more or a little less.
template <class Set, class Visit>
void for_random_fits(std::uint64_t seed, int times, Set set, Visit visit) {
  random_deployments deployments{seed};
  std::mt19937_64 bits{seed};
  while (times > 0) {
    moeplan::deployment d = deployments.next();
    if (d.profile != moeplan::profile::torchtitan && bits() % 4 != 0) d.profile = moeplan::profile::universal;
    d.cluster.gpu = {.memory = moeplan::bytes{std::int64_t{1} << 60}};
    moeplan::deployment candidate = d;
    set(candidate, bits);
    const moeplan::findings found = check(candidate);
    if (!found.facts.knows(moeplan::known::memory) && bits() % 50 != 0) continue;
    // A brute force over a pipeline of thousands of virtual stages takes minutes and shows nothing more.
    if (found.facts.chunks > 16 || found.facts.pp > 64) continue;
    const std::int64_t peak = found.facts.peak_bytes;
    if (peak > std::int64_t{1} << 60) continue;
    const std::int64_t near[] = {peak, peak - 1, peak + 511, peak + peak / 100, peak - peak / 100, peak + peak / 2};
    const auto reserve = static_cast<std::int64_t>(d.workload.reserve().amount.bits);
    const std::int64_t memory = near[bits() % 6] + reserve;
    d.cluster.gpu = {.memory = moeplan::bytes{memory > 0 ? memory : 1}};
    visit(d, bits);
    --times;
  }
}

inline std::int64_t below(std::mt19937_64& bits, std::int64_t n) {
  return static_cast<std::int64_t>(bits() % static_cast<std::uint64_t>(n));
}

inline bool fits(const moeplan::deployment& d) { return moeplan::detail::try_out(d).fits(); }

/// Whether some answer says the same as a trial of its value.
inline bool confirmed(const moeplan::fit_answer& a, const moeplan::deployment& at_value) {
  const moeplan::detail::fit_trial t = moeplan::detail::try_out(at_value);
  return t.fits() && a.candidate == a.value && a.peak == moeplan::bytes{t.peak} && a.missing == moeplan::bytes{};
}

} // namespace moeplan_test
