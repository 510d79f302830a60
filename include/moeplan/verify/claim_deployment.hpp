#pragma once

#include <cstdint>
#include <initializer_list>

#include <moeplan/describe/deployment.hpp>
#include <moeplan/number/divisors.hpp>
#include <moeplan/number/interval.hpp>
#include <moeplan/number/optional_integer.hpp>
#include <moeplan/verify/claim_input.hpp>

/// @file
/// The deployment that a report describes, with what it leaves open.

namespace moeplan {

/// The integer that is printed; absent where none is given, where it is a range or no integer, and from 2^63.
[[nodiscard]] constexpr optional_integer integer_in(const claim_inputs& given, claim_input name) noexcept {
  if (!given.gives(name)) return {};
  const interval exact = exact_value(given[name]);
  if (!exact.is_point() || exact.overflowed()) return {};
  const wide_ratio value = exact.low.lowest_terms();
  if (value.denominator != uint256{1} || value.numerator > uint256{INT64_MAX}) return {};
  return static_cast<std::int64_t>(value.numerator.low);
}

namespace detail {

/// Degrees that `check` is to judge can be anything; 0 is as good as 1 for what has to be a multiple of it.
[[nodiscard]] constexpr std::int64_t multiple_of(std::int64_t a, std::int64_t b = 1) noexcept {
  std::int64_t product = 0;
  if (__builtin_mul_overflow(a < 1 ? 1 : a, b < 1 ? 1 : b, &product)) return INT64_MAX;
  return product;
}

/// Its sizes where they are open suit any legal strategy with these degrees.
[[nodiscard]] constexpr model model_described_by(const claim_inputs& given, const strategy& s) noexcept {
  const auto at = [&given](claim_input name, std::int64_t open) { return integer_in(given, name).value_or(open); };
  const std::int64_t ranks = multiple_of(s[axis::tp], s[axis::cp]);
  model m;
  m.layers = at(claim_input::layers, multiple_of(s[axis::pp], s[axis::vpp]));
  m.hidden_size = at(claim_input::hidden_size, multiple_of(s[axis::tp]));
  m.vocabulary_size = 1; // It is padded to what TP needs.
  m.attention.heads = at(claim_input::heads, ranks);
  m.attention.kv_heads = m.attention.heads;
  m.attention.head_dim = 1; // A report does not give it, and it need not be hidden size / heads.
  m.experts.routed = at(claim_input::experts, s[axis::ep] > 1 ? s[axis::ep] : 0);
  if (!m.has_experts()) {
    m.intermediate_size = multiple_of(s[axis::tp]);
    return m;
  }
  m.experts.top_k = 1;
  m.experts.intermediate_size = at(claim_input::expert_intermediate_size, multiple_of(s[axis::etp]));
  return m;
}

/// Whether so many layers do not divide evenly into stages, and still leave none empty: two may have the embedding or the loss alone.
[[nodiscard]] constexpr bool have_to_be_dealt_out(std::int64_t layers, const strategy& s) noexcept {
  const std::int64_t stages = multiple_of(s[axis::pp], s[axis::vpp]);
  return layers % stages != 0 && stages - 2 <= layers;
}

/// The fewest redundant copies of experts with which EP divides them.
[[nodiscard]] constexpr std::int64_t copies_that_even_out(const claim_inputs& given, const strategy& s) noexcept {
  const std::int64_t experts = integer_in(given, claim_input::experts).value_or(0);
  const std::int64_t ep_size = multiple_of(s[axis::ep]);
  return (ep_size - experts % ep_size) % ep_size;
}

[[nodiscard]] constexpr workload workload_described_by(const claim_inputs& given, const strategy& s) noexcept {
  const std::int64_t open_length = multiple_of(2, multiple_of(s[axis::tp], s[axis::cp]));
  const std::int64_t sequence_length = integer_in(given, claim_input::sequence_length).value_or(open_length);
  if (given.gives(claim_input::batch)) {
    serving serve;
    serve.batch = integer_in(given, claim_input::batch).value_or(1);
    serve.sequence_length = sequence_length;
    serve.redundant_experts = copies_that_even_out(given, s);
    return serve;
  }
  training train;
  train.global_batch = integer_in(given, claim_input::global_batch);
  train.micro_batch = integer_in(given, claim_input::micro_batch).value_or(1);
  train.sequence_length = sequence_length;
  return train;
}

} // namespace detail

/// The degrees given, under the folded mapping. One that is not given is 1, but for DP, which is then to be derived.
[[nodiscard]] constexpr strategy strategy_described_by(const claim_inputs& given) noexcept {
  constexpr struct {
    claim_input name;
    axis of;
  } degrees[] = {{claim_input::tp_size, axis::tp}, {claim_input::pp_size, axis::pp}, {claim_input::vpp_size, axis::vpp},
                 {claim_input::cp_size, axis::cp}, {claim_input::ep_size, axis::ep}, {claim_input::etp_size, axis::etp},
                 {claim_input::dp_size, axis::dp}, {claim_input::sp_size, axis::sp}};
  strategy s;
  for (const auto& degree : degrees)
    if (const optional_integer n = integer_in(given, degree.name); n.given) s.set(degree.of, n.number);
  return s;
}

/// A deployment with the numbers given: degrees, GPUs, layers, experts, sizes, batches. What is left open is the smallest number of
/// which no rule complains: the width of a head, for instance, or redundant copies of experts where it serves. Layers that cannot
/// be divided evenly are dealt out, since the layout is open, too. So what `check` finds wrong is wrong whatever is open, and where
/// it finds nothing the deployment can be legal. Memory is not judged; weights_outgrow() says of it what cannot be. The deployment
/// serves if sequences in flight are given (`batch`), and else trains. Rules are those of arithmetic alone, since a report names no
/// framework that decides.
[[nodiscard]] constexpr deployment deployment_described_by(const claim_inputs& given) noexcept {
  const strategy s = strategy_described_by(given);
  deployment d;
  d.model = detail::model_described_by(given, s);
  if (detail::have_to_be_dealt_out(d.model.layers, s)) d.layout = layout::balanced();
  d.cluster.total = integer_in(given, claim_input::gpus);
  d.strategy = s;
  d.workload = detail::workload_described_by(given, s);
  d.profile = profile::universal;
  return d;
}

/// What each of so many GPUs has of the weights, if they are spread over all of them evenly, as by ZeRO-3: the least there can be of the
/// fullest. Of what is printed, or with its precision where `rounded`. Preconditions: parameters and their bytes are given, gpus is at
/// least 1.
[[nodiscard]] constexpr interval even_share_of_weights(const claim_inputs& given, std::int64_t gpus, bool rounded) noexcept {
  const printed_value& parameters = given[claim_input::parameters];
  return (rounded ? rounded_value(parameters) : exact_value(parameters)) * exact_value(given[claim_input::bytes_per_parameter]) /
         interval{gpus};
}

/// Whether so many GPUs cannot hold even the weights, however those are spread and wherever each number lies within its precision. False
/// where parameters, their bytes or the capacity of a GPU are not given. Precondition: gpus is at least 1.
[[nodiscard]] constexpr bool weights_outgrow(const claim_inputs& given, std::int64_t gpus, byte_reading reading) noexcept {
  for (const claim_input needed : {claim_input::parameters, claim_input::bytes_per_parameter, claim_input::capacity})
    if (!given.gives(needed)) return false;
  const interval share = even_share_of_weights(given, gpus, true);
  const interval capacity = exact_value(given[claim_input::capacity], reading);
  return !share.overflowed() && !capacity.overflowed() && capacity.high < share.low;
}

} // namespace moeplan
