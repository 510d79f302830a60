#pragma once

#include <cstdint>

#include <moeplan/balance/node_limited_routing.hpp>
#include <moeplan/cost/block_flops.hpp>
#include <moeplan/cost/communication.hpp>
#include <moeplan/cost/exchange_format.hpp>
#include <moeplan/cost/flops_convention.hpp>
#include <moeplan/describe/deployment.hpp>
#include <moeplan/describe/training.hpp>
#include <moeplan/memory/rank_model.hpp>
#include <moeplan/memory/rank_parameters.hpp>
#include <moeplan/mesh/gpus.hpp>
#include <moeplan/mesh/group_axes.hpp>
#include <moeplan/mesh/stage_layers.hpp>
#include <moeplan/number/count.hpp>
#include <moeplan/number/extremes.hpp>

/// @file
/// Every communication of a step of a deployment that serves, stage by stage.

namespace moeplan {

/// How tokens of data-parallel attention reach the experts that its ranks share. Without such ranks, every rank has all tokens.
struct serving_exchange {
  /// all_gather: vLLM --all2all-backend allgather_reducescatter. all_to_all: a copy for each expert (DeepEP's low-latency kernels). flex,
  /// deepep: a copy for each rank (DeepEP's high-throughput kernels).
  token_dispatcher dispatcher = token_dispatcher::all_gather;
  exchange_format dispatch{};
  exchange_format combine{};

  friend constexpr bool operator==(const serving_exchange&, const serving_exchange&) noexcept = default;
};

/// Every communication of one step, in which each sequence of the batch gets `step_tokens` tokens further. Activations are bf16. It
/// refers to the deployment, which must outlive it. A template so that only who asks for traffic compiles it.
///
/// As in vLLM: TP ranks add up what attention and MLPs put out, with shared experts in the same sum as routed ones; where data-parallel
/// attention ranks exchange tokens by all-to-all, TP ranks divide the tokens among them, which are rounded up to as many as TP divides,
/// and gather the outputs. What context-parallel ranks exchange (CP above 1) is not counted.
/// Overflow saturates. Precondition: a deployment that serves and that `check` accepts, with DP given (resolve()); without it a constant
/// expression does not compile.
template <int OnUse = 0>
class serving_traffic {
public:
  constexpr explicit serving_traffic(const deployment& d, const serving_exchange& exchange = {}) noexcept
      : deployment_{&d}, exchange_{exchange}, tokens_{saturating_count{d.workload.serve.batch} * d.workload.serve.new_tokens()} {
    if (!d.strategy.resolved()) not_a_constant::dp_is_absent_resolve_the_strategy_first();
  }

  explicit serving_traffic(deployment&&, const serving_exchange& = {}) = delete;

  [[nodiscard]] constexpr std::int64_t stages() const noexcept { return deployment_->strategy[axis::pp]; }

  /// Calls visit(const communication&) for every communication that the ranks of a pipeline rank take part in, what they receive from
  /// other stages excepted: the sender has it. Precondition: 0 <= rank < stages().
  template <class Visit>
  constexpr void visit_stage(std::int64_t rank, Visit& visit) const noexcept {
    const deployment& d = *deployment_;
    const std::int64_t all = virtual_stages(d.strategy, d.layout);
    for (std::int64_t stage = rank; stage < all; stage += stages()) {
      stage_contents here = contents(d.model, d.strategy, d.layout, stage);
      if (!d.workload.serve.drafts) here.mtp_layers = 0; // They are not loaded.
      visit_contents(rank, here, visit);
      if (stage > 0) visit_received(rank, visit);
      if (stage + 1 < all) visit_transfer(rank, (stage + 1) % stages(), visit);
    }
  }

  /// Calls visit(const communication&) for all stages, from the first to the last.
  template <class Visit>
  constexpr void visit_stages(Visit& visit) const noexcept {
    for (std::int64_t rank = 0; rank < stages(); ++rank) visit_stage(rank, visit);
  }

private:
  using purpose = communication_purpose;

  [[nodiscard]] constexpr std::int64_t degree(axis a) const noexcept { return deployment_->strategy[a]; }

  /// Of bf16.
  [[nodiscard]] constexpr saturating_count activations(saturating_count tokens) const noexcept {
    return tokens * deployment_->model.hidden_size * 2;
  }

  /// Data-parallel ranks that share experts.
  [[nodiscard]] constexpr std::int64_t sharing_ranks() const noexcept {
    return deployment_->workload.serve.data_parallelism == data_parallelism::attention ? degree(axis::dp) : 1;
  }

  template <class Visit>
  constexpr void add(std::int64_t rank, purpose what, collective kind, group_axes group, std::int64_t ranks, saturating_count size,
                     std::int64_t times, const char* source, Visit& visit, group_part part = group_part::all) const noexcept {
    if (ranks <= 1 || size == 0 || times == 0) return;
    communication c;
    c.kind = kind;
    c.purpose = what;
    c.part = part;
    c.group = group;
    c.ranks = ranks;
    c.size = c.busiest = size;
    c.times = times;
    c.from_stage = c.to_stage = rank;
    c.source = source;
    visit(static_cast<const communication&>(c));
  }

  template <class Visit>
  constexpr void visit_contents(std::int64_t rank, const stage_contents& here, Visit& visit) const noexcept {
    const deployment& d = *deployment_;
    stage_blocks n = blocks_of_stage(d.model, here, 0, flops_convention::exact());
    if (here.loss && !d.workload.serve.drafts) n.heads = 1;
    const saturating_count hidden = activations(tokens_);
    const std::int64_t tensor_ranks = degree(axis::tp);
    const auto reduce = [&](purpose what, std::int64_t times, const char* source) {
      add(rank, what, collective::all_reduce, groups::tp, tensor_ranks, hidden, times, source, visit);
    };
    reduce(purpose::embedding, (here.embedding ? 1 : 0) + here.mtp_layers, "vocab_parallel_embedding.py VocabParallelEmbedding");
    reduce(purpose::attention, n.full_attention + n.windowed_attention + n.linear_attention, "linear.py RowParallelLinear");
    reduce(purpose::mlp, n.dense_mlp, "linear.py RowParallelLinear");
    visit_decode_context(rank, n.full_attention + n.windowed_attention, visit);
    visit_experts(rank, n.moe_mlp, visit);
    if (n.heads > 0) {
      const serving& v = d.workload.serve;
      const saturating_count rows =
          v.drafts ? tokens_ : saturating_count{v.batch}; // Drafts are judged by the logits of all tokens.
      const auto vocabulary = padded_vocabulary<saturating_count>(d.model, d.strategy, v.vocabulary_multiple);
      add(rank, purpose::head, collective::all_gather, groups::tp, tensor_ranks, rows * vocabulary * 2, n.heads,
          "logits_processor.py tensor_model_parallel_all_gather", visit);
    }
  }

  /// Ranks that share keys and values of a sequence: queries of all their heads, then sums of exponentials and outputs.
  template <class Visit>
  constexpr void visit_decode_context(std::int64_t rank, std::int64_t layers, Visit& visit) const noexcept {
    const std::int64_t sharing = deployment_->workload.serve.decode_context;
    if (sharing <= 1 || degree(axis::cp) > 1) return;
    const attention a = rank_model(deployment_->model, deployment_->strategy).attention;
    const bool latent = a.kind == attention_kind::latent;
    const saturating_count heads = tokens_ * a.heads * sharing;
    const std::int64_t query = latent ? a.kv_lora_rank + a.qk_rope_head_dim : a.head_dim;
    const std::int64_t output = latent ? a.kv_lora_rank : a.head_dim;
    const group_part part = sharing == degree(axis::tp) ? group_part::all : group_part::neighbours;
    const char* const source = "attention/ops/common.py cp_lse_ag_out_rs";
    add(rank, purpose::context, collective::all_gather, groups::tp, sharing, heads * query * 2, layers, source, visit, part);
    add(rank, purpose::context, collective::all_gather, groups::tp, sharing, heads * sharing * 4, layers, source, visit, part);
    add(rank, purpose::context, collective::reduce_scatter, groups::tp, sharing, heads * output * 2, layers, source, visit, part);
  }

  template <class Visit>
  constexpr void visit_experts(std::int64_t rank, std::int64_t layers, Visit& visit) const noexcept {
    if (layers == 0) return;
    const std::int64_t sharing = sharing_ranks();
    const std::int64_t expert_ranks = degree(axis::etp) * degree(axis::ep);
    if (sharing == 1) { // Every rank has all tokens.
      add(rank, purpose::experts_output, collective::all_reduce, groups::etp_ep, expert_ranks, activations(tokens_), layers,
          "fused_moe/layer.py maybe_all_reduce_tensor_model_parallel", visit);
      return;
    }
    if (exchange_.dispatcher == token_dispatcher::all_gather)
      visit_gathered_tokens(rank, layers, sharing, visit);
    else
      visit_exchanged_tokens(rank, layers, expert_ranks, visit);
  }

  template <class Visit>
  constexpr void visit_gathered_tokens(std::int64_t rank, std::int64_t layers, std::int64_t sharing, Visit& visit) const noexcept {
    const model& m = deployment_->model;
    const saturating_count tokens = tokens_ * sharing;
    const char* const source = "device_communicators/all2all.py AgRsAll2AllManager";
    add(rank, purpose::dispatch, collective::all_gather, groups::dp, sharing,
        tokens * bytes_of_row<saturating_count>(exchange_.dispatch, m.hidden_size), layers, source, visit);
    add(rank, purpose::routing, collective::all_gather, groups::dp, sharing, tokens * m.experts.routed * 2, layers, source, visit);
    add(rank, purpose::combine, collective::reduce_scatter, groups::dp, sharing,
        tokens * bytes_of_row<saturating_count>(exchange_.combine, m.hidden_size), layers, source, visit);
    add(rank, purpose::experts_output, collective::all_reduce, groups::tp, degree(axis::tp), activations(tokens_), layers,
        "fused_moe/layer.py maybe_all_reduce_tensor_model_parallel", visit);
  }

  /// Copies of experts change nothing: a token goes to one of them, and with each expert's load divided evenly to any rank as likely as
  /// to any other. Where tokens go to each rank once, that is then known only as a limit.
  template <class Visit>
  constexpr void visit_exchanged_tokens(std::int64_t rank, std::int64_t layers, std::int64_t expert_ranks,
                                        Visit& visit) const noexcept {
    const model& m = deployment_->model;
    const std::int64_t tensor_ranks = degree(axis::tp);
    const saturating_count tokens = (tokens_ + tensor_ranks - 1) / tensor_ranks;
    const bool once_a_rank = exchange_.dispatcher != token_dispatcher::all_to_all;
    std::int64_t copies = m.experts.top_k;
    double expected = 0; // 0: not known
    if (once_a_rank) {
      const bool copied = deployment_->workload.serve.redundant_experts > 0;
      const auto ranks = copied ? distinct_ranks<double>{} : distinct_ranks_of(m.experts, degree(axis::ep));
      copies = ranks.most > 0 ? ranks.most : detail::least(m.experts.top_k, degree(axis::ep));
      expected = ranks.expected;
    }
    const auto exchange = [&](purpose what, const exchange_format& format) {
      const saturating_count bytes = tokens * degree(axis::etp) * bytes_of_row<saturating_count>(format, m.hidden_size);
      communication c;
      c.kind = collective::all_to_all;
      c.purpose = what;
      c.group = groups::etp_ep;
      c.ranks = expert_ranks;
      c.size = c.busiest = bytes * copies;
      if (once_a_rank) {
        c.copies = copies * degree(axis::etp);
        c.expected_size = expected > 0 ? static_cast<double>(bytes.bits) * expected : __builtin_nan("");
      }
      c.times = layers;
      c.from_stage = c.to_stage = rank;
      c.source = once_a_rank ? "DeepEP buffer.py dispatch, combine" : "DeepEP buffer.py low_latency_dispatch, low_latency_combine";
      if (expert_ranks > 1) visit(static_cast<const communication&>(c));
    };
    exchange(purpose::dispatch, exchange_.dispatch);
    exchange(purpose::combine, exchange_.combine);
    add(rank, purpose::experts_output, collective::all_gather, groups::tp, tensor_ranks, activations(tokens * tensor_ranks), layers,
        "models/deepseek_v2.py tensor_model_parallel_all_gather", visit);
  }

  /// vLLM and SGLang pass on hidden states and residual apart, each TP rank a part of both, which the receivers gather
  /// (parallel_state.py send_tensor_dict).
  [[nodiscard]] constexpr bool sends_parts() const noexcept {
    return deployment_->profile == profile::vllm || deployment_->profile == profile::sglang;
  }
  [[nodiscard]] constexpr saturating_count transferred() const noexcept { return activations(tokens_) * (sends_parts() ? 2 : 1); }

  template <class Visit>
  constexpr void visit_transfer(std::int64_t rank, std::int64_t to, Visit& visit) const noexcept {
    if (stages() == 1) return;
    const std::int64_t parts = sends_parts() ? degree(axis::tp) : 1;
    communication c;
    c.kind = collective::send;
    c.purpose = purpose::pipeline;
    c.part = group_part::stages;
    c.group = groups::pp;
    c.ranks = 2;
    c.size = c.busiest = (transferred() + parts - 1) / parts;
    c.times = 1;
    c.from_stage = rank;
    c.to_stage = to;
    c.source = "distributed/parallel_state.py send_tensor_dict";
    visit(static_cast<const communication&>(c));
  }

  template <class Visit>
  constexpr void visit_received(std::int64_t rank, Visit& visit) const noexcept {
    if (stages() > 1 && sends_parts())
      add(rank, purpose::pipeline, collective::all_gather, groups::tp, degree(axis::tp), transferred(), 1,
          "distributed/parallel_state.py recv_tensor_dict", visit);
  }

  const deployment* deployment_;
  serving_exchange exchange_;
  saturating_count tokens_; ///< of one data-parallel replica
};

} // namespace moeplan
