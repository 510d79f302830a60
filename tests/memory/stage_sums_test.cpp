// Properties of what ranks and stages hold: it adds up to the model, and more sharding never needs more.
#include <moeplan/memory/rank_model.hpp>
#include <moeplan/memory/stage_parts.hpp>
#include <moeplan/memory/states.hpp>

#include <doctest/doctest.h>

#include <ostream>
#include <set>
#include <string>

#include "memory/legal_strategies.hpp"

using namespace moeplan;
using moeplan_test::for_legal_deployments;

namespace {

/// What a rank holds of all virtual stages together.
rank_parameters<> over_stages(const deployment& d, std::int64_t multiple, const assumptions& how = {}) {
  const auto parts = parts_of_rank(d.model, rank_model(d.model, d.strategy), d.strategy, multiple, how);
  rank_parameters<> sum;
  for (std::int64_t stage = 0; stage < virtual_stages(d.strategy, d.layout); ++stage)
    sum += parameters_of_stage(parts, parts_of_stage(d.model, contents(d.model, d.strategy, d.layout, stage)));
  return sum;
}

/// Copies of the vocabulary's matrix that a model does not have but stages need: of a tied head, or for multi-token prediction.
std::int64_t copies(const deployment& d) {
  if (virtual_stages(d.strategy, d.layout) == 1) return 0;
  return d.model.tied_embeddings || d.model.mtp_layers > 0 ? 1 : 0;
}

count routed_experts(const model& m) { return count{m.experts.routed} * (expert_parameters(m) + expert_biases(m)); }

/// MoE layers with those of multi-token prediction.
std::int64_t all_moe_layers(const model& m) { return m.moe_layers() + (m.has_experts(m.layers - 1) ? m.mtp_layers : 0); }
std::int64_t all_softmax_layers(const model& m) { return m.softmax_layers() + m.mtp_layers; }

/// What each TP rank holds whole of dense parts.
count replicated(const model& m) {
  const attention& a = m.attention;
  const sparse_indexer& i = a.indexer;
  const count hidden = m.hidden_size;
  count attention = a.output_bias ? hidden : 0;
  if (a.kind == attention_kind::latent) {
    attention += hidden * (a.q_lora_rank + a.kv_lora_rank + a.qk_rope_head_dim) + a.q_lora_rank + a.kv_lora_rank;
    attention += a.q_lora_rank * i.heads * i.head_dim + hidden * (i.head_dim + i.heads) + 2 * i.head_dim;
  } else if (a.norm == query_key_norm::per_head) {
    attention += 2 * m.head_dim();
  }
  count router = m.experts.routed * hidden + (m.experts.shared_gate ? hidden : 0);
  router += m.experts.routed * ((m.experts.router_bias ? 1 : 0) + (m.experts.selection_bias ? 1 : 0));
  const count norm = (m.norm_bias ? 2 : 1) * hidden;
  return all_softmax_layers(m) * attention + (m.layers - m.softmax_layers()) * m.linear_attention.value_head_dim +
         all_moe_layers(m) * router + (m.layers + m.mtp_layers) * m.norms_per_layer * norm + (1 + 3 * m.mtp_layers) * norm;
}

/// Keys and values that TP ranks hold beyond one copy, where there are fewer heads of them than ranks.
count copied_keys_and_values(const model& m, std::int64_t tensor_ranks) {
  const attention& a = m.attention;
  if (a.kind == attention_kind::latent || a.kv_heads >= tensor_ranks) return 0;
  const count width = (tensor_ranks - a.kv_heads) * m.head_dim();
  const count norm = a.norm == query_key_norm::full_width ? width : 0;
  return all_softmax_layers(m) * (2 * width * m.hidden_size + (a.qkv_bias ? 2 * width : 0) + norm);
}

bool at_most(const model_states<>& a, const model_states<>& b) {
  return a.weights <= b.weights && a.quantised_weights <= b.quantised_weights && a.gradients <= b.gradients &&
         a.optimizer <= b.optimizer && a.host <= b.host;
}

} // namespace

TEST_CASE("stages add up to the model and the copies that stages need") {
  std::set<std::string> models;
  const int found = for_legal_deployments([&](const char* name, const deployment& d) {
    if (d.strategy[axis::tp] * d.strategy[axis::ep] * d.strategy[axis::etp] != 1) return;
    CAPTURE(name);
    CAPTURE(d.strategy[axis::pp]);
    const auto p = parameters(d.model);
    CHECK(over_stages(d, 0).total() == p.total() + p.mtp + copies(d) * p.embedding);
    models.insert(name);
  });
  CHECK(found > 1000);
  CHECK(models.size() == sizeof io::catalog_models / sizeof *io::catalog_models);
}

TEST_CASE("ranks add up to the model, what all of them hold counted once") {
  for_legal_deployments([](const char* name, const deployment& d) {
    CAPTURE(name);
    const model& m = d.model;
    const std::int64_t tensor_ranks = d.strategy[axis::tp];
    CAPTURE(tensor_ranks);
    const auto p = parameters(m);
    const auto held = over_stages(d, 128);
    const count moe = all_moe_layers(m) * routed_experts(m);
    // Experts: ETP ranks hold the bias of an expert's down-projection whole.
    const std::int64_t inside = d.strategy[axis::etp];
    const count bias = all_moe_layers(m) * (m.experts.bias ? (inside - 1) * m.experts.routed * count{m.hidden_size} : count{0});
    CHECK(count{d.strategy[axis::ep] * inside} * held.experts.total() == moe + bias);
    // Dense: the rest, with rows added to the vocabulary.
    const count padding = padded_vocabulary(m, d.strategy, 128) - m.vocabulary_size;
    const std::int64_t matrices = copies(d) + (m.tied_embeddings ? 1 : 2);
    const count rows = padding * (matrices * count{m.hidden_size} + (m.lm_head_bias ? 1 : 0));
    const count dense = p.total() + p.mtp - moe + copies(d) * p.embedding + rows;
    CHECK(tensor_ranks * held.dense.total() ==
          dense + (tensor_ranks - 1) * replicated(m) + copied_keys_and_values(m, tensor_ranks));
  });
}

TEST_CASE("assumptions move parameters between ranks and groups and lose none") {
  for_legal_deployments([](const char* name, const deployment& d) {
    CAPTURE(name);
    const auto megatron = over_stages(d, 128);
    for (const held how : {held::sharded, held::replicated})
      for (const state_group shared : {state_group::dense, state_group::experts})
        for (const state_group router : {state_group::dense, state_group::experts}) {
          const auto p = over_stages(d, 128,
                                     {.latent_down_projections = how,
                                      .latent_rope_queries = how,
                                      .shared_experts = how,
                                      .shared_experts_state = shared,
                                      .router_state = router});
          if (how == held::replicated) CHECK(p.total() >= megatron.total());
          if (d.strategy[axis::tp] == 1) CHECK(p.total() == megatron.total());
          CHECK(p.dense.buffers + p.experts.buffers == megatron.dense.buffers);
          CHECK(p.dense.routers + p.experts.routers >= megatron.dense.routers);
          if (shared == state_group::dense && router == state_group::dense) CHECK(p.experts == megatron.experts);
        }
  });
}

TEST_CASE("more sharding never needs more of anything") {
  const precision precisions[] = {
      {},
      {.weights = number_type::fp16, .gradients = number_type::fp16},
      {.fp8 = fp8_recipe::blockwise},
      {.fp8 = fp8_recipe::mxfp8, .fp8_weights = true},
      {.weights = number_type::fp4, .gradients = number_type::bf16, .first_moment = number_type::fp8},
  };
  constexpr sharding steps[] = {sharding::none, sharding::optimizer, sharding::gradients, sharding::parameters};
  for_legal_deployments([&](const char* name, const deployment& d) {
    CAPTURE(name);
    const auto held = over_stages(d, 128);
    for (const precision& p : precisions)
      for (const optimizer o : {optimizer::adam, optimizer::muon})
        for (const parameter_group<>& g : {held.dense, held.experts}) {
          training t{.precision = p, .optimizer = o, .optimizer_offload = {1, 3}};
          for (const std::int64_t ranks : {1, 2, 3, 16, 1000}) {
            model_states<> before;
            for (const sharding s : steps) {
              t.sharding = s;
              const auto b = states_of(g, t, ranks);
              if (s != sharding::none) CHECK(at_most(b, before));
              CHECK(at_most(states_of(g, t, 2 * ranks), b));
              if (ranks == 1 && s != sharding::none) CHECK(b == before);
              before = b;
            }
          }
        }
  });
}

TEST_CASE("a rank of a wider group holds no more") {
  for_legal_deployments([](const char* name, const deployment& d) {
    CAPTURE(name);
    const auto held = over_stages(d, 0);
    for (const axis a : {axis::tp, axis::ep, axis::etp}) {
      deployment wider = d;
      wider.strategy.set(a, 2 * d.strategy[a]);
      wider.strategy.set(axis::dp, 64);
      wider.cluster.total = static_cast<std::int64_t>(gpus(wider.strategy).value());
      if (!check(wider).ok()) continue;
      const auto less = over_stages(wider, 0);
      CHECK(less.dense.total() <= held.dense.total());
      CHECK(less.experts.total() <= held.experts.total());
    }
  });
}
