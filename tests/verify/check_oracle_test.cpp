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
constexpr std::uint64_t default_cases = 100'000;
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
  const training& t = d.workload.train;
  add("schedule", static_cast<int>(t.schedule)), add("recompute", static_cast<int>(t.recompute)),
      add("method", static_cast<int>(t.recompute_method)), add("recompute_layers", t.recompute_layers),
      add("sharding", static_cast<int>(t.sharding)), add("optimizer", static_cast<int>(t.optimizer)),
      add("weights", static_cast<int>(t.precision.weights)), add("gradients", static_cast<int>(t.precision.gradients)),
      add("fp8", static_cast<int>(t.precision.fp8)), add("latent", m.attention.kind == attention_kind::latent),
      add("overlap", t.overlap.expert_parallel), add("window", m.attention.window.tokens),
      add("full_first", m.attention.window.full_layers.first), add("full_every", m.attention.window.full_layers.every),
      add("full_phase", m.attention.window.full_layers.phase);
  return s;
}

/// The slow calculation of memory takes a thousand times as long as all else: one of so many deployments that are otherwise legal has it.
constexpr std::uint64_t memory_of_every = 5;

/// What `check` says of memory, to the byte; more than 63 bits are as many as there are.
bool same_memory(const facts& f, const moeplan_test::slow_check& expected) {
  const moeplan_test::integer most = INT64_MAX;
  const auto same = [&most](std::int64_t n, const moeplan_test::integer& exact) { return n == (exact < most ? exact : most); };
  if (!f.knows(known::memory)) return false;
  const auto missing = [&expected](const moeplan_test::integer& needed) -> moeplan_test::integer {
    return needed > expected.capacity ? needed - expected.capacity : moeplan_test::integer{0};
  };
  // Which stage, and how much is missing, is then no matter; nor is it near there, where something on the way may need more than 64 bits.
  if (expected.peak > most / 64 && f.peak_bytes == INT64_MAX) return true;
  return same(f.peak_bytes, expected.peak) && f.fullest_stage == expected.fullest_stage &&
         same(f.capacity_bytes, expected.capacity) && same(f.reserve_bytes, expected.reserve) &&
         same(f.one_request_bytes, expected.one_request) && same(f.missing_bytes, missing(expected.peak)) &&
         same(f.request_missing_bytes, missing(expected.one_request));
}

struct comparisons {
  std::uint64_t training = 0, serving = 0, too_large = 0, too_little_memory = 0, request_too_large = 0;
};

/// Whether the facts of a deployment whose memory was computed are those expected.
bool compare_memory(const deployment& d, const facts& f, const moeplan_test::slow_check& expected, comparisons& n) {
  const auto stage_fits = static_cast<std::size_t>(rule::stage_fits_memory);
  const auto request_fits = static_cast<std::size_t>(rule::one_request_fits_memory);
  if (!expected.knows_memory) return true;
  ++(d.workload.is_training() ? n.training : n.serving);
  if (expected.peak > INT64_MAX) ++n.too_large;
  if (expected.violated.test(stage_fits)) ++n.too_little_memory;
  if (expected.violated.test(request_fits)) ++n.request_too_large;
  return same_memory(f, expected);
}

TEST_CASE("check and a slow, obvious reference find the same") {
  moeplan_test::random_deployments random{20240229};
  moeplan_test::rule_set seen_violated, seen_satisfied;
  const std::uint64_t cases = number_of_cases();
  std::uint64_t legal = 0, disagreements = 0, otherwise_legal = 0;
  comparisons compared;
  for (std::uint64_t i = 0; i < cases && disagreements < 5; ++i) {
    const deployment d = random.next();
    const findings found = check(d);
    if (found.facts.knows(known::memory)) ++otherwise_legal;
    const moeplan_test::slow_check expected{d, otherwise_legal % memory_of_every == 0};
    seen_violated |= expected.violated;
    seen_satisfied |= expected.judged & ~expected.violated;
    if (found.ok()) ++legal;
    const moeplan_test::rule_set different = (rules_in(found) ^ expected.violated) & ~expected.left_open;
    const bool same = compare_memory(d, found.facts, expected, compared);
    if (different.none() && same) continue;
    ++disagreements;
    std::string rules;
    if (!same)
      rules += " memory: " + std::to_string(found.facts.peak_bytes) + " on stage " + std::to_string(found.facts.fullest_stage) +
               ", one request " + std::to_string(found.facts.one_request_bytes) + " instead of " + expected.peak.str() +
               " on stage " + std::to_string(expected.fullest_stage) + ", one request " + expected.one_request.str() +
               ", capacity " + expected.capacity.str();
    for (std::size_t id = 0; id < rule_count; ++id)
      if (different.test(id)) rules += (expected.violated.test(id) ? " not found: " : " found wrongly: ") + name(id);
    FAIL_CHECK("case " << i << rules << "\n  " << shown(d));
  }
  CHECK(disagreements == 0);
  MESSAGE(cases << " deployments, " << legal << " legal; memory known of " << otherwise_legal << ", compared for "
                << compared.training << " that train and " << compared.serving << " that serve, of which "
                << compared.too_little_memory << " do not fit, " << compared.request_too_large << " not even with one request, and "
                << compared.too_large << " need more than 63 bits");
  if (cases < 100'000) return;
  // Memory was compared often, and from both sides.
  CHECK(compared.training > cases / 5'000);
  CHECK(compared.serving > cases / 20'000);
  CHECK(compared.too_little_memory > (compared.training + compared.serving) / 10);
  CHECK(compared.too_little_memory < (compared.training + compared.serving) / 10 * 9);
  CHECK(compared.request_too_large > compared.serving / 10);
  CHECK(compared.request_too_large < compared.serving / 10 * 9);
  // The deployments are of use: many are legal, and every rule was met from both sides.
  CHECK(legal > cases / 100);
  for (std::size_t id = 0; id < rule_count; ++id) {
    CHECK_MESSAGE(seen_violated.test(id), name(id));
    CHECK_MESSAGE(seen_satisfied.test(id), name(id));
  }
}

} // namespace
