#include <moeplan/cost/matrix_products.hpp>

#include <moeplan/io/catalog_names.hpp>
#include <moeplan/memory/parameters.hpp>

#include <ostream>

#include "support/both_times.hpp"

// What multiplies a token is counted here from the shapes of products, and in memory/ from the tensors of checkpoints: the two must agree.

using namespace moeplan;

namespace {

TEST_CASE("every weight of a projection multiplies a token once") {
  for (const auto& entry : io::catalog_models) {
    CAPTURE(entry.name);
    const model& m = *entry.value;
    CHECK(attention_projection_products(m) == attention_parameters(m));
    // Without the two vectors of the key's norm.
    CHECK(indexer_projection_products(m) == indexer_parameters(m) - count{2} * m.attention.indexer.head_dim);
    CHECK(mlp_products(m, count{m.intermediate_size}) == mlp_parameters(m, m.intermediate_size));
    CHECK(mlp_products(m, count{m.experts.intermediate_size}) == expert_parameters(m));
    const parameter_counts<> p = parameters(m);
    CHECK(count{m.moe_layers()} * router_products(m) == p.router + p.shared_expert_gate);
    if (m.has_linear_attention()) { // Without decays and time steps, and the norm of one head.
      const linear_attention& l = m.linear_attention;
      CHECK(linear_projection_products(m) == linear_attention_parameters(m) - count{2} * l.value_heads - count{l.value_head_dim});
    }
  }
}

BOTH_TIMES("one layer of DeepSeek-V3 (arXiv 2502.07846, section 2)", [] {
  const model& m = catalog::deepseek_v3;
  EXPECT(attention_projection_products(m) == 187'105'280);
  EXPECT(latent_query_products(m) == 25'165'824 + 12'582'912);
  EXPECT(latent_key_value_products(m) == 8'388'608 + 8'388'608);
  EXPECT(core_attention_products(m, latent_attention_form::expanded) == 128 * (192 + 128));
  EXPECT(core_attention_products(m, latent_attention_form::absorbed) == 128 * (576 + 512));
  EXPECT(router_products(m) == 256 * 7168);
  EXPECT(indexer_score_products(m) == 0);
  EXPECT(indexer_projection_products(m) == 0);
});

BOTH_TIMES("absorbed projections take as many multiply-adds as expanded ones", [] {
  // A query of each head times W_UK (128 x 512), an output of each head times W_UV (512 x 128), in place of a token's keys and values.
  EXPECT(latent_key_value_products(catalog::deepseek_v3) == 128 * (128 * 512 + 512 * 128));
});

BOTH_TIMES("DeepSeek-V3.2's indexer (arXiv 2512.02556, section 2.1)", [] {
  const model& m = catalog::deepseek_v3_2;
  EXPECT(indexer_score_products(m) == 64 * 128);
  EXPECT(indexer_projection_products(m) == 1536 * 64 * 128 + 7168 * 128 + 7168 * 64);
});

BOTH_TIMES("queries without compression come from the hidden state",
           [] { EXPECT(latent_query_products(catalog::deepseek_v2_lite) == 2048 * 16 * 192); });

BOTH_TIMES("grouped queries share keys in the projections, not in the core", [] {
  const model& m = catalog::llama_3_1_70b;
  EXPECT(attention_projection_products(m) == 2 * 8192 * 8192 + 2 * 8192 * 1024);
  EXPECT(core_attention_products(m, latent_attention_form::expanded) == 2 * 8192);
  EXPECT(core_attention_products(m, latent_attention_form::absorbed) == 2 * 8192); // It has no latent form.
});

BOTH_TIMES("the gated delta rule of Qwen3-Next", [] {
  const model& m = catalog::qwen3_next_80b_a3b;
  EXPECT(delta_rule_products(m, delta_rule_count::recurrence) == 32 * 3 * 128 * 128);
  EXPECT(delta_rule_products(m, delta_rule_count::megatron) == 32 * 4 * 128 * 128);
  model narrow = m;
  narrow.linear_attention.key_head_dim = 64; // Megatron-LM counts keys as wide as values.
  EXPECT(delta_rule_products(narrow, delta_rule_count::recurrence) == 32 * 3 * 64 * 128);
  EXPECT(delta_rule_products(narrow, delta_rule_count::megatron) == 32 * 4 * 128 * 128);
});

} // namespace
