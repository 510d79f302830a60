#include <moeplan/memory/parameters.hpp>

#include <moeplan/io/catalog_names.hpp>

#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "support/both_times.hpp"

// tests/data/model_parameters.csv: parameters by component, counted from config.json and compared with the published checkpoints'
// safetensors headers. further_models.csv: the number that the hub gives for a repository from those headers.

using namespace moeplan;

namespace {

using row = std::map<std::string, std::string>;

std::vector<std::string> cells(const std::string& line) {
  std::vector<std::string> all;
  std::istringstream stream{line};
  for (std::string cell; std::getline(stream, cell, ',');) all.push_back(cell);
  return all;
}

std::vector<row> read_rows(const std::string& name) {
  std::ifstream file{MOEPLAN_TEST_DATA "/" + name};
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

/// The model of the catalog that is published in a repository, if there is one.
const model* published_as(std::string_view repository) {
  for (const auto& entry : io::catalog_models)
    if (repository == entry.published) return entry.value;
  return nullptr;
}

/// A model by the name that it has in the file: the last part of its repository's name, sometimes shortened.
const model& named(const std::string& name) {
  const std::map<std::string, std::string> longer{
      {"DBRX", "dbrx-base"},
      {"ERNIE-4.5-21B-A3B", "ERNIE-4.5-21B-A3B-PT"},
      {"Grok-1", "grok-1"},
      {"Kimi-K2", "Kimi-K2-Instruct"},
      {"Llama-4-Scout", "Llama-4-Scout-17B-16E"},
      {"Mixtral-8x22B", "Mixtral-8x22B-v0.1"},
      {"Mixtral-8x7B", "Mixtral-8x7B-v0.1"},
      {"OLMoE-1B-7B", "OLMoE-1B-7B-0924"},
      {"Phi-3.5-MoE", "Phi-3.5-MoE-instruct"},
      {"Qwen3-Next-80B-A3B", "Qwen3-Next-80B-A3B-Instruct"},
  };
  const auto found = longer.find(name);
  const std::string wanted = '/' + (found == longer.end() ? name : found->second);
  for (const auto& entry : io::catalog_models)
    if (std::string_view{entry.published}.ends_with(wanted)) return *entry.value;
  FAIL("the catalog has no " << name);
  return *io::catalog_models[0].value;
}

void check_components(const row& r, const parameter_counts<>& p) {
  CHECK(p.embedding == number(r, "embedding"));
  CHECK(p.attention == number(r, "attention"));
  CHECK(p.attention_bias == number(r, "attention_bias"));
  CHECK(p.qk_norm == number(r, "qk_norm"));
  CHECK(p.sinks == number(r, "sinks"));
  CHECK(p.indexer == number(r, "indexer"));
  CHECK(p.linear_attention == number(r, "linear_attention"));
  CHECK(p.router == number(r, "router"));
  CHECK(p.router_bias == number(r, "router_bias"));
  CHECK(p.routed_experts == number(r, "routed_experts"));
  CHECK(p.routed_expert_bias == number(r, "routed_expert_bias"));
  CHECK(p.shared_experts == number(r, "shared_experts"));
  CHECK(p.shared_expert_gate == number(r, "shared_expert_gate"));
  CHECK(p.dense_mlp == number(r, "dense_mlp"));
  CHECK(p.layer_norms == number(r, "layer_norms"));
  CHECK(p.final_norm == number(r, "final_norm"));
  CHECK(p.lm_head == number(r, "lm_head"));
  CHECK(p.lm_head_bias == number(r, "lm_head_bias"));
  CHECK(p.mtp == number(r, "mtp_own"));
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
}

/// Scales that FP8 checkpoints hold: one for each block of 128 x 128 of a quantised matrix.
count scales(std::int64_t rows, std::int64_t columns) { return count{(rows + 127) / 128} * ((columns + 127) / 128); }

/// Attention, experts and MLPs are quantised; embedding, head, router, the projection of the module for multi-token prediction and the
/// weights of an indexer's heads are not.
count scales_of(const model& m) {
  const attention& a = m.attention;
  const auto mlp = [&m](std::int64_t width) { return 3 * scales(width, m.hidden_size); };
  count one_attention;
  if (a.kind == attention_kind::latent) {
    one_attention =
        scales(a.q_lora_rank, m.hidden_size) + scales(a.heads * (a.qk_nope_head_dim + a.qk_rope_head_dim), a.q_lora_rank) +
        scales(a.kv_lora_rank + a.qk_rope_head_dim, m.hidden_size) +
        scales(a.heads * (a.qk_nope_head_dim + a.v_head_dim), a.kv_lora_rank) + scales(m.hidden_size, a.heads * a.v_head_dim);
    if (a.indexer.heads > 0)
      one_attention += scales(a.indexer.heads * a.indexer.head_dim, a.q_lora_rank) + scales(a.indexer.head_dim, m.hidden_size);
  } else {
    one_attention = 2 * scales(a.heads * a.head_dim, m.hidden_size) + 2 * scales(a.kv_heads * a.head_dim, m.hidden_size);
  }
  const count experts = m.experts.routed * mlp(m.experts.intermediate_size) + mlp(m.experts.shared_intermediate_size);
  const std::int64_t modules = m.mtp_layers; // a layer of experts each
  return (m.layers + modules) * one_attention + (m.moe_layers() + modules) * experts + m.dense_layers() * mlp(m.intermediate_size);
}

/// What a checkpoint of that kind holds.
count held_by(const std::string& kind, const model& m) {
  const auto p = parameters(m);
  // Embedding and head are stored again with each module for multi-token prediction.
  const count with_modules = p.total() + p.mtp + m.mtp_layers * (p.embedding + p.lm_head);
  if (kind == "main") return p.total();
  if (kind == "main_scales") return p.total() + scales_of(m);
  if (kind == "ckpt_mtp") return with_modules;
  if (kind == "ckpt_scales") return with_modules + scales_of(m);
  if (kind == "multimodal") return p.total() + 850'960'896 + 20'971'520; // Llama 4's vision tower and projector
  if (kind == "main_mtp_qnext") {                                        // a module that config.json does not tell of
    model with_module = m;
    with_module.mtp_layers = 1;
    return p.total() + parameters(with_module).mtp;
  }
  FAIL("an unknown kind of checkpoint: " << kind);
  return {};
}

/// What is known to differ between a count and the published number.
count known_difference(const std::string& name) {
  // One 16-bit buffer of 56 elements in each layer, which is no weight but stands in the checkpoint.
  return name == "Kimi-K2" ? 61 * 56 : 0;
}

} // namespace

TEST_CASE("parameters are the published checkpoints', column by column") {
  std::set<std::string> seen;
  int rows = 0;
  for (const row& r : read_rows("model_parameters.csv")) {
    const std::string name = r.at("model");
    CAPTURE(name);
    const model& m = named(name);
    const auto p = parameters(m);
    check_components(r, p);
    check_totals(r, m, p);
    CHECK(count{m.moe_layers()} == number(r, "moe_layers"));
    // Of a dense model the file counts the MLP as its one expert.
    const count expert = m.has_experts() ? expert_parameters(m) + expert_biases(m) : mlp_parameters(m, m.intermediate_size);
    CHECK(expert == number(r, "params_per_expert"));
    CHECK(held_by(r.at("kind"), m) == number(r, "computed_for_kind"));
    if (!r.at("published_exact").empty()) {
      const count difference = number(r, "published_exact") - number(r, "computed_for_kind");
      CHECK((difference == 0 || difference == known_difference(name)));
    }
    seen.insert(name);
    ++rows;
  }
  CHECK(rows == 32);
  CHECK(seen.size() == 25);
}

TEST_CASE("further models have the published number of parameters") {
  int rows = 0;
  for (const row& r : read_rows("further_models.csv")) {
    const std::string& repository = r.at("repository");
    CAPTURE(repository);
    const model* m = published_as(repository);
    if (m == nullptr) continue; // The reader of config.json is tested with it.
    CHECK(held_by(r.at("kind"), *m) == number(r, "published_exact"));
    ++rows;
  }
  CHECK(rows == 6);
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

BOTH_TIMES("a gate of the output doubles the projection of the queries", [] {
  model m{.hidden_size = 64, .attention = {.heads = 4, .kv_heads = 2, .head_dim = 32, .qkv_bias = true, .output_gate = true}};
  EXPECT(attention_parameters(m) == 64 * 32 * (2 * 4 + 2 + 2 + 4));
  EXPECT(attention_biases(m) == 32 * (2 * 4 + 2 + 2));
});

BOTH_TIMES("sinks are a logit a head", [] {
  EXPECT(attention_sinks({.attention = {.heads = 64, .sinks = true}}) == 64);
  EXPECT(attention_sinks({.attention = {.heads = 64}}) == 0);
});

BOTH_TIMES("the indexer of DeepSeek-V3.2", [] {
  // wq_b, wk, k_norm with weight and bias, weights_proj.
  EXPECT(indexer_parameters(catalog::deepseek_v3_2) == 1536 * 64 * 128 + 7168 * 128 + 2 * 128 + 7168 * 64);
  EXPECT(indexer_parameters(catalog::deepseek_v3) == 0);
});

BOTH_TIMES("Gated DeltaNet in one layer of Qwen3-Next", [] {
  // in_proj_qkvz, in_proj_ba, conv1d, dt_bias and A_log, norm, out_proj of the checkpoint.
  EXPECT(linear_attention_parameters(catalog::qwen3_next_80b_a3b) ==
         12288 * 2048 + 64 * 2048 + 8192 * 4 + 2 * 32 + 128 + 2048 * 4096);
  EXPECT(parameters(catalog::qwen3_next_80b_a3b).linear_attention == 36 * linear_attention_parameters(catalog::qwen3_next_80b_a3b));
});

BOTH_TIMES("a LayerNorm has a bias too, and layers may have four norms", [] {
  model m{.layers = 3, .hidden_size = 10, .attention = attention::multi_head(1, 10)};
  EXPECT(parameters(m).layer_norms == 3 * 2 * 10);
  EXPECT(parameters(m).final_norm == 10);
  m.norms_per_layer = 4;
  m.norm_bias = true;
  EXPECT(parameters(m).layer_norms == 3 * 4 * 2 * 10);
  EXPECT(parameters(m).final_norm == 2 * 10);
});

BOTH_TIMES("biases of router and experts", [] {
  model m{.hidden_size = 10, .experts = {.routed = 8, .intermediate_size = 7}};
  EXPECT(router_biases(m) == 0);
  EXPECT(expert_biases(m) == 0);
  m.experts.selection_bias = true;
  EXPECT(router_biases(m) == 8);
  m.experts.router_bias = m.experts.bias = true;
  EXPECT(router_biases(m) == 16);
  EXPECT(expert_biases(m) == 7 + 7 + 10);
  m.gated_mlp = false;
  EXPECT(expert_biases(m) == 7 + 10);
});

BOTH_TIMES("biases of experts that a token does not visit are inactive", [] {
  const auto p = parameters(catalog::gpt_oss_120b);
  EXPECT(p.routed_expert_bias == 36 * 128 * (2 * 2880 + 2880));
  EXPECT(p.inactive_experts == 36LL * (128 - 4) * (3 * 2880 * 2880 + 2 * 2880 + 2880));
});

} // namespace
