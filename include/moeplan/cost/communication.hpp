#pragma once

#include <cstdint>

#include <moeplan/cost/collective.hpp>
#include <moeplan/mesh/group_axes.hpp>
#include <moeplan/number/count.hpp>

/// @file
/// One of the communications of a step: who, what, how much, how often.

namespace moeplan {

/// When in a step.
enum class communication_pass : std::uint16_t {
  forward,
  recompute, ///< the forward pass once more, in the backward pass
  backward,
  update ///< once a step: gradients and weights that data-parallel ranks share
};

/// What it is for.
enum class communication_purpose : std::uint16_t {
  embedding,
  attention,         ///< activations between its tensor-parallel ranks
  context,           ///< keys and values, or heads, between context-parallel ranks
  mlp,               ///< of dense layers
  shared_experts,    ///< between their tensor-parallel ranks
  routing,           ///< how many tokens each expert gets, or the map that says which
  dispatch,          ///< tokens to their experts; backward: gradients of what came back
  probabilities,     ///< with which the experts' outputs are weighted; backward: their gradients
  combine,           ///< outputs back to their tokens; backward: gradients of the experts' inputs
  expert_tensors,    ///< between the ranks that share an expert, ETP
  experts_output,    ///< sum of what ranks with all tokens made of those for their own experts
  multi_token_input, ///< of modules for multi-token prediction
  head,
  loss,
  pipeline,        ///< activations to the next stage; backward: their gradients to the one before
  gradients,       ///< of a rank's weights, between the ranks that hold the same
  weights,         ///< gathered from the shards that each rank holds
  tied_embedding,  ///< gradients of the copies of an embedding on several stages
  whole_parameters ///< gradients of what tensor-parallel ranks hold whole and each computed for its part of the tokens
};

/// Which ranks of a group along axes take part.
enum class group_part : std::uint16_t {
  all,
  neighbours, ///< the group is cut into runs of so many ranks, and each run is a group of its own
  spread,     ///< groups of so many ranks that lie as far apart as they can: one of each run of neighbours
  stages      ///< a pipeline's group: only the ranks of certain stages
};

/// A collective that every rank of a stage takes part in, each in its own group, `times` times a step.
struct communication {
  collective kind = collective::all_reduce;
  communication_pass pass = communication_pass::forward;
  communication_purpose purpose = communication_purpose::embedding;
  group_part part = group_part::all;
  group_axes group{};
  std::int64_t ranks = 0; ///< that take part in one
  saturating_count size;  ///< bytes, as the collective says; of an all-to-all of tokens what a rank has on average, for all experts
  /// Bytes that the rank with most of them has to send or receive, of an all-to-all of tokens that the experts' load makes uneven.
  saturating_count busiest;
  /// Bytes, where a token travels once to several of its experts and how often is a matter of chance; `size` is then the most. NaN where
  /// it is not known, 0 where `size` is no matter of chance.
  double expected_size = 0;
  std::int64_t copies = 0;     ///< where a token travels once to a rank: ranks it goes to at most, for which `size` is
  saturating_count times;      ///< a step
  std::int64_t from_stage = 0; ///< the pipeline rank that takes part, or sends
  /// The pipeline rank that receives what it sends; of a collective between certain stages the next one around the ring.
  std::int64_t to_stage = 0;
  const char* source = nullptr; ///< file and symbol that do it

  /// Bytes that all ranks of one group send in a step.
  [[nodiscard]] constexpr saturating_count group_bytes() const noexcept {
    return times * bytes_of_group<saturating_count>(kind, size, ranks);
  }

  /// Ranks that these bytes are sent by: group_bytes() / senders() is what one of them sends on average.
  [[nodiscard]] constexpr std::int64_t senders() const noexcept { return kind == collective::send ? 1 : ranks; }

  friend constexpr bool operator==(const communication&, const communication&) noexcept = default;
};

[[nodiscard]] constexpr const char* name_of(communication_pass pass) noexcept {
  switch (pass) {
    case communication_pass::forward: return "forward";
    case communication_pass::recompute: return "recompute";
    case communication_pass::backward: return "backward";
    case communication_pass::update: return "update";
  }
  return "";
}

[[nodiscard]] constexpr const char* name_of(collective kind) noexcept {
  switch (kind) {
    case collective::all_reduce: return "all-reduce";
    case collective::reduce_scatter: return "reduce-scatter";
    case collective::all_gather: return "all-gather";
    case collective::all_to_all: return "all-to-all";
    case collective::broadcast: return "broadcast";
    case collective::send: return "send";
    case collective::shift: return "shift";
  }
  return "";
}

[[nodiscard]] constexpr const char* name_of(communication_purpose purpose) noexcept {
  switch (purpose) {
    case communication_purpose::embedding: return "embedding";
    case communication_purpose::attention: return "attention";
    case communication_purpose::context: return "context";
    case communication_purpose::mlp: return "MLP";
    case communication_purpose::shared_experts: return "shared experts";
    case communication_purpose::routing: return "routing";
    case communication_purpose::dispatch: return "dispatch";
    case communication_purpose::probabilities: return "probabilities";
    case communication_purpose::combine: return "combine";
    case communication_purpose::expert_tensors: return "expert tensors";
    case communication_purpose::experts_output: return "experts' output";
    case communication_purpose::multi_token_input: return "input of multi-token prediction";
    case communication_purpose::head: return "head";
    case communication_purpose::loss: return "loss";
    case communication_purpose::pipeline: return "pipeline";
    case communication_purpose::gradients: return "gradients";
    case communication_purpose::weights: return "weights";
    case communication_purpose::tied_embedding: return "tied embedding";
    case communication_purpose::whole_parameters: return "whole parameters";
  }
  return "";
}

} // namespace moeplan
