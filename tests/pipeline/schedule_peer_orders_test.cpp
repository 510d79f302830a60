// The library's orders against those of Megatron-LM, zero-bubble-pipeline-parallelism and DualPipe, operation by operation; and
// replayed with the times that came with them.
#include <moeplan/pipeline/replay.hpp>
#include <moeplan/pipeline/schedule_order.hpp>
#include <moeplan/pipeline/stage_times.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
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
    pipeline_shape shape = megatron_shape(c);
    shape.overlaps = true;
    CHECK(orders_of(shape) == megatron_orders(c, true));
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

/// A case whose order or whose makespan is not the authors'.
struct other_order {
  std::string_view name;
  std::int64_t ranks;
  std::int64_t micro_batches;
  std::int64_t ours;
  std::int64_t theirs;
};

// The makespan is the same everywhere but in one case, where it is shorter.
//
// - ZB-H1 with no more micro-batches than ranks: the authors' search starts all micro-batches that its memory allows although
//   nothing is gained by it; the order here is the paper's, and holds less.
// - ZB-H2: the search is given memory for 2p micro-batches and uses it; the paper's order holds 2p - 1.
// - V-Half, V-Min: the search moves forward passes up as far as memory allows, before they are needed; here they come when they
//   are due. Four ranks with as many micro-batches: no block ever repeats. The order here ends as longer ones do, which the search
//   does not find.
constexpr other_order other_orders[] = {
    {"zb-h1", 4, 4, 15, 15},   {"zb-h2", 2, 4, 13, 13},  {"zb-h2", 4, 8, 27, 27},  {"zb-h2", 4, 12, 39, 39},
    {"zb-h2", 3, 9, 29, 29},   {"v-half", 2, 4, 25, 25}, {"v-half", 4, 4, 29, 34}, {"v-half", 4, 8, 53, 53},
    {"v-half", 4, 12, 77, 77}, {"v-half", 3, 9, 59, 59}, {"v-min", 2, 4, 27, 27},  {"v-min", 4, 4, 35, 35},
    {"v-min", 4, 8, 59, 59},   {"v-min", 4, 12, 83, 83}, {"v-min", 3, 9, 59, 59},
};

} // namespace

TEST_CASE("the zero bubble orders, or others of the same length that hold no more") {
  const json data = peer_schedules("zerobubble");
  std::size_t met = 0;
  std::size_t equal = 0;
  for (const json& c : data.at("cases")) {
    const std::optional<pipeline_shape> known = zero_bubble_shape(c);
    if (!known) continue;
    const pipeline_shape& shape = *known;
    const std::string name = c.at("schedule");
    CAPTURE(name);
    CAPTURE(shape.ranks);
    CAPTURE(shape.micro_batches);
    const pass_times times = zero_bubble_times(c);
    const auto record = replayed(shape, equal_times{.passes = times});
    CHECK(record.result.ok());
    const auto makespan = c.at("makespan").get<std::int64_t>();
    const counts held = whole_numbers(c.at("peak_act_chunks_freed_at_W"));
    const counts ours = record.of_ranks(&replayed_order::most_held);
    CHECK(*std::max_element(ours.begin(), ours.end()) <= *std::max_element(held.begin(), held.end()));
    const auto* const other = std::find_if(std::begin(other_orders), std::end(other_orders), [&](const other_order& o) {
      return o.name == name && o.ranks == shape.ranks && o.micro_batches == shape.micro_batches;
    });
    if (other != std::end(other_orders) && times.input_gradient == times.weight_gradient) {
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

// zero-bubble-pipeline-parallelism scheduler/zbv_greedy.py with up to 16 ranks and two more micro-batches than ranks; from there on
// each further micro-batch takes six slots.
TEST_CASE("V-Half and V-Min take no longer than the authors' orders") {
  struct exception {
    std::int64_t ranks;
    std::int64_t first; ///< micro-batches
    std::int64_t last;
    std::int64_t longer;
  };
  constexpr exception exceptions[] = {{13, 14, 15, 1}, {14, 11, 11, 2}, {14, 12, 16, 1}, {15, 11, 11, 1}}; // of V-Half
  const json data = peer_schedules("v_makespans");
  std::size_t met = 0;
  std::size_t shorter = 0;
  for (const schedule order : {schedule::v_half, schedule::v_min})
    for (std::int64_t ranks = 1; ranks <= 16; ++ranks) {
      const std::string name = order == schedule::v_half ? "v-half" : "v-min";
      const counts theirs = whole_numbers(data.at(name).at(std::to_string(ranks)));
      for (std::int64_t m = 1; m <= static_cast<std::int64_t>(theirs.size()); ++m) {
        CAPTURE(name);
        CAPTURE(ranks);
        CAPTURE(m);
        const pipeline_shape shape{.schedule = order, .ranks = ranks, .micro_batches = m};
        const std::int64_t ours = replayed(shape, equal_times{}).result.makespan;
        std::int64_t limit = theirs[static_cast<std::size_t>(m - 1)];
        for (const exception& e : exceptions)
          if (order == schedule::v_half && e.ranks == ranks && e.first <= m && m <= e.last) {
            ++met;
            limit += e.longer;
            CHECK(ours == limit);
          }
        CHECK(ours <= limit);
        shorter += ours < limit ? 1 : 0;
      }
    }
  CHECK(met == 9);
  CHECK(shorter > 150);
}
