// `check` against slow_check on random deployments, always the same ones. The environment variable MOEPLAN_RANDOM_CASES says how many.
#include <moeplan/verify/check.hpp>

#include "random_deployment.hpp"
#include "slow_check.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

using namespace moeplan;

namespace {

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MOEPLAN_TEST_IS_SLOW
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || !defined(__OPTIMIZE__)
#define MOEPLAN_TEST_IS_SLOW
#endif
#ifdef MOEPLAN_TEST_IS_SLOW
constexpr std::uint64_t default_cases = 500'000;
#else
constexpr std::uint64_t default_cases = 10'000'000;
#endif

std::uint64_t number_of_cases() {
  const char* wanted = std::getenv("MOEPLAN_RANDOM_CASES");
  return wanted == nullptr ? default_cases : std::strtoull(wanted, nullptr, 10);
}

moeplan_test::rule_set rules_in(const findings& found) {
  moeplan_test::rule_set set;
  for (const finding f : found) set.set(static_cast<std::size_t>(f.id()));
  return set;
}

std::string name(std::size_t id) {
  const text n = rules::entry(static_cast<rule>(id)).name;
  return {n.data(), n.size()};
}

/// Enough of a deployment to see what is going on.
std::string shown(const deployment& d) {
  std::string s;
  for (std::size_t i = 0; i < 8; ++i) {
    const text n = name_of(static_cast<axis>(i));
    s += std::string{n.data(), n.size()} + (d.strategy.gives(static_cast<axis>(i)) ? "=" : "?") +
         std::to_string(d.strategy.degrees[i]) + ' ';
  }
  for (const axis a : d.strategy.order.axes) s += std::string{name_of(a).data(), name_of(a).size()} + '-';
  const auto add = [&s](const char* label, std::int64_t n) { s += std::string{" "} + label + '=' + std::to_string(n); };
  add("mapping", static_cast<int>(d.strategy.mapping));
  add("profile", static_cast<int>(d.profile));
  if (d.cluster.total.given) add("total", d.cluster.total.number);
  if (d.cluster.nodes.given) add("nodes", d.cluster.nodes.number);
  if (d.cluster.gpus_per_node.given) add("gpus_per_node", d.cluster.gpus_per_node.number);
  const model& m = d.model;
  add("layers", m.layers), add("hidden", m.hidden_size), add("vocabulary", m.vocabulary_size), add("mlp", m.intermediate_size);
  add("heads", m.attention.heads), add("kv", m.attention.kv_heads), add("head_dim", m.attention.head_dim), add("mtp", m.mtp_layers);
  const experts& e = m.experts;
  add("routed", e.routed), add("top_k", e.top_k), add("expert_mlp", e.intermediate_size), add("shared", e.shared_intermediate_size);
  add("groups", e.groups), add("group_top_k", e.group_top_k), add("first", e.layers.first), add("every", e.layers.every),
      add("phase", e.layers.phase);
  add("layout", static_cast<int>(d.layout.kind)), add("embedding", d.layout.embedding_is_a_layer),
      add("loss", d.layout.loss_is_a_layer);
  if (d.layout.first.given) add("first_stage", d.layout.first.number);
  if (d.layout.last.given) add("last_stage", d.layout.last.number);
  add("places_mtp", d.layout.places_mtp);
  for (const stage_run& r : d.layout.runs) add("run", r.stages), add("of", r.decoder_layers), add("and", r.mtp_layers);
  add("training", d.workload.is_training()), add("sequence", d.workload.sequence_length()),
      add("redundant", d.workload.redundant_experts());
  add("vocabulary_multiple", d.workload.vocabulary_multiple());
  const linear_attention& linear = m.linear_attention;
  add("linear_keys", linear.key_heads), add("linear_values", linear.value_heads), add("convolution", linear.convolution),
      add("softmax_first", linear.softmax_layers.first), add("softmax_every", linear.softmax_layers.every),
      add("softmax_phase", linear.softmax_layers.phase), add("indexer", m.attention.indexer.top_k);
  add("tied", m.tied_embeddings), add("dp_replicate", d.workload.train.dp_replicate),
      add("decode_context", d.workload.serve.decode_context), add("elastic", d.workload.serve.elastic_ep),
      add("replicas", d.workload.serve.data_parallelism == data_parallelism::replicas);
  add("context", static_cast<int>(d.workload.train.context)), add("dispatcher", static_cast<int>(d.workload.train.dispatcher));
  add("micro", d.workload.train.micro_batch), add("global", d.workload.train.global_batch.value_or(-1));
  return s;
}

TEST_CASE("check and a slow, obvious reference find the same") {
  moeplan_test::random_deployments random{20240229};
  moeplan_test::rule_set seen_violated, seen_satisfied;
  const std::uint64_t cases = number_of_cases();
  std::uint64_t legal = 0, disagreements = 0;
  for (std::uint64_t i = 0; i < cases && disagreements < 5; ++i) {
    const deployment d = random.next();
    const findings found = check(d);
    const moeplan_test::slow_check expected{d};
    seen_violated |= expected.violated;
    seen_satisfied |= expected.judged & ~expected.violated;
    if (found.ok()) ++legal;
    const moeplan_test::rule_set different = rules_in(found) ^ expected.violated;
    if (different.none()) continue;
    ++disagreements;
    std::string rules;
    for (std::size_t id = 0; id < rule_count; ++id)
      if (different.test(id)) rules += (expected.violated.test(id) ? " not found: " : " found wrongly: ") + name(id);
    FAIL_CHECK("case " << i << rules << "\n  " << shown(d));
  }
  CHECK(disagreements == 0);
  if (cases < 100'000) return;
  // The deployments are of use: many are legal, and every rule was met from both sides.
  CHECK(legal > cases / 100);
  for (std::size_t id = 0; id < rule_count; ++id) {
    CHECK_MESSAGE(seen_violated.test(id), name(id));
    CHECK_MESSAGE(seen_satisfied.test(id), name(id));
  }
}

} // namespace
