#include <moeplan/memory/rank_parameters.hpp>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/gpt_oss.hpp>
#include <moeplan/catalog/llama.hpp>
#include <moeplan/catalog/minimax.hpp>
#include <moeplan/catalog/phi.hpp>
#include <moeplan/catalog/qwen.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr rank_parts<> parts(const model& m, const strategy& s, const assumptions& how = {}, std::int64_t multiple = 0) {
  return parts_of_rank(m, rank_model(m, s), s, multiple, how);
}

/// arXiv 2502.07846: PP 16, TP 2, EP 8, ETP 1, and so DP 32 and EDP 8.
constexpr strategy of_the_paper{tp{2}, pp{16}, ep{8}, dp{32}};

BOTH_TIMES("DeepSeek-V3 on a rank, as arXiv 2502.07846 counts (table 6)", [] {
  const auto p = parts(catalog::deepseek_v3, of_the_paper, assumptions::memory_analysis());
  // Of 4 layers: split matrices 318,767,104 and whole ones 110,886,912; norms 65,536, of which compressed vectors have 4 x 2048.
  EXPECT(4 * p.softmax_attention.dense.linear == 318'767'104 + 110'886'912);
  EXPECT(4 * (p.softmax_attention.dense.others + p.norms.dense.others) == 65'536);
  EXPECT(4 * p.softmax_attention.dense.others == 4 * 2048);
  // 32 routed experts and the shared one of 44,040,192 each; routers of 1,835,008. All of them lie with the experts.
  EXPECT(4 * p.moe_mlp.experts.linear == 5'813'305'344);
  EXPECT(4 * p.moe_mlp.experts.routers == 7'340'032);
  EXPECT(4 * p.moe_mlp.experts.trained() == 5'820'645'376);
  EXPECT(p.moe_mlp.dense == parameter_group<>{});
  EXPECT(p.softmax_attention.experts == parameter_group<>{});
  EXPECT(p.moe_mlp.experts.buffers == 256);
});

BOTH_TIMES("the same as Megatron-LM does it", [] {
  const auto p = parts(catalog::deepseek_v3, of_the_paper);
  // Rotary queries are split with the others: 12,582,912 / 2 fewer. The shared expert is split and lies with dense layers, the router too.
  EXPECT(p.softmax_attention.dense.linear == (318'767'104 + 110'886'912) / 4 - 12'582'912 / 2);
  EXPECT(p.moe_mlp.experts.linear == 32LL * 44'040'192);
  EXPECT(p.moe_mlp.experts.routers == 0 && p.moe_mlp.experts.others == 0 && p.moe_mlp.experts.buffers == 0);
  EXPECT(p.moe_mlp.dense.linear == 44'040'192 / 2);
  EXPECT(p.moe_mlp.dense.routers == 1'835'008);
  EXPECT(p.moe_mlp.dense.buffers == 256);
  EXPECT(p.dense_mlp.dense.linear == 396'361'728 / 2);
});

BOTH_TIMES("down-projections shared or not", [] {
  // W_DQ 11,010,048, W_DKV 3,670,016 and W_KR 458,752; the other matrices are always split.
  const std::int64_t down = 11'010'048 + 3'670'016 + 458'752;
  const std::int64_t others = 187'105'280 - down;
  const auto linear = [](const strategy& s, const assumptions& how) {
    return parts(catalog::deepseek_v3, s, how).softmax_attention.dense.linear;
  };
  EXPECT(linear({tp{4}, dp{16}}, assumptions::megatron()) == down + others / 4);
  EXPECT(linear({tp{4}, dp{16}}, assumptions::megatron_estimator()) == (down + others) / 4);
  EXPECT(linear({tp{1}, dp{64}}, assumptions::megatron()) == 187'105'280);
  EXPECT(linear({tp{1}, dp{64}}, assumptions::megatron_estimator()) == 187'105'280);
  EXPECT(linear({tp{1}, dp{64}}, assumptions::memory_analysis()) == 187'105'280);
});

BOTH_TIMES("queries without compression can be held whole too", [] {
  // DeepSeek-V2-Lite: rotary queries are 2048 x 16 x 64.
  const strategy s{tp{2}, ep{2}, dp{2}};
  const auto split = parts(catalog::deepseek_v2_lite, s).softmax_attention.dense.linear;
  const auto whole = parts(catalog::deepseek_v2_lite, s, assumptions::memory_analysis()).softmax_attention.dense.linear;
  EXPECT(whole - split == 2048 * 16 * 64 / 2);
});

BOTH_TIMES("an indexer is on every rank", [] {
  const auto with = parts(catalog::deepseek_v3_2, {tp{8}, dp{8}}).softmax_attention.dense;
  const auto without = parts(catalog::deepseek_v3, {tp{8}, dp{8}}).softmax_attention.dense;
  // wq_b 1536 x 64 x 128, wk 7168 x 128, weights_proj 7168 x 64; the key's LayerNorm 2 x 128.
  EXPECT(with.linear - without.linear == 12'582'912 + 917'504 + 458'752);
  EXPECT(with.others - without.others == 256);
});

BOTH_TIMES("biases, sinks and norms of queries and keys go with the heads", [] {
  // gpt-oss: 64 heads of 64, 8 of keys and values; biases on all four projections; a sink a head.
  const auto p = parts(catalog::gpt_oss_120b, {tp{4}, ep{8}, etp{2}, dp{8}});
  EXPECT(p.softmax_attention.dense.linear == 2880 * 64 * (16 + 2 + 2 + 16));
  EXPECT(p.softmax_attention.dense.others == (16 + 2 + 2) * 64 + 2880 + 16);
  // 16 of 128 experts; half of gate and up, with their biases, and half of down, whose bias is whole.
  EXPECT(p.moe_mlp.experts.linear == 16LL * 3 * 2880 * 1440);
  EXPECT(p.moe_mlp.experts.others == 16LL * (2 * 1440 + 2880));
  EXPECT(p.moe_mlp.dense.routers == 128LL * 2880);
  EXPECT(p.moe_mlp.dense.others == 128);
  EXPECT(p.moe_mlp.dense.buffers == 0);
  // Qwen3 has a norm a head, the same on all ranks; MiniMax-M2 one over all heads' width, 48 and 8 of 128.
  EXPECT(parts(catalog::qwen3_30b_a3b, {tp{4}, dp{8}}).softmax_attention.dense.others == 2 * 128);
  EXPECT(parts(catalog::minimax_m2_5, {tp{8}, dp{8}}).softmax_attention.dense.others == (6 + 1) * 128);
});

BOTH_TIMES("keys and values on more ranks than there are heads of them", [] {
  const auto linear = [](std::int64_t ranks) {
    return parts(catalog::llama_3_1_70b, {tp{ranks}, dp{1}}).softmax_attention.dense.linear;
  };
  EXPECT(linear(8) == 8192 * 128 * (8 + 1 + 1 + 8));
  EXPECT(linear(16) == 8192 * 128 * (4 + 1 + 1 + 4));
});

BOTH_TIMES("linear attention", [] {
  // Qwen3-Next on TP 2: 8 heads of keys and 16 of values, all 128 wide, and two scalars a value head; a convolution of 4.
  const auto p = parts(catalog::qwen3_next_80b_a3b, {tp{2}, dp{2}}).linear_attention.dense;
  const std::int64_t keys = 8LL * 128;
  const std::int64_t values = 16LL * 128;
  EXPECT(p.linear == 2048 * (2 * keys + 2 * values + 32) + values * 2048);
  EXPECT(p.others == 4 * (2 * keys + values) + 32 + 128);
  EXPECT(parts(catalog::llama_3_1_70b, strategy{dp{1}}).linear_attention == rank_parameters<>{});
});

BOTH_TIMES("a gate of the shared experts is with them", [] {
  const auto p = parts(catalog::qwen2_57b_a14b, {tp{4}, ep{8}, dp{8}});
  EXPECT(p.moe_mlp.dense.linear == 3LL * 3584 * 20480 / 4);
  EXPECT(p.moe_mlp.dense.routers == 64LL * 3584 + 3584);
});

BOTH_TIMES("multi-token prediction: a layer, a projection of two hidden states to one, three norms more", [] {
  const auto p = parts(catalog::deepseek_v3, {tp{8}, ep{64}, dp{64}});
  EXPECT(p.mtp.experts == p.moe_mlp.experts);
  EXPECT(p.mtp.dense.linear == p.softmax_attention.dense.linear + p.moe_mlp.dense.linear + 2LL * 7168 * 7168 / 8);
  EXPECT(p.mtp.dense.routers == 1'835'008);
  EXPECT(p.mtp.dense.others == 2048 + (2 + 3) * 7168);
  EXPECT(p.mtp.dense.buffers == 256);
  EXPECT(parts(catalog::qwen3_30b_a3b, {dp{1}}).mtp == rank_parameters<>{});
});

BOTH_TIMES("of a dense model multi-token prediction is dense", [] {
  model m = catalog::llama_3_1_8b;
  m.mtp_layers = 1;
  const auto p = parts(m, {dp{1}});
  EXPECT(p.mtp.dense.total() == parameters(m).mtp);
  EXPECT(p.mtp.experts.total() == 0);
});

BOTH_TIMES("embedding, head and its bias by padded vocabulary", [] {
  // Phi-3.5-MoE: 32,064 is a multiple of neither 128 x 2 nor 128 x 4.
  const strategy two{tp{2}, dp{1}};
  EXPECT(padded_vocabulary(catalog::phi_3_5_moe, two, 128) == 32'256);
  EXPECT(padded_vocabulary(catalog::phi_3_5_moe, two, 1) == 32'064);
  EXPECT(padded_vocabulary(catalog::phi_3_5_moe, two, 0) == 32'064);
  const auto p = parts(catalog::phi_3_5_moe, two, {}, 128);
  EXPECT(p.embedding.dense.others == 16'128LL * 4096);
  EXPECT(p.head == p.embedding);
  EXPECT(p.head_bias.dense.others == 16'128);
  EXPECT(p.final_norm.dense.others == 2 * 4096);
  EXPECT(parts(catalog::llama_3_1_8b, two).head_bias == rank_parameters<>{});
});

BOTH_TIMES("Megatron-LM's padding", [] {
  // tests/data/megatron_memory.json, padded_vocab_size.
  const auto padded = [](std::int64_t vocabulary, std::int64_t ranks) {
    return padded_vocabulary(model{.vocabulary_size = vocabulary}, {tp{ranks}, dp{1}}, 128);
  };
  EXPECT(padded(32000, 1) == 32000);
  EXPECT(padded(32000, 4) == 32256);
  EXPECT(padded(32000, 8) == 32768);
  EXPECT(padded(129280, 2) == 129280);
  EXPECT(padded(129280, 8) == 130048);
  EXPECT(padded(50257, 8) == 51200);
  EXPECT(padded(151936, 4) == 152064);
});

BOTH_TIMES("groups add up and multiply member by member", [] {
  constexpr parameter_group<> a{.linear = 1, .routers = 20, .others = 300, .buffers = 4000};
  EXPECT(a.trained() == 321);
  EXPECT(a.matrices() == 21);
  EXPECT(a.total() == 4321);
  EXPECT(count{3} * a == parameter_group<>{3, 60, 900, 12000});
  rank_parameters<> p{.dense = a};
  p += {.dense = a, .experts = a};
  EXPECT(p == rank_parameters<>{count{2} * a, a});
  EXPECT(p.total() == 3 * 4321);
  EXPECT(count{2} * p == rank_parameters<>{count{4} * a, count{2} * a});
});

} // namespace
