// The orders of Megatron-LM, zero-bubble-pipeline-parallelism and DualPipe, replayed with the times that came with them: the same
// makespans, starts, ends, busy times and peaks, wherever the data has them.
#include <moeplan/pipeline/replay.hpp>
#include <moeplan/pipeline/stage_times.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "pipeline/peer_orders.hpp"
#include "pipeline/replayed.hpp"

using namespace moeplan;
using namespace moeplan_test;
using nlohmann::json;

namespace {

using rank = replayed_rank<listed_operations>;

std::vector<std::int64_t> idle_times(const replay_record<listed_operations>& record) {
  std::vector<std::int64_t> result;
  for (const rank& r : record.ranks) result.push_back(r.idle(record.result.makespan));
  return result;
}

equal_times times_of(const json& c) { return {.passes = {.forward = c.at("F"), .backward = c.at("B")}}; }

} // namespace

TEST_CASE("Megatron-LM's orders") {
  const json data = peer_schedules("megatron");
  std::size_t replays = 0;
  for (const json& c : data.at("cases")) {
    if (!c.contains("unit_sim")) continue;
    CAPTURE(c.dump().substr(0, 100));
    ++replays;
    const json& expected = c.at("unit_sim");
    const rank_orders orders = megatron_orders(c);
    const auto record = replayed(megatron_shape(c), times_of(expected), orders);
    CHECK(record.result.ok());
    CHECK(record.result.makespan == expected.at("makespan").get<std::int64_t>());
    CHECK(idle_times(record) == whole_numbers(expected.at("bubble_per_rank")));
    CHECK(record.of_ranks(&rank::start) == whole_numbers(expected.at("start")));
    CHECK(record.of_ranks(&rank::end) == whole_numbers(expected.at("end")));
    CHECK(record.of_ranks(&rank::most_held) == whole_numbers(c.at("peak_in_flight_chunks")));
  }
  CHECK(replays == 28);
}

TEST_CASE("the zero bubble orders") {
  const json data = peer_schedules("zerobubble");
  std::size_t replays = 0;
  for (const json& c : data.at("cases")) {
    if (!c.contains("order")) continue;
    CAPTURE(c.dump().substr(0, 100));
    ++replays;
    const equal_times times{.passes = zero_bubble_times(c)};
    const rank_orders orders = zero_bubble_orders(c);
    const auto record = replayed(zero_bubble_placement(c), times, orders);
    CHECK(record.result.ok());
    CHECK(record.result.makespan == c.at("makespan").get<std::int64_t>());
    CHECK(record.of_ranks(&rank::start) == whole_numbers(c.at("stage_start")));
    CHECK(record.of_ranks(&rank::end) == whole_numbers(c.at("stage_end")));
    CHECK(record.of_ranks(&rank::busy) == whole_numbers(c.at("stage_busy")));
    CHECK(record.of_ranks(&rank::most_held) == whole_numbers(c.at("peak_act_chunks_freed_at_W")));
    CHECK(record.of_ranks(&rank::most_whole) == whole_numbers(c.at("peak_act_chunks_freed_at_B")));
  }
  CHECK(replays == 40);
}

TEST_CASE("DualPipe's and DualPipeV's orders") {
  const json data = peer_schedules("dualpipe");
  std::size_t replays = 0;
  for (const json& c : data.at("cases")) {
    // An order is listed once for all times.
    json with_order = c;
    for (const json& other : data.at("cases"))
      if (other.contains("order") && dual_shape(other) == dual_shape(c)) with_order["order"] = other.at("order");
    if (!with_order.contains("order")) continue;
    CAPTURE(c.dump().substr(0, 100));
    ++replays;
    const json& cost = c.at("cost");
    equal_times times = times_of(cost);
    times.passes.weight_gradient = cost.at("W");
    times.passes.input_gradient = times.passes.backward - times.passes.weight_gradient;
    times.passes.forward_and_backward = cost.at("F&B");
    const rank_orders orders = dual_orders(with_order);
    const auto record = replayed(dual_shape(c), times, orders);
    const json& expected = c.at("sim");
    CHECK(record.result.ok());
    CHECK(record.result.makespan == expected.at("makespan").get<std::int64_t>());
    CHECK(record.of_ranks(&rank::start) == whole_numbers(expected.at("start")));
    CHECK(record.of_ranks(&rank::end) == whole_numbers(expected.at("end")));
    CHECK(record.of_ranks(&rank::busy) == whole_numbers(expected.at("busy")));
    CHECK(idle_times(record) == whole_numbers(expected.at("bubble")));
    CHECK(record.of_ranks(&rank::most_held) == whole_numbers(expected.at("peak_live_fwd_minus_bwd")));
  }
  CHECK(replays == 17);
}
