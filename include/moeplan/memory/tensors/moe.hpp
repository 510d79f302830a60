#pragma once

#include <cstdint>

#include <moeplan/memory/activation_shape.hpp>
#include <moeplan/memory/tensor.hpp>
#include <moeplan/memory/tensors/linear_input.hpp>

/// @file
/// The tensors of an MoE layer's MLP, as Megatron-LM with Transformer Engine has them.

namespace moeplan {

/// What the block does, from the norm before it to the sum with the residual, and back.
namespace moe_step {
enum : std::uint16_t {
  router, ///< with the norm before it
  permutation,
  dispatch,
  shared_experts,
  sorting, ///< by local expert
  up_projection,
  activation,
  down_projection,
  unsorting,
  combine,
  unpermutation,
  sum, ///< with the shared experts
  residual,
  backward,
  unpermutation_gradient = backward,
  combine_gradient,
  unsorting_gradient,
  down_projection_gradient,
  activation_gradient,
  up_projection_gradient,
  sorting_gradient,
  shared_experts_gradient,
  dispatch_gradient,
  permutation_gradient,
  router_gradient,
  norm_gradient,
  end
};
} // namespace moe_step

namespace detail {

/// The router: scores of every token for every expert, and which it chose.
template <class Visit>
constexpr void visit_router_tensors(const activation_shape& s, Visit& visit, bool dropped) noexcept {
  using namespace moe_step;
  const experts& e = s.rank.experts;
  const routing& r = s.train.routing;
  const bool loss = r.balancing == load_balancing::auxiliary_loss || r.balancing == load_balancing::sequence_auxiliary_loss ||
                    r.balancing == load_balancing::global_auxiliary_loss;
  const saturating_count tokens = s.spread_tokens;
  const saturating_count scored = e.score == router_score::sigmoid || r.pre_softmax ? saturating_count{s.experts} : e.top_k;
  visit({"router logits", "moe_utils.py router_gating_linear", tokens, s.experts, s.type, router, permutation});
  visit({"scores under way", "moe_utils.py topk_routing_with_score_function", tokens, s.experts, number_type::fp32, router,
         permutation});
  visit_unless_dropped(visit, {"scores", "moe_utils.py softmax, sigmoid", tokens, scored, number_type::fp32, router, norm_gradient},
                       dropped, backward, backward);
  if (loss)
    visit_unless_dropped(visit,
                         {"scores for the balancing loss", "moe_utils.py compute_routing_scores_for_aux_loss", tokens, s.experts,
                          number_type::fp32, router, norm_gradient},
                         dropped, backward, backward);
  if (e.groups > 1)
    visit_unless_dropped(
        visit, {"mask of groups", "moe_utils.py group_limited_topk", tokens, s.experts, number_type::int8, router, norm_gradient},
        dropped, backward, backward);
  visit_unless_dropped(visit, {"chosen experts", "torch.topk indices", tokens, e.top_k, number_type::int64, router, norm_gradient},
                       dropped, backward, backward);
  visit_unless_dropped(visit,
                       {"routing map", "moe_utils.py final_map", tokens, s.experts, number_type::int8, router, norm_gradient},
                       dropped, backward, backward);
  visit({"gradients of scores", "autograd", tokens, saturating_count{s.experts} * 2, number_type::fp32, router_gradient,
         norm_gradient});
  visit({"gradient of the router's input", "moe_utils.py RouterGatingLinear", tokens, s.hidden, s.type, router_gradient,
         norm_gradient});
}

/// Shared experts: an MLP of all tokens, beside the routed ones.
template <class Visit>
constexpr void visit_shared_expert_tensors(const activation_shape& s, Visit& visit, bool dropped) noexcept {
  using namespace moe_step;
  const saturating_count width = s.rank.experts.shared_intermediate_size;
  const saturating_count up = s.rank.gated_mlp ? width * 2 : width;
  visit_unless_dropped(visit,
                       {"up-projection of shared experts", "fused_bias_swiglu.py save_for_backward", s.tokens, up, s.type,
                        shared_experts, dispatch_gradient},
                       dropped, backward, shared_experts_gradient);
  visit_linear_input(
      s, visit,
      {"activation of shared experts", "linear.py saved input", s.tokens, width, s.type, shared_experts, dispatch_gradient},
      dropped, backward, shared_experts_gradient);
  if (s.keeps_fp8())
    visit_linear_input(s, visit,
                       {"quantised input of shared experts", "linear.py saved input", s.spread_tokens, s.hidden, s.type,
                        shared_experts, dispatch_gradient},
                       dropped, backward, shared_experts_gradient);
  visit({"output of shared experts", "shared_experts.py", s.spread_tokens, s.hidden, s.type, shared_experts, residual});
  visit({"gradient of the activation of shared experts", "linear.py dgrad", s.tokens, width, s.type, shared_experts_gradient,
         dispatch_gradient});
  visit({"gradient of the up-projection of shared experts", "fused_bias_swiglu.py", s.tokens, up, s.type, shared_experts_gradient,
         dispatch_gradient, true});
  visit({"gradient of the shared experts' input", "linear.py dgrad", s.spread_tokens, s.hidden, s.type, shared_experts_gradient,
         router_gradient});
  if (!s.sequence_parallel) return;
  visit({"gathered input of shared experts", "linear.py inputmat_total", s.tokens, s.hidden, s.type, shared_experts, sorting});
  visit({"gathered gradient of shared experts", "linear.py grad_output", s.tokens, s.hidden, s.type, shared_experts_gradient,
         dispatch_gradient});
}

/// From permuted tokens to permuted outputs, with the exchange between EP ranks.
template <class Visit>
constexpr void visit_routed_expert_tensors(const activation_shape& s, Visit& visit, bool dropped) noexcept {
  using namespace moe_step;
  const number_type type = s.type;
  const routing& r = s.train.routing;
  const saturating_count width = s.rank.experts.intermediate_size;
  const saturating_count up = s.rank.gated_mlp ? width * 2 : width;
  const bool activation_dropped =
      dropped || (s.train.recompute == recompute::selective && s.train.recompute_modules.moe_activation);
  const bool exchanges = s.expert_ranks > 1;
  const bool alone = !exchanges && s.expert_tensor_ranks == 1;
  const bool sorts = s.rank.experts.routed > 1 && !(alone && r.pad_to_capacity);
  const saturating_count sent = s.rows.sent;
  const saturating_count received = s.rows.received;
  const saturating_count computed = s.rows.computed;

  // What Python's frames hold: the permuted and the dispatched tokens until the layer returns, the outputs until they are combined.
  visit_unless_dropped(visit,
                       {"map of rows", "permutation.py row_id_map", s.spread_tokens, saturating_count{s.experts} * 2 + 1,
                        number_type::int32, permutation, router_gradient},
                       dropped, backward, backward);
  const bool sorts_nothing = !sorts && s.expert_tensor_ranks == 1;
  if (exchanges || !sorts_nothing)
    visit({"permuted tokens", "moe_layer.py custom_forward hidden_states", sent, s.hidden, type, permutation, residual});
  if (exchanges && !sorts_nothing)
    visit({"dispatched tokens", "moe_layer.py custom_forward dispatched_input", received, s.hidden, type, dispatch, residual});
  if (s.expert_tensor_ranks > 1)
    visit({"tokens gathered over ETP", "token_dispatcher.py all_gather", computed, s.hidden, type, sorting, up_projection});
  visit({"probabilities of dispatched tokens", "moe_layer.py custom_forward probs", received, 1, type, dispatch, residual});
  visit_linear_input(s, visit,
                     {"experts' input", "grouped_linear.py saved inputs", computed, s.hidden, type, sorting, sorting_gradient},
                     dropped, backward);
  visit_unless_dropped(visit,
                       {"experts' probabilities", "fused_bias_swiglu.py weighted save_for_backward", computed, 1, type, sorting,
                        up_projection_gradient},
                       dropped, backward, backward);
  if (sorts && !r.pad_to_capacity)
    visit_unless_dropped(
        visit, {"maps of sorted rows", "permutation.py row_id_map", computed, 2, number_type::int32, sorting, dispatch_gradient},
        dropped, backward, backward);
  visit_unless_dropped(visit,
                       {"experts' up-projection", "fused_bias_swiglu.py weighted save_for_backward", computed, up, type,
                        up_projection, up_projection_gradient},
                       dropped, backward, backward);
  tensor active{"experts' activation", "grouped_linear.py saved inputs", computed, width, type, activation, activation_gradient};
  visit_linear_input(s, visit, active, activation_dropped, backward, dropped ? backward : down_projection_gradient);
  visit({"experts' output", "moe_layer.py experts_compute expert_output", computed, s.hidden, type, down_projection,
         sorts_nothing ? std::uint16_t{residual} : std::uint16_t{combine}});
  if (!sorts_nothing)
    visit({"outputs in order of arrival", "moe_layer.py custom_forward output", received, s.hidden, type, unsorting, residual});
  if (exchanges) visit({"combined outputs", "moe_layer.py combine output", sent, s.hidden, type, combine, sum});

  visit({"gradient of the combined outputs", "permutation.py", sent, s.hidden, type, unpermutation_gradient, unsorting_gradient});
  visit({"gradient of outputs in order of arrival", "mappings.py all_to_all", received, s.hidden, type, combine_gradient,
         down_projection_gradient});
  visit({"gradient of the experts' output", "autograd", computed, s.hidden, type, unsorting_gradient, activation_gradient, true});
  visit({"gradient of the experts' activation", "grouped_linear.py dgrad", computed, width, type, down_projection_gradient,
         up_projection_gradient});
  visit({"gradient of the experts' up-projection", "fused_bias_swiglu.py", computed, up, type, activation_gradient,
         sorting_gradient, true});
  visit({"gradient of the experts' input", "grouped_linear.py dgrad", computed, s.hidden, type, up_projection_gradient,
         shared_experts_gradient});
  visit({"gradient of dispatched tokens", "autograd", received, s.hidden, type, sorting_gradient, permutation_gradient});
  visit({"gradient of permuted tokens", "mappings.py all_to_all", sent, s.hidden, type, dispatch_gradient, router_gradient});
}

/// The same with the all-gather dispatcher: every rank sees all tokens of its ETP x EP ranks and takes what its experts were chosen for.
template <class Visit>
constexpr void visit_gathered_expert_tensors(const activation_shape& s, Visit& visit, bool dropped) noexcept {
  using namespace moe_step;
  const number_type type = s.type;
  const saturating_count width = s.rank.experts.intermediate_size;
  const saturating_count up = s.rank.gated_mlp ? width * 2 : width;
  const bool activation_dropped =
      dropped || (s.train.recompute == recompute::selective && s.train.recompute_modules.moe_activation);
  const saturating_count gathered = s.spread_tokens * s.expert_ranks * s.expert_tensor_ranks;
  const saturating_count local = s.rank.experts.routed;
  const saturating_count rows = s.rows.computed;
  visit_unless_dropped(visit,
                       {"gathered routing map", "token_dispatcher.py routing_map", gathered, s.experts, number_type::int8, dispatch,
                        router_gradient},
                       dropped, backward, backward);
  visit({"gathered probabilities", "token_dispatcher.py probs", gathered, s.experts, type, dispatch, residual});
  visit_unless_dropped(
      visit, {"local probabilities", "token_dispatcher.py masked_select", gathered, local, type, dispatch, permutation_gradient},
      dropped, backward, backward);
  visit_unless_dropped(
      visit,
      {"map of rows", "permutation.py row_id_map", gathered, local * 2 + 1, number_type::int32, sorting, permutation_gradient},
      dropped, backward, backward);
  visit_linear_input(s, visit,
                     {"experts' input", "grouped_linear.py saved inputs", rows, s.hidden, type, sorting, sorting_gradient}, dropped,
                     backward);
  visit_unless_dropped(visit,
                       {"experts' up-projection", "fused_bias_swiglu.py weighted save_for_backward", rows, up, type, up_projection,
                        up_projection_gradient},
                       dropped, backward, backward);
  tensor active{"experts' activation", "grouped_linear.py saved inputs", rows, width, type, activation, activation_gradient};
  visit_linear_input(s, visit, active, activation_dropped, backward, dropped ? backward : down_projection_gradient);
  visit({"experts' output", "moe_layer.py experts_compute expert_output", rows, s.hidden, type, down_projection, combine});
  visit({"outputs of all tokens", "token_dispatcher.py unpermute", gathered, s.hidden, type, unsorting, unpermutation});
  visit({"gradient of outputs of all tokens", "mappings.py reduce_scatter", gathered, s.hidden, type, combine_gradient,
         down_projection_gradient});
  visit({"gradient of the experts' output", "autograd", rows, s.hidden, type, unsorting_gradient, activation_gradient, true});
  visit({"gradient of the experts' activation", "grouped_linear.py dgrad", rows, width, type, down_projection_gradient,
         up_projection_gradient});
  visit({"gradient of the experts' up-projection", "fused_bias_swiglu.py", rows, up, type, activation_gradient, sorting_gradient,
         true});
  visit({"gradient of the experts' input", "grouped_linear.py dgrad", rows, s.hidden, type, up_projection_gradient,
         shared_experts_gradient});
  visit({"gradient of all tokens", "mappings.py all_gather", gathered, s.hidden, type, sorting_gradient, permutation_gradient});
}

} // namespace detail

/// Visits every tensor that lives while the block works on one micro-batch. The flexible dispatchers are counted as all-to-all, which
/// sends a token to a rank once for each expert and not once. Sources: Megatron-LM core_r0.14 transformer/moe, Transformer Engine 2.11.
template <class Visit>
constexpr void visit_moe_tensors(const activation_shape& s, Visit& visit) noexcept {
  using namespace moe_step;
  const number_type type = s.type;
  const bool selective = s.train.recompute == recompute::selective;
  const recompute_modules& modules = s.train.recompute_modules;
  const bool all_dropped = selective && modules.moe;
  const bool shared = s.rank.experts.shared_intermediate_size > 0;

  visit({"residual", "ops/basic/rmsnorm.py saved input", s.spread_tokens, s.hidden, type, 0, end});
  visit_unless_dropped(visit,
                       {"norm output", "moe_utils.py RouterGatingLinear, linear.py", s.spread_tokens, s.hidden, type, 0, end,
                        shared && !s.keeps_fp8()},
                       selective && modules.layer_norm, backward, backward);
  visit({"norm statistics", "ops/basic/rmsnorm.py rstdev", s.spread_tokens, 1, number_type::fp32, 0, end});
  detail::visit_router_tensors(s, visit, all_dropped);
  if (shared) detail::visit_shared_expert_tensors(s, visit, all_dropped || (selective && modules.shared_experts));
  if (s.train.dispatcher == token_dispatcher::all_gather)
    detail::visit_gathered_expert_tensors(s, visit, all_dropped);
  else
    detail::visit_routed_expert_tensors(s, visit, all_dropped);
  visit({"output of routed experts", "permutation.py unpermute", s.spread_tokens, s.hidden, type, unpermutation,
         shared ? std::uint16_t{residual} : std::uint16_t{backward}});
  if (shared) visit({"output of all experts", "moe_layer.py combine", s.spread_tokens, s.hidden, type, sum, backward});
  visit({"MLP output, next residual", "transformer_layer.py mlp_bda", s.spread_tokens, s.hidden, type, residual, backward});
  if (s.train.kernels.hidden_dropout)
    visit({"dropout mask", "fused_bias_dropout.py", s.spread_tokens, s.hidden, number_type::int8, residual, combine_gradient});

  visit({gradient_of_the_residual, "autograd", s.spread_tokens, s.hidden, type, backward, end, shared});
  visit({"gradient of the norm output", "permutation.py", s.spread_tokens, s.hidden, type, permutation_gradient, end});
  visit({"gradient of the norm input", "ops/basic/rmsnorm.py", s.spread_tokens, s.hidden, type, norm_gradient, end});
}

} // namespace moeplan
