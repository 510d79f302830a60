#pragma once

#include <cstdint>

#include <moeplan/dialect/megatron_flags.hpp>
#include <moeplan/dialect/reading.hpp>
#include <moeplan/dialect/same.hpp>
#include <moeplan/dialect/spelling.hpp>
#include <moeplan/dialect/unsaid.hpp>
#include <moeplan/dialect/writing.hpp>

/// @file
/// Megatron-LM: what the flags of pretrain_gpt.py mean for a deployment, and the other way round.
///
/// DP is no flag: it is what the number of processes leaves. Without --expert-tensor-parallel-size the experts are cut like the dense
/// layers, ETP = TP. Optimizer states are sharded over all of DP x CP, or over each of so many parts of it (distributed optimizer
/// instances). The distributed optimizer shards optimizer states; gradients and parameters Megatron-FSDP shards, whose types of numbers
/// have flags of their own. Of the kernels for attention all but "unfused" and "local" keep no probabilities, the choice that is left to
/// Transformer Engine too.

namespace moeplan::dialect {

namespace detail {

inline constexpr spelling<context_exchange> megatron_context[] = {{context_exchange::ring, "p2p"},
                                                                  {context_exchange::all_gather, "all_gather"},
                                                                  {context_exchange::all_gather, "allgather"},
                                                                  {context_exchange::all_to_all, "a2a"}};
inline constexpr spelling<recompute> megatron_recompute[] = {{recompute::full, "full"}, {recompute::selective, "selective"}};
inline constexpr spelling<load_balancing> megatron_balancing[] = {{load_balancing::auxiliary_loss, "aux_loss"},
                                                                  {load_balancing::sequence_auxiliary_loss, "seq_aux_loss"},
                                                                  {load_balancing::global_auxiliary_loss, "global_aux_loss"},
                                                                  {load_balancing::sinkhorn, "sinkhorn"},
                                                                  {load_balancing::none, "none"}};
inline constexpr spelling<token_dispatcher> megatron_dispatcher[] = {{token_dispatcher::all_gather, "allgather"},
                                                                     {token_dispatcher::all_to_all, "alltoall"},
                                                                     {token_dispatcher::deepep, "flex"},
                                                                     {token_dispatcher::flex, "flex"}};
inline constexpr spelling<recompute_method> megatron_recompute_method[] = {{recompute_method::uniform, "uniform"},
                                                                           {recompute_method::block, "block"}};
inline constexpr spelling<sharding> megatron_sharding[] = {{sharding::none, "no_shard"},
                                                           {sharding::optimizer, "optim"},
                                                           {sharding::gradients, "optim_grads"},
                                                           {sharding::parameters, "optim_grads_params"}};
inline constexpr spelling<optimizer> megatron_optimizer[] = {
    {optimizer::adam, "adam"}, {optimizer::sgd_momentum, "sgd"}, {optimizer::muon, "muon"}, {optimizer::muon, "dist_muon"}};
inline constexpr spelling<number_type> megatron_numbers[] = {
    {number_type::fp32, "fp32"}, {number_type::bf16, "bf16"}, {number_type::fp16, "fp16"}, {number_type::fp8, "fp8"}};
inline constexpr spelling<fp8_recipe> megatron_fp8[] = {{fp8_recipe::delayed, "delayed"},
                                                        {fp8_recipe::tensorwise, "tensorwise"},
                                                        {fp8_recipe::blockwise, "blockwise"},
                                                        {fp8_recipe::mxfp8, "mxfp8"}};
/// In the order of the choices of --recompute-modules.
inline constexpr bool recompute_modules::*megatron_modules[] = {
    &recompute_modules::core_attention, &recompute_modules::mlp,        &recompute_modules::moe,
    &recompute_modules::moe_activation, &recompute_modules::layer_norm, &recompute_modules::latent_up_projection,
    &recompute_modules::shared_experts};

/// A number of the model that the line says too; the base's counts, and the two must agree.
struct model_number {
  text flag{};
  optional_integer said{};
  std::int64_t described = 0;
};

constexpr bool contradicts_model(translation& t, const megatron_words& w, const model& m) noexcept {
  const model_number numbers[] = {{"--num-layers", w.layers, m.layers},
                                  {"--hidden-size", w.hidden_size, m.hidden_size},
                                  {"--num-attention-heads", w.heads, m.attention.heads},
                                  {"--num-query-groups", w.kv_heads, m.attention.kv_heads},
                                  {"--num-experts", w.experts, m.experts.routed},
                                  {"--moe-router-topk", w.top_k, m.experts.top_k},
                                  {"--mtp-num-layers", w.mtp_layers, m.mtp_layers},
                                  {"--moe-ffn-hidden-size", w.expert_ffn, m.experts.intermediate_size}};
  for (const model_number& n : numbers) {
    if (m.layers == 0 && n.said.given) t.without_meaning.push_back(n.flag); // There is no model to be compared with.
    if (m.layers == 0 || !n.said.given || n.said.number == n.described) continue;
    t.refuse("the model has another number", n.flag, "the number of the model that is described");
    return true;
  }
  return false;
}

/// Layers of a virtual stage to virtual stages of a rank. Source: arguments.py, validate_args.
constexpr bool read_virtual_stages(translation& t, const megatron_words& w, const model& m) noexcept {
  strategy& s = t.deployment.strategy;
  if (w.vpp.given) s.set(axis::vpp, w.vpp.number);
  if (!w.layers_per_virtual_stage.given) return true;
  std::int64_t slots = 0;
  if (__builtin_add_overflow(m.layers, (w.embedding_is_a_layer ? 1 : 0) + (w.loss_is_a_layer ? 1 : 0), &slots)) slots = 0;
  const std::int64_t vpp = divided(divided(slots, s[axis::pp]), w.layers_per_virtual_stage.number);
  s.set(axis::vpp, vpp);
  if (vpp != 0) return true;
  t.refuse("the layers of a stage do not divide by those of a virtual stage", "--num-layers-per-virtual-pipeline-stage",
           "a divisor of the model's layers / PP");
  return false;
}

constexpr void read_layout(deployment& d, const megatron_words& w) noexcept {
  if (w.stages.kind == layout_kind::listed)
    d.layout = w.stages;
  else if (w.first_stage_layers.given || w.last_stage_layers.given)
    d.layout = layout::first_last(w.first_stage_layers, w.last_stage_layers);
  else
    d.layout = layout::even_with(w.embedding_is_a_layer, w.loss_is_a_layer);
}

constexpr token_dispatcher megatron_dispatcher_of(const megatron_words& w) noexcept {
  if (w.deepep) return token_dispatcher::deepep;
  if (w.dispatcher == "flex") return w.flex_backend == "hybridep" ? token_dispatcher::flex : token_dispatcher::deepep;
  return value_for(megatron_dispatcher, w.dispatcher, training{}.dispatcher);
}

constexpr sharding megatron_sharding_of(const megatron_words& w) noexcept {
  if (w.torch_fsdp) return sharding::parameters;
  if (w.megatron_fsdp) return value_for(megatron_sharding, w.sharding, sharding::parameters);
  return w.distributed_optimizer || w.optimizer == "dist_muon" ? sharding::optimizer : sharding::none;
}

/// Source: arguments.py, validate_args; Megatron-FSDP's param_and_grad_buffer.py, where "auto" is the type of the weights.
constexpr precision megatron_precision(const megatron_words& w) noexcept {
  precision p;
  p.weights = w.bf16 ? number_type::bf16 : w.fp16 ? number_type::fp16 : number_type::fp32;
  const bool by_itself_in_fp32 = w.bf16 && !w.reduce_in_bf16 && !(w.gradients == "bf16");
  const bool in_fp32 = by_itself_in_fp32 || (w.gradients_in_fp32 && !(w.bf16 && w.reduce_in_bf16));
  p.gradients = in_fp32 ? number_type::fp32 : p.weights;
  const auto with_precision_aware = [&w](text word) {
    return value_for(megatron_numbers, w.precision_aware ? word : text{}, number_type::fp32);
  };
  p.master_weights = p.weights == number_type::fp32 ? number_type::fp32 : with_precision_aware(w.master_weights);
  p.first_moment = with_precision_aware(w.first_moment);
  p.second_moment = with_precision_aware(w.second_moment);
  if (w.megatron_fsdp) {
    p.gradients = value_for(megatron_numbers, w.fsdp_gradients, p.weights);
    p.master_weights =
        value_for(megatron_numbers, w.fsdp_master_weights, w.fsdp_master_weights == "auto" ? p.weights : number_type::fp32);
  }
  if (!w.fp8_format.empty()) p.fp8 = value_for(megatron_fp8, w.fp8_recipe, fp8_recipe::delayed);
  p.fp8_weights = w.fp8_weights;
  return p;
}

/// Rows that depend on others which do not stand in the line.
constexpr void note_idle_rows(translation& t, const megatron_words& w) noexcept {
  if (!w.megatron_fsdp) {
    if (!w.sharding.empty()) t.without_meaning.push_back("--data-parallel-sharding-strategy");
    if (!w.fsdp_gradients.empty()) t.without_meaning.push_back("--megatron-fsdp-main-grads-dtype");
    if (!w.fsdp_master_weights.empty()) t.without_meaning.push_back("--megatron-fsdp-main-params-dtype");
  }
  if (!w.precision_aware) {
    if (!w.master_weights.empty()) t.without_meaning.push_back("--main-params-dtype");
    if (!w.first_moment.empty()) t.without_meaning.push_back("--exp-avg-dtype");
    if (!w.second_moment.empty()) t.without_meaning.push_back("--exp-avg-sq-dtype");
  }
  if (w.fp8_format.empty() && !w.fp8_recipe.empty()) t.without_meaning.push_back("--fp8-recipe");
  if (!w.offload && w.offload_fraction != ratio{1}) t.without_meaning.push_back("--optimizer-offload-fraction");
}

constexpr training megatron_training(const megatron_words& w, const training& base) noexcept {
  const training by_default{};
  training t = base;
  t.global_batch = w.global_batch;
  t.micro_batch = w.micro_batch.value_or(by_default.micro_batch);
  t.sequence_length = w.sequence_length.value_or(base.sequence_length);
  t.vocabulary_multiple = w.vocabulary_multiple.value_or(by_default.vocabulary_multiple);
  t.dp_replicate = w.optimizer_instances.value_or(by_default.dp_replicate);
  t.recompute = w.recompute_selected ? recompute::selective : value_for(megatron_recompute, w.recompute, recompute::none);
  t.recompute_method = value_for(megatron_recompute_method, w.recompute_method, by_default.recompute_method);
  t.recompute_layers = w.recompute_layers.value_or(by_default.recompute_layers);
  std::uint32_t bit = 1;
  for (bool recompute_modules::*const module : megatron_modules) {
    t.recompute_modules.*module = (w.recompute_modules & bit) != 0;
    bit <<= 1U;
  }
  t.context = value_for(megatron_context, w.context, by_default.context);
  t.dispatcher = megatron_dispatcher_of(w);
  t.routing = {.balancing = value_for(megatron_balancing, w.balancing, by_default.routing.balancing),
               .capacity_factor = w.capacity_factor,
               .pad_to_capacity = w.pad_to_capacity,
               .pre_softmax = w.pre_softmax,
               .load = base.routing.load,
               .busiest_share = base.routing.busiest_share};
  t.overlap = {.tensor_parallel = w.overlap_tp,
               .shared_experts = w.overlap_shared,
               .expert_parallel = w.overlap_ep,
               .delayed_weight_gradient = w.delay_gradient};
  t.precision = megatron_precision(w);
  t.optimizer = value_for(megatron_optimizer, w.optimizer, by_default.optimizer);
  t.sharding = megatron_sharding_of(w);
  t.optimizer_offload = w.offload ? w.offload_fraction : ratio{0};
  t.schedule = by_default.schedule;
  t.kernels = {.flash_attention = !(w.attention_backend == "unfused" || w.attention_backend == "local"),
               .fused_cross_entropy = w.fused_loss,
               .fused_weight_gradient = w.fused_gradient,
               .attention_dropout = w.attention_dropout != ratio{0},
               .hidden_dropout = w.hidden_dropout != ratio{0}};
  return t;
}

constexpr void from_megatron(translation& t, const megatron_words& w) noexcept {
  deployment& d = t.deployment;
  if (contradicts_model(t, w, d.model)) return;
  if (w.bf16 && w.fp16) return t.refuse("weights of two types", "--fp16", "--bf16 or --fp16, not both");
  note_idle_rows(t, w);
  read_launcher(d.cluster, w.nodes, w.gpus_per_node);
  strategy s;
  const std::int64_t tp_size = w.tp.value_or(1);
  s.set(axis::tp, tp_size);
  s.set(axis::pp, w.pp.value_or(1));
  s.set(axis::cp, w.cp.value_or(1));
  s.set(axis::ep, w.ep.value_or(1));
  s.set(axis::etp, w.etp.value_or(tp_size));
  // Without tensor parallelism Megatron-LM turns sequence parallelism off (arguments.py, validate_args).
  s.set(axis::sp, w.sequence_parallel ? tp_size : 1);
  if (w.pp_before_dp) s.order = rank_order{"tp-cp-ep-pp-dp"};
  if (d.strategy.resolved() && !d.cluster.described()) s.set(axis::dp, d.strategy[axis::dp]);
  d.strategy = s;
  if (!read_virtual_stages(t, w, d.model)) return;
  read_layout(d, w);
  d.workload = megatron_training(w, training_of(d));
  d = spelled_out(d);
}

/// Layout to flags: a string where Megatron-LM has no other words for it.
constexpr void write_layout(megatron_words& w, writing& out, const deployment& d) noexcept {
  const layout& l = d.layout;
  w.first_stage_layers = l.first;
  w.last_stage_layers = l.last;
  w.embedding_is_a_layer = l.embedding_is_a_layer;
  w.loss_is_a_layer = l.loss_is_a_layer;
  const bool as_string = l.kind == layout_kind::listed || l.kind == layout_kind::balanced;
  if (!as_string) {
    w.vpp = unless(d.strategy[axis::vpp], 1);
    return;
  }
  if (!has_countable_stages(d)) {
    out.cannot("layout: it cannot be laid out stage by stage");
    return;
  }
  const std::int64_t stages = virtual_stages(d.strategy, l);
  w.stages.kind = layout_kind::listed;
  w.stages.places_mtp = true;
  for (std::int64_t i = 0; i < stages; ++i) {
    const stage_contents c = contents(d.model, d.strategy, l, i);
    if (w.stages.append({.stages = 1, .decoder_layers = c.decoder_layers, .mtp_layers = c.mtp_layers})) continue;
    out.cannot("layout: it has more different stages than a string can hold here");
    return;
  }
}

/// What data parallelism shards, and the copies of it.
constexpr void write_sharding(megatron_words& w, writing& out, const training& t) noexcept {
  w.optimizer_instances = unless(t.dp_replicate, training{}.dp_replicate);
  w.distributed_optimizer = t.sharding == sharding::optimizer;
  w.megatron_fsdp = t.sharding == sharding::gradients || t.sharding == sharding::parameters;
  if (w.megatron_fsdp) w.sharding = word_for(megatron_sharding, t.sharding);
  if (w.optimizer_instances.given && t.sharding == sharding::none)
    out.cannot("dp_replicate", t.dp_replicate,
               "in Megatron-LM there are copies only of what is sharded (distributed_data_parallel.py)");
  if (w.megatron_fsdp && t.optimizer == optimizer::muon)
    out.cannot("sharding: Megatron-FSDP has no Muon (arguments.py, validate_args)");
}

/// Which of several layers full recompute takes: without it these flags stand idle, and selective recompute refuses them.
constexpr void write_recompute(megatron_words& w, writing& out, const training& t) noexcept {
  const training by_default{};
  if (t.recompute != by_default.recompute) w.recompute = word_for(megatron_recompute, t.recompute);
  const bool full = t.recompute == recompute::full;
  if (full || t.recompute_method != by_default.recompute_method)
    w.recompute_method = word_for(megatron_recompute_method, t.recompute_method);
  if (full || t.recompute_layers != by_default.recompute_layers) w.recompute_layers = t.recompute_layers;
  constexpr text only_full = "only full recompute has it in Megatron-LM";
  if (t.recompute == recompute::selective) {
    if (!w.recompute_method.empty()) out.cannot("recompute_method: ").append(only_full);
    if (w.recompute_layers.given) out.cannot("recompute_layers", t.recompute_layers, only_full);
    w.recompute_method = {};
    w.recompute_layers = {};
  }
  w.recompute_modules = 0;
  std::uint32_t bit = 1;
  for (bool recompute_modules::*const module : megatron_modules) {
    if (t.recompute_modules.*module) w.recompute_modules |= bit;
    bit <<= 1U;
  }
  if (w.recompute_modules == 0) out.cannot("recompute_modules: Megatron-LM takes at least one");
}

constexpr void write_fp8(megatron_words& w, writing& out, const training& t) noexcept {
  const precision& p = t.precision;
  if (p.fp8 != fp8_recipe::none) {
    // The format says nothing of memory; these are the ones of Megatron-LM's own scripts for each recipe.
    w.fp8_format = p.fp8 == fp8_recipe::blockwise || p.fp8 == fp8_recipe::mxfp8 ? "e4m3" : "hybrid";
    w.fp8_recipe = word_for(megatron_fp8, p.fp8);
  }
  w.fp8_weights = p.fp8_weights;
  if (p.fp8_weights && (p.fp8 == fp8_recipe::none || t.sharding == sharding::none))
    out.cannot("precision/fp8_weights true: Megatron-LM has it only with FP8 and sharded optimizer states");
  if (p.fp8_weights && p.fp8 != fp8_recipe::delayed && t.optimizer_offload != ratio{0})
    out.cannot("optimizer_offload: with weights in FP8 Megatron-LM has it only with the delayed recipe");
}

constexpr void write_precision(megatron_words& w, writing& out, const training& t) noexcept {
  const precision& p = t.precision;
  w.bf16 = p.weights == number_type::bf16;
  w.fp16 = p.weights == number_type::fp16;
  if (!w.bf16 && !w.fp16 && p.weights != number_type::fp32)
    out.cannot("precision/weights: Megatron-LM trains in bf16, fp16 or fp32");
  if (w.megatron_fsdp) {
    if (p.gradients != p.weights) w.fsdp_gradients = word_for(megatron_numbers, p.gradients);
    if (p.master_weights != number_type::fp32) w.fsdp_master_weights = word_for(megatron_numbers, p.master_weights);
    constexpr text why = "Megatron-FSDP has fp32, bf16 or fp16";
    if (p.gradients == number_type::fp8 || word_for(megatron_numbers, p.gradients).empty())
      out.cannot("precision/gradients: ").append(why);
    if (p.master_weights == number_type::fp8 || word_for(megatron_numbers, p.master_weights).empty())
      out.cannot("precision/master_weights: ").append(why);
  } else {
    w.gradients_in_fp32 = w.fp16 && p.gradients == number_type::fp32;
    w.reduce_in_bf16 = w.bf16 && p.gradients == number_type::bf16;
    if (p.gradients != number_type::fp32 && p.gradients != p.weights)
      out.cannot("precision/gradients: Megatron-LM adds them up in fp32 or in the type of the weights");
    if (p.master_weights != number_type::fp32) w.master_weights = word_for(megatron_numbers, p.master_weights);
    if (p.master_weights != number_type::fp32 && (p.master_weights != number_type::fp16 || p.weights == number_type::fp32))
      out.cannot("precision/master_weights: Megatron-LM has fp32, or for weights of 16 bits fp16");
  }
  if (p.first_moment != number_type::fp32) w.first_moment = word_for(megatron_numbers, p.first_moment);
  if (p.second_moment != number_type::fp32) w.second_moment = word_for(megatron_numbers, p.second_moment);
  constexpr text moments = "Megatron-LM has fp32, fp16, bf16 or fp8";
  if (word_for(megatron_numbers, p.first_moment).empty()) out.cannot("precision/first_moment: ").append(moments);
  if (word_for(megatron_numbers, p.second_moment).empty()) out.cannot("precision/second_moment: ").append(moments);
  w.precision_aware = !w.master_weights.empty() || !w.first_moment.empty() || !w.second_moment.empty() || w.offload;
  if (!w.precision_aware || (t.optimizer == optimizer::adam && t.sharding != sharding::none)) return;
  out.cannot(w.offload ? "optimizer_offload: " : "precision: ")
      .append(text{"Megatron-LM's precision-aware optimizer, which it needs, is Adam and shards its states"});
}

constexpr void write_optimizer(megatron_words& w, writing& out, const training& t) noexcept {
  if (t.optimizer != optimizer::adam) w.optimizer = word_for(megatron_optimizer, t.optimizer);
  if (t.optimizer == optimizer::none) out.cannot("optimizer none: Megatron-LM has no training without one");
  w.offload = t.optimizer_offload != ratio{0};
  if (w.offload) w.offload_fraction = t.optimizer_offload;
  if (text_buffer<64> digits; !append_decimal(digits, t.optimizer_offload))
    out.cannot("optimizer_offload: it is no finite decimal number");
}

constexpr void write_kernels(megatron_words& w, const kernels& k) noexcept {
  if (!k.flash_attention) w.attention_backend = "unfused";
  w.fused_loss = k.fused_cross_entropy;
  w.fused_gradient = k.fused_weight_gradient;
  if (!k.attention_dropout) w.attention_dropout = ratio{0};
  if (!k.hidden_dropout) w.hidden_dropout = ratio{0};
}

constexpr void write_training(megatron_words& w, writing& out, const training& t) noexcept {
  const training by_default{};
  w.micro_batch = t.micro_batch;
  w.global_batch = t.global_batch;
  w.sequence_length = unless(t.sequence_length, 0);
  w.vocabulary_multiple = unless(t.vocabulary_multiple, by_default.vocabulary_multiple);
  write_sharding(w, out, t);
  write_recompute(w, out, t);
  write_optimizer(w, out, t);
  write_precision(w, out, t);
  write_fp8(w, out, t);
  write_kernels(w, t.kernels);
  note_unless(out, t.schedule, by_default.schedule, "schedule",
              "Megatron-LM's is 1F1B, interleaved where there are virtual stages");
  note_what_is_not_launched(out, t);
  if (t.context != by_default.context) w.context = word_for(megatron_context, t.context);
  if (t.dispatcher != by_default.dispatcher) w.dispatcher = word_for(megatron_dispatcher, t.dispatcher);
  if (t.dispatcher == token_dispatcher::deepep) w.flex_backend = "deepep";
  if (t.dispatcher == token_dispatcher::flex) w.flex_backend = "hybridep";
  if (t.routing.balancing != by_default.routing.balancing) w.balancing = word_for(megatron_balancing, t.routing.balancing);
  w.capacity_factor = t.routing.capacity_factor;
  if (text_buffer<64> digits; !append_decimal(digits, t.routing.capacity_factor))
    out.cannot("routing/capacity_factor: it is no finite decimal number");
  w.pad_to_capacity = t.routing.pad_to_capacity;
  w.pre_softmax = t.routing.pre_softmax;
  w.overlap_tp = t.overlap.tensor_parallel;
  w.overlap_shared = t.overlap.shared_experts;
  w.overlap_ep = t.overlap.expert_parallel;
  w.delay_gradient = t.overlap.delayed_weight_gradient;
}

} // namespace detail

/// Reads flags of Megatron-LM. The base brings the model and the cluster; torchrun's --nnodes and --nproc-per-node, where they stand in
/// the line, replace the cluster's size.
[[nodiscard]] constexpr reading read_megatron(text flags, const deployment& base) noexcept {
  return read_flags(megatron_grammar, flags, base, &detail::from_megatron);
}

/// Writes flags for Megatron-LM, which must be launched on as many processes as the deployment has GPUs.
[[nodiscard]] constexpr writing write_megatron(const deployment& described) noexcept {
  const deployment d = spelled_out(described);
  const strategy& s = d.strategy;
  writing out;
  note_what_no_flag_says(out, d, framework::megatron);
  note_derived_dp(out, d, framework::megatron);
  megatron_words w;
  w.tp = unless(s[axis::tp], 1);
  w.pp = unless(s[axis::pp], 1);
  w.cp = unless(s[axis::cp], 1);
  w.ep = unless(s[axis::ep], 1);
  w.etp = unless(s[axis::etp], s[axis::tp]);
  w.sequence_parallel = s[axis::sp] == s[axis::tp] && s[axis::tp] > 1;
  if (s[axis::sp] != 1 && s[axis::sp] != s[axis::tp])
    out.cannot("sp", s[axis::sp], "Megatron-LM's sequence parallelism is TP wide, or off");
  w.pp_before_dp = s.order == rank_order{"tp-cp-ep-pp-dp"};
  if (!w.pp_before_dp) note_order(out, d, rank_order{}, "Megatron-LM's flags choose between tp-cp-ep-dp-pp and tp-cp-ep-pp-dp");
  w.mtp_layers = unless(d.model.mtp_layers, 0);
  detail::write_layout(w, out, d);
  if (d.workload.is_training()) detail::write_training(w, out, d.workload.train);
  write_flags(out, megatron_grammar, w);
  return out;
}

} // namespace moeplan::dialect
