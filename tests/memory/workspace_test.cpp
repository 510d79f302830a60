// Sizes are what the sources allocate: Transformer Engine cpp_extensions/gemm.py, PyTorch CublasHandlePool.cpp, Megatron-LM's
// dispatchers and rotary embeddings. The totals of b200_test.cpp hold all of it.
#include <moeplan/memory/workspace.hpp>

#include "memory/measured_runs.hpp"
#include "support/both_times.hpp"

#include <string_view>

using namespace moeplan;
using namespace moeplan_test;

namespace {

constexpr std::int64_t tokens = 4096;
constexpr std::int64_t mib = 1 << 20;
constexpr std::int64_t te_workspace = 32 * mib + 1024;
constexpr std::int64_t torch_workspaces = 2 * (8 * mib + 128LL * 1024);

/// How many tensors have a name, and the bytes of all.
struct sums {
  std::string_view name;
  int found = 0;
  saturating_count bytes{};
  saturating_count all{};
  constexpr void operator()(const tensor& t) noexcept {
    const saturating_count b = allocated(bytes_of(t));
    all += b;
    if (name != t.name) return;
    ++found;
    bytes += b;
  }
};

constexpr activation_shape shape_of(const deployment& d) {
  return activation_shape_of(d.model, rank_model(d.model, d.strategy), d.strategy, d.workload.train);
}

constexpr sums megatron(const deployment& d, const stage_parts& n, std::string_view name = "") {
  sums s{.name = name};
  visit_megatron_workspace(shape_of(d), n, s);
  return s;
}

constexpr stage_parts dense_stage{.layers = 6, .softmax_attention = 6, .dense_mlp = 6};
constexpr stage_parts moe_stage{.layers = 2, .softmax_attention = 2, .moe_mlp = 2};

constexpr stage_parts with_ends(stage_parts n) {
  n.embedding = n.final_norm = n.head_parameters = true;
  return n;
}

constexpr deployment llama = measured_llama(catalog::llama_3_1_70b, 12, 1, 2, 1, tokens);
constexpr deployment v2 = measured_deepseek(catalog::deepseek_v2, 4, 2);

constexpr const char* te = "cuBLAS workspace of Transformer Engine";
constexpr const char* grouped = "cuBLAS workspaces of grouped linear layers, one a stream";
constexpr const char* torch = "cuBLAS workspaces of PyTorch";
constexpr const char* stand_in = "stand-in for the gradient of a weight";
constexpr const char* held = "probabilities that the dispatchers hold, one a layer";

BOTH_TIMES("a dense stage without a head multiplies through Transformer Engine alone", [] {
  EXPECT(megatron(llama, dense_stage, te).bytes == te_workspace);
  EXPECT(megatron(llama, dense_stage, torch).found == 0);
  EXPECT(megatron(llama, dense_stage, grouped).found == 0);
});

BOTH_TIMES("the head and the router multiply through PyTorch, from two threads", [] {
  EXPECT(megatron(llama, with_ends(dense_stage), torch).bytes == torch_workspaces);
  EXPECT(megatron(v2, moe_stage, torch).bytes == torch_workspaces);
});

BOTH_TIMES("grouped linear layers have a workspace for each of four streams",
           [] { EXPECT(megatron(v2, moe_stage, grouped).bytes == 4 * te_workspace); });

BOTH_TIMES("stand-ins for weights' gradients: one of each shape, whatever the number of layers", [] {
  // Llama-3 70B: queries, keys and values; output; up and gate; down. In MiB of two bytes a number.
  EXPECT(megatron(llama, dense_stage, stand_in).bytes == (160 + 128 + 896 + 448) * mib);
  EXPECT(megatron(llama, dense_stage, stand_in).found == 4);
  // The head's, with its padded vocabulary of 128,384.
  EXPECT(megatron(llama, with_ends(dense_stage), stand_in).bytes == (160 + 128 + 896 + 448) * mib + 2LL * 128'384 * 8192);
  const deployment tp8 = measured_llama(catalog::llama_3_1_70b, 12, 8, 1, 1, tokens);
  EXPECT(megatron(tp8, with_ends(dense_stage), stand_in).bytes == 478'150'656);
});

BOTH_TIMES("DeepSeek-V2's eleven shapes and the head's", [] {
  constexpr stage_parts both{.layers = 4, .softmax_attention = 4, .dense_mlp = 1, .moe_mlp = 3};
  const sums s = megatron(v2, with_ends(both), stand_in);
  EXPECT(s.found == 12);
  // In eighths of a MiB: five of attention, two of dense layers, of shared and of routed experts; 102,528 x 5120.
  EXPECT(s.bytes == (120 + 576 + 45 + 256 + 1280 + 1920 + 960 + 480 + 240 + 240 + 120) * mib / 8 + 2LL * 102'528 * 5120);
});

BOTH_TIMES("equal shapes share one", [] {
  deployment d = v2;
  d.model.experts.shared_intermediate_size = d.model.experts.intermediate_size;
  EXPECT(megatron(d, moe_stage, stand_in).found == 5 + 2);
});

BOTH_TIMES("none without fused weight gradients", [] {
  deployment d = v2;
  d.workload.train.kernels.fused_weight_gradient = false;
  EXPECT(megatron(d, with_ends(moe_stage), stand_in).found == 0);
});

BOTH_TIMES("dispatchers hold the probabilities of every MoE layer", [] {
  EXPECT(megatron(v2, moe_stage, held).bytes == 2 * tokens * 160 * 2);
  EXPECT(megatron(llama, dense_stage, held).found == 0);
});

BOTH_TIMES("the all-gather dispatcher holds gathered tokens instead", [] {
  deployment d = v2;
  d.workload.train.dispatcher = token_dispatcher::all_gather;
  EXPECT(megatron(d, moe_stage, "gathered tokens").bytes == 2LL * 4 * tokens * 5120);
  EXPECT(megatron(d, moe_stage, held).found == 0);
  // Without other ranks there is nothing to gather.
  d.strategy = {ep{1}, dp{8}};
  EXPECT(megatron(d, moe_stage, "gathered tokens").found == 0);
});

BOTH_TIMES("the head gathers its input into a buffer of its own, with sequence parallelism", [] {
  const deployment tp8 = measured_llama(catalog::llama_3_1_70b, 12, 8, 1, 1, tokens);
  EXPECT(megatron(tp8, with_ends(dense_stage), "gathered input of the head").bytes == 2 * tokens * 8192);
  EXPECT(megatron(tp8, dense_stage, "gathered input of the head").found == 0);
  EXPECT(megatron(llama, with_ends(dense_stage), "gathered input of the head").found == 0);
});

BOTH_TIMES("rotary embeddings: one for all layers, of a rank's own tokens; with latent attention one a layer, of all", [] {
  EXPECT(megatron(llama, dense_stage, "rotary embedding").bytes == 2 * mib);
  const deployment cp8 = measured_llama(catalog::llama_3_1_70b, 12, 1, 1, 8, 8 * tokens);
  EXPECT(megatron(cp8, dense_stage, "rotary embedding").bytes == 2 * mib);
  EXPECT(megatron(v2, moe_stage, "rotary embedding with its cosines and sines, one a layer").bytes == 2LL * 2 * mib);
});

BOTH_TIMES("all of it: two stages of DeepSeek-V2, four layers", [] {
  // Workspaces, rotary embeddings, probabilities, shapes.
  constexpr stage_parts first{.layers = 2, .softmax_attention = 2, .dense_mlp = 1, .moe_mlp = 1, .embedding = true};
  EXPECT(megatron(v2, first).all == 5 * te_workspace + torch_workspaces + 4 * mib + 2 * tokens * 160 + 6237 * mib / 8);
  constexpr stage_parts last{.layers = 2, .softmax_attention = 2, .moe_mlp = 2, .final_norm = true, .head_parameters = true};
  EXPECT(megatron(v2, last).all ==
         5 * te_workspace + torch_workspaces + 4 * mib + 2 * tokens * 160 * 2 + 3357 * mib / 8 + 2LL * 102'528 * 5120);
});

BOTH_TIMES("a stage of multi-token prediction alone has the workspace of its layer, which is of the last one's kind", [] {
  deployment d = v2;
  d.model.mtp_layers = 1;
  constexpr stage_parts alone{.mtp = 1};
  EXPECT(megatron(d, alone, grouped).found == 1);
  EXPECT(megatron(d, alone, held).bytes == 2 * tokens * 160);
  EXPECT(megatron(d, alone, stand_in).found == 5 + 4 + 1);
  deployment dense = llama;
  dense.model.mtp_layers = 1;
  EXPECT(megatron(dense, alone, grouped).found == 0);
  EXPECT(megatron(dense, alone, stand_in).found == 4 + 1);
});

constexpr sums of_sharding(sharding how, const deployment& d, const stage_parts& n) {
  training t = d.workload.train;
  t.sharding = how;
  const auto parts =
      parts_of_rank<saturating_count>(d.model, rank_model(d.model, d.strategy), d.strategy, t.vocabulary_multiple, t.assumptions);
  sums s;
  visit_sharding_workspace(t, parts, n, s);
  return s;
}

BOTH_TIMES("sharded gradients need a layer's whole, sharded weights a layer's and the next one's and both ends", [] {
  constexpr std::int64_t layer = 8192 * (64 + 2 * 8 + 64) * 128 + 3 * 8192 * 28672 + 2 * 8192;
  constexpr std::int64_t ends = 2LL * 128'384 * 8192;
  EXPECT(of_sharding(sharding::none, llama, dense_stage).all == 0);
  EXPECT(of_sharding(sharding::optimizer, llama, dense_stage).all == 0);
  EXPECT(of_sharding(sharding::gradients, llama, dense_stage).all == 2 * layer);
  EXPECT(of_sharding(sharding::parameters, llama, dense_stage).all == 2 * layer + 4 * layer);
  EXPECT(of_sharding(sharding::parameters, llama, with_ends(dense_stage)).all == 2 * layer + 4 * layer + 2 * ends);
});

BOTH_TIMES("the largest layer is the one that counts", [] {
  constexpr stage_parts both{.layers = 2, .softmax_attention = 2, .dense_mlp = 1, .moe_mlp = 1};
  EXPECT(of_sharding(sharding::gradients, v2, both).all == of_sharding(sharding::gradients, v2, moe_stage).all);
  constexpr stage_parts dense{.layers = 1, .softmax_attention = 1, .dense_mlp = 1};
  EXPECT(of_sharding(sharding::gradients, v2, dense).all < of_sharding(sharding::gradients, v2, moe_stage).all);
  deployment d = v2;
  d.model.mtp_layers = 1;
  // Multi-token prediction has a layer, a projection and norms.
  EXPECT(of_sharding(sharding::gradients, d, {.mtp = 1}).all > of_sharding(sharding::gradients, d, moe_stage).all);
});

} // namespace
