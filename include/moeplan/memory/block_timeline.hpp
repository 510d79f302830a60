#pragma once

#include <cstddef>
#include <cstdint>

#include <moeplan/memory/tensor.hpp>
#include <moeplan/number/always_inline.hpp>
#include <moeplan/number/count.hpp>

/// @file
/// How much memory a block of a model takes, step by step.

namespace moeplan {

/// Bytes of one block of a model (attention, an MLP, the head) for one micro-batch on one rank.
struct block_memory {
  saturating_count kept{0};          ///< from its forward to its backward pass
  saturating_count for_weights{0};   ///< of kept and of gradients: what only the gradient of weights still needs
  saturating_count forward_peak{0};  ///< most at once during its forward pass, what it keeps so far included
  saturating_count backward_peak{0}; ///< most at once during its backward pass, what it still keeps included
  std::uint16_t forward_step = 0;    ///< where forward_peak is
  std::uint16_t backward_step = 0;   ///< where backward_peak is
  /// backward_peak is in a second forward pass, at forward_step, while the gradient of the residual waits.
  bool peaks_again = false;
  friend constexpr bool operator==(const block_memory&, const block_memory&) noexcept = default;
};

/// Adds up a block's tensors. Give it every tensor, then ask for the summary().
class block_timeline {
public:
  static constexpr std::size_t most_steps = 32;

  /// `backward` is the first step of the backward pass, `end` the first after it. Precondition: backward <= end <= most_steps.
  constexpr block_timeline(std::uint16_t backward, std::uint16_t end) noexcept : backward_{backward}, end_{end} {}

  /// Precondition: from <= until <= end.
  [[MOEPLAN_ALWAYS_INLINE]] constexpr void operator()(const tensor& t) noexcept {
    const std::uint64_t bytes = add(t.rows, t.columns, t.type, t.from, t.until);
    if (t.for_weights) for_weights_ += bytes;
  }

  [[nodiscard]] constexpr block_memory summary() const noexcept {
    if (all_.overflowed()) return {all_, all_, all_, all_};
    std::uint64_t alive = 0;
    std::uint64_t kept = 0;
    std::uint64_t peaks[2]{};
    std::uint16_t places[2]{};
    for (std::uint16_t step = 0; step < end_; ++step) {
      alive -= gone_[step];
      if (step == backward_) kept = alive;
      alive += born_[step];
      const std::size_t pass = step < backward_ ? 0 : 1;
      if (alive <= peaks[pass]) continue;
      peaks[pass] = alive;
      places[pass] = step;
    }
    return {kept, for_weights_, peaks[0], peaks[1], places[0], places[1]};
  }

private:
  /// The bytes of a tensor. It comes in parts, which stay in registers: there are some three hundred calls.
  [[MOEPLAN_NEVER_INLINE]] constexpr std::uint64_t add(saturating_count rows, saturating_count columns, number_type type,
                                                       std::uint16_t from, std::uint16_t until) noexcept {
    const saturating_count bytes = allocated(bytes_of({.rows = rows, .columns = columns, .type = type}));
    all_ += bytes;
    born_[from] += bytes.bits;
    gone_[until] += bytes.bits;
    return bytes.bits;
  }

  std::uint16_t backward_;
  std::uint16_t end_;
  saturating_count all_{0}; ///< of all tensors: as long as this fits, so does every sum of some of them
  std::uint64_t for_weights_ = 0;
  std::uint64_t born_[most_steps + 1]{};
  std::uint64_t gone_[most_steps + 1]{};
};

} // namespace moeplan
