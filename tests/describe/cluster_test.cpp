#include <moeplan/describe/cluster.hpp>

#include "support/as_template_argument.hpp"
#include "support/both_times.hpp"

using namespace moeplan;

namespace {

BOTH_TIMES("nodes of GPUs", [] {
  constexpr cluster c{.gpu = {.memory = 80_GB}, .gpus_per_node = 8, .nodes = 256};
  EXPECT(c.described());
  EXPECT(c.gpus() == 2048);
  EXPECT(c.gpu.memory == bytes{80'000'000'000});
});

BOTH_TIMES("an NVLink domain is a node, or as many nodes as somebody says", [] {
  EXPECT(cluster{.gpus_per_node = 8, .nodes = 256}.nvlink_gpus() == 8);
  EXPECT(cluster{.gpus_per_node = 4, .nodes = 36, .nvlink_domain = 72}.nvlink_gpus() == 72);
});

BOTH_TIMES("a bare number of GPUs", [] {
  constexpr cluster c{.total = 2048};
  EXPECT(c.described());
  EXPECT(c.gpus() == 2048);
  EXPECT(!c.gpus_per_node.given);
});

BOTH_TIMES("nothing or half of it is no description", [] {
  EXPECT(!cluster{}.described());
  EXPECT(!cluster{.gpus_per_node = 8}.described());
  EXPECT(!cluster{.nodes = 8}.described());
  EXPECT(cluster{.total = 0}.described()); // a zero that somebody wrote is to be judged
});

BOTH_TIMES("more GPUs than 64 bits count", [] {
  constexpr cluster c{.gpus_per_node = std::int64_t{1} << 40, .nodes = std::int64_t{1} << 40};
  EXPECT(c.gpus<saturating_count>().overflowed());
});

using moeplan_test::name_the_same_type;
static_assert(name_the_same_type<cluster{.gpus_per_node = 8, .nodes = 2}, cluster{.gpus_per_node = 8, .nodes = 2}>);
static_assert(!name_the_same_type<cluster{.gpus_per_node = 8, .nodes = 2}, cluster{.total = 16}>);
static_assert(!name_the_same_type<gpu{.memory = 80_GB}, gpu{.memory = 80_GiB}>);

} // namespace
