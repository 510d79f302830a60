#pragma once

#include <cstddef>
#include <cstdint>

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

namespace detail {

/// The first element of a built-in array, or of anything that has data().
template <class Rank, std::size_t N>
[[nodiscard]] constexpr const Rank* first_of(const Rank (&ranks)[N]) noexcept {
  return ranks;
}
template <class Ranks>
[[nodiscard]] constexpr auto first_of(const Ranks& ranks) noexcept {
  return ranks.data();
}

} // namespace detail

/// Calls `visit(rank, operation, precedence)` with each operation of the circle in which ranks wait for each other: each has to come
/// before the next, and the last before the first. The precedence is that of the operation to the next one. None of them could start.
/// `ranks`: a view, an array or a vector of replayed_rank. Precondition: `result` is of a replay in `ranks` and its status deadlock.
template <class Ranks, class Visitor>
constexpr void visit_deadlock(const replay_result& result, const Ranks& ranks, Visitor&& visit) {
  const auto* const first = detail::first_of(ranks);
  std::int64_t rank = result.rank;
  do {
    const auto& r = first[rank];
    const required_pass& awaited = first[r.waited_by].required;
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

/// The same of the storage that the replay was given.
template <class Order, class Visitor>
constexpr void visit_deadlock(const replay_result& result, const replay_storage<Order>& storage, Visitor&& visit) {
  visit_deadlock(result, storage.ranks, visit);
}

} // namespace moeplan
