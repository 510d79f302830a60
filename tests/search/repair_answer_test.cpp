#include <moeplan/search/repair_answer.hpp>

#include <doctest/doctest.h>

#include "support/both_times.hpp"

using namespace moeplan;

BOTH_TIMES("a repair keeps what it does not name", [] {
  const deployment d{.strategy = {ep{3}}, .layout = layout::balanced(), .workload = training{.micro_batch = 4}};
  const repair r{.strategy = {ep{4}}};
  deployment expected = d;
  expected.strategy = {ep{4}};
  EXPECT(r.on(d) == expected);
});

BOTH_TIMES("a repair changes layout and micro-batch", [] {
  const deployment d{.workload = training{.micro_batch = 4}};
  const repair r{.layout = repaired_layout::balanced, .micro_batch = 2};
  EXPECT(r.on(d).layout == layout::balanced());
  EXPECT(r.on(d).workload.train.micro_batch == 2);
});

BOTH_TIMES("layouts", [] {
  EXPECT(repair::described(repaired_layout::even) == layout::even());
  EXPECT(repair::described(repaired_layout::even_with_embedding) == layout::even_with(true, false));
  EXPECT(repair::described(repaired_layout::even_with_loss) == layout::even_with(false, true));
  EXPECT(repair::described(repaired_layout::even_with_both) == layout::even_with(true, true));
  EXPECT(repair::described(repaired_layout::balanced) == layout::balanced());
});
