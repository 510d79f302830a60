#pragma once

#include <cstdint>

#include <moeplan/cost/communication.hpp>
#include <moeplan/cost/serving_traffic.hpp>
#include <moeplan/cost/training_traffic.hpp>
#include <moeplan/describe/deployment.hpp>
#include <moeplan/number/count.hpp>
#include <moeplan/number/ratio.hpp>
#include <moeplan/number/sequence.hpp>

/// @file
/// How many bytes a deployment communicates in a step.

namespace moeplan {

/// Calls visit(const communication&) for every communication of a step, stage after stage, with what training_traffic and
/// serving_traffic assume where nothing else is said. Precondition: a deployment that `check` accepts, with DP given.
template <class Visit>
constexpr void visit_traffic(const deployment& d, Visit& visit) noexcept {
  if (d.workload.is_training())
    training_traffic{d}.visit_stages(visit);
  else
    serving_traffic{d}.visit_stages(visit);
}

/// Adds up the communications that it visits, group by group: visit_stage() of one stage with it.
class traffic_sum {
public:
  /// Of one kind of group.
  struct entry {
    group_axes group{};
    group_part part = group_part::all;
    std::int64_t senders = 1;     ///< ranks that the bytes are sent by
    saturating_count group_bytes; ///< that all of them send together

    /// Bytes that a rank sends on average over its group, and receives. Overflowed where 64 bits are too few.
    [[nodiscard]] constexpr ratio bytes_of_rank() const noexcept {
      if (group_bytes.overflowed()) return {count{1}, count{0} - 1};
      return {count{group_bytes.value()}, senders};
    }
  };

  static constexpr std::size_t most_groups = 32; ///< of different axes, parts and sizes; a deployment has no more than half as many

  constexpr void operator()(const communication& c) noexcept {
    for (entry& e : entries_) {
      if (!(e.group == c.group) || e.part != c.part || e.senders != c.senders()) continue;
      e.group_bytes += c.group_bytes();
      return;
    }
    entries_.push_back({c.group, c.part, c.senders(), c.group_bytes()});
  }

  [[nodiscard]] constexpr const sequence<entry, most_groups>& entries() const noexcept { return entries_; }

  /// Bytes that a rank of the stage sends in all on average.
  [[nodiscard]] constexpr ratio bytes_of_rank() const noexcept {
    ratio sum;
    for (const entry& e : entries_) sum = sum + e.bytes_of_rank();
    return sum;
  }

private:
  sequence<entry, most_groups> entries_{};
};

} // namespace moeplan
