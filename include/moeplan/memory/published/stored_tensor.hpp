#pragma once

#include <cstdint>

#include <moeplan/describe/number_type.hpp>
#include <moeplan/number/count.hpp>

/// @file
/// A line of a publication's table of activations.

namespace moeplan::published {

/// The ranks that divide a tensor among them; all others hold it whole.
enum class sharded_over : std::uint16_t {
  nothing,
  tensor_ranks,   ///< TP: inside a tensor-parallel region
  sequence_ranks, ///< the same ranks between such regions, where sequence parallelism is on
  expert_ranks    ///< EP
};

/// How many ranks divide each kind of tensor.
struct ranks {
  std::int64_t tensor = 1;
  std::int64_t sequence = 1; ///< as many as tensor, or 1 without sequence parallelism
  std::int64_t expert = 1;

  [[nodiscard]] constexpr std::int64_t of(sharded_over axis) const noexcept {
    switch (axis) {
      case sharded_over::nothing: break;
      case sharded_over::tensor_ranks: return tensor;
      case sharded_over::sequence_ranks: return sequence;
      case sharded_over::expert_ranks: return expert;
    }
    return 1;
  }
};

/// What the forward pass of one micro-batch stores for the backward pass, on all ranks together.
struct stored_tensor {
  const char* name = "";
  count rows{1};
  count columns{1};
  number_type type = number_type::bf16;
  sharded_over axis = sharded_over::nothing;
};

/// Of one rank, exact as long as the ranks divide it evenly. Types as a publication has them take whole bytes.
[[nodiscard]] constexpr count bytes_of(const stored_tensor& t, const ranks& r) noexcept {
  return t.rows * t.columns * (bits(t.type) / 8) / r.of(t.axis);
}

/// Adds up what it visits.
struct bytes_of_rank {
  published::ranks ranks{};
  count bytes{0};

  constexpr void operator()(const stored_tensor& t) noexcept { bytes += bytes_of(t, ranks); }
};

} // namespace moeplan::published
