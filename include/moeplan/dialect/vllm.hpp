#pragma once

#include <cstdint>

#include <moeplan/dialect/reading.hpp>
#include <moeplan/dialect/same.hpp>
#include <moeplan/dialect/spelling.hpp>
#include <moeplan/dialect/stage_split.hpp>
#include <moeplan/dialect/unsaid.hpp>
#include <moeplan/dialect/writing.hpp>

/// @file
/// vLLM: flags of vllm serve. Names from vllm/engine/arg_utils.py, meaning from vllm/config/parallel.py and FusedMoEParallelConfig.make in
/// vllm/model_executor/layers/fused_moe/config.py.
///
/// Attention is on TP x PCP x DP. EP is no number but a switch: with --enable-expert-parallel the experts are spread over all of
/// DP x PCP x TP, whole; without it each is cut into as many parts. Either way there is one copy of them (EDP 1), and DP ranks share it:
/// replicas are instances of their own. A model without experts has nothing to share, and its DP ranks are independent engines.
///
/// The format of weights is the checkpoint's, and so the base's. --quantization quantises a checkpoint of 16 bits while it is loaded: "fp8"
/// with a scale a matrix (layers/quantization/fp8.py), the names of config/quantization.py as they say; other methods only name what the
/// checkpoint has. Models with a sparse indexer have a cache of their own, by default in some releases (DeepseekV32ForCausalLM in
/// models/config.py): there the base says what the line does not.

namespace moeplan::dialect {

/// What a launch line of vLLM says.
struct vllm_words {
  optional_integer tp{}, pp{}, dp{}, prefill_cp{}, decode_cp{};
  bool expert_parallel = false;
  bool balances_load = false;
  bool elastic = false;
  bool sequence_parallel = false;
  optional_integer redundant_experts{};
  optional_integer batch{}, sequence_length{}, step_tokens{}, block_size{};
  text quantization{}, cache{}, linear_state{}, draft_method{};
  bool one_cache_for_all = false;
};

/// One row a flag.
struct vllm_table {
  using row = flag<vllm_words>;
  using words = vllm_words;

  static constexpr row rows[] = {
      row::the_model("--model", "config/model.py"),
      row::an_integer("--tensor-parallel-size", &words::tp, "config/parallel.py", "-tp"),
      row::an_integer("--pipeline-parallel-size", &words::pp, "config/parallel.py", "-pp"),
      row::an_integer("--data-parallel-size", &words::dp, "config/parallel.py", "-dp"),
      row::an_integer("--prefill-context-parallel-size", &words::prefill_cp, "config/parallel.py", "-pcp"),
      row::an_integer("--decode-context-parallel-size", &words::decode_cp, "config/parallel.py", "-dcp"),
      row::a_switch("--enable-expert-parallel", &words::expert_parallel, "config/parallel.py", "-ep"),
      row::a_switch_off("--no-enable-expert-parallel", &words::expert_parallel, "config/parallel.py").only_read(),
      row::a_truth("--compilation-config.pass_config.enable_sp", &words::sequence_parallel, "config/compilation.py"),
      row::an_object("--compilation-config", "--compilation-config.", "config/compilation.py", "-cc"),
      row::a_switch("--enable-elastic-ep", &words::elastic, "config/parallel.py"),
      row::a_switch_off("--no-enable-elastic-ep", &words::elastic, "config/parallel.py").only_read(),
      row::a_switch("--enable-eplb", &words::balances_load, "config/parallel.py"),
      row::an_integer("--eplb-config.num_redundant_experts", &words::redundant_experts, "config/parallel.py",
                      "--num-redundant-experts"),
      row::an_object("--eplb-config", "--eplb-config.", "config/parallel.py"),
      row::an_integer("--max-num-seqs", &words::batch, "config/scheduler.py"),
      row::an_integer("--max-model-len", &words::sequence_length, "config/model.py"),
      row::an_integer("--max-num-batched-tokens", &words::step_tokens, "config/scheduler.py"),
      row::a_word("--quantization", &words::quantization, {}, "config/quantization.py", "-q"),
      row::a_word("--kv-cache-dtype", &words::cache, "auto bfloat16 fp8 fp8_e4m3 fp8_e5m2 fp8_ds_mla", "config/cache.py"),
      row::an_integer("--block-size", &words::block_size, "config/cache.py"),
      row::a_switch("--disable-hybrid-kv-cache-manager", &words::one_cache_for_all, "config/scheduler.py"),
      row::a_switch_off("--no-disable-hybrid-kv-cache-manager", &words::one_cache_for_all, "config/scheduler.py").only_read(),
      row::a_word("--mamba-ssm-cache-dtype", &words::linear_state, "auto float32 float16 bfloat16", "config/cache.py"),
      row::a_word("--speculative-config.method", &words::draft_method, {}, "config/speculative.py"),
      row::an_object("--speculative-config", "--speculative-config.", "config/speculative.py"),
  };
};

/// vLLM's launch line. What is not modelled is about kernels, scheduling and the server.
inline constexpr grammar<vllm_words, sizeof vllm_table::rows / sizeof *vllm_table::rows> vllm_grammar{
    .framework = framework::vllm,
    .flags = vllm_table::rows,
    .not_modelled_switches =
        "--trust-remote-code --enforce-eager --enable-prefix-caching --no-enable-prefix-caching --enable-chunked-prefill "
        "--no-enable-chunked-prefill --enable-auto-tool-choice --disable-log-requests --no-enable-log-requests "
        "--enable-log-requests --disable-log-stats --headless --enable-dbo --data-parallel-hybrid-lb "
        "--data-parallel-external-lb --async-scheduling --no-async-scheduling --disable-custom-all-reduce --enable-lora "
        "--enable-ep-weight-filter --disable-nccl-for-dp-synchronization --enable-sleep-mode",
    .not_modelled =
        "--host --port --api-key --served-model-name --dtype --gpu-memory-utilization --swap-space --cpu-offload-gb --seed "
        "--tokenizer --tokenizer-mode --revision --load-format --download-dir --hf-overrides --config-format --dcp-comm-backend "
        "--dcp-kv-cache-interleave-size --cp-kv-cache-interleave-size --all2all-backend --moe-backend "
        "--expert-placement-strategy --data-parallel-size-local -dpl --data-parallel-rank -dpn --data-parallel-start-rank -dpr "
        "--data-parallel-address -dpa --data-parallel-rpc-port -dpp --data-parallel-backend -dpb --distributed-executor-backend "
        "--nnodes -n --node-rank -r --master-addr --master-port --max-parallel-loading-workers --attention-backend "
        "--kv-transfer-config --kv-events-config --tool-call-parser --reasoning-parser --chat-template --api-server-count "
        "--max-logprobs --generation-config --ubatch-size --dbo-decode-token-threshold --dbo-prefill-token-threshold "
        "--model-loader-extra-config --scheduling-policy --limit-mm-per-prompt --max-cudagraph-capture-size -O -m "
        "--eplb-config.window_size --eplb-config.step_interval --eplb-config.log_balancedness "
        "--eplb-config.log_balancedness_interval --eplb-config.use_async --eplb-config.policy --eplb-config.communicator "
        "--compilation-config.pass_config --compilation-config.mode --compilation-config.level "
        "--compilation-config.cudagraph_mode --compilation-config.cudagraph_capture_sizes --compilation-config.custom_ops "
        "--compilation-config.compile_sizes --compilation-config.backend --compilation-config.use_inductor "
        "--speculative-config.model --speculative-config.num_speculative_tokens --speculative-config.draft_tensor_parallel_size "
        "--speculative-config.quantization --speculative-config.moe_backend --speculative-config.attention_backend "
        "--speculative-config.kv_cache_dtype --speculative-config.max_model_len --speculative-config.revision "
        "--speculative-config.code_revision --speculative-config.enforce_eager --speculative-config.prompt_lookup_max "
        "--speculative-config.prompt_lookup_min --speculative-config.speculative_token_tree "
        "--speculative-config.parallel_drafting --speculative-config.disable_padded_drafter_batch "
        "--speculative-config.rejection_sample_method --speculative-config.draft_sample_method "
        "--speculative-config.draft_load_config --speculative-config.disable_by_batch_size",
    .programs = "vllm serve python python3 vllm.entrypoints.openai.api_server",
    .model_is_a_word = true,
    .underscores_are_dashes = true};

namespace detail {

inline constexpr spelling<number_type> vllm_numbers[] = {
    {number_type::fp32, "float32"}, {number_type::fp16, "float16"}, {number_type::bf16, "bfloat16"}};
inline constexpr spelling<cache_format> vllm_cache[] = {{cache_format::fp8, "fp8"},
                                                        {cache_format::fp8, "fp8_e4m3"},
                                                        {cache_format::fp8, "fp8_e5m2"},
                                                        {cache_format::fp8_ds_mla, "fp8_ds_mla"},
                                                        {cache_format::bf16, "bfloat16"}};

/// What a checkpoint of 16 bits becomes, and which part of it.
struct online_quantisation {
  text method{};
  weight_format weights{};
  quantised_parts quantised = quantised_parts::linear_layers;
};
inline constexpr online_quantisation vllm_online[] = {
    {"fp8", weight_format::fp8_tensor},
    {"fp8_per_tensor", weight_format::fp8_tensor},
    {"fp8_per_channel", weight_format::fp8_channel},
    {"fp8_per_block", weight_format::fp8_block},
    {"mxfp8", weight_format::mxfp8},
    {"int8_per_channel_weight_only", weight_format::int8_channel, quantised_parts::routed_experts},
    {"nvfp4_per_token", weight_format::nvfp4, quantised_parts::routed_experts}};

constexpr void read_vllm_weights(translation& t, const vllm_words& w) noexcept {
  serving& v = t.deployment.workload.serve;
  if (w.quantization.empty()) return;
  // The method of FP8 checkpoints too, of which the base knows more.
  const bool named = w.quantization == "fp8" && (v.weights == weight_format::fp8_block || v.weights == weight_format::fp8_tensor);
  if (named) return;
  for (const online_quantisation& each : vllm_online) {
    if (!(each.method == w.quantization)) continue;
    v.weights = each.weights;
    v.quantised = each.quantised;
    return;
  }
  t.without_meaning.push_back("--quantization");
}

constexpr void read_vllm_cache(translation& t, const vllm_words& w) noexcept {
  const deployment& d = t.deployment;
  serving& v = t.deployment.workload.serve;
  const bool is_sparse = d.model.attention.indexer.heads > 0;
  const bool by_itself = w.cache.empty() || w.cache == "auto";
  if (!by_itself || !is_sparse) v.cache = value_for(vllm_cache, w.cache, cache_format::bf16);
  if (is_sparse && v.cache == cache_format::fp8) v.cache = cache_format::fp8_ds_mla;
  v.block_size = w.block_size.value_or(cache_block::vllm);
  v.windows = w.one_cache_for_all ? windowed_cache::all : windowed_cache::window;
  v.step_tokens = w.step_tokens.value_or(v.step_tokens);
  v.linear_state = value_for(vllm_numbers, w.linear_state, number_type::bf16);
  v.drafts = ends_with(w.draft_method, "mtp");
  if (!w.draft_method.empty() && !v.drafts) t.without_meaning.push_back("--speculative-config.method");
}

constexpr void from_vllm(translation& t, const vllm_words& w) noexcept {
  deployment& d = t.deployment;
  const std::int64_t tp_size = w.tp.value_or(1);
  const std::int64_t cp_size = w.prefill_cp.value_or(1);
  const std::int64_t dp_size = w.dp.value_or(1);
  const std::int64_t expert_ranks = d.model.has_experts() ? ranks(tp_size, cp_size, dp_size) : 0;
  const std::int64_t known_ranks = expert_ranks == 0 ? 1 : expert_ranks; // What is illegal, `check` finds by itself.
  strategy s;
  s.set(axis::tp, tp_size);
  s.set(axis::pp, w.pp.value_or(1));
  s.set(axis::cp, cp_size);
  s.set(axis::dp, dp_size);
  s.set(axis::ep, w.expert_parallel ? known_ranks : 1);
  s.set(axis::etp, w.expert_parallel ? 1 : known_ranks);
  s.set(axis::sp, w.sequence_parallel ? tp_size : 1);
  serve_with(d, s, vllm_split,
             {.batch = w.batch,
              .sequence_length = w.sequence_length,
              .redundant_experts = w.redundant_experts,
              .decode_context = w.decode_cp,
              .elastic_ep = w.elastic});
  read_vllm_weights(t, w);
  read_vllm_cache(t, w);
}

/// The two grids in vLLM's words: those of one replica, where DP ranks are replicas with experts.
constexpr void write_vllm_grids(vllm_words& w, writing& out, const deployment& d) noexcept {
  const strategy& s = d.strategy;
  const bool one_replica = d.model.has_experts() && has_replicas(d);
  const std::int64_t dp_size = one_replica ? 1 : s[axis::dp];
  if (one_replica) note_replicas(out, d, "vLLM's DP ranks share the experts, and replicas are instances of their own");
  w.dp = unless(dp_size, 1);
  const std::int64_t everywhere = ranks(s[axis::tp], s[axis::cp], dp_size);
  const bool spread = s[axis::ep] == everywhere && s[axis::etp] == 1 && everywhere > 1;
  const bool cut = s[axis::ep] == 1 && s[axis::etp] == everywhere;
  w.expert_parallel = d.model.has_experts() && (spread || s[axis::ep] > 1);
  if (d.model.has_experts() && !spread && !cut) {
    if (s[axis::ep] != 1) out.cannot("ep", s[axis::ep], "vLLM spreads experts over all of DP x PCP x TP, ").append(everywhere);
    if (s[axis::ep] == 1 || s[axis::etp] != 1)
      out.cannot("etp", s[axis::etp], "without expert parallelism vLLM cuts experts into DP x PCP x TP parts, with it not at all: ")
          .append(everywhere)
          .append(text{" or 1"});
  }
  if (s[axis::cp] > 1 && dp_size > 1)
    out.cannot("cp", s[axis::cp], "prefill context parallelism excludes data parallelism in vLLM");
  if (s[axis::pp] > 1 && dp_size > 1 && s.order == rank_order{})
    out.cannot("order", text{spelled(s.order)}, "vLLM numbers the pipeline within each data-parallel rank");
}

/// Source: ParallelConfig._validate_parallel_config.
constexpr void note_vllm_decode_context(writing& out, const deployment& d) noexcept {
  const strategy& s = d.strategy;
  const std::int64_t decode_context = d.workload.serve.decode_context;
  if (s[axis::cp] == 1) return note_uneven_decode_context(out, d, "in vLLM they are ranks of TP, in groups of one size; TP is ");
  const std::int64_t all = ranks(s[axis::tp], s[axis::cp]);
  if (decode_context == 1 || decode_context == s[axis::cp] || decode_context == all) return;
  out.cannot("decode_context", decode_context, "with prefill context parallelism it is 1, PCP or PCP x TP in vLLM, ").append(all);
}

constexpr void write_vllm_weights(vllm_words& w, writing& out, const serving& v) noexcept {
  if (v.weights == weight_format::fp8_tensor && v.quantised == quantised_parts::linear_layers)
    w.quantization = "fp8";
  else
    note_checkpoint(out, v, "vLLM takes it from the checkpoint (one of 16 bits --quantization can quantise, under other names)");
}

constexpr void write_vllm_cache(vllm_words& w, writing& out, const deployment& d) noexcept {
  const serving& v = d.workload.serve;
  const bool is_sparse = d.model.attention.indexer.heads > 0;
  if (v.cache != cache_format::bf16 || is_sparse) w.cache = word_for(vllm_cache, v.cache);
  if (v.cache == cache_format::fp8 && is_sparse) out.cannot("cache: with a sparse indexer vLLM keeps a cache in FP8 as fp8_ds_mla");
  w.block_size = unless(v.block_size, cache_block::vllm);
  w.one_cache_for_all = v.windows == windowed_cache::all;
  w.step_tokens = unless(v.step_tokens, serving{}.step_tokens);
  if (v.linear_state != number_type::bf16) w.linear_state = word_for(vllm_numbers, v.linear_state);
  if (word_for(vllm_numbers, v.linear_state).empty()) out.cannot("linear_state: vLLM has fp32, fp16 or bf16");
  if (v.drafts) w.draft_method = "mtp";
}

constexpr void write_vllm_serving(vllm_words& w, writing& out, const deployment& d) noexcept {
  const serving_words v = words_for(d.workload.serve, d.model);
  w.batch = v.batch;
  w.sequence_length = v.sequence_length;
  w.redundant_experts = v.redundant_experts;
  w.decode_cp = v.decode_context;
  w.elastic = v.elastic_ep;
  // Redundant experts and elastic expert parallelism are refused without load balancing.
  w.balances_load = v.redundant_experts.given || v.elastic_ep;
  note_vllm_decode_context(out, d);
  write_vllm_weights(w, out, d.workload.serve);
  write_vllm_cache(w, out, d);
  note_what_is_not_launched(out, d.workload.serve);
}

} // namespace detail

/// Reads flags of vLLM. The base brings the model, the cluster, and what vLLM has no flags for.
[[nodiscard]] constexpr reading read_vllm(text flags, const deployment& base) noexcept {
  return read_flags(vllm_grammar, flags, base, &detail::from_vllm);
}

/// Writes flags for vLLM.
[[nodiscard]] constexpr writing write_vllm(const deployment& described) noexcept {
  const deployment d = spelled_out(described);
  const strategy& s = d.strategy;
  writing out;
  note_what_no_flag_says(out, d, framework::vllm);
  vllm_words w;
  w.tp = unless(s[axis::tp], 1);
  w.pp = unless(s[axis::pp], 1);
  w.prefill_cp = unless(s[axis::cp], 1);
  w.sequence_parallel = s[axis::sp] > 1 && s[axis::sp] == s[axis::tp];
  if (s[axis::sp] != 1 && !w.sequence_parallel) out.cannot("sp", s[axis::sp], "vLLM's sequence parallelism is TP wide, or off");
  note_experts_of_a_dense_model(out, d);
  detail::write_vllm_grids(w, out, d);
  note_order(out, d, rank_order{}, "vLLM's ranks have no order to choose");
  note_no_interleaving(out, d, "vLLM gives each pipeline rank one stage");
  note_split(out, d, vllm_split, "vLLM splits layers by itself, unless VLLM_PP_LAYER_PARTITION in the environment says how");
  note_serving(out, d);
  if (d.workload.is_serving()) detail::write_vllm_serving(w, out, d);
  write_flags(out, vllm_grammar, w);
  return out;
}

} // namespace moeplan::dialect
