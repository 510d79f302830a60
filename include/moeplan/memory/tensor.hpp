#pragma once

#include <cstdint>

#include <moeplan/describe/number_type.hpp>
#include <moeplan/number/always_inline.hpp>
#include <moeplan/number/count.hpp>

/// @file
/// A tensor or buffer on one rank: what every number of a memory prediction can be traced back to.

namespace moeplan {

/// A tensor that lives from one step of a block's work to another. Each block counts its own steps, those of the forward pass first.
struct tensor {
  const char* name = "";
  const char* source = ""; ///< the code or publication that says that it exists
  saturating_count rows{1};
  saturating_count columns{1};
  number_type type = number_type::bf16;
  std::uint16_t from = 0;   ///< the first step at which it is allocated
  std::uint16_t until = 0;  ///< the first step at which it is not any more
  bool for_weights = false; ///< the gradient of weights needs it: what a zero-bubble schedule keeps between the two backward passes

  [[nodiscard, MOEPLAN_ALWAYS_INLINE]] constexpr saturating_count elements() const noexcept { return rows * columns; }
};

/// The gradient of a block's output: where the block is the last of its stage, the next stage sent it.
inline constexpr const char* gradient_of_the_residual = "gradient of the residual";

/// Visits a tensor, or, where recompute drops it, the two that stand in its place: one until the forward pass of its block ends at step
/// `backward`, and another from step `again` of the backward pass.
template <class Visit>
[[MOEPLAN_NEVER_INLINE]] constexpr void visit_unless_dropped(Visit& visit, const tensor& kept, bool dropped, std::uint16_t backward,
                                                             std::uint16_t again) noexcept {
  if (!dropped) return visit(kept);
  tensor part = kept;
  part.until = backward;
  part.for_weights = false;
  visit(part);
  part = kept;
  part.from = again;
  visit(part);
}

/// Bytes of a tensor's numbers, rounded up where two share a byte.
[[nodiscard, MOEPLAN_ALWAYS_INLINE]] constexpr saturating_count bytes_of(const tensor& t) noexcept {
  const std::int64_t size = bits(t.type);
  if (size == 0) return 0; // However many numbers there would be.
  return size >= 8 ? t.elements() * (size / 8) : (t.elements() * size + 7) / 8;
}

/// What PyTorch's caching allocator takes for a request, and what it reports as allocated: whole blocks of 512 bytes
/// (c10/cuda/CUDACachingAllocator.cpp, kMinBlockSize).
[[nodiscard, MOEPLAN_ALWAYS_INLINE]] constexpr saturating_count allocated(saturating_count bytes) noexcept {
  constexpr std::uint64_t block = 512;
  if (bytes.bits > saturating_count::top - block) return bytes + block; // the top
  bytes.bits = (bytes.bits + block - 1) & ~(block - 1);
  return bytes;
}

} // namespace moeplan
