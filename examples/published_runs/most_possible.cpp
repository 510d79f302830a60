#include "most_possible.hpp"

#include <moeplan/cost/cost.hpp>

using namespace moeplan;

namespace published_runs {

namespace {

/// Model FLOPs of a token as the publication counts them: what it prints, or else what Megatron-LM counts.
double flops_per_token(const run& r) {
  const claim& c = r.claimed;
  if (c.tokens_per_second > 0) return static_cast<double>(c.tenths) * 1e11 / static_cast<double>(c.tokens_per_second);
  const training& t = r.deployment.workload.train;
  return training_flops_per_token(r.deployment.model, t.sequence_length, flops_convention::megatron()).to_double();
}

} // namespace

most_possible most_possible_of(const run& r) {
  const deployment_cost c = cost(r.deployment);
  const double rate = flops_per_token(r) * c.tokens_per_second() / static_cast<double>(c.gpus.value());
  const double unit = r.claimed.what == claim::kind::rate ? 1e12 : static_cast<double>(r.deployment.cluster.gpu.bf16_flops) / 100;
  return {.claimed = static_cast<double>(r.claimed.tenths) / 10, .most = rate / unit, .limit = c.limit()};
}

} // namespace published_runs
