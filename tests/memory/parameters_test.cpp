#include <moeplan/memory/parameters.hpp>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/llama.hpp>
#include <moeplan/catalog/mixtral.hpp>
#include <moeplan/catalog/qwen.hpp>

#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "support/both_times.hpp"

// tests/data/model_parameters.csv: parameters by component, counted from config.json and compared with the published checkpoints'
// safetensors headers.

using namespace moeplan;

namespace {

// Models outside the catalog, for what no model inside it has.

/// Qwen/Qwen1.5-MoE-A2.7B: biases of Q, K and V, a gate before the shared experts, no head_dim.
constexpr model qwen1_5_moe{
    .layers = 24,
    .hidden_size = 2048,
    .vocabulary_size = 151936,
    .intermediate_size = 5632,
    .attention = {.heads = 16, .kv_heads = 16, .qkv_bias = true},
    .experts = {.routed = 60, .top_k = 4, .intermediate_size = 1408, .shared_intermediate_size = 5632, .shared_gate = true},
};

/// allenai/OLMoE-1B-7B-0924: query and key norms over the whole projection.
constexpr model olmoe{
    .layers = 16,
    .hidden_size = 2048,
    .vocabulary_size = 50304,
    .attention = {.heads = 16, .kv_heads = 16, .norm = query_key_norm::full_width},
    .experts = {.routed = 64, .top_k = 8, .intermediate_size = 1024},
};

/// zai-org/GLM-4.5-Air: multi-token prediction over grouped-query attention with biases.
constexpr model glm_4_5_air{
    .layers = 46,
    .hidden_size = 4096,
    .vocabulary_size = 151552,
    .intermediate_size = 10944,
    .attention = {.heads = 96, .kv_heads = 8, .head_dim = 128, .qkv_bias = true},
    .experts = {.routed = 128,
                .top_k = 8,
                .intermediate_size = 1408,
                .shared_intermediate_size = 1408,
                .selection_bias = true,
                .layers = layer_set::after_first(1)},
    .mtp_layers = 1,
};

/// baidu/ERNIE-4.5-21B-A3B: one matrix for embedding and head.
constexpr model ernie_4_5_21b{
    .layers = 28,
    .hidden_size = 2560,
    .vocabulary_size = 103424,
    .intermediate_size = 12288,
    .attention = attention::grouped_query(20, 4, 128),
    .experts = {.routed = 64,
                .top_k = 6,
                .intermediate_size = 1536,
                .shared_intermediate_size = 2LL * 1536,
                .selection_bias = true,
                .layers = layer_set::after_first(1)},
    .tied_embeddings = true,
};

/// moonshotai/Kimi-K2-Instruct: the most experts.
constexpr model kimi_k2{
    .layers = 61,
    .hidden_size = 7168,
    .vocabulary_size = 163840,
    .intermediate_size = 18432,
    .attention = attention::latent(
        64, {.q_lora_rank = 1536, .kv_lora_rank = 512, .qk_nope_head_dim = 128, .qk_rope_head_dim = 64, .v_head_dim = 128}),
    .experts = {.routed = 384,
                .top_k = 8,
                .intermediate_size = 2048,
                .shared_intermediate_size = 2048,
                .score = router_score::sigmoid,
                .selection_bias = true,
                .layers = layer_set::after_first(1)},
};

/// inclusionAI/Ling-1T: norms of heads and a selection bias.
constexpr model ling_1t{
    .layers = 80,
    .hidden_size = 8192,
    .vocabulary_size = 157184,
    .intermediate_size = 18432,
    .attention = {.heads = 64, .kv_heads = 8, .head_dim = 128, .norm = query_key_norm::per_head},
    .experts = {.routed = 256,
                .top_k = 8,
                .intermediate_size = 2048,
                .shared_intermediate_size = 2048,
                .selection_bias = true,
                .layers = layer_set::after_first(4)},
};

const std::map<std::string, model> models{
    {"DeepSeek-V2-Lite", catalog::deepseek_v2_lite},
    {"DeepSeek-V2", catalog::deepseek_v2},
    {"DeepSeek-V3", catalog::deepseek_v3},
    {"Mixtral-8x7B", catalog::mixtral_8x7b},
    {"Mixtral-8x22B", catalog::mixtral_8x22b},
    {"Qwen3-30B-A3B", catalog::qwen3_30b_a3b},
    {"Qwen3-235B-A22B", catalog::qwen3_235b_a22b},
    {"Qwen3-32B", catalog::qwen3_32b},
    {"Llama-3.1-8B", catalog::llama_3_1_8b},
    {"Llama-3.1-70B", catalog::llama_3_1_70b},
    {"Qwen1.5-MoE-A2.7B", qwen1_5_moe},
    {"OLMoE-1B-7B", olmoe},
    {"GLM-4.5-Air", glm_4_5_air},
    {"ERNIE-4.5-21B-A3B", ernie_4_5_21b},
    {"Kimi-K2", kimi_k2},
    {"Ling-1T", ling_1t},
};

using row = std::map<std::string, std::string>;

std::vector<std::string> cells(const std::string& line) {
  std::vector<std::string> all;
  std::istringstream stream{line};
  for (std::string cell; std::getline(stream, cell, ',');) all.push_back(cell);
  return all;
}

std::vector<row> read_rows() {
  std::ifstream file{MOEPLAN_TEST_DATA "/model_parameters.csv"};
  REQUIRE(file.good());
  std::string line;
  REQUIRE(std::getline(file, line));
  const auto header = cells(line);
  std::vector<row> rows;
  while (std::getline(file, line)) {
    const auto values = cells(line);
    REQUIRE(values.size() == header.size());
    row& r = rows.emplace_back();
    for (std::size_t i = 0; i < header.size(); ++i) r[header[i]] = values[i];
  }
  return rows;
}

count number(const row& r, const char* column) {
  const std::string& cell = r.at(column);
  CAPTURE(column);
  REQUIRE(!cell.empty());
  return std::strtoull(cell.c_str(), nullptr, 10);
}

void check_components(const row& r, const parameter_counts<>& p) {
  CHECK(p.embedding == number(r, "embedding"));
  CHECK(p.attention == number(r, "attention"));
  CHECK(p.attention_bias == number(r, "attention_bias"));
  CHECK(p.qk_norm == number(r, "qk_norm"));
  CHECK(p.router == number(r, "router"));
  CHECK(p.router_bias == number(r, "router_bias"));
  CHECK(p.routed_experts == number(r, "routed_experts"));
  CHECK(p.shared_experts == number(r, "shared_experts"));
  CHECK(p.shared_expert_gate == number(r, "shared_expert_gate"));
  CHECK(p.dense_mlp == number(r, "dense_mlp"));
  CHECK(p.layer_norms == number(r, "layer_norms"));
  CHECK(p.final_norm == number(r, "final_norm"));
  CHECK(p.lm_head == number(r, "lm_head"));
  CHECK(p.mtp == number(r, "mtp_own"));
  // What no model here has.
  for (const char* column : {"sinks", "indexer", "linear_attention", "routed_expert_bias", "lm_head_bias"})
    CHECK(number(r, column) == 0);
}

void check_totals(const row& r, const model& m, const parameter_counts<>& p) {
  CHECK(p.total() == number(r, "total_main"));
  CHECK(p.active() == number(r, "activated_all"));
  // A tied matrix is the head as well, so a token does pass through it.
  CHECK(p.active() - (m.tied_embeddings ? count{0} : p.embedding) == number(r, "activated_no_input_embedding"));
  CHECK(p.active() - p.embedding - p.lm_head == number(r, "activated_no_vocab"));
  // A checkpoint stores embedding and head again with each multi-token prediction module.
  const count copies = count{m.mtp_layers} * (p.embedding + p.lm_head);
  CHECK(copies == number(r, "mtp_shared_copies"));
  const std::string& kind = r.at("kind");
  if (kind == "main") CHECK(p.total() == number(r, "computed_for_kind"));
  if (kind == "ckpt_mtp") CHECK(p.total() + p.mtp + copies == number(r, "computed_for_kind"));
}

} // namespace

TEST_CASE("parameters are the published checkpoints', column by column") {
  std::map<std::string, int> seen;
  for (const row& r : read_rows()) {
    const std::string name = r.at("model");
    const auto found = models.find(name);
    if (found == models.end()) continue;
    CAPTURE(name);
    const model& m = found->second;
    const auto p = parameters(m);
    check_components(r, p);
    check_totals(r, m, p);
    CHECK(count{m.moe_layers()} == number(r, "moe_layers"));
    // Of a dense model the file counts the MLP as its one expert.
    const count expert = m.has_experts() ? expert_parameters(m) : mlp_parameters(m, m.intermediate_size);
    CHECK(expert == number(r, "params_per_expert"));
    ++seen[name];
  }
  CHECK(seen.size() == models.size());
  CHECK(seen["DeepSeek-V3"] == 3);
}

namespace {

BOTH_TIMES("one layer of DeepSeek-V3", [] {
  const model& m = catalog::deepseek_v3;
  // W_DQ, W_UQ, W_QR, W_DKV, W_UK, W_KR, W_UV, W_O (arXiv 2502.07846, whose sum has the norms in it).
  EXPECT(attention_parameters(m) ==
         11'010'048 + 25'165'824 + 12'582'912 + 3'670'016 + 8'388'608 + 458'752 + 8'388'608 + 117'440'512);
  EXPECT(attention_parameters(m) == 187'105'280);
  EXPECT(query_key_norms(m) == 1536 + 512);
  EXPECT(attention_biases(m) == 0);
  EXPECT(mlp_parameters(m, m.intermediate_size) == 396'361'728);
  EXPECT(expert_parameters(m) == 44'040'192);
});

BOTH_TIMES("DeepSeek-V3's module for multi-token prediction", [] {
  EXPECT(mtp_layer_parameters(catalog::deepseek_v3) == 11'610'068'224);
  // An MoE layer, its correction bias, the projection of two hidden states to one, and three norms more than a layer has.
  EXPECT(mtp_layer_parameters(catalog::deepseek_v3) == count{11'507'286'016} + 256 + 2 * 7168 * 7168 + 3 * 7168);
});

BOTH_TIMES("multi-token prediction in a dense model repeats a dense layer", [] {
  model m = catalog::llama_3_1_8b;
  m.mtp_layers = 2;
  const count layer = attention_parameters(m) + mlp_parameters(m, m.intermediate_size) + 2 * m.hidden_size;
  EXPECT(parameters(m).mtp == 2 * (layer + 2 * 4096 * 4096 + 3 * 4096));
});

BOTH_TIMES("multi-query is grouped-query with one head, multi-head with all", [] {
  model m{.layers = 1, .hidden_size = 64, .attention = attention::multi_query(4, 16)};
  EXPECT(attention_parameters(m) == 64 * 16 * (4 + 1 + 1 + 4));
  m.attention = attention::multi_head(4, 16);
  EXPECT(attention_parameters(m) == 64 * 16 * (4 + 4 + 4 + 4));
  m.attention.head_dim = 0; // hidden size / heads
  EXPECT(attention_parameters(m) == 64 * 16 * (4 + 4 + 4 + 4));
});

BOTH_TIMES("biases of the output projection are as wide as the model", [] {
  model m{.hidden_size = 64, .attention = {.heads = 4, .kv_heads = 2, .head_dim = 32, .output_bias = true}};
  EXPECT(attention_biases(m) == 64);
  m.attention.qkv_bias = true;
  EXPECT(attention_biases(m) == 64 + 32 * (4 + 2 + 2));
});

BOTH_TIMES("an MLP without a gate has two matrices", [] {
  EXPECT(mlp_parameters({.hidden_size = 10}, 7) == 3 * 10 * 7);
  EXPECT(mlp_parameters({.hidden_size = 10, .gated_mlp = false}, 7) == 2 * 10 * 7);
});

} // namespace
