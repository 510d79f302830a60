#pragma once

#include <cstdint>

#include <moeplan/cost/block_flops.hpp>
#include <moeplan/cost/flops.hpp>
#include <moeplan/cost/flops_convention.hpp>
#include <moeplan/cost/pass_tokens.hpp>
#include <moeplan/describe/model.hpp>
#include <moeplan/number/count.hpp>
#include <moeplan/number/ratio.hpp>

/// @file
/// FLOPs of a whole model: training, prefill and decoding of one sequence.

namespace moeplan {

/// FLOPs of one pass forward of one sequence, with the vocabulary as it is. Exact integers; a count saturates, and a compile error in a
/// constant expression says so. Precondition: a model that `check` accepts; as for pass_tokens.
template <class Integer = count>
[[nodiscard]] constexpr flops<Integer> flops_of_pass(
    const model& m, const pass_tokens& pass,
    const flops_convention& how = flops_convention::exact()) noexcept(noexcept(Integer{} * Integer{})) {
  const auto blocks = block_flops_of<Integer>(m, pass, Integer(m.vocabulary_size), how);
  return flops_of_blocks<Integer>(blocks, blocks_of_model(m, pass.multi_token_prediction, how));
}

/// Training: the forward pass of one sequence. Forward and backward together take three times as much.
template <class Integer = count>
[[nodiscard]] constexpr flops<Integer> flops_per_sequence(
    const model& m, std::int64_t sequence_length,
    const flops_convention& how = flops_convention::exact()) noexcept(noexcept(Integer{} * Integer{})) {
  return flops_of_pass<Integer>(m, pass_tokens::whole_sequence(sequence_length), how);
}

/// Of flops_per_sequence() the part of multi-token prediction: projections, layers and heads of its modules.
template <class Integer = count>
[[nodiscard]] constexpr flops<Integer> mtp_flops_per_sequence(
    const model& m, std::int64_t sequence_length,
    const flops_convention& how = flops_convention::exact()) noexcept(noexcept(Integer{} * Integer{})) {
  if (m.mtp_layers == 0) return {};
  stage_blocks n = blocks_of_mtp(m, 0, m.mtp_layers, how);
  n.heads = m.mtp_layers;
  const pass_tokens pass = pass_tokens::whole_sequence(sequence_length);
  return flops_of_blocks<Integer>(block_flops_of<Integer>(m, pass, Integer(m.vocabulary_size), how), n);
}

/// Training, forward and backward together, for each token of a sequence: a fraction where windows or an odd length make it one.
/// Overflowed if a sequence's FLOPs do not fit into 64 bits. Precondition: at least one token.
[[nodiscard]] constexpr ratio training_flops_per_token(const model& m, std::int64_t sequence_length,
                                                       const flops_convention& how = flops_convention::exact()) noexcept {
  return {3 * flops_per_sequence(m, sequence_length, how).total(), sequence_length};
}

/// Serving: a prompt, or the part of it behind a cached prefix, up to the logits of its last token. Latent attention in the expanded
/// form projects the prefix's keys and values up again; for the absorbed form use flops_of_pass().
template <class Integer = count>
[[nodiscard]] constexpr flops<Integer> prefill_flops(const model& m, std::int64_t prompt,
                                                     std::int64_t cached = 0) noexcept(noexcept(Integer{} * Integer{})) {
  return flops_of_pass<Integer>(m, pass_tokens::prompt(prompt, cached));
}

/// Serving: one token more of each of `batch` sequences that have `cached` tokens each.
template <class Integer = count>
[[nodiscard]] constexpr flops<Integer> decode_flops(const model& m, std::int64_t cached,
                                                    std::int64_t batch = 1) noexcept(noexcept(Integer{} * Integer{})) {
  return Integer(batch) * flops_of_pass<Integer>(m, pass_tokens::next_token(cached));
}

} // namespace moeplan
