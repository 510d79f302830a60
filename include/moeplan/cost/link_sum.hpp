#pragma once

#include <cstdint>

#include <moeplan/cost/communication.hpp>
#include <moeplan/cost/least_traffic.hpp>
#include <moeplan/mesh/group_axes.hpp>
#include <moeplan/number/sequence.hpp>

/// @file
/// What all communications of a stage put on each link at least.

namespace moeplan::detail {

/// Adds up what the communications of stages put on each link, stage after stage.
class link_sum {
public:
  constexpr explicit link_sum(const least_traffic& least) noexcept : least_{&least}, alike_{least.stages_lie_alike()} {}

  [[nodiscard]] constexpr bool stages_lie_alike() const noexcept { return alike_; }

  /// To be called before the communications of each.
  constexpr void begin_stage() noexcept {
    step = update = {};
    if (!alike_) known_.length = 0;
  }

  constexpr void operator()(const communication& c) noexcept {
    const link_bytes once = static_cast<double>(c.size.bits) * for_each_byte(c);
    step += static_cast<double>(c.times.bits) * once;
    if (c.pass == communication_pass::update) update += once;
  }

  link_bytes step{};
  link_bytes update{}; ///< once: what has to be done after the last micro-batch

private:
  /// What was found for a communication between the same ranks, which few of many are not.
  struct found {
    collective kind = collective::all_reduce;
    group_part part = group_part::all;
    group_axes group{};
    std::int64_t ranks = 0;
    std::int64_t copies = 0;
    std::int64_t distance = 0; ///< between stages
    link_bytes each{};
  };

  [[nodiscard]] constexpr link_bytes for_each_byte(const communication& c) noexcept {
    // What is gathered and what is scattered goes over the same links.
    const collective kind = c.kind == collective::reduce_scatter ? collective::all_gather : c.kind;
    const std::int64_t distance = c.to_stage - c.from_stage;
    for (const found& f : known_)
      if (f.group == c.group && f.kind == kind && f.ranks == c.ranks && f.part == c.part && f.copies == c.copies &&
          f.distance == distance)
        return f.each;
    const link_bytes each = least_->for_each_byte(c);
    known_.push_back({kind, c.part, c.group, c.ranks, c.copies, distance, each});
    return each;
  }

  const least_traffic* least_;
  bool alike_;
  sequence<found, 16> known_{};
};

} // namespace moeplan::detail
