#include <doctest/doctest.h>

#include <moeplan/dialect/dialect.hpp>

#include <string>

#include "published.hpp"
#include "support/both_times.hpp"

using namespace moeplan;
using namespace moeplan_test;
using dialect::framework;

namespace {

std::string string_of(text t) { return {t.data(), t.size()}; }

/// With parameters sharded, which torchtitan does in every training. No publication of these says how it sharded.
constexpr deployment as_trained_by(framework f, deployment d) {
  if (f == framework::torchtitan && d.workload.is_training()) d.workload.train.sharding = sharding::parameters;
  return d;
}

/// That those frameworks can express it which are said to, and what their flags say is it.
void expect_there_and_back(const published_deployment& p) {
  for (const framework f : dialect::frameworks) {
    const deployment d = as_trained_by(f, p.deployment);
    CAPTURE(p.name);
    CAPTURE(string_of(name_of(f)));
    const dialect::writing w = dialect::write(f, d);
    CAPTURE(string_of(text{w.flags}));
    std::string sentences;
    for (const auto& sentence : w.cannot_express) sentences += string_of(text{sentence}) + '\n';
    CAPTURE(sentences);
    const bool expressed = dialect::is_among(name_of(f), p.expressed_by);
    CHECK(w.complete() == expressed);
    if (!expressed) continue;
    const dialect::reading r = dialect::read(f, text{w.flags}, {.model = d.model, .cluster = d.cluster});
    CAPTURE(string_of(r.error.problem));
    REQUIRE(r.ok());
    CHECK(dialect::same(d, r.deployment));
    CHECK(r.without_meaning.empty());
  }
}

} // namespace

// The round trip: what a framework's flags say of a published deployment is the same deployment again; where they do not say all of it,
// there is a sentence for every part that is lost.
TEST_CASE("every published deployment to flags and back") {
  for (const published_deployment& p : published) expect_there_and_back(p);
}

// By hand, from which of the frameworks has a flag for what.
TEST_CASE("what else flags say, there and back") {
  const published_deployment others[] = {
      {"copies of shards",
       trained(catalog::mixtral_8x7b, 16, {ep{8}},
               {.global_batch = 16, .sequence_length = 4096, .dp_replicate = 2, .sharding = sharding::parameters}),
       "megatron torchtitan"},
      {"copies of shards, sequence not stated",
       trained(catalog::llama_3_1_8b, 16, {}, {.global_batch = 16, .dp_replicate = 4, .sharding = sharding::parameters}),
       "megatron deepspeed"},
      {"sharded gradients, FP8 and full recompute of blocks",
       trained(catalog::mixtral_8x7b, 16, {ep{8}},
               {.global_batch = 16,
                .sequence_length = 4096,
                .recompute = recompute::full,
                .recompute_method = recompute_method::block,
                .recompute_layers = 2,
                .precision = {.gradients = number_type::bf16, .fp8 = fp8_recipe::tensorwise, .fp8_weights = true},
                .sharding = sharding::gradients,
                .kernels = {.flash_attention = false, .fused_cross_entropy = true}}),
       "megatron"},
      {"DualPipe's half",
       trained(catalog::mixtral_8x7b, 16, {pp{4}, vpp{2}, ep{4}},
               {.global_batch = 64, .sequence_length = 4096, .schedule = schedule::dualpipe_v}),
       "torchtitan"},
      {"several passes forward before one back",
       trained(catalog::mixtral_8x7b, 16, {pp{4}, ep{4}},
               {.global_batch = 64, .sequence_length = 4096, .schedule = schedule::gpipe}),
       "torchtitan"},
      {"ZeRO-2 on the host",
       trained(catalog::llama_3_1_8b, 16, {}, {.global_batch = 16, .sharding = sharding::gradients, .optimizer_offload = ratio{1}}),
       "megatron deepspeed"},
      {"a cache in FP8",
       served(catalog::deepseek_v3, 8, {tp{8}, dp{1}, ep{8}},
              {.sequence_length = 4096, .cache = cache_format::fp8, .block_size = 64, .step_tokens = 2048, .drafts = true}),
       "vllm sglang"},
      {"the latent cache of sparse attention",
       served(catalog::deepseek_v3_2, 8, {tp{8}, dp{1}, ep{8}}, {.sequence_length = 4096, .cache = cache_format::fp8_ds_mla}),
       "vllm"},
      {"weights in FP8, one cache for all layers, and a larger state",
       served(catalog::qwen3_next_80b_a3b, 8, {tp{8}, dp{1}, ep{8}},
              {.sequence_length = 4096,
               .weights = weight_format::fp8_tensor,
               .windows = windowed_cache::all,
               .linear_state = number_type::fp32}),
       "vllm"},
      {"decode context", served(catalog::deepseek_v3, 8, {tp{8}, ep{8}}, {.sequence_length = 4096, .decode_context = 4}),
       "vllm sglang"},
      {"replicas",
       served(catalog::deepseek_v3, 16, {tp{8}, dp{2}, ep{8}},
              {.sequence_length = 4096, .data_parallelism = data_parallelism::replicas}),
       "sglang"},
      {"replicas without experts",
       served(catalog::llama_3_1_8b, 8, {tp{4}, dp{2}}, {.sequence_length = 4096, .data_parallelism = data_parallelism::replicas}),
       "vllm sglang"},
      {"elastic", served(catalog::deepseek_v3, 16, {dp{16}, ep{16}}, {.sequence_length = 4096, .elastic_ep = true}), "vllm sglang"},
  };
  for (const published_deployment& each : others) expect_there_and_back(each);
}

// What torchtitan shards is hardly a choice: a training that is said to shard nothing is not the one that it runs.
TEST_CASE("torchtitan says that it shards parameters") {
  for (const published_deployment& p : published) {
    if (!dialect::is_among("torchtitan", p.expressed_by)) continue;
    const dialect::writing w = dialect::write(framework::torchtitan, p.deployment);
    REQUIRE(w.cannot_express.size() == 1);
    CHECK(string_of(text{w.cannot_express[0]}) ==
          (p.deployment.strategy[axis::pp] > 1
               ? "sharding: in a pipeline torchtitan keeps whole weights and gradients for a step, or parameters sharded"
               : "sharding: without a pipeline torchtitan shards parameters, or keeps them whole for a step"));
  }
}

TEST_CASE("flags that are written twice are the same flags") {
  for (const published_deployment& p : published)
    for (const framework f : dialect::frameworks)
      CHECK(text{dialect::write(f, p.deployment).flags} == text{dialect::write(f, dialect::spelled_out(p.deployment)).flags});
}

BOTH_TIMES("there and back through every training framework that can", [] {
  constexpr deployment d = as_trained_by(
      framework::torchtitan, trained(catalog::mixtral_8x22b, 128, {tp{2}, sp{2}, ep{8}, pp{8}, etp{1}}, batch(256, 4096)));
  constexpr deployment base{.model = d.model, .cluster = d.cluster};
  for (const framework f : {framework::megatron, framework::torchtitan}) {
    const dialect::writing w = dialect::write(f, d);
    EXPECT(w.complete());
    EXPECT(dialect::same(d, dialect::read(f, text{w.flags}, base).deployment));
  }
});

BOTH_TIMES("there and back through every serving framework that can", [] {
  constexpr deployment d = served(catalog::mixtral_8x7b, 8, {dp{8}, ep{8}}, {.batch = 64, .sequence_length = 4096});
  constexpr deployment base{.model = d.model, .cluster = d.cluster};
  for (const framework f : {framework::vllm, framework::sglang, framework::trtllm}) {
    const dialect::writing w = dialect::write(f, d);
    EXPECT(w.complete());
    EXPECT(dialect::same(d, dialect::read(f, text{w.flags}, base).deployment));
  }
});

// vLLM's TP 4 x DP 4 with expert parallelism is SGLang's tp-size 16 with dp-size 4, and no attention of TensorRT-LLM's.
TEST_CASE("from one framework to another") {
  const dialect::reading r = dialect::read(
      framework::vllm, "vllm serve deepseek-ai/DeepSeek-V3 -tp 4 -dp 4 --enable-expert-parallel", {.model = catalog::deepseek_v3});
  REQUIRE(r.ok());
  CHECK(string_of(r.model_name) == "deepseek-ai/DeepSeek-V3");
  const dialect::writing w = dialect::write(framework::sglang, r.deployment);
  CHECK(w.complete());
  CHECK(string_of(text{w.flags}) == "--tp-size 16 --dp-size 4 --enable-dp-attention --ep-size 16 --page-size 16");
  CHECK(!dialect::write(framework::trtllm, r.deployment).complete());
}
