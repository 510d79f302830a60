#pragma once

#include <cstdint>

#include <moeplan/number/array_view.hpp>
#include <moeplan/pipeline/dependencies.hpp>
#include <moeplan/pipeline/operation.hpp>
#include <moeplan/pipeline/replay.hpp>

/// @file
/// Why an order of operations cannot go on, operation by operation.

namespace moeplan {

/// Why one operation of a circle comes before the next.
enum class precedence : std::uint16_t {
  order, ///< both are of one rank, and its order has them next to each other
  data   ///< the next one needs what this one computes, see visit_required
};

/// Calls `visit(rank, operation, precedence)` with each operation of the circle in which ranks wait for each other: each has to come
/// before the next, and the last before the first. The precedence is that of the operation to the next one. None of them could start.
/// Precondition: `result` is of a replay in `ranks` and its status deadlock.
template <class Rank, class Visitor>
constexpr void visit_deadlock(const replay_result& result, array_view<Rank> ranks, Visitor&& visit) {
  std::int64_t rank = result.rank;
  do {
    const Rank& r = ranks[rank];
    const required_pass& awaited = ranks[r.waited_by].required;
    auto rest = r.order;
    operation o = r.next;
    while (!fulfils(awaited, rank, o)) {
      visit(rank, o, precedence::order);
      rest.next(o); // The replay has seen that what is awaited is ahead.
    }
    visit(rank, o, precedence::data);
    rank = r.waited_by;
  } while (rank != result.rank);
}

} // namespace moeplan
