#pragma once

#include <cstddef>
#include <cstdint>

#include <moeplan/cost/alike_stages.hpp>
#include <moeplan/cost/block_flops.hpp>
#include <moeplan/cost/block_traffic.hpp>
#include <moeplan/cost/communication.hpp>
#include <moeplan/cost/exchange_format.hpp>
#include <moeplan/cost/flops_convention.hpp>
#include <moeplan/cost/recomputed_blocks.hpp>
#include <moeplan/cost/stage_weights.hpp>
#include <moeplan/describe/deployment.hpp>
#include <moeplan/memory/activation_shape.hpp>
#include <moeplan/memory/rank_model.hpp>
#include <moeplan/memory/rank_parameters.hpp>
#include <moeplan/mesh/gpus.hpp>
#include <moeplan/mesh/group_axes.hpp>
#include <moeplan/mesh/stage_layers.hpp>
#include <moeplan/number/count.hpp>
#include <moeplan/pipeline/stage_placement.hpp>

/// @file
/// Every communication of a training step, stage by stage.

namespace moeplan {

namespace detail {

/// How many blocks of each kind pass in one direction.
struct traffic_block_counts {
  std::int64_t of[traffic_blocks]{};

  [[nodiscard]] constexpr std::int64_t operator[](traffic_block b) const noexcept { return of[static_cast<std::size_t>(b)]; }
  constexpr std::int64_t& operator[](traffic_block b) noexcept { return of[static_cast<std::size_t>(b)]; }
};

[[nodiscard]] constexpr traffic_block_counts traffic_counts(const stage_blocks& n) noexcept {
  traffic_block_counts c;
  c[traffic_block::softmax_attention] = n.full_attention + n.windowed_attention;
  c[traffic_block::linear_attention] = n.linear_attention;
  c[traffic_block::dense_mlp] = n.dense_mlp;
  c[traffic_block::moe_mlp] = n.moe_mlp;
  c[traffic_block::mtp_input] = n.mtp_input;
  c[traffic_block::head] = n.heads;
  return c;
}

} // namespace detail

/// Every communication of one step of a training run. What stages have in common is computed once, when it is made; it refers to the
/// deployment, which must outlive it. A template so that only who asks for traffic compiles it.
///
/// Overflow saturates, as the counts of a communication do. Precondition: a training run that `check` accepts, with DP given (resolve());
/// without it a constant expression does not compile.
template <int OnUse = 0>
class training_traffic {
public:
  /// Tokens travel between experts in the type of the activations.
  constexpr explicit training_traffic(const deployment& d) noexcept
      : training_traffic{d, exchange_formats::activations(d.workload.train.precision.weights)} {}

  constexpr training_traffic(const deployment& d, const exchange_formats& formats) noexcept
      : deployment_{&d},
        shape_{activation_shape_of(d.model, rank_model(d.model, d.strategy), d.strategy, d.workload.train)},
        weights_{d, shape_.rank},
        blocks_{block_communications_of(shape_, formats)} {
    if (!d.strategy.resolved()) not_a_constant::dp_is_absent_resolve_the_strategy_first();
  }

  explicit training_traffic(deployment&&) = delete;
  training_traffic(deployment&&, const exchange_formats&) = delete;

  /// Pipeline ranks.
  [[nodiscard]] constexpr std::int64_t stages() const noexcept { return deployment_->strategy[axis::pp]; }

  [[nodiscard]] constexpr const activation_shape& shape() const noexcept { return shape_; }

  /// For one of each block and one micro-batch.
  [[nodiscard]] constexpr const block_communications& blocks() const noexcept { return blocks_; }

  /// Micro-batches of a step, of both directions together.
  [[nodiscard]] constexpr saturating_count micro_batches() const noexcept {
    const training& t = deployment_->workload.train;
    if (!t.global_batch.given) return 1;
    return saturating_count{t.global_batch.number} / (saturating_count{t.micro_batch} * deployment_->strategy[axis::dp]);
  }

  /// Calls visit(const communication&) for every communication that the ranks of a pipeline rank take part in, what they receive from
  /// other stages excepted: the sender has it. Precondition: 0 <= rank < stages().
  template <class Visit>
  constexpr void visit_stage(std::int64_t rank, Visit& visit) const noexcept {
    stage_weight_counts<> held;
    const std::int64_t number = chunks();
    for (std::int64_t chunk = 0; chunk < number; ++chunk) {
      const std::int64_t stage = virtual_stage(deployment_->workload.train.schedule, stages(), rank, chunk);
      const stage_contents here = contents_of(stage);
      visit_blocks(rank, counts_of(here, mtp_before(stage)), micro_batches_of(chunk), visit);
      visit_transfers(rank, stage, chunk, micro_batches_of(chunk), visit);
      held += weights_.of_stage(here);
    }
    visit_gradients(rank, held, micro_batches(), visit);
  }

  /// Calls visit(const communication&) for all stages, from the first to the last.
  template <class Visit>
  constexpr void visit_stages(Visit& visit) const noexcept {
    for (std::int64_t rank = 0; rank < stages(); ++rank) visit_stage(rank, visit);
  }

  /// alike_stages, for callers that look at one stage of each kind. Precondition: 0 <= rank < stages().
  [[nodiscard]] constexpr std::int64_t stages_alike(std::int64_t rank) const noexcept { return alike_stages{*deployment_}(rank); }

private:
  [[nodiscard]] constexpr std::int64_t chunks() const noexcept {
    return chunks_of_rank(deployment_->strategy, deployment_->layout, deployment_->workload.train.schedule);
  }

  [[nodiscard]] constexpr stage_contents contents_of(std::int64_t stage) const noexcept {
    return contents(deployment_->model, deployment_->strategy, deployment_->layout, stage);
  }

  [[nodiscard]] constexpr std::int64_t mtp_before(std::int64_t stage) const noexcept {
    std::int64_t modules = 0;
    if (!deployment_->layout.places_mtp) return modules;
    for (std::int64_t s = 0; s < stage; ++s) modules += contents_of(s).mtp_layers;
    return modules;
  }

  /// Of a virtual stage.
  struct block_counts {
    detail::traffic_block_counts once{};
    detail::traffic_block_counts again{}; ///< recomputed
  };

  [[nodiscard]] constexpr block_counts counts_of(const stage_contents& here, std::int64_t modules_before) const noexcept {
    const model& m = deployment_->model;
    constexpr flops_convention how = flops_convention::exact();
    const stage_blocks blocks = blocks_of_stage(m, here, modules_before, how);
    block_counts c{detail::traffic_counts(blocks),
                   detail::traffic_counts(recomputed_blocks_of_stage(m, here, blocks, deployment_->workload.train))};
    // A module for multi-token prediction embeds its tokens itself.
    c.once[traffic_block::embedding] = (here.embedding ? 1 : 0) + here.mtp_layers;
    return c;
  }

  /// DualPipe: each direction has half of the micro-batches.
  [[nodiscard]] constexpr saturating_count micro_batches_of(std::int64_t chunk) const noexcept {
    const saturating_count all = micro_batches();
    if (deployment_->workload.train.schedule != schedule::dualpipe) return all;
    return chunk % 2 == 0 ? (all + 1) / 2 : all / 2;
  }

  template <class Visit>
  constexpr void visit_blocks(std::int64_t rank, const block_counts& counts, saturating_count micro_batches,
                              Visit& visit) const noexcept {
    for (const block_communication& b : blocks_) {
      const std::int64_t blocks = b.each.pass == communication_pass::recompute ? counts.again[b.block] : counts.once[b.block];
      if (blocks == 0) continue;
      communication c = b.each;
      c.times = c.times * blocks * micro_batches;
      c.from_stage = c.to_stage = rank;
      visit(static_cast<const communication&>(c));
    }
  }

  /// Between stages. Two that lie on one rank, as at the turn of a V, need none.
  template <class Visit>
  constexpr void visit_transfers(std::int64_t rank, std::int64_t stage, std::int64_t chunk, saturating_count micro_batches,
                                 Visit& visit) const noexcept {
    const schedule order = deployment_->workload.train.schedule;
    const auto send = [&](communication_pass pass, std::int64_t other_stage) {
      const std::int64_t to = rank_of_stage(order, stages(), other_stage, chunk);
      if (to == rank) return;
      communication c;
      c.kind = collective::send;
      c.pass = pass;
      c.purpose = communication_purpose::pipeline;
      c.part = group_part::stages;
      c.group = groups::pp;
      c.ranks = 2;
      c.size = c.busiest = detail::bytes_of<saturating_count>(shape_.spread_tokens * shape_.hidden, shape_.type);
      c.times = micro_batches;
      c.from_stage = rank;
      c.to_stage = to;
      c.source = pass == communication_pass::forward ? "pipeline_parallel/p2p_communication.py send_forward"
                                                     : "pipeline_parallel/p2p_communication.py send_backward";
      visit(static_cast<const communication&>(c));
    };
    if (stage + 1 < virtual_stages(deployment_->strategy, deployment_->layout)) send(communication_pass::forward, stage + 1);
    if (stage > 0) send(communication_pass::backward, stage - 1);
  }

  /// One communication of gradients or weights.
  template <class Visit>
  constexpr void update(std::int64_t rank, communication_purpose purpose, collective kind, group_axes group, group_part part,
                        std::int64_t ranks, saturating_count size, saturating_count times, const char* source, Visit& visit,
                        std::int64_t next_stage = -1) const noexcept {
    if (ranks <= 1 || size == 0) return;
    communication c;
    c.kind = kind;
    c.pass = communication_pass::update;
    c.purpose = purpose;
    c.part = part;
    c.group = group;
    c.ranks = ranks;
    c.size = c.busiest = size;
    c.times = times;
    c.from_stage = rank;
    c.to_stage = next_stage >= 0 ? next_stage : rank;
    c.source = source;
    visit(static_cast<const communication&>(c));
  }

  template <class Visit>
  constexpr void visit_gradients(std::int64_t rank, const stage_weight_counts<>& held, saturating_count micro_batches,
                                 Visit& visit) const noexcept {
    const strategy& s = deployment_->strategy;
    const training& t = deployment_->workload.train;
    const std::int64_t experts = s[axis::tp] * s[axis::cp] * s[axis::dp] / (s[axis::etp] * s[axis::ep]);
    visit_sharing(rank, groups::dp_cp, s[axis::dp] * s[axis::cp], held.parameters.dense, micro_batches, visit);
    visit_sharing(rank, groups::edp, experts, held.parameters.experts, micro_batches, visit);
    const number_type type = t.precision.gradients;
    update(rank, communication_purpose::whole_parameters, collective::all_reduce, groups::tp, group_part::all, s[axis::tp],
           detail::bytes_of<saturating_count>(held.whole, type), 1,
           "finalize_model_grads.py _allreduce_non_tensor_model_parallel_grads", visit);
    if (held.embeddings)
      update(rank, communication_purpose::tied_embedding, collective::all_reduce, groups::pp, group_part::stages,
             weights_.embedding_holders(), detail::bytes_of<saturating_count>(weights_.embedding(), type), 1,
             "finalize_model_grads.py _allreduce_word_embedding_grads", visit, weights_.next_holder(rank));
  }

  /// Among ranks that hold the same weights.
  template <class Visit>
  constexpr void visit_sharing(std::int64_t rank, group_axes group, std::int64_t ranks,
                               const parameter_group<saturating_count>& held, saturating_count micro_batches,
                               Visit& visit) const noexcept {
    const training& t = deployment_->workload.train;
    const auto gradients = detail::bytes_of<saturating_count>(held.trained(), t.precision.gradients);
    const saturating_count weights = detail::gathered_weights(held, t.precision);
    const bool sharded = t.sharding != sharding::none;
    const std::int64_t copies = !sharded ? 1 : ranks > t.dp_replicate ? t.dp_replicate : ranks;
    const std::int64_t shards = ranks / copies;
    const group_part part = copies > 1 ? group_part::neighbours : group_part::all;
    const bool each_time = t.sharding >= sharding::gradients; // They are reduced as they come: there is no room for whole ones.
    const bool gathers_each_time = t.sharding == sharding::parameters;
    const saturating_count passes = each_time ? micro_batches : saturating_count{1};
    const char* const source = gathers_each_time ? "fully_shard, _fsdp_collectives.py foreach_reduce, foreach_all_gather"
                                                 : "distributed/param_and_grad_buffer.py start_grad_sync, start_param_sync";
    using purpose = communication_purpose;
    if (!sharded) {
      update(rank, purpose::gradients, collective::all_reduce, group, part, ranks, gradients, 1, source, visit);
    } else {
      update(rank, purpose::gradients, collective::reduce_scatter, group, part, shards, gradients, passes, source, visit);
      if (copies > 1)
        update(rank, purpose::gradients, collective::all_reduce, group, copies == ranks ? group_part::all : group_part::spread,
               copies, detail::divided_up<saturating_count>(gradients, shards), passes, source, visit);
      // Whole weights are there for one pass only: they are gathered for the forward pass and again for the backward pass.
      update(rank, purpose::weights, collective::all_gather, group, part, shards, weights,
             gathers_each_time ? passes * 2 : saturating_count{1}, source, visit);
    }
    if (t.schedule == schedule::dualpipe) // Each stage is on two pipeline ranks, which have half of the micro-batches each.
      update(rank, purpose::gradients, collective::all_reduce, groups::pp, group_part::stages, stages() > 1 ? 2 : 1,
             detail::divided_up<saturating_count>(gradients, sharded ? shards : 1), 1, "arXiv 2412.19437, section 3.2.1", visit,
             stages() - 1 - rank);
  }

  const deployment* deployment_;
  activation_shape shape_;
  stage_weights<> weights_;
  block_communications blocks_;
};

} // namespace moeplan
