#pragma once

#include <cstdint>

#include <moeplan/dialect/reading.hpp>
#include <moeplan/dialect/same.hpp>
#include <moeplan/dialect/spelling.hpp>
#include <moeplan/dialect/stage_split.hpp>
#include <moeplan/dialect/unsaid.hpp>
#include <moeplan/dialect/writing.hpp>

/// @file
/// SGLang: flags of sglang.launch_server. Names and meaning from python/sglang/srt/server_args.py.
///
/// --tp-size is all of a pipeline stage, not the degree of tensor parallelism. With --enable-dp-attention the attention of a stage is on
/// attention TP x attention CP x DP, and attention TP is tp-size / (dp-size x attn-cp-size). Without it --dp-size counts whole copies of
/// the server, each on tp-size x pp-size GPUs. Newer releases have --attn-dp-size for the former, and read both. The experts of tp-size
/// ranks are on MoE-TP x EP x MoE-DP, and MoE-TP is tp-size / (moe-dp-size x ep-size).
///
/// The format of weights is the checkpoint's, and so the base's. --chunked-prefill-size is for all data-parallel attention ranks together.
/// A page of the cache is one token unless --page-size says otherwise, the state of linear attention fp32 unless --mamba-ssm-dtype does.

namespace moeplan::dialect {

/// What a launch line of SGLang says.
struct sglang_words {
  optional_integer tp{}, pp{}, dp{}, ep{}, moe_dp{}, attention_dp_size{}, attention_cp{}, decode_cp{};
  bool attention_dp = false;
  text exchange{}, elastic{};
  bool spans_all_ranks = false;
  bool balances_load = false;
  optional_integer redundant_experts{};
  optional_integer batch{}, sequence_length{}, step_tokens{}, block_size{};
  text cache{}, linear_state{}, drafts{}, draft_model{};
  bool one_cache_for_all = false;
};

/// One row a flag.
struct sglang_table {
  using row = flag<sglang_words>;
  using words = sglang_words;

  static constexpr row rows[] = {
      row::the_model("--model-path", "server_args.py", "--model"),
      row::an_integer("--tp-size", &words::tp, "server_args.py", "--tensor-parallel-size --tp"),
      row::an_integer("--pp-size", &words::pp, "server_args.py", "--pipeline-parallel-size --pp"),
      row::an_integer("--dp-size", &words::dp, "server_args.py", "--data-parallel-size --dp"),
      row::a_switch("--enable-dp-attention", &words::attention_dp, "server_args.py"),
      // Of releases since 2026; older ones know only the two above.
      row::an_integer("--attn-dp-size", &words::attention_dp_size, "arg_groups/fields/parallel.py",
                      "--attention-data-parallel-size")
          .only_read(),
      row::an_integer("--attn-cp-size", &words::attention_cp, "server_args.py", "--attention-context-parallel-size"),
      row::an_integer("--dcp-size", &words::decode_cp, "arg_groups/fields/parallel.py", "--decode-context-parallel-size"),
      row::an_integer("--ep-size", &words::ep, "server_args.py", "--expert-parallel-size --ep"),
      row::an_integer("--moe-dp-size", &words::moe_dp, "server_args.py", "--moe-data-parallel-size"),
      row::a_word("--moe-a2a-backend", &words::exchange,
                  "none deepep deepep_v2 mooncake nixl mori ascend_fuseep ascend_tp flashinfer megamoe pplx", "server_args.py"),
      row::a_word("--elastic-ep-backend", &words::elastic, "none mooncake nixl", "arg_groups/fields/exec_.py"),
      // Of releases until 2025
      row::a_switch("--enable-deepep-moe", &words::spans_all_ranks, "server_args.py", "--enable-ep-moe").only_read(),
      row::a_switch("--enable-eplb", &words::balances_load, "server_args.py"),
      row::an_integer("--ep-num-redundant-experts", &words::redundant_experts, "server_args.py"),
      row::an_integer("--max-running-requests", &words::batch, "server_args.py"),
      row::an_integer("--context-length", &words::sequence_length, "server_args.py"),
      row::an_integer("--chunked-prefill-size", &words::step_tokens, "server_args.py"),
      row::a_word("--kv-cache-dtype", &words::cache, "auto bf16 bfloat16 fp8_e4m3 fp8_e5m2", "server_args.py"),
      row::an_integer("--page-size", &words::block_size, "server_args.py"),
      row::a_switch("--disable-hybrid-swa-memory", &words::one_cache_for_all, "server_args.py"),
      row::a_word("--mamba-ssm-dtype", &words::linear_state, "float32 float16 bfloat16", "server_args.py"),
      row::a_word("--speculative-algorithm", &words::drafts, {}, "arg_groups/fields/spec.py"),
      row::a_word("--speculative-draft-model-path", &words::draft_model, {}, "arg_groups/fields/spec.py",
                  "--speculative-draft-model")
          .only_read(),
  };
};

/// SGLang's launch line. What is not modelled is about kernels, scheduling and the server.
inline constexpr grammar<sglang_words, sizeof sglang_table::rows / sizeof *sglang_table::rows> sglang_grammar{
    .framework = framework::sglang,
    .flags = sglang_table::rows,
    .not_modelled_switches =
        "--trust-remote-code --enable-dp-lm-head --disable-radix-cache --disable-cuda-graph --enable-two-batch-overlap "
        "--enable-single-batch-overlap --enable-torch-compile --enable-metrics --enable-mixed-chunk --disable-overlap-schedule "
        "--disable-shared-experts-fusion --enable-flashinfer-allreduce-fusion --enable-p2p-check --skip-server-warmup "
        "--enable-prefill-cp --disable-custom-all-reduce --enable-cache-report --enable-hierarchical-cache --log-requests "
        "--disable-chunked-prefix-cache --enable-memory-saver --enable-deterministic-inference --enable-tokenizer-batch-encode "
        "--elastic-ep-rejoin --enable-elastic-expert-backup",
    .not_modelled =
        "--host --port --api-key --served-model-name --dtype --quantization --mem-fraction-static --max-prefill-tokens "
        "--max-total-tokens --schedule-policy --schedule-conservativeness --cuda-graph-max-bs --attention-backend "
        "--prefill-attention-backend --decode-attention-backend --moe-runner-backend --moe-dense-tp-size --deepep-mode "
        "--deepep-config --ep-dispatch-algorithm --init-expert-location --eplb-algorithm --eplb-rebalance-num-iterations "
        "--expert-distribution-recorder-mode --expert-distribution-recorder-buffer-size --nnodes --node-rank --dist-init-addr "
        "--nccl-init-addr --dist-timeout --dcp-comm-backend --cp-strategy --max-ep-size --elastic-ep-initial-size "
        "--elastic-ep-join-mode --elastic-ep-join-rank-offset --elastic-ep-scale-timeout --mooncake-ib-device "
        "--load-balance-method --num-reserved-decode-tokens --pp-max-micro-batch-size --pp-async-batch-depth "
        "--disaggregation-mode --disaggregation-transfer-backend --disaggregation-ib-device --disaggregation-bootstrap-port "
        "--tokenizer-path --tokenizer-mode --revision --load-format --random-seed --reasoning-parser --tool-call-parser "
        "--chat-template --speculative-num-steps --speculative-eagle-topk --speculative-num-draft-tokens "
        "--num-continuous-decode-steps --stream-interval --watchdog-timeout --log-level --decode-log-interval "
        "--tbo-token-distribution-threshold --base-gpu-id --gpu-id-step --device -m",
    .not_modelled_lists = "--cuda-graph-bs --numa-node",
    .programs = "python python3 sglang serve sglang.launch_server"};

namespace detail {

/// Backends of the exchange between experts that spread these over all of tp-size, whatever --ep-size says.
/// Source: SGLang, python/sglang/srt/arg_groups/overrides.py, _A2A_EP_SPANNING_BACKENDS.
inline constexpr text sglang_spanning_backends = "megamoe deepep deepep_v2 mooncake nixl ascend_fuseep flashinfer mori pplx";

inline constexpr spelling<number_type> sglang_numbers[] = {
    {number_type::fp32, "float32"}, {number_type::fp16, "float16"}, {number_type::bf16, "bfloat16"}};
inline constexpr spelling<cache_format> sglang_cache[] = {{cache_format::fp8, "fp8_e4m3"},
                                                          {cache_format::fp8, "fp8_e5m2"},
                                                          {cache_format::bf16, "bf16"},
                                                          {cache_format::bf16, "bfloat16"}};

/// The state of linear attention that SGLang keeps by itself; where a model has none, what a deployment has by itself.
[[nodiscard]] constexpr number_type sglang_linear_state(const model& m) noexcept {
  return m.has_linear_attention() ? number_type::fp32 : serving{}.linear_state;
}

/// EAGLE without a draft model is multi-token prediction under another name (server_args.py, _handle_speculative_decoding).
[[nodiscard]] constexpr bool sglang_drafts(const sglang_words& w) noexcept {
  return w.drafts == "NEXTN" || (w.drafts == "EAGLE" && w.draft_model.empty());
}

/// What is kept while serving. `sharers`: ranks that share one limit on tokens.
constexpr void read_sglang_cache(translation& t, const sglang_words& w, std::int64_t sharers) noexcept {
  serving& v = t.deployment.workload.serve;
  v.cache = value_for(sglang_cache, w.cache, cache_format::bf16);
  v.block_size = w.block_size.value_or(cache_block::sglang);
  v.windows = w.one_cache_for_all ? windowed_cache::all : windowed_cache::window;
  v.linear_state = value_for(sglang_numbers, w.linear_state, sglang_linear_state(t.deployment.model));
  if (w.step_tokens.value_or(0) > 0 && sharers > 0)
    v.step_tokens = w.step_tokens.number / sharers;
  else if (w.step_tokens.given) // No chunks.
    t.without_meaning.push_back("--chunked-prefill-size");
  v.drafts = sglang_drafts(w);
  if (!w.drafts.empty() && !v.drafts) t.without_meaning.push_back("--speculative-algorithm");
  if (!w.draft_model.empty()) t.without_meaning.push_back("--speculative-draft-model-path");
}

constexpr void from_sglang(translation& t, const sglang_words& w) noexcept {
  deployment& d = t.deployment;
  const bool newer_words = w.attention_dp_size.value_or(1) != 1;
  if (newer_words && w.dp.value_or(1) != 1)
    return t.refuse("replicas together with attention data parallelism", "--dp-size", "1 beside --attn-dp-size, or that alone");
  const std::int64_t stage = w.tp.value_or(1);
  const std::int64_t dp_size = newer_words ? w.attention_dp_size.number : w.dp.value_or(1);
  const std::int64_t cp_size = w.attention_cp.value_or(1);
  const bool attention_dp = (w.attention_dp || newer_words) && dp_size != 1;
  const bool spans_all_ranks = w.spans_all_ranks || is_among(w.exchange, sglang_spanning_backends);
  const std::int64_t ep_size = spans_all_ranks ? stage : w.ep.value_or(1);
  const std::int64_t attention_ranks = attention_dp ? ranks(dp_size, cp_size) : cp_size;
  strategy s;
  s.set(axis::pp, w.pp.value_or(1));
  s.set(axis::dp, dp_size);
  s.set(axis::cp, cp_size);
  s.set(axis::ep, ep_size);
  // What is illegal by itself stays, so that `check` finds it.
  const bool legal = stage > 0 && dp_size > 0 && cp_size > 0 && ep_size > 0 && w.moe_dp.value_or(1) > 0;
  s.set(axis::tp, legal ? divided(stage, attention_ranks) : stage);
  s.set(axis::etp, legal && d.model.has_experts() ? divided(stage, ranks(ep_size, w.moe_dp.value_or(1))) : 1);
  if (s[axis::tp] == 0 && legal)
    return t.refuse("the ranks of a stage do not divide by those that attention is spread over", "--tp-size",
                    "a multiple of dp-size x attn-cp-size (with DP attention) or of attn-cp-size");
  if (s[axis::etp] == 0 && legal)
    return t.refuse("the ranks of a stage do not divide by those that experts are spread over",
                    w.ep.given ? "--ep-size" : "--moe-dp-size", "ep-size x moe-dp-size that divides tp-size");
  optional_integer batch = w.batch;
  if (attention_dp && batch.given && dp_size > 0) batch.number /= dp_size; // One limit for all data-parallel ranks.
  const bool replicas = dp_size != 1 && !attention_dp;
  serve_with(d, s, sglang_split,
             {.batch = batch,
              .sequence_length = w.sequence_length,
              .redundant_experts = w.redundant_experts,
              .decode_context = w.decode_cp,
              .data_parallelism = replicas ? data_parallelism::replicas : data_parallelism::attention,
              .elastic_ep = !w.elastic.empty() && !(w.elastic == "none")});
  read_sglang_cache(t, w, attention_dp ? dp_size : 1);
}

/// The two grids in SGLang's words. Precondition: the degrees are legal and the expert grid exists.
constexpr void write_sglang_grids(sglang_words& w, writing& out, const deployment& d) noexcept {
  const strategy& s = d.strategy;
  const std::int64_t replica = ranks(s[axis::tp], s[axis::cp]);
  const std::int64_t stage = ranks(s[axis::tp], s[axis::cp], s[axis::dp]);
  const std::int64_t expert_ranks = ranks(s[axis::etp], s[axis::ep]);
  // Whole copies of the server; otherwise attention alone is data-parallel.
  const bool copies = s[axis::dp] > 1 && (!d.model.has_experts() || has_replicas(d));
  w.attention_dp = s[axis::dp] > 1 && !copies;
  w.tp = unless(copies ? replica : stage, 1);
  w.dp = unless(s[axis::dp], 1);
  w.attention_cp = unless(s[axis::cp], 1);
  if (!d.model.has_experts()) return;
  w.ep = unless(s[axis::ep], 1);
  const std::int64_t edp = divided(copies ? replica : stage, expert_ranks);
  if (edp == 0) out.cannot("data_parallelism: the ranks of a replica do not divide by those that experts are spread over");
  if (edp <= 1) return;
  w.moe_dp = edp;
  if (s[axis::pp] > 1) out.cannot("edp", edp, "several copies of the experts exclude pipeline parallelism in SGLang");
  if (s[axis::ep] > 1 && s[axis::etp] > 1)
    out.cannot("edp", edp, "with EP, several copies of the experts exclude MoE-TP in SGLang");
  if (s[axis::cp] != edp) out.cannot("edp", edp, "SGLang has as many copies of the experts as attention has CP ranks, or one");
}

constexpr void write_sglang_cache(sglang_words& w, writing& out, const deployment& d) noexcept {
  const serving& v = d.workload.serve;
  if (v.cache != cache_format::bf16) w.cache = word_for(sglang_cache, v.cache);
  if (v.cache == cache_format::fp8_ds_mla) out.cannot("cache: SGLang has no name for it");
  w.block_size = unless(v.block_size, cache_block::sglang);
  w.one_cache_for_all = v.windows == windowed_cache::all;
  if (v.linear_state != sglang_linear_state(d.model)) w.linear_state = word_for(sglang_numbers, v.linear_state);
  if (word_for(sglang_numbers, v.linear_state).empty()) out.cannot("linear_state: SGLang has fp32, fp16 or bf16");
  w.step_tokens = unless(v.step_tokens, serving{}.step_tokens);
  if (w.attention_dp && w.step_tokens.given && __builtin_mul_overflow(v.step_tokens, d.strategy[axis::dp], &w.step_tokens.number))
    out.cannot("step_tokens", v.step_tokens, "times DP it is no number of 64 bits");
  if (v.drafts) w.drafts = "NEXTN";
  note_checkpoint(out, v, "SGLang takes it from the checkpoint");
  note_what_is_not_launched(out, v);
}

constexpr void write_sglang_serving(sglang_words& w, writing& out, const deployment& d) noexcept {
  const serving_words v = words_for(d.workload.serve, d.model);
  w.batch = v.batch;
  if (w.attention_dp && v.batch.given && __builtin_mul_overflow(v.batch.number, d.strategy[axis::dp], &w.batch.number))
    out.cannot("batch", v.batch.number, "times DP it is no number of 64 bits");
  w.sequence_length = v.sequence_length;
  w.redundant_experts = v.redundant_experts;
  w.balances_load = v.redundant_experts.given;
  w.decode_cp = v.decode_context;
  if (v.elastic_ep) w.elastic = "mooncake"; // With the other one no rank can be added (parallel_hook.py, handle_elastic_ep).
  note_uneven_decode_context(out, d, "in SGLang they are ranks of attention TP, in groups of one size; TP is ");
  write_sglang_cache(w, out, d);
}

} // namespace detail

/// Reads flags of SGLang. The base brings the model, the cluster, and what SGLang has no flags for.
[[nodiscard]] constexpr reading read_sglang(text flags, const deployment& base) noexcept {
  return read_flags(sglang_grammar, flags, base, &detail::from_sglang);
}

/// Writes flags for SGLang.
[[nodiscard]] constexpr writing write_sglang(const deployment& described) noexcept {
  const deployment d = spelled_out(described);
  const strategy& s = d.strategy;
  const facts f = facts_of(d);
  writing out;
  note_what_no_flag_says(out, d, framework::sglang);
  note_experts_of_a_dense_model(out, d);
  sglang_words w;
  w.pp = unless(s[axis::pp], 1);
  if (f.knows(known::grids))
    detail::write_sglang_grids(w, out, d);
  else
    out.cannot("strategy: its degrees make up no expert grid");
  if (s[axis::sp] != 1) out.cannot("sp", s[axis::sp], "SGLang has no sequence parallelism to switch on");
  note_order(out, d, rank_order{}, "SGLang's ranks have no order to choose");
  note_no_interleaving(out, d, "SGLang gives each pipeline rank one stage");
  note_split(out, d, sglang_split, "SGLang splits layers by itself, unless SGLANG_PP_LAYER_PARTITION in the environment says how");
  note_serving(out, d);
  if (d.workload.is_serving()) detail::write_sglang_serving(w, out, d);
  write_flags(out, sglang_grammar, w);
  return out;
}

} // namespace moeplan::dialect
