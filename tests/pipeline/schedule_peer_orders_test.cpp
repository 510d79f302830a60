// The library's orders against those of Megatron-LM, zero-bubble-pipeline-parallelism and DualPipe, operation by operation; and
// replayed with the times that came with them.
#include <moeplan/pipeline/replay.hpp>
#include <moeplan/pipeline/schedule_order.hpp>
#include <moeplan/pipeline/stage_times.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/peer_orders.hpp"
#include "pipeline/replayed.hpp"

using namespace moeplan;
using namespace moeplan_test;
using nlohmann::json;

namespace {

using replayed_order = replayed_rank<operation_cursor>;
using counts = std::vector<std::int64_t>;

std::vector<operation> order_of(const pipeline_shape& shape, std::int64_t rank) {
  std::vector<operation> order;
  operation_cursor cursor{shape, rank};
  for (operation o; cursor.next(o);) order.push_back(o);
  return order;
}

rank_orders orders_of(const pipeline_shape& shape) {
  rank_orders orders;
  for (std::int64_t rank = 0; rank < shape.ranks; ++rank) orders.push_back(order_of(shape, rank));
  return orders;
}

counts whole_numbers(const json& values) {
  counts result;
  for (const json& value : values) result.push_back(value.get<std::int64_t>());
  return result;
}

} // namespace

TEST_CASE("Megatron-LM's orders are the library's") {
  const json data = peer_schedules("megatron");
  for (const json& c : data.at("cases")) {
    CAPTURE(c.dump().substr(0, 100));
    const pipeline_shape shape = megatron_shape(c);
    CHECK(orders_of(shape) == megatron_orders(c));
    const json& expected = c.at("unit_sim");
    const auto record = replayed(shape, equal_times{.passes = {.forward = expected.at("F"), .backward = expected.at("B")}});
    CHECK(record.result.ok());
    CHECK(record.result.makespan == expected.at("makespan").get<std::int64_t>());
    CHECK(record.of_ranks(&replayed_order::start) == whole_numbers(expected.at("start")));
    CHECK(record.of_ranks(&replayed_order::end) == whole_numbers(expected.at("end")));
    CHECK(record.of_ranks(&replayed_order::most_held) == whole_numbers(c.at("peak_in_flight_chunks")));
  }
}

TEST_CASE("Megatron-LM's warm-up with overlap, then a forward and a backward pass at once") {
  const json data = peer_schedules("megatron");
  std::size_t met = 0;
  for (const json& c : data.at("cases")) {
    if (c.at("vpp").is_null()) continue;
    ++met;
    json overlapped = c;
    overlapped["ranks"] = c.at("ranks_overlap_moe");
    pipeline_shape shape = megatron_shape(c);
    shape.overlaps = true;
    const rank_orders expected = megatron_orders(overlapped);
    for (std::int64_t r = 0; r < shape.ranks; ++r) {
      // Undone: an operation that is two, one behind the other.
      std::vector<operation> apart;
      for (const operation& o : order_of(shape, r)) {
        if (o.kind != pass::forward_and_backward) {
          apart.push_back(o);
          continue;
        }
        apart.push_back({.kind = pass::forward, .chunk = o.chunk, .micro_batch = o.micro_batch});
        apart.push_back({.kind = pass::backward, .chunk = o.backward_chunk, .micro_batch = o.backward_micro_batch});
      }
      CHECK(apart == expected[static_cast<std::size_t>(r)]);
      const auto at_once = static_cast<std::int64_t>(apart.size()) - operations_of(shape, r);
      CHECK(at_once == shape.chunks * shape.micro_batches - warm_up_steps(shape, r));
    }
  }
  CHECK(met == 16);
}

TEST_CASE("DualPipe's and DualPipeV's orders are the library's") {
  const json data = peer_schedules("dualpipe");
  std::size_t met = 0;
  for (const json& c : data.at("cases")) {
    CAPTURE(c.dump().substr(0, 100));
    const pipeline_shape shape = dual_shape(c);
    if (c.contains("order")) {
      ++met;
      CHECK(orders_of(shape) == dual_orders(c));
    }
    const json& cost = c.at("cost");
    equal_times times{.passes = {.forward = cost.at("F"),
                                 .backward = cost.at("B"),
                                 .weight_gradient = cost.at("W"),
                                 .forward_and_backward = cost.at("F&B")}};
    times.passes.input_gradient = times.passes.backward - times.passes.weight_gradient;
    const json& expected = c.at("sim");
    const auto record = replayed(shape, times);
    CHECK(record.result.ok());
    CHECK(record.result.makespan == expected.at("makespan").get<std::int64_t>());
    CHECK(record.of_ranks(&replayed_order::start) == whole_numbers(expected.at("start")));
    CHECK(record.of_ranks(&replayed_order::end) == whole_numbers(expected.at("end")));
    CHECK(record.of_ranks(&replayed_order::busy) == whole_numbers(expected.at("busy")));
    CHECK(record.of_ranks(&replayed_order::most_held) == whole_numbers(expected.at("peak_live_fwd_minus_bwd")));
  }
  CHECK(met == 11);
}

namespace {

struct schedule_name {
  std::string_view name;
  schedule order;
};

constexpr std::array<schedule_name, 7> zero_bubble_names{{{"1f1b", schedule::one_forward_one_backward},
                                                          {"vpp2", schedule::one_forward_one_backward},
                                                          {"zb-h1", schedule::zb_h1},
                                                          {"zb-h2", schedule::zb_h2},
                                                          {"zb-v", schedule::zb_v},
                                                          {"v-half", schedule::v_half},
                                                          {"v-min", schedule::v_min}}};

/// A case whose order or whose makespan is not the authors'.
struct other_order {
  std::string_view name;
  std::int64_t ranks;
  std::int64_t micro_batches;
  std::int64_t ours;
  std::int64_t theirs;
};

// The makespan is the same everywhere but in one case.
//
// - ZB-H1 with no more micro-batches than ranks: the authors' search starts all micro-batches that its memory allows although
//   nothing is gained by it; the order here is the paper's, and holds less.
// - ZB-H2: the search is given memory for 2p micro-batches and uses it; the paper's order holds 2p - 1.
// - V-Half, V-Min: the search moves forward passes up as far as memory allows, before they are needed; here they come when they
//   are due. V-Half with as many micro-batches as ranks: no block ever repeats, and what the search finds has no pattern to
//   follow. Of eight ranks it ends one slot earlier.
constexpr other_order other_orders[] = {
    {"zb-h1", 4, 4, 15, 15},   {"zb-h2", 2, 4, 13, 13},  {"zb-h2", 4, 8, 27, 27},  {"zb-h2", 4, 12, 39, 39},
    {"zb-h2", 3, 9, 29, 29},   {"v-half", 2, 4, 25, 25}, {"v-half", 4, 4, 32, 34}, {"v-half", 4, 8, 53, 53},
    {"v-half", 4, 12, 77, 77}, {"v-half", 3, 9, 59, 59}, {"v-half", 8, 8, 66, 65}, {"v-min", 2, 4, 27, 27},
    {"v-min", 4, 4, 35, 35},   {"v-min", 4, 8, 59, 59},  {"v-min", 4, 12, 83, 83}, {"v-min", 3, 9, 59, 59},
};

} // namespace

TEST_CASE("the zero bubble orders, or others of the same length that hold no more") {
  const json data = peer_schedules("zerobubble");
  std::size_t met = 0;
  std::size_t equal = 0;
  for (const json& c : data.at("cases")) {
    const std::string name = c.at("schedule");
    const auto* const known =
        std::find_if(zero_bubble_names.begin(), zero_bubble_names.end(), [&](const schedule_name& s) { return s.name == name; });
    if (known == zero_bubble_names.end()) continue; // no schedule of this library
    const pipeline_shape shape{
        .schedule = known->order, .ranks = c.at("p"), .chunks = name == "vpp2" ? 2 : 1, .micro_batches = c.at("m")};
    CAPTURE(name);
    CAPTURE(shape.ranks);
    CAPTURE(shape.micro_batches);
    const json& costs = c.at("costs");
    const std::int64_t input = costs.at("B").get<std::int64_t>();
    const std::int64_t weights = costs.at("W").get<std::int64_t>();
    const auto record = replayed(shape, equal_times{.passes = {.forward = costs.at("F"),
                                                               .backward = input + weights,
                                                               .input_gradient = input,
                                                               .weight_gradient = weights}});
    CHECK(record.result.ok());
    const auto makespan = c.at("makespan").get<std::int64_t>();
    const counts held = whole_numbers(c.at("peak_act_chunks_freed_at_W"));
    const counts ours = record.of_ranks(&replayed_order::most_held);
    CHECK(*std::max_element(ours.begin(), ours.end()) <= *std::max_element(held.begin(), held.end()));
    const auto* const other = std::find_if(std::begin(other_orders), std::end(other_orders), [&](const other_order& o) {
      return o.name == name && o.ranks == shape.ranks && o.micro_batches == shape.micro_batches;
    });
    if (other != std::end(other_orders) && input == weights) {
      ++met;
      CHECK(record.result.makespan == other->ours);
      CHECK(makespan == other->theirs);
      if (c.contains("order")) CHECK(orders_of(shape) != zero_bubble_orders(c));
      continue;
    }
    CHECK(record.result.makespan == makespan);
    if (!c.contains("order")) continue;
    ++equal;
    CHECK(orders_of(shape) == zero_bubble_orders(c));
    CHECK(ours == held);
    CHECK(record.of_ranks(&replayed_order::start) == whole_numbers(c.at("stage_start")));
    CHECK(record.of_ranks(&replayed_order::end) == whole_numbers(c.at("stage_end")));
    CHECK(record.of_ranks(&replayed_order::most_whole) == whole_numbers(c.at("peak_act_chunks_freed_at_B")));
  }
  CHECK(met == std::size(other_orders));
  CHECK(equal == 20);
}
