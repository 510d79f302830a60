#pragma once

#include <cstdint>

#include <moeplan/pipeline/operation.hpp>

/// @file
/// The order of a pipeline rank as a short list of patterns, each repeated so many times.

namespace moeplan {

/// One place in a pattern. A rank has at most two chunks; the micro-batches of each kind of pass come in their order, so that a
/// place needs no number.
enum class order_place : std::uint8_t {
  forward_0,  ///< forward pass of chunk 0
  forward_1,  ///< of chunk 1
  backward_0, ///< whole
  backward_1,
  input_0, ///< backward pass for the input alone
  input_1,
  weights, ///< pass for the weights that has waited longest, of either chunk
  pair_01, ///< forward pass of chunk 0 and backward pass of chunk 1 at once
  pair_10
};

/// Places in their order, and how many times they are repeated (fewer than once: not at all).
struct order_pattern {
  static constexpr int capacity = 6;

  std::int64_t times = 0;
  int length = 0;
  order_place places[capacity]{};

  constexpr order_pattern() noexcept = default;

  template <class... Places>
  constexpr explicit order_pattern(std::int64_t repeated, Places... in_order) noexcept
      : times{repeated}, length{sizeof...(in_order)}, places{in_order...} {}

  friend constexpr bool operator==(const order_pattern&, const order_pattern&) noexcept = default;
};

/// Place after place of the patterns of a rank. `Patterns` has `static constexpr int count` and `order_pattern operator[](int)
/// const`.
template <class Patterns>
class pattern_walk {
public:
  constexpr pattern_walk() noexcept = default;
  constexpr explicit pattern_walk(const Patterns& patterns) noexcept : pattern_{patterns[0]}, times_left_{pattern_.times} {}

  /// False, and `out` unchanged, behind the last place.
  constexpr bool next(const Patterns& patterns, order_place& out) noexcept {
    while (times_left_ <= 0 || pattern_.length == 0) {
      if (++index_ >= Patterns::count) return false;
      pattern_ = patterns[index_];
      times_left_ = pattern_.times;
    }
    out = pattern_.places[position_];
    if (++position_ == pattern_.length) {
      position_ = 0;
      --times_left_;
    }
    return true;
  }

private:
  order_pattern pattern_{};
  std::int64_t times_left_ = 0;
  int index_ = 0;
  int position_ = 0;
};

/// The operations of a rank whose order is a list of patterns. Where the micro-batches of a place are used up, the pass for the
/// weights that has waited longest is done in its stead, and where none waits, nothing. So one list serves any number of
/// micro-batches.
template <class Patterns>
class pattern_cursor {
public:
  constexpr pattern_cursor() noexcept = default;

  /// `first` and `second`: micro-batches that pass through chunk 0 and chunk 1.
  constexpr pattern_cursor(const Patterns& patterns, std::int64_t first, std::int64_t second) noexcept
      : patterns_{patterns}, all_{first, second}, walk_{patterns}, waiting_{patterns} {}

  /// False, and `out` unchanged, behind the last one.
  constexpr bool next(operation& out) noexcept {
    order_place now{};
    while (walk_.next(patterns_, now))
      if (done(now, out)) return true;
    return false;
  }

private:
  [[nodiscard]] constexpr bool done(order_place now, operation& out) noexcept {
    switch (now) {
      case order_place::forward_0: return forward(0, out) || weights(out);
      case order_place::forward_1: return forward(1, out) || weights(out);
      case order_place::backward_0: return backward(pass::backward, 0, out) || weights(out);
      case order_place::backward_1: return backward(pass::backward, 1, out) || weights(out);
      case order_place::input_0: return backward(pass::input_gradient, 0, out) || weights(out);
      case order_place::input_1: return backward(pass::input_gradient, 1, out) || weights(out);
      case order_place::weights: return weights(out);
      case order_place::pair_01: return pair(0, out);
      case order_place::pair_10: break;
    }
    return pair(1, out);
  }

  constexpr bool forward(int chunk, operation& out) noexcept {
    if (forwards_[chunk] == all_[chunk]) return false;
    out = {.kind = pass::forward, .chunk = chunk, .micro_batch = forwards_[chunk]++};
    return true;
  }

  constexpr bool backward(pass kind, int chunk, operation& out) noexcept {
    if (backwards_[chunk] == all_[chunk]) return false;
    out = {.kind = kind, .chunk = chunk, .micro_batch = backwards_[chunk]++};
    if (kind == pass::input_gradient) ++waiting_passes_;
    return true;
  }

  /// A second walk over the same places, which sees the backward passes alone, knows which one has waited longest.
  constexpr bool weights(operation& out) noexcept {
    if (waiting_passes_ == 0) return false;
    order_place then{};
    while (waiting_.next(patterns_, then)) {
      const int chunk = backward_chunk(then);
      if (chunk < 0 || looked_at_[chunk] == all_[chunk]) continue;
      const std::int64_t micro_batch = looked_at_[chunk]++;
      if (then != order_place::input_0 && then != order_place::input_1) continue;
      out = {.kind = pass::weight_gradient, .chunk = chunk, .micro_batch = micro_batch};
      --waiting_passes_;
      return true;
    }
    return false;
  }

  constexpr bool pair(int chunk, operation& out) noexcept {
    operation back{};
    const bool ahead = forward(chunk, out);
    if (!backward(pass::backward, 1 - chunk, back)) return ahead || weights(out);
    if (ahead)
      out = {pass::forward_and_backward, out.chunk, out.micro_batch, back.chunk, back.micro_batch};
    else
      out = back;
    return true;
  }

  [[nodiscard]] static constexpr int backward_chunk(order_place p) noexcept {
    switch (p) {
      case order_place::backward_0:
      case order_place::input_0:
      case order_place::pair_10: return 0;
      case order_place::backward_1:
      case order_place::input_1:
      case order_place::pair_01: return 1;
      case order_place::forward_0:
      case order_place::forward_1:
      case order_place::weights: break;
    }
    return -1;
  }

  Patterns patterns_{};
  std::int64_t all_[2]{};
  pattern_walk<Patterns> walk_{};
  pattern_walk<Patterns> waiting_{};
  std::int64_t forwards_[2]{};
  std::int64_t backwards_[2]{};
  std::int64_t looked_at_[2]{}; ///< backward passes that the second walk has seen
  std::int64_t waiting_passes_ = 0;
};

} // namespace moeplan
