#include <moeplan/cost/traffic.hpp>

#include <boost/multiprecision/cpp_int.hpp>

#include <cstdint>

#include <moeplan/catalog/deepseek.hpp>

#include "cost/published_models.hpp"
#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr deployment deepseek_v3{.model = catalog::deepseek_v3,
                                 .cluster = {.gpus_per_node = 8, .nodes = 256},
                                 .strategy = {pp{16}, ep{64}, dp{128}},
                                 .layout = layout::stages({15, 4}, {1, 1}),
                                 .workload = training{.global_batch = 15360,
                                                      .sequence_length = 4096,
                                                      .recompute = recompute::full,
                                                      .dispatcher = token_dispatcher::all_to_all,
                                                      .sharding = sharding::optimizer}};

BOTH_TIMES("sums of a stage, group by group", [] {
  traffic_sum sum;
  training_traffic{deepseek_v3}.visit_stage(3, sum);
  EXPECT(sum.entries().size() == 5);
  ratio all;
  for (const traffic_sum::entry& e : sum.entries()) {
    all = all + e.bytes_of_rank();
    // Four layers, 120 micro-batches: dispatch and combine three times with both, and probabilities three times.
    if (e.group == groups::ep)
      EXPECT(e.bytes_of_rank() == ratio{63, 64} * ratio{480} * ratio{6 * 469'762'048LL + 3LL * 4096 * 8 * 2});
    if (e.group == groups::pp) EXPECT(e.bytes_of_rank() == ratio{2 * 120} * ratio{4096 * 7168 * 2});
    if (e.group == groups::etp_ep) EXPECT(e.bytes_of_rank() == ratio{63} * ratio{480 * 2 * 256 * 8});
    if (e.group == groups::edp) EXPECT(e.bytes_of_rank() == ratio{4LL * 4 * 44'040'192 * (4 + 2)} * ratio{1, 2});
  }
  EXPECT(all == sum.bytes_of_rank());
});

BOTH_TIMES("training and serving", [] {
  traffic_sum trained;
  visit_traffic(deepseek_v3, trained);
  EXPECT(trained.entries().size() > 5);
  deployment served = deepseek_v3;
  served.strategy = {ep{64}, dp{64}};
  served.layout = {};
  served.workload = serving{.batch = 8, .sequence_length = 4096};
  traffic_sum decoded;
  visit_traffic(served, decoded);
  EXPECT(decoded.entries().size() == 1); // all gathered and scattered over DP ranks
});

/// Integers of any length.
struct long_sum {
  boost::multiprecision::cpp_rational bytes;
  void operator()(const communication& c) {
    const auto once =
        bytes_of_group<boost::multiprecision::cpp_int>(c.kind, boost::multiprecision::cpp_int{c.size.value()}, c.ranks);
    bytes += boost::multiprecision::cpp_rational{once * c.times.value()} / c.senders();
  }
};

TEST_CASE("the sum of a stage in integers of any length") {
  for (std::int64_t stage = 0; stage < 16; ++stage) {
    traffic_sum sum;
    long_sum exact;
    training_traffic{deepseek_v3}.visit_stage(stage, sum);
    training_traffic{deepseek_v3}.visit_stage(stage, exact);
    const ratio all = sum.bytes_of_rank();
    CHECK(boost::multiprecision::cpp_rational{all.numerator.value()} / all.denominator.value() == exact.bytes);
  }
}

TEST_CASE("a sum that does not fit says so") {
  traffic_sum sum;
  communication c;
  c.kind = collective::send;
  c.ranks = 2;
  c.size = std::uint64_t{1} << 63;
  c.times = 1;
  sum(c);
  CHECK_FALSE(sum.bytes_of_rank().overflowed());
  sum(c);
  CHECK(sum.bytes_of_rank().overflowed());
  CHECK(sum.entries()[0].bytes_of_rank().overflowed());
}

} // namespace
