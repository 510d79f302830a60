#pragma once

#include <cstdint>

#include <moeplan/describe/training.hpp>
#include <moeplan/memory/rank_parameters.hpp>
#include <moeplan/number/count.hpp>

/// @file
/// Bytes that belong to parameters: weights, gradients and what the optimizer keeps.

namespace moeplan {

/// Bytes on one rank.
template <class Integer = count>
struct model_states {
  Integer weights{0};
  Integer quantised_weights{0}; ///< FP8 copies of linear layers' weights, with scales, beside the weights themselves
  Integer gradients{0};
  Integer optimizer{0}; ///< master weights and moments
  Integer host{0};      ///< the part of master weights and moments that is in the host's memory, in no other member

  constexpr model_states& operator+=(const model_states& b) noexcept(noexcept(Integer{} + Integer{})) {
    weights = weights + b.weights;
    quantised_weights = quantised_weights + b.quantised_weights;
    gradients = gradients + b.gradients;
    optimizer = optimizer + b.optimizer;
    host = host + b.host;
    return *this;
  }
  friend constexpr bool operator==(const model_states&, const model_states&) noexcept = default;
};

/// What a tensor of states is.
enum class state_kind : std::uint16_t {
  none,
  weights,
  router_biases,     ///< correction biases, which no gradient trains
  quantised_weights, ///< in FP8
  weight_scales,     ///< of these
  gradients,
  master_weights,
  first_moments, ///< momentum, for optimizers that have no other
  second_moments
};

/// Whether it belongs to the optimizer.
[[nodiscard]] constexpr bool optimizes(state_kind kind) noexcept { return kind >= state_kind::master_weights; }

namespace detail {

/// a / b rounded up. Precondition: b is at least 1.
template <class Integer>
[[nodiscard]] constexpr Integer divided_up(const Integer& a, const Integer& b) noexcept(noexcept(Integer{} / Integer{})) {
  if (b == Integer(1)) return a;
  return (a + b - Integer(1)) / b;
}

/// In double a share is not rounded: it is what ranks have on average.
template <>
[[nodiscard]] constexpr double divided_up<double>(const double& a, const double& b) noexcept {
  return a / b;
}

/// Bytes of `n` numbers, rounded up where two share a byte.
template <class Integer>
[[nodiscard]] constexpr Integer bytes_of(const Integer& n, number_type type) noexcept(noexcept(Integer{} * Integer{})) {
  const std::int64_t size = bits(type);
  if (size == 0) return Integer(0);
  const std::int64_t whole_bytes = size / 8;
  const std::int64_t numbers_in_a_byte = 8 / size;
  return whole_bytes > 0 ? Integer(n * Integer(whole_bytes)) : divided_up<Integer>(n, Integer(numbers_in_a_byte));
}

/// The part of a tensor of optimizer states that is in the host's memory.
template <class Integer>
[[nodiscard]] constexpr Integer host_part(const Integer& size, const training& t) noexcept(noexcept(Integer{} * Integer{})) {
  if (t.optimizer_offload.numerator == 0) return Integer(0);
  return size * Integer(t.optimizer_offload.numerator.value()) / Integer(t.optimizer_offload.denominator.value());
}

/// And the part that is not. Where nothing is, that is so however large the tensor.
template <class Integer>
[[nodiscard]] constexpr Integer device_part(const Integer& size, const training& t) noexcept(noexcept(Integer{} * Integer{})) {
  if (t.optimizer_offload.numerator == t.optimizer_offload.denominator) return Integer(0);
  return size - host_part<Integer>(size, t);
}

/// A linear layer's weights in FP8, once in rows and once in columns for the two directions that they are multiplied in, with scales:
/// fp32 for 128 x 128 numbers, one byte for 32 (Transformer Engine, float8_blockwise_tensor.py, mxfp8_tensor.py). A scale for a whole
/// tensor is not counted.
template <class Integer, class Visit>
constexpr void visit_quantised_weights(const Integer& n, fp8_recipe recipe,
                                       Visit& visit) noexcept(noexcept(Integer{} * Integer{})) {
  if (recipe == fp8_recipe::none) return;
  visit(state_kind::quantised_weights, Integer(Integer(2) * n), number_type::fp8);
  if (recipe == fp8_recipe::blockwise)
    visit(state_kind::weight_scales, Integer(Integer(2) * divided_up<Integer>(n, Integer(128 * 128))), number_type::fp32);
  if (recipe == fp8_recipe::mxfp8)
    visit(state_kind::weight_scales, Integer(Integer(2) * divided_up<Integer>(n, Integer(32))), number_type::fp8);
}

/// Sums up what visit_states visits.
template <class Integer>
struct state_sum {
  const training* run = nullptr;
  model_states<Integer> all{};

  constexpr void operator()(state_kind kind, const Integer& numbers, number_type type) noexcept(noexcept(Integer{} * Integer{})) {
    const auto size = bytes_of<Integer>(numbers, type);
    switch (kind) {
      case state_kind::weights:
      case state_kind::router_biases: all.weights = all.weights + size; return;
      case state_kind::quantised_weights:
      case state_kind::weight_scales: all.quantised_weights = all.quantised_weights + size; return;
      case state_kind::gradients: all.gradients = all.gradients + size; return;
      case state_kind::none: return;
      case state_kind::master_weights:
      case state_kind::first_moments:
      case state_kind::second_moments: break;
    }
    all.host = all.host + host_part<Integer>(size, *run);
    all.optimizer = all.optimizer + device_part<Integer>(size, *run);
  }
};

} // namespace detail

/// Visits the tensors that belong to the parameters of one group on a rank, visit(state_kind, numbers, type). `ranks` share their
/// states: each sharded part is divided by it and rounded up. A master copy in the type of the weights is the weights themselves.
/// Sources: arXiv 1910.02054 section 5 (ZeRO); Megatron-LM docs/source/api-guide/dist_optimizer.md (bytes a parameter).
/// Precondition: a training run that `check` accepts, ranks >= 1.
template <class Integer, class Visit>
constexpr void visit_states(const parameter_group<Integer>& g, const training& t, std::int64_t ranks,
                            Visit& visit) noexcept(noexcept(Integer{} * Integer{})) {
  const precision& p = t.precision;
  const auto weight_ranks = Integer(t.sharding >= sharding::parameters ? ranks : 1);
  const auto gradient_ranks = Integer(t.sharding >= sharding::gradients ? ranks : 1);
  const auto optimizer_ranks = Integer(t.sharding >= sharding::optimizer ? ranks : 1);
  const bool only_quantised = p.fp8_weights && p.fp8 != fp8_recipe::none;
  const Integer in_own_type = only_quantised ? Integer(g.routers + g.others) : g.trained();
  visit(state_kind::weights, detail::divided_up<Integer>(in_own_type, weight_ranks), p.weights);
  visit(state_kind::router_biases, g.buffers, number_type::fp32);
  const Integer linear_ranks = only_quantised ? weight_ranks : Integer(1);
  detail::visit_quantised_weights<Integer>(detail::divided_up<Integer>(g.linear, linear_ranks), p.fp8, visit);
  visit(state_kind::gradients, detail::divided_up<Integer>(g.trained(), gradient_ranks), p.gradients);
  if (t.optimizer == optimizer::none) return;
  const auto all = detail::divided_up<Integer>(g.trained(), optimizer_ranks);
  if (only_quantised || p.master_weights != p.weights) visit(state_kind::master_weights, all, p.master_weights);
  visit(state_kind::first_moments, all, p.first_moment);
  if (t.optimizer == optimizer::adam) visit(state_kind::second_moments, all, p.second_moment);
  if (t.optimizer == optimizer::muon)
    visit(state_kind::second_moments, // of what is no matrix of a layer, which Adam trains
          Integer(all - detail::divided_up<Integer>(g.matrices(), optimizer_ranks)), p.second_moment);
}

/// Bytes of the parameters of one group on a rank: the sum of visit_states.
template <class Integer = count>
[[nodiscard]] constexpr model_states<Integer> states_of(const parameter_group<Integer>& g, const training& t,
                                                        std::int64_t ranks) noexcept(noexcept(Integer{} * Integer{})) {
  detail::state_sum<Integer> sum{.run = &t};
  visit_states<Integer>(g, t, ranks, sum);
  return sum.all;
}

} // namespace moeplan
