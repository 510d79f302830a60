// What must hold for every job and every set of free GPUs, on random ones; and DP as found by trying each.
#include <doctest/doctest.h>

#include <numeric>

#include "jobs.hpp"
#include "support/slow_build.hpp"

using namespace moeplan_test;
using namespace moeplan;
using admission::decision;
using admission::world_size;

namespace {

/// Up to here every DP is tried. The smallest world of a random job that is legal at all takes at most 4 x lcm(4 x 4, 4 x 16) = 256.
constexpr std::int64_t most_gpus = 300;

bool legal(const deployment& d) { return d.strategy.mapping == mapping::folded && check(d).ok(); }

/// The smallest and the largest legal world of a job without its DP on at most `gpus` GPUs, by trying each DP.
struct worlds {
  world_size smallest;
  world_size largest;
};

worlds worlds_of(const deployment& d, std::int64_t gpus) {
  worlds result;
  for (const axis a : {axis::tp, axis::cp, axis::pp})
    if (d.strategy[a] < 1) return result;
  for (std::int64_t n = 1;; ++n) {
    const deployment tried = with_dp(d, n);
    const std::int64_t taken = tried.cluster.total.number;
    if (taken > gpus) return result;
    if (!legal(tried)) continue;
    if (result.smallest.dp == 0) result.smallest = {n, taken};
    result.largest = {n, taken};
  }
}

std::int64_t planned(const deployment& d) {
  return d.cluster.described() ? static_cast<std::int64_t>(d.cluster.gpus().value()) : most_gpus;
}

void verify_admitted(const deployment& d, const free_list& free, const decision& decided) {
  const deployment own = with_dp(d, decided.world.dp);
  REQUIRE(check(own).ok());
  REQUIRE(gpus(own.strategy).value() == static_cast<std::uint64_t>(decided.world.gpus));
  free_list left = free;
  admission::take(decided.where.placement, left);
  for (const std::int64_t gpus : left) REQUIRE(gpus >= 0);
  REQUIRE(admission::sum(free) - admission::sum(left) == decided.world.gpus);
  REQUIRE(decided.missing == 0);
}

/// A node with what is missing, and the job starts.
void verify_queued(const deployment& d, free_list free, const decision& decided) {
  REQUIRE(decided.missing == decided.world.gpus - admission::sum(free));
  REQUIRE(decided.missing > 0);
  REQUIRE(decided.where.placement.nodes == 0);
  free.push_back(decided.missing - 1);
  REQUIRE(decide(d, free, policy::first_fit).verdict == verdict::queued);
  free.back() += 1;
  const decision later = decide(d, free, policy::first_fit);
  REQUIRE(later.verdict == verdict::admitted);
  REQUIRE(later.world == decided.world);
}

void verify_refused(const deployment& d, const decision& decided) {
  REQUIRE((!decided.findings.ok() || d.strategy.mapping == mapping::product));
  REQUIRE(decide(d, free_list(4096, 64), policy::best_fit).verdict == verdict::refused);
  REQUIRE(decide(d, {}, policy::first_fit).verdict == verdict::refused);
}

void verify_elastic(const deployment& d, std::int64_t free, const decision& decided) {
  const std::int64_t most = planned(d);
  const worlds all = worlds_of(d, most);
  REQUIRE((decided.verdict == verdict::refused) == (all.smallest.dp == 0));
  if (decided.verdict == verdict::queued) REQUIRE(decided.world == all.smallest);
  if (decided.verdict == verdict::admitted) REQUIRE(decided.world == worlds_of(d, free < most ? free : most).largest);
}

void verify_fixed(const deployment& d, std::int64_t free, const decision& decided) {
  const bool sound = d.strategy[axis::dp] >= 1 && legal(with_dp(d, d.strategy[axis::dp]));
  const bool planned_with_fewer = d.cluster.described() && gpus<saturating_count>(d.strategy) > planned(d);
  const bool refused = !sound || planned_with_fewer;
  REQUIRE((decided.verdict == verdict::refused) == refused);
  if (decided.verdict == verdict::queued) REQUIRE(decided.fits_now == worlds_of(d, free).largest);
}

} // namespace

TEST_CASE("random jobs") {
  random_jobs random{3};
  int seen[3]{};
  const int cases = moeplan_test::cases_for_build(100'000);
  for (int i = 0; i < cases; ++i) {
    const deployment d = random.job();
    const free_list free = random.free(static_cast<std::size_t>(random.from_to(0, 12)), random.one_in(4) ? 3 : 9);
    const decision decided = decide(d, free, policy::first_fit);
    ++seen[static_cast<int>(decided.verdict)];
    switch (decided.verdict) {
      case verdict::admitted: verify_admitted(d, free, decided); break;
      case verdict::queued: verify_queued(d, free, decided); break;
      case verdict::refused: verify_refused(d, decided); break;
    }
    // Whether every DP can be tried: degrees of 1 at least, and a cluster that says how many GPUs it has.
    bool tried = !check(d).contains(rule::cluster_has_gpus);
    for (const axis a : {axis::tp, axis::cp, axis::pp, axis::ep, axis::etp}) tried = tried && d.strategy[a] >= 1;
    if (!tried) continue;
    if (d.strategy.resolved())
      verify_fixed(d, admission::sum(free), decided);
    else
      verify_elastic(d, admission::sum(free), decided);
  }
  for (const int verdicts : seen) CHECK(verdicts > cases / 200);
}

TEST_CASE("both policies decide alike, best fit on no more nodes, and always the same") {
  random_jobs random{4};
  for (int i = 0; i < moeplan_test::cases_for_build(20'000); ++i) {
    const deployment d = random.job();
    const free_list free = random.free(static_cast<std::size_t>(random.from_to(0, 12)), 9);
    const decision first = decide(d, free, policy::first_fit);
    const decision best = decide(d, free, policy::best_fit);
    const decision again = decide(d, free, policy::best_fit);
    REQUIRE(first.verdict == best.verdict);
    REQUIRE(first.world == best.world);
    REQUIRE(first.missing == best.missing);
    REQUIRE(best.where.placement.nodes <= first.where.placement.nodes);
    REQUIRE(again.verdict == best.verdict);
    REQUIRE(again.world == best.world);
    REQUIRE(again.where.placement == best.where.placement);
  }
}
