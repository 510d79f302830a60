#pragma once

#include <cstddef>
#include <cstdint>

#include <moeplan/cost/communication.hpp>
#include <moeplan/memory/activation_shape.hpp>
#include <moeplan/memory/states.hpp>
#include <moeplan/mesh/group_axes.hpp>
#include <moeplan/number/count.hpp>
#include <moeplan/number/sequence.hpp>

/// @file
/// A list of what ranks communicate for each block of a model.

namespace moeplan {

/// What a model is made up of, as far as its communication goes.
enum class traffic_block : std::uint16_t { softmax_attention, linear_attention, dense_mlp, moe_mlp, mtp_input, embedding, head };
inline constexpr std::size_t traffic_blocks = 7;

/// `times` is how often one block communicates so for one micro-batch.
struct block_communication {
  traffic_block block = traffic_block::softmax_attention;
  communication each{};
};

/// All blocks' communications. No run has more.
using block_communications = sequence<block_communication, 84>;

namespace detail {

/// Adds the communications of blocks to a list, those of one rank alone and of no bytes left out. The shape and the list must outlive it.
class block_recorder {
public:
  using pass = communication_pass;
  using purpose = communication_purpose;

  constexpr block_recorder(const activation_shape& s, block_communications& list) noexcept : shape_{&s}, list_{&list} {}

  /// What the following communications are for, and how often their forward pass is computed again.
  constexpr void begin(traffic_block block, purpose what, bool recomputed, std::int64_t times = 1) noexcept {
    block_ = block;
    purpose_ = what;
    recomputed_ = recomputed;
    recomputed_times_ = times;
  }

  /// Whether full recompute is on, or selective recompute of a module.
  [[nodiscard]] constexpr bool is_full() const noexcept { return shape_->train.recompute == recompute::full; }
  [[nodiscard]] constexpr bool selects(bool recompute_modules::*module) const noexcept {
    return shape_->train.recompute == recompute::selective && shape_->train.recompute_modules.*module;
  }

  /// Bytes of activations in their own type.
  [[nodiscard]] constexpr saturating_count activations(saturating_count tokens, saturating_count width) const noexcept {
    return bytes_of<saturating_count>(tokens * width, shape_->type);
  }

  /// In one pass alone.
  constexpr void add(const communication& c) noexcept {
    if (c.ranks > 1 && c.size > 0) list_->push_back({block_, c});
  }

  [[nodiscard]] constexpr communication make(pass when, collective kind, group_axes group, std::int64_t ranks,
                                             saturating_count size, const char* source, saturating_count times) const noexcept {
    communication c;
    c.kind = kind;
    c.pass = when;
    c.purpose = purpose_;
    c.group = group;
    c.ranks = ranks;
    c.size = size;
    c.busiest = size;
    c.times = times;
    c.source = source;
    return c;
  }

  /// In the forward pass, and once more where that is computed again.
  constexpr void forward(communication c) noexcept {
    c.pass = pass::forward;
    add(c);
    if (!recomputed_) return;
    c.pass = pass::recompute;
    c.times *= recomputed_times_;
    add(c);
  }
  constexpr void forward(collective kind, group_axes group, std::int64_t ranks, saturating_count size, const char* source,
                         saturating_count times = 1) noexcept {
    forward(make(pass::forward, kind, group, ranks, size, source, times));
  }
  constexpr void backward(collective kind, group_axes group, std::int64_t ranks, saturating_count size, const char* source,
                          saturating_count times = 1) noexcept {
    add(make(pass::backward, kind, group, ranks, size, source, times));
  }

  /// What begin() said of being computed again, for a part of a block alone.
  constexpr void recomputes(bool again) noexcept { recomputed_ = again; }

  [[nodiscard]] constexpr const activation_shape& shape() const noexcept { return *shape_; }

private:
  const activation_shape* shape_;
  block_communications* list_;
  traffic_block block_ = traffic_block::softmax_attention;
  purpose purpose_ = purpose::attention;
  bool recomputed_ = false;
  std::int64_t recomputed_times_ = 1;
};

} // namespace detail

} // namespace moeplan
