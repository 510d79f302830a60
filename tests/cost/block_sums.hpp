// Sums over the communications of blocks.
#pragma once

#include <cstdint>

#include <moeplan/cost/block_traffic.hpp>
#include <moeplan/memory/activation_shape.hpp>
#include <moeplan/memory/rank_model.hpp>

namespace moeplan_test {

constexpr moeplan::block_communications blocks(
    const moeplan::model& m, const moeplan::strategy& s, const moeplan::training& t,
    const moeplan::exchange_formats& formats = moeplan::exchange_formats::activations(moeplan::number_type::bf16)) {
  return moeplan::block_communications_of(activation_shape_of(m, rank_model(m, s), s, t), formats);
}

/// Bytes that a group sends for one block and one micro-batch.
constexpr moeplan::count group_bytes(const moeplan::block_communications& list, moeplan::traffic_block block,
                                     moeplan::communication_purpose purpose, moeplan::communication_pass pass) {
  moeplan::count sum;
  for (const moeplan::block_communication& b : list)
    if (b.block == block && b.each.purpose == purpose && b.each.pass == pass) sum += b.each.group_bytes().value();
  return sum;
}
constexpr moeplan::count group_bytes(const moeplan::block_communications& list, moeplan::traffic_block block,
                                     moeplan::communication_purpose purpose) {
  return group_bytes(list, block, purpose, moeplan::communication_pass::forward) +
         group_bytes(list, block, purpose, moeplan::communication_pass::recompute) +
         group_bytes(list, block, purpose, moeplan::communication_pass::backward);
}

constexpr std::int64_t number_of(const moeplan::block_communications& list, moeplan::traffic_block block,
                                 moeplan::communication_purpose purpose, moeplan::collective kind) {
  std::int64_t n = 0;
  for (const moeplan::block_communication& b : list)
    if (b.block == block && b.each.purpose == purpose && b.each.kind == kind) n += static_cast<std::int64_t>(b.each.times.value());
  return n;
}

} // namespace moeplan_test
