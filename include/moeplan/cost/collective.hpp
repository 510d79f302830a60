#pragma once

#include <cstdint>

#include <moeplan/number/bytes.hpp>
#include <moeplan/number/count.hpp>
#include <moeplan/number/ratio.hpp>

/// @file
/// Collective operations, and how many bytes each rank sends in them.

namespace moeplan {

/// What a group of ranks does together. Beside each: what its size is.
enum class collective : std::uint16_t {
  all_reduce,     ///< the array, which each rank has as a whole before and after
  reduce_scatter, ///< the whole array, as each rank has it before
  all_gather,     ///< the whole array, as each rank has it after
  all_to_all,     ///< what one rank has for all ranks together, itself included
  broadcast,      ///< the array
  send,           ///< what one rank sends to another one
  shift           ///< what every rank sends to the next one of its group, the last to the first
};

/// Bytes that the ranks of a group send together, which are those that they receive together: 2 (n - 1) S for an all-reduce, (n - 1) S
/// for reduce-scatter, all-gather, all-to-all and broadcast, S for a send, n S for a shift. No algorithm without reductions in the
/// network sends less (NCCL tests, doc/PERFORMANCE.md). One rank alone sends nothing. Overflow as `Integer` has it. Precondition: ranks
/// is at least 1; a send has 2.
template <class Integer = count>
[[nodiscard]] constexpr Integer bytes_of_group(collective kind, const Integer& size,
                                               std::int64_t ranks) noexcept(noexcept(Integer{} * Integer{})) {
  if (ranks == 1) return Integer(0);
  switch (kind) {
    case collective::all_reduce: return Integer(2) * Integer(ranks - 1) * size;
    case collective::reduce_scatter:
    case collective::all_gather:
    case collective::all_to_all:
    case collective::broadcast: return Integer(ranks - 1) * size;
    case collective::send: return size;
    case collective::shift: break;
  }
  return Integer(ranks) * size;
}

/// What a collective takes of each link in the time that one byte of its size takes, where ranks have one link each: what NCCL tests
/// multiply an algorithm's bandwidth with to get that of the bus (doc/PERFORMANCE.md). Precondition as for bytes_of_group.
[[nodiscard]] constexpr ratio bus_bandwidth_factor(collective kind, std::int64_t ranks) noexcept {
  if (ranks == 1) return count{0};
  switch (kind) {
    case collective::all_reduce: return {count{2} * (ranks - 1), ranks};
    case collective::reduce_scatter:
    case collective::all_gather:
    case collective::all_to_all: return {ranks - 1, ranks};
    case collective::broadcast:
    case collective::send:
    case collective::shift: break;
  }
  return count{1};
}

/// The same for an all-reduce that switches add up (NVLS, SHARP).
[[nodiscard]] constexpr ratio in_network_all_reduce_factor(std::int64_t ranks) noexcept { return {ranks - 1, count{ranks} + 1}; }

/// Bytes that each rank sends and each rank receives, exactly: of an array that the ranks do not divide, the average over them, which is
/// then no integer. Of a broadcast and a send: what a rank that passes it on sends and a rank that gets it receives. Overflowed where 64
/// bits are too few for the terms. Precondition as for bytes_of_group.
[[nodiscard]] constexpr ratio bytes_of_rank(collective kind, bytes size, std::int64_t ranks) noexcept {
  return ratio{size.amount} * bus_bandwidth_factor(kind, ranks);
}

} // namespace moeplan
