// The models and settings of the runs in tests/data/b200_measured.json, as far as memory depends on them.
//
// NullTokenizer adds a token to the vocabulary (megatron/training/tokenizer/tokenizer.py), which is then padded to a multiple of 128 x
// TP. Weights are bf16, gradients fp32, the optimizer is sharded over data and context parallelism. Sequence parallelism is switched on,
// which Megatron-LM takes back where TP is 1 (arguments.py).
#pragma once

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/llama.hpp>
#include <moeplan/memory/training_memory.hpp>

namespace moeplan_test {

/// With fewer layers and a token more.
constexpr moeplan::model shortened(moeplan::model m, std::int64_t layers) {
  m.layers = layers;
  m.vocabulary_size += 1;
  return m;
}

/// DeepSeek models with one dense layer; groups of experts are EP ranks, scores are of the softmax before the choice.
constexpr moeplan::model shortened_deepseek(moeplan::model m, std::int64_t layers, std::int64_t expert_ranks) {
  m = shortened(m, layers);
  m.mtp_layers = 0;
  m.experts.layers = moeplan::layer_set::after_first(1);
  m.experts.groups = expert_ranks;
  m.experts.group_top_k = 3;
  m.experts.score = moeplan::router_score::softmax;
  m.experts.selection_bias = false;
  return m;
}

constexpr moeplan::training measured_training(std::int64_t sequence_length, std::int64_t global_batch) {
  return {.global_batch = global_batch,
          .sequence_length = sequence_length,
          .context = moeplan::context_exchange::all_to_all,
          .dispatcher = moeplan::token_dispatcher::all_to_all,
          .routing = {.balancing = moeplan::load_balancing::sequence_auxiliary_loss,
                      .capacity_factor = moeplan::ratio{1},
                      .pad_to_capacity = true,
                      .pre_softmax = true},
          .sharding = moeplan::sharding::optimizer,
          .kernels = {.fused_cross_entropy = true}};
}

/// Llama-3 on 8 GPUs: four micro-batches.
constexpr moeplan::deployment measured_llama(const moeplan::model& m, std::int64_t layers, std::int64_t tensor, std::int64_t stages,
                                             std::int64_t contexts, std::int64_t sequence_length) {
  using namespace moeplan;
  const std::int64_t data = 8 / (tensor * stages * contexts);
  return {.model = shortened(m, layers),
          .strategy = {tp{tensor}, sp{tensor}, pp{stages}, cp{contexts}, dp{data}},
          .workload = measured_training(sequence_length, 4 * data)};
}

/// DeepSeek on 8 GPUs: four layers, four micro-batches.
constexpr moeplan::deployment measured_deepseek(const moeplan::model& m, std::int64_t expert_ranks, std::int64_t stages) {
  using namespace moeplan;
  const std::int64_t data = 8 / stages;
  return {.model = shortened_deepseek(m, 4, expert_ranks),
          .strategy = {pp{stages}, ep{expert_ranks}, dp{data}},
          .workload = measured_training(4096, 4 * data)};
}

/// The same with the ordinary loss: a copy of the logits in fp32.
constexpr moeplan::deployment without_fused_loss(moeplan::deployment d) {
  d.workload.train.kernels.fused_cross_entropy = false;
  return d;
}

} // namespace moeplan_test
