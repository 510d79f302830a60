#pragma once

#include <moeplan/describe/serving.hpp>
#include <moeplan/io/enumerator_names.hpp>

/// @file
/// The object "serving" of a deployment file.

namespace moeplan::io {

template <template <class> class Object>
void list_members(Object<serving>& object) {
  object.stated("batch", &serving::batch, "moeplan's own");
  object.stated("sequence_length", &serving::sequence_length, "must be given: 0 is an error");
  object.member("redundant_experts", &serving::redundant_experts, "vLLM num_redundant_experts");
  object.member("decode_context", &serving::decode_context, "vLLM --decode-context-parallel-size");
  object.member("data_parallelism", &serving::data_parallelism, data_parallelism_names,
                "moeplan's own, as in vLLM and TensorRT-LLM: SGLang needs --enable-dp-attention");
  object.member("elastic_ep", &serving::elastic_ep, "vLLM --enable-elastic-ep");
  object.member("vocabulary_multiple", &serving::vocabulary_multiple, "moeplan's own: as in training");
  object.member("weights", &serving::weights, weight_format_names, "moeplan's own: frameworks take what the checkpoint has");
  object.member("quantised", &serving::quantised, quantised_parts_names, "moeplan's own: as DeepSeek-V3 and Qwen3-FP8");
  object.member("cache", &serving::cache, cache_format_names, "vLLM --kv-cache-dtype (auto)");
  object.member("block_size", &serving::block_size, "vLLM --block-size");
  object.member("windows", &serving::windows, windowed_cache_names, "vLLM: without --disable-hybrid-kv-cache-manager");
  object.member("step_tokens", &serving::step_tokens, "moeplan's own: decoding without drafts");
  object.member("linear_state", &serving::linear_state, number_type_names, "vLLM: SGLang has fp32");
  object.member("drafts", &serving::drafts, "vLLM: none without --speculative-config");
  object.member("absorbed_projections", &serving::absorbed_projections,
                "moeplan's own: vLLM mla_attention.py where weights are quantised");
  object.member("reserve_bytes", &serving::reserve, "moeplan's own: nothing is set aside");
}

} // namespace moeplan::io
