// Orders of GPipe and 1F1B as Megatron-LM makes them: a table of steps, and a warm-up.
#pragma once

#include <moeplan/pipeline/operation.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace moeplan_test {

/// Megatron-LM's get_schedule_table, as it is written there: the forward passes in their order.
inline std::vector<moeplan::operation> schedule_table(std::int64_t chunks, std::int64_t micro_batches, std::int64_t group) {
  std::vector<moeplan::operation> table;
  for (std::int64_t first = 0; first < micro_batches; first += group)
    for (std::int64_t chunk = 0; chunk < chunks; ++chunk)
      for (std::int64_t m = first; m < std::min(first + group, micro_batches); ++m)
        table.push_back({.chunk = chunk, .micro_batch = m});
  return table;
}

/// `warm_up` forward passes, then forward and backward passes in turn, or both at once, then backward passes; all in the order of the
/// table, backward passes through the chunks from the last.
inline std::vector<moeplan::operation> in_turn(const std::vector<moeplan::operation>& table, std::int64_t chunks,
                                               std::int64_t warm_up, bool at_once = false) {
  const auto ahead = static_cast<std::size_t>(warm_up);
  std::vector<moeplan::operation> order;
  for (std::size_t i = 0; i < table.size() + ahead; ++i) {
    const bool goes_forward = i < table.size();
    const bool goes_back = i >= ahead;
    if (goes_forward) order.push_back(table[i]);
    if (!goes_back) continue;
    const std::int64_t chunk = chunks - 1 - table[i - ahead].chunk;
    const std::int64_t micro_batch = table[i - ahead].micro_batch;
    if (goes_forward && at_once) {
      order.back().kind = moeplan::pass::forward_and_backward;
      order.back().backward_chunk = chunk;
      order.back().backward_micro_batch = micro_batch;
    } else {
      order.push_back({moeplan::pass::backward, chunk, micro_batch});
    }
  }
  return order;
}

} // namespace moeplan_test
