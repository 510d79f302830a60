#include <moeplan/search/search_candidate.hpp>

#include <doctest/doctest.h>

#include "support/both_times.hpp"

using namespace moeplan;

BOTH_TIMES("a candidate stands for its space's deployment with what was decided", [] {
  search_space s;
  s.base = {.layout = layout::first_last(2, {}), .workload = training{.global_batch = 8, .micro_batch = 7, .sequence_length = 5}};
  search_candidate c;
  c.strategy = {tp{2}, dp{4}};
  c.schedule = schedule::zb_v;
  c.sharding = sharding::gradients;
  c.micro_batch = 2;
  c.recompute = {.recompute = recompute::full, .method = recompute_method::block, .layers = 3};
  deployment d = deployment_of(s, c);
  EXPECT(d.strategy == c.strategy);
  EXPECT(d.layout == s.base.layout);
  const training& t = d.workload.train;
  EXPECT(t.schedule == schedule::zb_v && t.sharding == sharding::gradients && t.micro_batch == 2);
  EXPECT(t.recompute == recompute::full && t.recompute_method == recompute_method::block && t.recompute_layers == 3);
  EXPECT(t.global_batch == optional_integer{8} && t.sequence_length == 5);
  c.layout = search_layout::balanced;
  EXPECT(deployment_of(s, c).layout == layout::balanced());
});

BOTH_TIMES("a serving deployment has nothing of training", [] {
  search_space s;
  s.base.workload = serving{.batch = 3, .sequence_length = 5};
  search_candidate c;
  c.micro_batch = 9;
  EXPECT(deployment_of(s, c).workload == s.base.workload);
});

BOTH_TIMES("headroom is what the capacity leaves", [] {
  const search_candidate c{.peak_bytes = 30, .capacity_bytes = 80};
  EXPECT(c.headroom_bytes() == 50);
});

// What `moeplan pipeline` calls the bubble fraction is the share of all ranks together.
BOTH_TIMES("with equally long passes all ranks idle as long as the one that idles longest", [] {
  int known = 0;
  for (std::int64_t s = 0; s < 9; ++s)
    for (const std::int64_t ranks : {2, 4, 8, 12})
      for (const std::int64_t micro_batches : {1, 8, 16, 40}) {
        const pipeline_shape p{.schedule = static_cast<schedule>(s), .ranks = ranks, .micro_batches = micro_batches};
        if (!bubble_of(p, {}).known) continue;
        EXPECT(mean_idle_share(p, {}) == bubble_of(p, {}).worst_idle_share());
        ++known;
      }
  EXPECT(known > 60);
});
