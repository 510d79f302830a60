#include <moeplan/search/stage_states.hpp>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/mixtral.hpp>
#include <moeplan/memory/memory.hpp>

#include <doctest/doctest.h>

#include "support/both_times.hpp"

using namespace moeplan;
using detail::stage_states;

namespace {

constexpr deployment deepseek_v3() {
  return {.model = catalog::deepseek_v3,
          .strategy = {pp{16}, ep{64}, dp{128}},
          .layout = layout::stages({15, 4}, {1, 1}),
          .workload = training{.global_batch = 15360, .sequence_length = 4096, .sharding = sharding::optimizer}};
}

constexpr stage_states states_of_run(const deployment& d) {
  stage_states s;
  s.set_ranks(d);
  s.set_pipeline(d);
  s.set_sharing(d);
  return s;
}

} // namespace

// The first rank, which embeds and has three dense layers; the second, whose like the next thirteen are; and the last, with the head.
BOTH_TIMES("of ranks that hold the same the first is looked at", [] {
  const stage_states s = states_of_run(deepseek_v3());
  EXPECT(s.complete());
  EXPECT(s.stages() == 16 && s.chunks() == 1);
  EXPECT(s.ranks().size() == 3);
  EXPECT(s.ranks()[0].rank == 0 && s.ranks()[1].rank == 1 && s.ranks()[2].rank == 15);
});

BOTH_TIMES("where schedules hold more on later ranks, all are", [] {
  deployment d = deepseek_v3();
  d.workload.train.schedule = schedule::zb_h2;
  EXPECT(states_of_run(d).ranks().size() == 16);
});

BOTH_TIMES("a rank's states are those of its stage", [] {
  const deployment d = deepseek_v3();
  const stage_states s = states_of_run(d);
  saturating_count most;
  for (const detail::rank_states& r : s.ranks()) {
    const stage_memory stage = memory(d).stage(r.rank);
    const bytes all = stage.weights + stage.gradients + stage.optimizer;
    EXPECT(r.states == saturating_count{all.amount.value()});
    if (most < r.states) most = r.states;
  }
  const auto highest = static_cast<std::int64_t>(most.bits);
  EXPECT(!s.exceed(highest));
  EXPECT(s.exceed(highest - 1));
});

BOTH_TIMES("more ranks that differ than there is room for", [] {
  deployment d{.model = catalog::mixtral_8x7b, .strategy = {pp{80}}, .workload = training{.sequence_length = 64}};
  d.model.layers = 80;
  d.workload.train.schedule = schedule::zb_h1;
  const stage_states s = states_of_run(d);
  EXPECT(!s.complete());
  EXPECT(s.ranks().size() == stage_states::most_ranks);
});
