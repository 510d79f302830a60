#include <moeplan/memory/rank_model.hpp>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/gpt_oss.hpp>
#include <moeplan/catalog/llama.hpp>
#include <moeplan/catalog/qwen.hpp>

#include "support/as_template_argument.hpp"
#include "support/both_times.hpp"

using namespace moeplan;

namespace {

BOTH_TIMES("heads, intermediate sizes and experts are divided", [] {
  // arXiv 2502.07846: TP 2, EP 8, ETP 1.
  const model r = rank_model(catalog::deepseek_v3, {tp{2}, pp{16}, ep{8}, dp{32}});
  EXPECT(r.attention.heads == 64);
  EXPECT(r.intermediate_size == 9216);
  EXPECT(r.experts.routed == 32);
  EXPECT(r.experts.intermediate_size == 2048);
  EXPECT(r.experts.shared_intermediate_size == 1024);
});

BOTH_TIMES("what all ranks hold keeps its size", [] {
  const model& m = catalog::deepseek_v3;
  const model r = rank_model(m, {tp{8}, pp{4}, ep{8}, etp{2}, dp{32}});
  EXPECT(r.hidden_size == m.hidden_size);
  EXPECT(r.vocabulary_size == m.vocabulary_size);
  EXPECT(r.layers == m.layers && r.mtp_layers == m.mtp_layers && r.moe_layers() == m.moe_layers());
  EXPECT(r.attention.q_lora_rank == 1536 && r.attention.kv_lora_rank == 512);
  EXPECT(r.attention.qk_nope_head_dim == 128 && r.attention.qk_rope_head_dim == 64 && r.attention.v_head_dim == 128);
  EXPECT(r.experts.top_k == m.experts.top_k);
});

BOTH_TIMES("an expert is divided by ETP, never by TP; a shared one by TP", [] {
  const model r = rank_model(catalog::deepseek_v3, {tp{4}, ep{64}, etp{2}, dp{32}});
  EXPECT(r.experts.intermediate_size == 1024);
  EXPECT(r.experts.shared_intermediate_size == 512);
  EXPECT(r.experts.routed == 4);
});

BOTH_TIMES("a key-value head is there whole, on several ranks if need be", [] {
  const auto kv_heads = [](std::int64_t tensor_ranks) {
    return rank_model(catalog::llama_3_1_70b, {tp{tensor_ranks}, dp{1}}).attention.kv_heads;
  };
  EXPECT(catalog::llama_3_1_70b.attention.kv_heads == 8);
  EXPECT(kv_heads(1) == 8);
  EXPECT(kv_heads(4) == 2);
  EXPECT(kv_heads(8) == 1);
  EXPECT(kv_heads(16) == 1);
  EXPECT(kv_heads(64) == 1);
});

BOTH_TIMES("a head's width does not change where it follows from the number of heads", [] {
  model m = catalog::llama_3_1_70b;
  m.attention.head_dim = 0;
  EXPECT(m.head_dim() == 128);
  EXPECT(rank_model(m, {tp{8}, dp{1}}).head_dim() == 128);
  EXPECT(rank_model(catalog::gpt_oss_120b, {tp{8}, dp{1}}).head_dim() == 64);
});

BOTH_TIMES("heads of linear attention", [] {
  const model r = rank_model(catalog::qwen3_next_80b_a3b, {tp{2}, ep{8}, dp{8}});
  EXPECT(r.linear_attention.key_heads == 8);
  EXPECT(r.linear_attention.value_heads == 16);
  EXPECT(r.linear_attention.key_head_dim == 128 && r.linear_attention.value_head_dim == 128);
  EXPECT(r.linear_attention.convolution == 4);
});

BOTH_TIMES("redundant experts of serving", [] {
  // DeepSeek-V3, prefill on 32 GPUs: 8 experts and a redundant one each (arXiv 2412.19437, section 3.4.1).
  EXPECT(rank_model(catalog::deepseek_v3, {ep{32}, dp{32}}, 32).experts.routed == 9);
  EXPECT(rank_model(catalog::deepseek_v3, {ep{32}, dp{32}}).experts.routed == 8);
});

BOTH_TIMES("a single rank sees the model", [] {
  EXPECT(rank_model(catalog::deepseek_v3, strategy{}) == catalog::deepseek_v3);
  EXPECT(rank_model(catalog::llama_3_1_70b, strategy{}) == catalog::llama_3_1_70b);
  EXPECT(rank_model(catalog::qwen3_next_80b_a3b, {pp{4}, cp{2}, dp{8}}) == catalog::qwen3_next_80b_a3b);
});

using moeplan_test::name_the_same_type;
static_assert(name_the_same_type<rank_model(catalog::deepseek_v3, strategy{}), catalog::deepseek_v3>);

} // namespace
