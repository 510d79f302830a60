// A replay with its storage, for tests that may allocate.
#pragma once

#include <moeplan/pipeline/replay.hpp>
#include <moeplan/pipeline/schedule_order.hpp>

#include <cstdint>
#include <utility>
#include <vector>

#include "pipeline/slow_graph.hpp"

namespace moeplan_test {

/// The library's own orders.
inline std::vector<moeplan::operation> order_of(const moeplan::pipeline_shape& shape, std::int64_t rank) {
  std::vector<moeplan::operation> order;
  moeplan::operation_cursor cursor{shape, rank};
  for (moeplan::operation o; cursor.next(o);) order.push_back(o);
  return order;
}
inline rank_orders orders_of(const moeplan::pipeline_shape& shape) {
  rank_orders orders;
  for (std::int64_t rank = 0; rank < shape.ranks; ++rank) orders.push_back(order_of(shape, rank));
  return orders;
}

struct done_operation {
  std::int64_t rank = 0;
  moeplan::operation operation{};
  std::int64_t start = 0;
  std::int64_t end = 0;
};

template <class Order>
struct replay_record {
  moeplan::replay_result result{};
  std::vector<moeplan::replayed_rank<Order>> ranks;
  std::vector<done_operation> done; ///< as they were visited

  [[nodiscard]] moeplan::array_view<moeplan::replayed_rank<Order>> view() { return ranks; }

  /// A member of each rank, for comparisons.
  template <class Member>
  [[nodiscard]] std::vector<std::int64_t> of_ranks(Member member) const {
    std::vector<std::int64_t> values;
    for (const auto& r : ranks) values.push_back(r.*member);
    return values;
  }
};

template <class Order, class Times>
replay_record<Order> replayed(const moeplan::pipeline_shape& shape, const Times& times,
                              std::vector<moeplan::replayed_rank<Order>> ranks) {
  replay_record<Order> record;
  record.ranks = std::move(ranks);
  std::vector<std::int64_t> slots(moeplan::replay_slots(shape).value(), 7); // what was there before does not matter
  const moeplan::replay_storage<Order> storage{record.ranks, slots};
  record.result = moeplan::replay(shape, times, storage,
                                  [&](std::int64_t rank, const moeplan::operation& o, std::int64_t start, std::int64_t end) {
                                    record.done.push_back({rank, o, start, end});
                                  });
  return record;
}

template <class Times>
auto replayed(const moeplan::pipeline_shape& shape, const Times& times, const rank_orders& orders) {
  std::vector<moeplan::replayed_rank<moeplan::listed_operations>> ranks;
  for (const auto& order : orders) ranks.push_back({moeplan::listed_operations{order}});
  return replayed(shape, times, std::move(ranks));
}

/// The library's own order.
template <class Times>
auto replayed(const moeplan::pipeline_shape& shape, const Times& times) {
  std::vector<moeplan::replayed_rank<moeplan::operation_cursor>> ranks;
  for (std::int64_t rank = 0; rank < shape.ranks; ++rank) ranks.push_back({moeplan::operation_cursor{shape, rank}});
  return replayed(shape, times, std::move(ranks));
}

} // namespace moeplan_test
