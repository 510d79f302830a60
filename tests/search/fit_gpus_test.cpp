#include <moeplan/search/fit_gpus.hpp>

#include <moeplan/catalog/gpus.hpp>
#include <moeplan/catalog/mixtral.hpp>
#include <moeplan/memory/memory.hpp>

#include <doctest/doctest.h>

#include "search/random_fits.hpp"

using namespace moeplan;
using moeplan_test::below;
using moeplan_test::for_random_fits;

namespace {

/// On so many times the fewest GPUs.
deployment on(deployment d, std::int64_t times) {
  const strategy one = d.strategy.with(dp{1});
  const auto unit = static_cast<std::int64_t>((minimum_gpus(d.strategy) / gpus(one)).value());
  d.strategy = d.strategy.with(dp{unit * times});
  return d;
}

bool degrees_are_small(const deployment& d) {
  for (const axis a : {axis::tp, axis::pp, axis::vpp, axis::ep, axis::etp, axis::cp})
    if (d.strategy[a] < 1 || d.strategy[a] > 1000) return false;
  return d.strategy.mapping == mapping::folded;
}

std::int64_t fewest(const deployment& d) { return static_cast<std::int64_t>(minimum_gpus(d.strategy).value()); }

constexpr std::int64_t most = 48;

} // namespace

TEST_CASE("the fewest GPUs are those that trying all numbers finds") {
  int found = 0;
  int more = 0;
  int lacking = 0;
  const auto set = [](deployment& d, std::mt19937_64& bits) {
    if (!degrees_are_small(d)) return;
    d.cluster.total = {};
    d.cluster.nodes = d.cluster.gpus_per_node = {};
    if (d.workload.is_training()) {
      training& t = d.workload.train;
      if (bits() % 2 == 0) t.sharding = sharding::parameters;
      d = on(d, 1 + below(bits, 16));
      t.global_batch = {};
    }
  };
  for_random_fits(3, 1500, set, [&](deployment d, std::mt19937_64& bits) {
    if (!degrees_are_small(d)) return;
    if (d.workload.is_training()) {
      training& t = d.workload.train;
      if (bits() % 4 != 0) t.sharding = bits() % 2 == 0 ? sharding::parameters : sharding::optimizer;
      if (bits() % 2 == 0)
        t.global_batch = {};
      else if (t.micro_batch > 0 && t.micro_batch < 1000)
        t.global_batch = on(d, 1).strategy[axis::dp] * t.micro_batch * (1 + below(bits, 60));
    }
    d.cluster.nodes = d.cluster.gpus_per_node = {};
    d.cluster.total = {};
    if (bits() % 2 == 0)
      d.cluster.total = fewest(d) * most - below(bits, 3);
    else
      d.cluster.gpus_per_node = 8, d.cluster.nodes = (fewest(d) * most + 7) / 8;
    const std::int64_t last = static_cast<std::int64_t>(d.cluster.gpus().value()) / fewest(d);
    std::int64_t smallest = 0;
    for (std::int64_t times = last; times >= 1; --times) {
      if (detail::try_out(on(d, times)).fits()) smallest = times;
    }
    const fit_answer a = fewest_gpus(d);
    CHECK(a.value == smallest * fewest(d));
    CHECK(a.found() == (smallest != 0));
    if (a.found()) CHECK(moeplan_test::confirmed(a, on(d, smallest)));
    found += a.found() ? 1 : 0;
    more += smallest > 1 ? 1 : 0;
    lacking += a.outcome == fit_outcome::lacks_memory ? 1 : 0;
  });
  CHECK(found > 400);
  CHECK(more > 40);
  CHECK(lacking > 20);
}

TEST_CASE("more GPUs on which it does not fit hide none on which it does") {
  // Interleaved over three ranks, two micro-batches are not a full group: the last rank has passed both through the loss before its
  // first backward pass. Three micro-batches, and one, it takes back one at a time.
  deployment d{
      .model = catalog::mixtral_8x7b,
      .cluster = {.gpu = catalog::h100_sxm, .total = 90},
      .strategy = {pp{3}, vpp{2}, dp{10}},
      .workload = training{.global_batch = 30, .sequence_length = 4096, .sharding = sharding::parameters},
      .profile = profile::universal,
  };
  d.model.layers = 6;
  d.model.vocabulary_size = 512000;
  d.cluster.gpu = {.memory = memory(d).peak() + d.workload.reserve()};
  CHECK(detail::try_out(on(d, 10)).fits());
  CHECK(detail::try_out(on(d, 15)).outcome == fit_outcome::lacks_memory);
  CHECK(detail::try_out(on(d, 30)).fits());
  CHECK(fewest_gpus(d).value == 30);
}

TEST_CASE("an error that more data parallelism is not said to mend makes every larger world illegal") {
  moeplan_test::random_deployments deployments{4};
  int erroneous = 0;
  for (int i = 0; i < 20000; ++i) {
    const deployment d = deployments.next();
    if (!degrees_are_small(d)) continue;
    bool illegal_for_good = false;
    for (std::int64_t times = 1; times < 9; ++times) {
      const findings found = check(on(d, times));
      const bool helps = found.facts.knows(known::memory) || detail::more_dp_may_help(found);
      CHECK_FALSE((illegal_for_good && helps));
      illegal_for_good = !helps;
    }
    erroneous += illegal_for_good ? 1 : 0;
  }
  CHECK(erroneous > 1000);
}
