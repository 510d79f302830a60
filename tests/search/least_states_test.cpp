#include <moeplan/search/least_states.hpp>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/gpus.hpp>
#include <moeplan/verify/check.hpp>

#include <doctest/doctest.h>

#include "support/both_times.hpp"
#include "verify/random_deployment.hpp"

using namespace moeplan;

// 16 bytes a parameter with gradients in bf16: 2 + 2 + 4 + 4 + 4 (arXiv 1910.02054, section 3.1). The vocabulary, 129,280, is 1,010 times
// 128: there is no padding. Of its modules for multi-token prediction those that are no copies count.
BOTH_TIMES("the states of DeepSeek-V3", [] {
  training t{.sequence_length = 4096};
  t.precision.gradients = number_type::bf16;
  model m = catalog::deepseek_v3;
  m.mtp_layers = 0;
  // The selection of experts keeps a bias of 4 bytes for each of 256 experts in 58 layers, which is not trained.
  constexpr std::uint64_t biases = std::uint64_t{58} * 256;
  EXPECT(detail::least_bytes_of_states(m, t) == saturating_count{(671'026'419'200 - biases) * 16 + biases * 4});
});

// 10.7 TB over the 80 GiB less what the driver keeps.
BOTH_TIMES("fewest GPUs for them", [] {
  deployment d{.model = catalog::deepseek_v3, .workload = training{.sequence_length = 4096}};
  EXPECT(detail::fewest_gpus_for_states(d) == saturating_count{0}); // no GPU is described
  d.cluster.gpu.memory = 80_GB;
  d.model.mtp_layers = 0;
  d.workload.train.precision.gradients = number_type::bf16;
  EXPECT(detail::fewest_gpus_for_states(d) == saturating_count{135}); // 134.2
  d.workload.train.optimizer_offload = ratio{1};
  EXPECT(detail::fewest_gpus_for_states(d) == saturating_count{34}); // 4 of 16 bytes are left: 33.6
  d.workload.train.reserve = 80_GB;
  EXPECT(detail::fewest_gpus_for_states(d) > saturating_count{1'000'000});
});

TEST_CASE("no deployment that fits has fewer GPUs") {
  moeplan_test::random_deployments deployments{17};
  int legal = 0;
  int near = 0;
  for (int i = 0; i < 60'000; ++i) {
    deployment d = deployments.next();
    if (!d.workload.is_training()) continue;
    findings found = check(d);
    if (!found.ok()) continue;
    d.cluster.gpu = {.memory = bytes{std::int64_t{1} << 60}};
    found = check(d);
    if (!found.facts.knows(known::memory)) continue;
    d.cluster.gpu.memory = bytes{found.facts.peak_bytes} + d.workload.train.reserve;
    const saturating_count least = detail::fewest_gpus_for_states(d);
    CHECK((least <= saturating_count{found.facts.gpus}));
    ++legal;
    near += least * 2 > saturating_count{found.facts.gpus};
  }
  CHECK(legal > 1000);
  CHECK(near > 50);
}
