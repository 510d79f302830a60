// Against counting slowly, on small models at random; and against Megatron-LM's formula, written down as a whole.
#include <moeplan/cost/model_flops.hpp>
#include <moeplan/cost/training_flops.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <random>

#include <moeplan/multiprecision.hpp>
#include <moeplan/number/uint256.hpp>

#include "cost/slow_flops.hpp"

using namespace moeplan;
using namespace moeplan_test;

namespace {

class random_models {
public:
  explicit random_models(std::uint64_t seed) : bits_{seed} {}

  /// From least to most.
  std::int64_t between(std::int64_t least, std::int64_t most) {
    return least + static_cast<std::int64_t>(bits_() % static_cast<std::uint64_t>(most - least + 1));
  }
  bool coin() { return between(0, 1) == 1; }

  model next() {
    model m;
    m.layers = between(1, 7);
    m.hidden_size = between(1, 12);
    m.vocabulary_size = between(1, 40);
    m.intermediate_size = between(1, 20);
    m.gated_mlp = coin();
    m.attention = coin() ? grouped() : latent();
    if (coin()) m.linear_attention = linear();
    if (coin()) m.attention.window = window();
    if (coin()) m.experts = mixture();
    m.mtp_layers = between(0, 2);
    m.tied_embeddings = coin();
    return m;
  }

  pass_tokens pass() {
    pass_tokens p;
    p.cached = coin() ? 0 : between(1, 12);
    p.tokens = between(0, 12);
    p.logits = between(0, p.tokens);
    p.multi_token_prediction = coin();
    if (coin()) p.latent = latent_attention_form::absorbed;
    return p;
  }

private:
  layer_set some_layers() {
    layer_set set;
    set.first = between(0, 3);
    set.every = between(1, 3);
    set.phase = between(0, set.every - 1);
    if (coin()) set.exclude(between(0, 6));
    return set;
  }

  attention grouped() {
    attention a;
    a.kv_heads = between(1, 3);
    a.heads = a.kv_heads * between(1, 3);
    a.head_dim = between(1, 8);
    a.output_gate = coin();
    return a;
  }

  attention latent() {
    attention::latent_sizes sizes;
    const bool compresses_queries = coin();
    sizes.q_lora_rank = compresses_queries ? between(1, 9) : 0;
    sizes.kv_lora_rank = between(1, 9);
    sizes.qk_nope_head_dim = between(1, 6);
    sizes.qk_rope_head_dim = between(1, 6);
    sizes.v_head_dim = between(1, 6);
    attention a = attention::latent(between(1, 4), sizes);
    if (compresses_queries && coin()) {
      a.indexer.heads = between(1, 3);
      a.indexer.head_dim = between(1, 5);
      a.indexer.top_k = between(1, 15);
    }
    return a;
  }

  linear_attention linear() {
    linear_attention l;
    l.key_heads = between(1, 3);
    l.value_heads = l.key_heads * between(1, 2);
    l.key_head_dim = between(1, 6);
    l.value_head_dim = between(1, 6);
    l.convolution = between(0, 4);
    l.softmax_layers = some_layers();
    return l;
  }

  attention_window window() {
    attention_window w;
    w.tokens = between(1, 9);
    w.kind = coin() ? window_kind::sliding : window_kind::chunked;
    w.full_layers = some_layers();
    return w;
  }

  experts mixture() {
    experts e;
    e.routed = between(1, 9);
    e.top_k = between(1, e.routed);
    e.intermediate_size = between(1, 9);
    e.shared_intermediate_size = coin() ? between(1, 9) : 0;
    e.shared_gate = coin();
    e.layers = some_layers();
    return e;
  }

  std::mt19937_64 bits_;
};

void check_against(const flops<>& f, const slow_flops& slow) {
  CHECK(f.attention_projections == slow.attention_projections);
  CHECK(f.core_attention == slow.core_attention);
  CHECK(f.indexer_projections == slow.indexer_projections);
  CHECK(f.indexer_scores == slow.indexer_scores);
  CHECK(f.linear_projections == slow.linear_projections);
  CHECK(f.delta_rule == slow.delta_rule);
  CHECK(f.dense_mlp == slow.dense_mlp);
  CHECK(f.router == slow.router);
  CHECK(f.routed_experts == slow.routed_experts);
  CHECK(f.shared_experts == slow.shared_experts);
  CHECK(f.mtp_projections == slow.mtp_projections);
  CHECK(f.head == slow.heads);
}

/// Megatron-LM's formula (training.py, num_floating_point_operations, with linear attention and gated outputs as since 2026) for one
/// sequence, forward and backward. Half of s^2 is no integer for an odd s, three times two times it is.
unbounded megatron_flops(const model& m, std::int64_t sequence_length) {
  const attention& a = m.attention;
  const unbounded s = sequence_length;
  const unbounded h = m.hidden_size;
  const std::int64_t layers = m.layers + m.mtp_layers;
  std::int64_t moe = 0;
  std::int64_t linear = 0;
  for (std::int64_t i = 0; i < m.layers; ++i) moe += m.has_experts(i) ? 1 : 0;
  moe += m.has_experts(m.layers - 1) ? m.mtp_layers : 0;
  for (std::int64_t i = 0; i < layers; ++i) linear += m.has_linear_attention(i) ? 1 : 0;

  const unbounded projections = m.gated_mlp ? 3 : 2;
  unbounded for_token = 6 * h * projections * m.intermediate_size * (layers - moe);
  for_token += 6 * h * projections * (m.experts.top_k * m.experts.intermediate_size + m.experts.shared_intermediate_size) * moe;
  for_token += 6 * m.mtp_layers * (3 * h + 2 * h * h);
  for_token += 6 * h * m.vocabulary_size * (m.mtp_layers + 1);

  const unbounded n = a.heads;
  unbounded softmax, core;
  if (a.kind == attention_kind::grouped_query) {
    const unbounded q = n * a.head_dim;
    const unbounded kv = a.kv_heads * a.head_dim;
    softmax = h * (q + 2 * kv + (a.output_gate ? q : unbounded{0})) + q * h;
    core = 6 * q;
  } else {
    const unbounded query_key = n * (a.qk_nope_head_dim + a.qk_rope_head_dim);
    const unbounded value = n * a.v_head_dim;
    softmax = a.q_lora_rank == 0 ? unbounded{h * query_key} : unbounded{a.q_lora_rank * (h + query_key + 1)};
    softmax += a.kv_lora_rank * (h + n * (a.qk_nope_head_dim + a.v_head_dim) + 1) + h * a.qk_rope_head_dim + value * h;
    core = 3 * (query_key + value);
  }
  const linear_attention& l = m.linear_attention;
  const unbounded qk = l.key_heads * l.key_head_dim;
  const unbounded v = l.value_heads * l.value_head_dim;
  const unbounded delta = h * (2 * qk + 2 * v + 2 * l.value_heads) + l.convolution * (2 * qk + v) +
                          4 * l.value_heads * l.value_head_dim * l.value_head_dim + h * v;
  for_token += 6 * softmax * (layers - linear) + 6 * delta * linear;
  return s * for_token + s * s * core * (layers - linear);
}

} // namespace

TEST_CASE("every component, against counting layer by layer, token by token, pair by pair") {
  random_models models{20'260'101};
  for (int i = 0; i < 6000; ++i) {
    CAPTURE(i);
    const model m = models.next();
    const pass_tokens pass = models.pass();
    check_against(flops_of_pass(m, pass), slow_flops{m, pass});
  }
}

TEST_CASE("training, prefill and decoding, against the same") {
  random_models models{7};
  for (int i = 0; i < 300; ++i) {
    CAPTURE(i);
    const model m = models.next();
    const std::int64_t tokens = models.between(1, 16);
    const std::int64_t cached = models.between(0, 16);
    check_against(flops_per_sequence(m, tokens), {m, {.tokens = tokens, .logits = tokens, .multi_token_prediction = true}});
    check_against(prefill_flops(m, tokens, cached), {m, {.cached = cached, .tokens = tokens, .logits = 1}});
    const slow_flops decoded{m, {.cached = cached, .tokens = 1, .logits = 1, .latent = latent_attention_form::absorbed}};
    check_against(decode_flops(m, cached), decoded);
  }
}

TEST_CASE("Megatron-LM's formula") {
  random_models models{11};
  for (int i = 0; i < 5000; ++i) {
    CAPTURE(i);
    const model m = models.next();
    const std::int64_t s = models.between(1, 500);
    const flops<> f = flops_per_sequence(m, s, flops_convention::megatron());
    CHECK(megatron_flops(m, s) == (3 * f.total()).value());
  }
}

TEST_CASE("every integer type gives the same numbers") {
  random_models models{13};
  for (int i = 0; i < 300; ++i) {
    CAPTURE(i);
    const model m = models.next();
    const pass_tokens pass = models.pass();
    const count total = flops_of_pass(m, pass).total();
    CHECK(flops_of_pass<wide>(m, pass).total() == total.value());
    CHECK(flops_of_pass<unbounded>(m, pass).total() == total.value());
    CHECK(flops_of_pass<uint256>(m, pass).total() == uint256{total});
  }
}

TEST_CASE("stages add up to the model, whatever is recomputed") {
  random_models models{17};
  for (int i = 0; i < 600; ++i) {
    CAPTURE(i);
    deployment d;
    d.model = models.next();
    d.strategy = {pp{models.between(1, 4)}, dp{1}};
    d.layout = layout::balanced();
    training t;
    t.sequence_length = models.between(1, 40);
    t.recompute = static_cast<recompute>(models.between(0, 2));
    t.recompute_method = static_cast<recompute_method>(models.between(0, 1));
    t.recompute_layers = models.between(1, 4);
    t.recompute_modules.core_attention = models.coin();
    t.recompute_modules.mlp = models.coin();
    t.recompute_modules.moe = models.coin();
    t.recompute_modules.shared_experts = models.coin();
    t.recompute_modules.latent_up_projection = models.coin();
    d.workload = t;
    const flops_convention how = models.coin() ? flops_convention::exact() : flops_convention::megatron();
    const run_flops<> run{d, how};
    training_flops<> sum;
    for (std::int64_t stage = 0; stage < run.stages(); ++stage) sum += run.of_stage(stage);
    CHECK(sum == run.of_sequence());
  }
}
