// Deployments without any finding, from which the tests make wrong ones, and what a finding suggests, put into practice.
#pragma once

#include <cstdint>

#include <moeplan/describe/deployment.hpp>
#include <moeplan/text/text.hpp>
#include <moeplan/verify/order_number.hpp>

namespace moeplan_test {

/// TP 2 x CP 2 x DP 4 x PP 2 = 32 GPUs, 16 a stage; experts on ETP 1 x EP 8 x EDP 2 of them; two layers on each of four virtual stages.
inline constexpr moeplan::deployment trained{
    .model = {.layers = 8,
              .hidden_size = 512,
              .vocabulary_size = 1000,
              .intermediate_size = 1024,
              .attention = moeplan::attention::grouped_query(16, 8, 0),
              .experts = {.routed = 16,
                          .top_k = 2,
                          .intermediate_size = 256,
                          .shared_intermediate_size = 128,
                          .groups = 4,
                          .group_top_k = 2,
                          .layers = moeplan::layer_set::after_first(1)},
              .mtp_layers = 1,
              .max_positions = 4096},
    .cluster = {.gpus_per_node = 8, .nodes = 4},
    .strategy = {moeplan::tp{2}, moeplan::cp{2}, moeplan::dp{4}, moeplan::pp{2}, moeplan::vpp{2}, moeplan::ep{8}, moeplan::etp{1},
                 moeplan::sp{2}},
    .workload =
        moeplan::training{
            .global_batch = 64, .micro_batch = 2, .sequence_length = 1024, .dispatcher = moeplan::token_dispatcher::all_to_all},
};

/// A deployment with something changed: changed(trained, [](auto& d) { d.model.layers = 7; }).
template <class Change>
constexpr moeplan::deployment changed(moeplan::deployment d, Change change) {
  change(d);
  return d;
}

/// The same model on the same GPUs, answering requests; each EP rank holds two experts and one copy of another.
inline constexpr moeplan::deployment served = changed(trained, [](moeplan::deployment& d) {
  d.workload = moeplan::serving{.batch = 4, .sequence_length = 1024, .redundant_experts = 8};
});

/// `trained` with parts of its strategy replaced.
template <class... Parts>
constexpr moeplan::deployment trained_with(Parts... parts) {
  moeplan::deployment d = trained;
  ((d.strategy = d.strategy.with(parts)), ...);
  return d;
}

/// The deployment under another framework's rules.
constexpr moeplan::deployment in(moeplan::profile p, moeplan::deployment d = trained) {
  d.profile = p;
  return d;
}

/// The deployment with one axis not given.
constexpr moeplan::deployment without(moeplan::axis a, moeplan::deployment d = trained) {
  d.strategy.given = static_cast<std::uint16_t>(d.strategy.given & ~(1U << static_cast<unsigned>(a)));
  d.strategy.degrees[static_cast<std::size_t>(a)] = a == moeplan::axis::dp ? 0 : 1;
  return d;
}

/// Follows a suggestion: sets what finding::changes() names. False if nothing has that name.
constexpr bool follow(moeplan::deployment& d, moeplan::text changes, std::int64_t value) {
  for (std::size_t i = 0; i < 8; ++i) {
    const auto a = static_cast<moeplan::axis>(i);
    if (changes == moeplan::name_of(a)) return d.strategy.set(a, value), true;
  }
  if (changes == "order") return d.strategy.order = moeplan::order_of(value), true;
  if (changes == "nvlink_domain") return d.cluster.nvlink_domain = value, true;
  if (changes == "gpus") return d.cluster = {.gpu = d.cluster.gpu, .total = value}, true;
  moeplan::model& m = d.model;
  if (changes == "heads") return m.attention.heads = value, true;
  if (changes == "kv_heads") return m.attention.kv_heads = value, true;
  if (changes == "top_k") return m.experts.top_k = value, true;
  if (changes == "groups") return m.experts.groups = value, true;
  if (changes == "group_top_k") return m.experts.group_top_k = value, true;
  if (changes == "first") return d.layout.first = value, true;
  if (changes == "last") return d.layout.last = value, true;
  moeplan::training& t = d.workload.train;
  moeplan::serving& s = d.workload.serve;
  const bool training = d.workload.is_training();
  if (changes == "micro_batch") return t.micro_batch = value, training;
  if (changes == "global_batch") return t.global_batch = value, training;
  if (changes == "recompute_layers") return t.recompute_layers = value, training;
  if (changes == "block_size") return s.block_size = value, !training;
  if (changes == "step_tokens") return s.step_tokens = value, !training;
  if (changes == "dp_replicate") return t.dp_replicate = value, training;
  if (changes == "decode_context") return s.decode_context = value, !training;
  if (changes == "batch") return s.batch = value, !training;
  if (changes == "redundant_experts") return s.redundant_experts = value, !training;
  if (changes == "sequence_length") return (training ? t.sequence_length : s.sequence_length) = value, true;
  if (changes == "vocabulary_multiple") return (training ? t.vocabulary_multiple : s.vocabulary_multiple) = value, true;
  return false;
}

} // namespace moeplan_test
