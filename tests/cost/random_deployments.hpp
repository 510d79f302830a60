// Small deployments of every kind, for tests that compare or vary them.
#pragma once

#include <cstdint>

#include <moeplan/describe/deployment.hpp>
#include <moeplan/mesh/gpus.hpp>
#include <moeplan/verify/check.hpp>

#include "support/random_numbers.hpp"

namespace moeplan_test {

class deployment_draws : public random_numbers {
public:
  using random_numbers::random_numbers;

  double share() { return static_cast<double>(1 + below(1000)) / 1000; }

  /// One that `check` accepts, training or serving.
  moeplan::deployment next() {
    while (true) {
      const moeplan::deployment d = any_deployment();
      if (moeplan::check(d).ok()) return d;
    }
  }

private:
  using axis = moeplan::axis;

  moeplan::model any_model() {
    using namespace moeplan;
    model m{.layers = 4 + 4 * below(3),
            .hidden_size = 64,
            .vocabulary_size = 1000,
            .intermediate_size = 192,
            .attention = attention::grouped_query(16, 2 + 2 * below(2), 8)};
    switch (below(6)) {
      case 0: break;
      case 1: m.attention = attention::latent(16, {48, 32, 16, 8, 16}); break;
      case 2: m.attention = attention::latent(16, {0, 32, 16, 8, 24}); break;
      case 5: // Latents that take more than the heads of a rank, and then more than the hidden state.
        m.attention = attention::latent(16, {coin() ? 16 : 0, 64, 4, 4, 4});
        if (coin()) m.attention.indexer = {.heads = 4, .head_dim = 8, .top_k = 1 + below(40)};
        break;
      case 3:
        m.attention.window = {.tokens = 1 + below(80), .kind = any<window_kind>(2), .full_layers = layer_set::every_nth(2, 1)};
        break;
      default:
        m.linear_attention = {.key_heads = 8, .value_heads = 16, .key_head_dim = 4, .value_head_dim = 4, .convolution = 4};
        m.linear_attention.softmax_layers = layer_set::every_nth(2, 1);
    }
    if (below(4) > 0) {
      m.experts = {
          .routed = 16, .top_k = 1 + below(coin() ? 4 : 8), .intermediate_size = 32, .layers = layer_set::after_first(below(3))};
      m.experts.shared_intermediate_size = coin() ? 64 : 0;
      if (coin()) m.experts.groups = 4, m.experts.group_top_k = 2;
    }
    m.mtp_layers = below(3);
    m.tied_embeddings = coin();
    return m;
  }

  moeplan::training any_training(moeplan::strategy& s) {
    using namespace moeplan;
    training t{.micro_batch = 1 + below(2), .sequence_length = 64 * (1 + below(3))};
    t.global_batch = t.micro_batch * s[axis::dp] * 2 * (1 + below(5));
    t.recompute = any<recompute>(3);
    t.recompute_method = any<recompute_method>(2);
    t.recompute_layers = 1 + below(4);
    t.recompute_modules = {.core_attention = coin(), .mlp = coin()};
    t.recompute_modules.moe = coin();
    t.recompute_modules.shared_experts = coin();
    t.recompute_modules.latent_up_projection = coin();
    t.context = any<context_exchange>(3);
    t.dispatcher = any<token_dispatcher>(4);
    t.sharding = any<sharding>(4);
    t.schedule = any<schedule>(9);
    t.optimizer = any<optimizer>(4);
    t.precision.gradients = coin() ? number_type::fp32 : number_type::bf16;
    if (coin()) t.precision.fp8 = fp8_recipe::blockwise;
    t.precision.fp8_weights = t.precision.fp8 != fp8_recipe::none && coin();
    if (below(3) == 0) t.routing.capacity_factor = coin() ? ratio{3, 2} : ratio{3, 4};
    if (t.sharding != sharding::none && coin()) t.dp_replicate = 2;
    if (t.schedule == schedule::gpipe || t.schedule == schedule::one_forward_one_backward)
      s.set(axis::vpp, below(3) == 0 && s[axis::pp] > 1 ? 2 : 1);
    else if (placed_in_a_v(t.schedule))
      s.set(axis::vpp, 2);
    return t;
  }

  moeplan::serving any_serving() {
    using namespace moeplan;
    serving v{.batch = 1 + below(40), .sequence_length = 64 * (1 + below(4))};
    v.step_tokens = coin() ? 1 : 1 + below(v.sequence_length);
    v.data_parallelism = any<data_parallelism>(2);
    v.weights = any<weight_format>(10);
    v.quantised = any<quantised_parts>(3);
    v.windows = any<windowed_cache>(2);
    v.cache = any<cache_format>(2);
    v.drafts = coin();
    if (below(3) == 0) v.redundant_experts = 8 * (1 + below(2));
    return v;
  }

  moeplan::deployment any_deployment() {
    using namespace moeplan;
    deployment d;
    d.profile = profile::universal;
    d.model = any_model();
    const bool trains = coin();
    d.strategy.set(axis::tp, power(2));
    d.strategy.set(axis::cp, trains ? power(2) : below(4) == 0 ? 2 : 1);
    d.strategy.set(axis::dp, power(2));
    d.strategy.set(axis::pp, power(2));
    d.strategy.set(axis::ep, power(3));
    d.strategy.set(axis::etp, power(1));
    d.strategy.set(axis::sp, coin() ? d.strategy[axis::tp] : 1);
    if (trains)
      d.workload = any_training(d.strategy);
    else
      d.workload = any_serving();
    d.layout = below(3) == 0 ? layout::balanced() : layout::even();
    const auto world = static_cast<std::int64_t>(gpus<saturating_count>(d.strategy).value());
    d.cluster.gpus_per_node = 1 + below(12);
    d.cluster.nodes = (world + d.cluster.gpus_per_node.number - 1) / d.cluster.gpus_per_node.number;
    if (below(4) == 0) d.cluster.nvlink_domain = 2 * d.cluster.gpus_per_node.number;
    d.cluster.gpu = {.bf16_flops = 1'000'000 + below(1'000'000),
                     .fp8_flops = 2'000'000 + below(1'000'000),
                     .fp4_flops = 4'000'000 + below(1'000'000),
                     .memory_bandwidth = bytes{100'000 + below(100'000)},
                     .nvlink_bandwidth = bytes{10'000 + below(10'000)},
                     .network_bandwidth = bytes{1'000 + below(10'000)}};
    return d;
  }
};

} // namespace moeplan_test
