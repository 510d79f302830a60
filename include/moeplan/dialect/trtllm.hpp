#pragma once

#include <cstdint>

#include <moeplan/dialect/reading.hpp>
#include <moeplan/dialect/same.hpp>
#include <moeplan/dialect/spelling.hpp>
#include <moeplan/dialect/stage_split.hpp>
#include <moeplan/dialect/unsaid.hpp>
#include <moeplan/dialect/writing.hpp>

/// @file
/// TensorRT-LLM: flags of trtllm-serve. Names from tensorrt_llm/commands/serve.py, meaning from tensorrt_llm/mapping.py. (Releases before
/// 2026 have no flag for attention data parallelism: there it is enable_attention_dp in the configuration file.)
///
/// --tp_size is a whole pipeline stage but for context parallelism. With attention data parallelism every one of these ranks holds all
/// of the attention (TP 1, DP tp_size), else each holds a part (TP tp_size, DP 1). The experts of the same ranks are on MoE-TP x MoE-EP,
/// and MoE-TP is tp_size / ep_size: there is one copy of them in tp_size ranks. The ranks of EP are neighbours, those of MoE-TP are not.
///
/// The format of weights and by itself that of the cache are the checkpoint's; how the cache is divided, drafts and the state of linear
/// attention are set in the configuration file: all this the base brings.

namespace moeplan::dialect {

/// What a launch line of TensorRT-LLM says.
struct trtllm_words {
  optional_integer tp{}, pp{}, cp{}, ep{}, cluster{};
  bool attention_dp = false;
  optional_integer gpus_per_node{};
  optional_integer batch{}, sequence_length{}, step_tokens{};
  text cache{};
};

/// One row a flag.
struct trtllm_table {
  using row = flag<trtllm_words>;
  using words = trtllm_words;

  static constexpr row rows[] = {
      row::an_integer("--tp_size", &words::tp, "commands/serve.py", "--tensor_parallel_size"),
      row::an_integer("--pp_size", &words::pp, "commands/serve.py", "--pipeline_parallel_size"),
      row::an_integer("--cp_size", &words::cp, "commands/serve.py", "--context_parallel_size"),
      row::an_integer("--ep_size", &words::ep, "commands/serve.py", "--moe_expert_parallel_size"),
      row::an_integer("--cluster_size", &words::cluster, "commands/serve.py", "--moe_cluster_parallel_size").only_read(),
      row::a_switch("--enable_attention_dp", &words::attention_dp, "commands/serve.py"),
      row::an_integer("--gpus_per_node", &words::gpus_per_node, "commands/serve.py").only_read(),
      row::an_integer("--max_batch_size", &words::batch, "commands/serve.py"),
      row::an_integer("--max_seq_len", &words::sequence_length, "commands/serve.py"),
      row::an_integer("--max_num_tokens", &words::step_tokens, "commands/serve.py"),
      row::a_word("--kv_cache_dtype", &words::cache, "auto fp8", "commands/serve.py"),
  };
};

/// TensorRT-LLM's launch line. What is not modelled is about kernels, scheduling and the server.
inline constexpr grammar<trtllm_words, sizeof trtllm_table::rows / sizeof *trtllm_table::rows> trtllm_grammar{
    .framework = framework::trtllm,
    .flags = trtllm_table::rows,
    .not_modelled_switches = "--trust_remote_code --fail_fast_on_attention_window_too_large --enable_chunked_prefill",
    .not_modelled =
        "--tokenizer --custom_tokenizer --host --port --backend --custom_module_dirs --log_level --max_beam_width "
        "--free_gpu_memory_fraction --kv_cache_free_gpu_memory_fraction --num_postprocess_workers --revision --config "
        "--extra_llm_api_options --reasoning_parser --tool_parser --metadata_server_config_file --server_role "
        "--otlp_traces_endpoint --disagg_cluster_uri --media_io_kwargs --chat_template --served_model_name",
    .programs = "trtllm-serve serve trtllm-llmapi-launch mpirun srun",
    .model_is_a_word = true};

namespace detail {

/// The order in which TensorRT-LLM numbers the experts' ranks: EP before MoE-TP. On the dense grid it is the same as the default.
inline constexpr rank_order trtllm_order{"ep-tp-cp-dp-pp"};

/// Whether the CP ranks share keys and values while decoding, and carry the experts too (mapping.py, CpType.HELIX).
[[nodiscard]] constexpr bool is_helix(const strategy& s, const serving& v) noexcept {
  return s[axis::cp] > 1 && v.decode_context == s[axis::cp];
}

constexpr void from_trtllm(translation& t, const trtllm_words& w) noexcept {
  deployment& d = t.deployment;
  if (w.cluster.value_or(1) != 1)
    return t.refuse("experts on clusters of ranks are no degree of the two grids", "--cluster_size", "1");
  const std::int64_t stage = w.tp.value_or(1);
  const std::int64_t ep_size = w.ep.value_or(1);
  strategy s;
  s.set(axis::tp, w.attention_dp ? 1 : stage);
  s.set(axis::dp, w.attention_dp ? stage : 1);
  s.set(axis::cp, w.cp.value_or(1));
  s.set(axis::pp, w.pp.value_or(1));
  s.set(axis::ep, ep_size);
  // The configuration file says how many slots there are for experts, and whether CP is Helix.
  const serving& by_file = d.workload.serve;
  const std::int64_t expert_ranks = is_helix(s, by_file) ? ranks(stage, s[axis::cp]) : stage;
  const bool legal = expert_ranks > 0 && ep_size > 0;
  s.set(axis::etp, legal && d.model.has_experts() ? divided(expert_ranks, ep_size) : 1);
  if (s[axis::etp] == 0)
    return t.refuse("EP does not divide the ranks that TensorRT-LLM spreads experts over", "--ep_size", "a divisor of tp_size");
  if (s[axis::etp] > 1 && ep_size > 1) s.order = trtllm_order;
  serve_with(d, s, trtllm_split,
             {.batch = w.batch,
              .sequence_length = w.sequence_length,
              .redundant_experts = by_file.redundant_experts,
              .decode_context = by_file.decode_context});
  serving& v = d.workload.serve;
  v.step_tokens = w.step_tokens.value_or(v.step_tokens);
  if (w.cache == "fp8") v.cache = cache_format::fp8;
}

constexpr void write_trtllm_grids(trtllm_words& w, writing& out, const deployment& d) noexcept {
  const strategy& s = d.strategy;
  if (has_replicas(d)) note_replicas(out, d, "trtllm-serve starts one server");
  w.attention_dp = s[axis::dp] > 1 && !has_replicas(d);
  w.tp = unless(w.attention_dp ? s[axis::dp] : s[axis::tp], 1);
  if (w.attention_dp && s[axis::tp] != 1)
    out.cannot("tp", s[axis::tp], "with attention data parallelism every rank of TensorRT-LLM holds all of the attention; DP is ")
        .append(s[axis::dp]);
  const bool numbered_otherwise = d.model.has_experts() && s[axis::etp] > 1 && s[axis::ep] > 1;
  note_order(out, d, numbered_otherwise ? trtllm_order : rank_order{},
             "TensorRT-LLM numbers ranks as ep-tp-cp-dp-pp, and cannot otherwise");
  if (!d.model.has_experts()) return;
  w.ep = unless(s[axis::ep], 1);
  const bool helix = is_helix(s, d.workload.serve);
  const std::int64_t expert_ranks = ranks(s[axis::etp], s[axis::ep]);
  const std::int64_t its_expert_ranks = ranks(w.tp.value_or(1), helix ? s[axis::cp] : 1);
  if (expert_ranks != its_expert_ranks) {
    const text why = helix ? text{"MoE-TP x EP is tp_size x cp_size in TensorRT-LLM with Helix"}
                           : text{"MoE-TP x EP is tp_size in TensorRT-LLM"};
    out.cannot("etp", s[axis::etp], why).append(text{", not "}).append(expert_ranks);
    if (s[axis::ep] > 1) out.cannot("ep", s[axis::ep], why).append(text{": "}).append(its_expert_ranks);
  }
  if (s[axis::cp] > 1 && s[axis::ep] > 1 && !helix)
    out.cannot("cp", s[axis::cp],
               "with EP it must be Helix parallelism, which TensorRT-LLM's configuration file chooses and no flag");
}

constexpr void write_trtllm_cache(trtllm_words& w, writing& out, const serving& v) noexcept {
  const serving by_default{};
  w.step_tokens = unless(v.step_tokens, by_default.step_tokens);
  if (v.cache == cache_format::fp8) w.cache = "fp8";
  if (v.cache == cache_format::fp8_ds_mla) out.cannot("cache: TensorRT-LLM has no such format");
  constexpr text by_file = "it is set in TensorRT-LLM's configuration file, not by a flag";
  if (v.block_size != by_default.block_size) out.cannot("block_size", v.block_size, by_file);
  note_unless(out, v.windows, by_default.windows, "windows", by_file);
  note_unless(out, v.linear_state, by_default.linear_state, "linear_state", by_file);
  note_unless(out, v.drafts, by_default.drafts, "drafts", by_file);
  note_checkpoint(out, v, "TensorRT-LLM takes it from the checkpoint");
  note_what_is_not_launched(out, v);
}

constexpr void write_trtllm_serving(trtllm_words& w, writing& out, const deployment& d) noexcept {
  const serving_words v = words_for(d.workload.serve, d.model);
  w.batch = v.batch;
  w.sequence_length = v.sequence_length;
  if (v.redundant_experts.given)
    out.cannot("redundant_experts", v.redundant_experts.number,
               "slots for experts are set in TensorRT-LLM's configuration file (moe_config.load_balancer), not by a flag");
  if (v.decode_context.given)
    out.cannot("decode_context", v.decode_context.number,
               "Helix is chosen in TensorRT-LLM's configuration file (cp_config), not by a flag");
  if (v.elastic_ep) out.cannot("elastic_ep", text{"true"}, "the ranks of TensorRT-LLM are fixed when it starts");
  write_trtllm_cache(w, out, d.workload.serve);
}

} // namespace detail

/// Reads flags of TensorRT-LLM. The base brings the model, the cluster, and what TensorRT-LLM has no flags for.
[[nodiscard]] constexpr reading read_trtllm(text flags, const deployment& base) noexcept {
  return read_flags(trtllm_grammar, flags, base, &detail::from_trtllm);
}

/// Writes flags for TensorRT-LLM.
[[nodiscard]] constexpr writing write_trtllm(const deployment& described) noexcept {
  const deployment d = spelled_out(described);
  const strategy& s = d.strategy;
  writing out;
  note_what_no_flag_says(out, d, framework::trtllm);
  note_experts_of_a_dense_model(out, d);
  trtllm_words w;
  w.pp = unless(s[axis::pp], 1);
  w.cp = unless(s[axis::cp], 1);
  detail::write_trtllm_grids(w, out, d);
  if (s[axis::sp] != 1) out.cannot("sp", s[axis::sp], "TensorRT-LLM has no sequence parallelism to switch on");
  note_no_interleaving(out, d, "TensorRT-LLM gives each pipeline rank one stage");
  note_split(out, d, trtllm_split, "trtllm-serve splits layers by itself, the first stages holding one more");
  note_serving(out, d);
  if (d.workload.is_serving()) detail::write_trtllm_serving(w, out, d);
  write_flags(out, trtllm_grammar, w);
  return out;
}

} // namespace moeplan::dialect
