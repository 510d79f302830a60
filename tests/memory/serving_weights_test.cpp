#include <moeplan/memory/serving_weights.hpp>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/gpt_oss.hpp>
#include <moeplan/catalog/kimi.hpp>
#include <moeplan/catalog/llama.hpp>
#include <moeplan/catalog/qwen.hpp>
#include <moeplan/io/catalog_names.hpp>

#include <ostream>
#include <string>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

/// One rank that holds the whole model, its vocabulary not padded.
constexpr serving_weights<> whole(const model& m, serving v) {
  v.vocabulary_multiple = 0;
  const stage_contents all{.decoder_layers = m.layers, .mtp_layers = m.mtp_layers, .embedding = true, .loss = true};
  return weights_of_stage(weights_of_rank(m, rank_model(m, tp{1}), tp{1}, v), m, all, v);
}

constexpr serving_weights<> on_rank(const model& m, const strategy& s, const serving& v, const assumptions& how = {}) {
  return weights_of_rank(m, rank_model(m, s, v.redundant_experts), s, v, how);
}

constexpr std::int64_t gib = 1LL << 30;

// deepseek-ai/DeepSeek-V3. The hub's count of the safetensors' elements: BF16 3,918,786,560; F8_E4M3 680,571,043,840; F32 41,555,600.
// BF16 counts embedding and head twice, since the module for multi-token prediction has copies (README_WEIGHTS.md). F32 are the scales
// and 59 x 256 correction biases. The files take 688,586,727,753 bytes together.
BOTH_TIMES("DeepSeek-V3's checkpoint to the byte", [] {
  constexpr auto w = whole(catalog::deepseek_v3, {.weights = weight_format::fp8_block, .drafts = true});
  constexpr auto all = w.all();
  constexpr count copies = 2 * count{129'280} * 7168;
  EXPECT(all.quantised == 680'571'043'840);
  EXPECT(all.plain == 2 * (3'918'786'560 - copies));
  EXPECT(all.scales + all.fp32 == 4 * 41'555'600);
  EXPECT(all.fp32 == 4 * 59 * 256);
  constexpr count tensors = w.total() + 2 * copies;
  EXPECT(tensors == 688'574'839'360);
  // What is left are the headers of 163 files: 91,991 tensors at some 129 bytes each.
  EXPECT(count{688'586'727'753} - tensors == 11'888'393);
});

BOTH_TIMES("without drafts, DeepSeek-V3 takes no module for multi-token prediction", [] {
  constexpr serving v{.weights = weight_format::fp8_block};
  EXPECT(whole(catalog::deepseek_v3, v).mtp.total() == 0);
  EXPECT(whole(catalog::deepseek_v3, v).all().fp32 == 4 * 58 * 256);
});

// 64 heads x 128 x 1536 and 128 x 7168 more in fp8 a layer, 64 x 7168 + 256 more in bf16.
BOTH_TIMES("DeepSeek-V3.2's indexer", [] {
  constexpr serving v{.weights = weight_format::fp8_block};
  constexpr auto with = on_rank(catalog::deepseek_v3_2, tp{1}, v).softmax_attention;
  constexpr auto without = on_rank(catalog::deepseek_v3, tp{1}, v).softmax_attention;
  EXPECT(with.quantised - without.quantised == 8192 * 1536 + 128 * 7168);
  EXPECT(with.plain - without.plain == 2 * (64 * 7168 + 256));
  EXPECT(with.scales - without.scales == 4 * (64 * 12 + 56));
  EXPECT(on_rank(catalog::deepseek_v3_2, tp{8}, v).softmax_attention.plain -
             on_rank(catalog::deepseek_v3, tp{8}, v).softmax_attention.plain ==
         with.plain - without.plain); // whole on each TP rank
});

// moonshotai/Kimi-K2-Instruct, the hub's count: F8_E4M3 1,023,893,241,856; F32, without scales, 23,040.
BOTH_TIMES("Kimi-K2's checkpoint", [] {
  constexpr auto all = whole(catalog::kimi_k2, {.weights = weight_format::fp8_block}).all();
  EXPECT(all.quantised == 1'023'893'241'856);
  EXPECT(all.fp32 == 4 * 23'040);
});

// openai/gpt-oss-20b: total_size in model.safetensors.index.json; the hub's count has 1,804,459,584 in BF16. arXiv 2508.10925, table 1:
// 12.8 GiB.
BOTH_TIMES("gpt-oss-20b's checkpoint to the byte", [] {
  constexpr auto w = whole(catalog::gpt_oss_20b, {.weights = weight_format::mxfp4, .quantised = quantised_parts::routed_experts});
  EXPECT(w.total() == 13'761'264'768);
  EXPECT(w.all().plain == 2 * 1'804'459'584LL);
  EXPECT(w.total() * 10 / gib == 128);
});

// openai/gpt-oss-120b, the hub's count: BF16 2,167,371,072; U8 118,244,966,400, where two numbers of a byte are counted as two. Its
// tensors take 65,248,815,744 bytes. arXiv 2508.10925, table 1: 60.8 GiB.
BOTH_TIMES("gpt-oss-120b's checkpoint to the byte", [] {
  constexpr auto w = whole(catalog::gpt_oss_120b, {.weights = weight_format::mxfp4, .quantised = quantised_parts::routed_experts});
  EXPECT(w.total() == 65'248'815'744);
  EXPECT(w.all().plain == 2 * 2'167'371'072);
  EXPECT(2 * w.all().quantised + w.all().scales == 118'244'966'400);
  EXPECT((w.total() * 10 + gib / 2) / gib == 608);
});

// By hand: all of attention and experts but routers and norms, with a scale for 128 x 128 that no edge cuts.
BOTH_TIMES("Qwen3-235B-A22B in fp8", [] {
  constexpr auto all = whole(catalog::qwen3_235b_a22b, {.weights = weight_format::fp8_block}).all();
  EXPECT(all.quantised == 94 * (4096LL * (2 * 64 + 2 * 4) * 128 + 128LL * 3 * 4096 * 1536));
  EXPECT(all.scales == all.quantised / (128 * 128) * 4);
  EXPECT(all.plain == 2 * (parameters(catalog::qwen3_235b_a22b).total() - all.quantised));
});

constexpr count matrix_scales(std::int64_t outputs, std::int64_t inputs, weight_format f) {
  return detail::matrix<count>(outputs, inputs, f).scales;
}

BOTH_TIMES("scales of one matrix", [] {
  EXPECT(matrix_scales(576, 7168, weight_format::fp8_block) == 4 * 5 * 56); // 576 is four and a half blocks
  EXPECT(matrix_scales(576, 7168, weight_format::fp8_tensor) == 4);
  EXPECT(matrix_scales(576, 7168, weight_format::fp8_channel) == 4 * 576);
  EXPECT(matrix_scales(576, 7168, weight_format::int8_channel) == 4 * 576);
  EXPECT(matrix_scales(576, 7168, weight_format::mxfp8) == 576 * 224);
  EXPECT(matrix_scales(576, 7168, weight_format::mxfp4) == 576 * 224);
  EXPECT(matrix_scales(576, 7168, weight_format::nvfp4) == 576 * 448 + 4);
  EXPECT(matrix_scales(576, 7168, weight_format::int4_group32) == 576 * 224 * 2);
  EXPECT(matrix_scales(576, 7168, weight_format::int4_group128) == 576 * 56 * 5 / 2);
  EXPECT(matrix_scales(576, 7168, weight_format::bf16) == 0);
  EXPECT(matrix_scales(0, 7168, weight_format::fp8_tensor) == 0);
  EXPECT(detail::matrix<count>(3, 3, weight_format::mxfp4).quantised == 5);
});

BOTH_TIMES("which parts are quantised", [] {
  constexpr auto f = weight_format::nvfp4;
  constexpr auto linear = on_rank(catalog::deepseek_v3, tp{1}, {.weights = f});
  constexpr auto mlps = on_rank(catalog::deepseek_v3, tp{1}, {.weights = f, .quantised = quantised_parts::mlps});
  constexpr auto experts = on_rank(catalog::deepseek_v3, tp{1}, {.weights = f, .quantised = quantised_parts::routed_experts});
  EXPECT(linear.softmax_attention.quantised > 0);
  EXPECT(mlps.softmax_attention.quantised == 0);
  EXPECT(mlps.dense_mlp == linear.dense_mlp);
  EXPECT(mlps.shared_experts == linear.shared_experts);
  EXPECT(experts.dense_mlp.quantised == 0);
  EXPECT(experts.shared_experts.quantised == 0);
  EXPECT(experts.routed_experts == linear.routed_experts);
});

// DeepSeek's deployments (arXiv 2412.19437, section 3.4; its Open-Source Week, day 6): 288 slots on 32 or 144 ranks.
BOTH_TIMES("redundant experts", [] {
  constexpr count expert = 3 * (7168 * 2048 + 56 * 16 * 4);
  constexpr serving v{.redundant_experts = 32, .weights = weight_format::fp8_block};
  EXPECT(on_rank(catalog::deepseek_v3, {tp{4}, ep{32}, dp{8}}, v).routed_experts.total() == 9 * expert);
  EXPECT(on_rank(catalog::deepseek_v3, {ep{144}, dp{144}}, v).routed_experts.total() == 2 * expert);
  EXPECT(on_rank(catalog::deepseek_v3, {ep{144}, dp{144}}, v).shared_experts.total() == expert);
  EXPECT(on_rank(catalog::deepseek_v3, {ep{64}, dp{64}}, {.weights = weight_format::fp8_block}).routed_experts.total() ==
         4 * expert);
});

BOTH_TIMES("what TP divides", [] {
  constexpr serving v{.vocabulary_multiple = 0};
  constexpr auto one = on_rank(catalog::qwen3_235b_a22b, tp{1}, v);
  constexpr auto eight = on_rank(catalog::qwen3_235b_a22b, tp{8}, v);
  // Eight heads of queries and one of keys and values, which two ranks have; norms whole.
  EXPECT(eight.softmax_attention.plain == 2 * (4096 * 128 * (2 * 8 + 2) + 256));
  EXPECT(eight.router == one.router);
  EXPECT(eight.norms == one.norms);
  EXPECT(8 * eight.embedding.plain == one.embedding.plain);
  EXPECT(eight.routed_experts == one.routed_experts); // ETP and EP divide these
  EXPECT(on_rank(catalog::qwen3_235b_a22b, {tp{8}, etp{8}}, v).routed_experts.plain == one.routed_experts.plain / 8);
});

BOTH_TIMES("shared experts are on each TP rank whole where assumptions say so", [] {
  constexpr serving v{.weights = weight_format::fp8_block};
  constexpr assumptions how{.shared_experts = held::replicated};
  EXPECT(on_rank(catalog::deepseek_v3, tp{8}, v, how).shared_experts == on_rank(catalog::deepseek_v3, tp{1}, v).shared_experts);
  EXPECT(8 * on_rank(catalog::deepseek_v3, tp{8}, v).shared_experts.quantised ==
         on_rank(catalog::deepseek_v3, tp{1}, v).shared_experts.quantised);
});

BOTH_TIMES("absorbed projections are copies in bf16 of what is quantised", [] {
  constexpr serving v{.weights = weight_format::fp8_block, .absorbed_projections = true};
  constexpr auto without = on_rank(catalog::deepseek_v3, tp{4}, {.weights = weight_format::fp8_block}).softmax_attention;
  EXPECT(on_rank(catalog::deepseek_v3, tp{4}, v).softmax_attention.total() - without.total() == 2 * 32 * 256 * 512);
  EXPECT(on_rank(catalog::deepseek_v3, tp{4}, {.absorbed_projections = true}) == on_rank(catalog::deepseek_v3, tp{4}, {}));
});

BOTH_TIMES("a stage holds its own layers", [] {
  constexpr model m = catalog::deepseek_v3;
  constexpr strategy s{pp{4}, ep{8}, dp{8}};
  constexpr serving v{.weights = weight_format::fp8_block, .drafts = true};
  constexpr auto one = on_rank(m, s, v);
  count sum{0};
  for (std::int64_t stage = 0; stage < 4; ++stage)
    sum += weights_of_stage(one, m, contents(m, s, layout::balanced(), stage), v).total();
  constexpr stage_contents all{.decoder_layers = 61, .mtp_layers = 1, .embedding = true, .loss = true};
  EXPECT(sum == weights_of_stage(one, m, all, v).total() + one.embedding.total()); // the drafting stage has a copy
});

constexpr count fullest(const model& m, const strategy& s, const serving& v) {
  const auto one = on_rank(m, s, v);
  count most{0};
  for (std::int64_t stage = 0; stage < s[axis::pp]; ++stage) {
    const count here = weights_of_stage(one, m, contents(m, s, layout::balanced(), stage), v).total();
    if (here > most) most = here;
  }
  return most;
}

} // namespace

TEST_CASE("in bf16 weights take two bytes a parameter, on every rank") {
  for (const auto& entry : io::catalog_models) {
    CAPTURE(std::string{entry.name});
    const model& m = *entry.value;
    for (const strategy& s : {strategy{tp{1}}, strategy{tp{2}}, strategy{tp{2}, ep{2}}, strategy{tp{2}, etp{2}}}) {
      const model rank = rank_model(m, s);
      const auto parts = parts_of_rank(m, rank, s, 128, {});
      const auto w = weights_of_rank(m, rank, s, {});
      const auto bytes = [](const rank_parameters<>& p) { return 2 * p.total() + 2 * (p.dense.buffers + p.experts.buffers); };
      CHECK(w.softmax_attention.total() == bytes(parts.softmax_attention));
      CHECK(w.linear_attention.total() == bytes(parts.linear_attention));
      CHECK(w.dense_mlp.total() == bytes(parts.dense_mlp));
      CHECK(w.routed_experts.total() + w.shared_experts.total() + w.router.total() == bytes(parts.moe_mlp));
      CHECK(w.norms.total() == bytes(parts.norms));
      CHECK(w.embedding.total() == bytes(parts.embedding));
      CHECK(w.final_norm.total() == bytes(parts.final_norm) + bytes(parts.head_bias));
      CHECK(w.head.total() == bytes(parts.head));
      if (s[axis::tp] == 1) CHECK(w.mtp.total() == bytes(parts.mtp)); // else its projection is whole here, and shared there
    }
    const count all = whole(m, {}).total();
    CHECK(all == 2 * parameters(m).total() + 2 * count{m.experts.selection_bias ? m.moe_layers() * m.experts.routed : 0});
  }
}

TEST_CASE("numbers of a format take its bits, whatever the scales") {
  for (const auto& entry : io::catalog_models) {
    CAPTURE(std::string{entry.name});
    const auto plain = whole(*entry.value, {}).all();
    for (const auto f : {weight_format::fp8_tensor, weight_format::fp8_channel, weight_format::fp8_block, weight_format::mxfp8,
                         weight_format::int8_channel, weight_format::int4_group128, weight_format::int4_group32,
                         weight_format::mxfp4, weight_format::nvfp4})
      for (const auto parts : {quantised_parts::linear_layers, quantised_parts::mlps, quantised_parts::routed_experts}) {
        const auto all = whole(*entry.value, {.weights = f, .quantised = parts}).all();
        CHECK(all.quantised * (16 / bits(sizes_of(f).numbers)) + all.plain == plain.plain);
        CHECK(all.fp32 == plain.fp32);
        CHECK(all.scales * 4 <= all.quantised + 4 * 1'000'000);
      }
  }
}

TEST_CASE("more ranks never hold more on the fullest of them") {
  // TP divides heads as long as there are such; where keys and values, latent projections, routers and norms are replicated, a rank
  // keeps what it had. DP alone changes nothing.
  for (const auto& entry : io::catalog_models) {
    CAPTURE(std::string{entry.name});
    const model& m = *entry.value;
    const std::int64_t experts = m.has_experts() ? m.experts.routed : 1;
    for (const auto f : {weight_format::bf16, weight_format::fp8_block, weight_format::nvfp4})
      for (const bool drafts : {false, true}) {
        const serving v{.weights = f, .drafts = drafts};
        for (std::int64_t n = 1; n < 8; n *= 2) {
          CAPTURE(n);
          if (m.attention.heads % (2 * n) == 0) CHECK(fullest(m, tp{2 * n}, v) <= fullest(m, tp{n}, v));
          if (2 * n <= m.layers) CHECK(fullest(m, pp{2 * n}, v) <= fullest(m, pp{n}, v));
          if (experts % (2 * n) == 0) CHECK(fullest(m, ep{2 * n}, v) <= fullest(m, ep{n}, v));
          if (m.experts.intermediate_size % (2 * n) == 0) CHECK(fullest(m, etp{2 * n}, v) <= fullest(m, etp{n}, v));
        }
      }
  }
}
