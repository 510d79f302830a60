// The orders in tests/data/schedules_*.json as operations.
#pragma once

#include <moeplan/pipeline/in_flight.hpp>
#include <moeplan/pipeline/operation.hpp>
#include <moeplan/pipeline/pass_times.hpp>
#include <moeplan/pipeline/stage_placement.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/slow_graph.hpp"
#include "pipeline/steps_in_turn.hpp"

namespace moeplan_test {

inline nlohmann::json peer_schedules(const std::string& peer) {
  std::ifstream file{std::string{MOEPLAN_TEST_DATA} + "/schedules_" + peer + ".json"};
  REQUIRE(file.good());
  return nlohmann::json::parse(file);
}

/// Of decimal numbers, all of which are whole.
inline std::vector<std::int64_t> whole_numbers(const nlohmann::json& values) {
  std::vector<std::int64_t> result;
  for (const nlohmann::json& value : values) {
    result.push_back(value.get<std::int64_t>());
    CHECK(static_cast<double>(result.back()) == value.get<double>());
  }
  return result;
}

inline std::vector<std::string> words_in(const std::string& text) {
  std::istringstream stream{text};
  std::vector<std::string> result;
  for (std::string word; stream >> word;) result.push_back(word);
  return result;
}

/// A case of Megatron-LM: where chunks lie, and the table of steps (micro-batch and chunk) that its ranks go through.
inline moeplan::pipeline_shape megatron_shape(const nlohmann::json& c) {
  moeplan::pipeline_shape shape{.ranks = c.at("pp"), .micro_batches = c.at("num_microbatches")};
  if (c.at("vpp").is_null()) return shape;
  shape.chunks = c.at("vpp");
  shape.group = c.at("microbatch_group_size_per_vp_stage").get<std::int64_t>();
  return shape;
}

/// Its ranks' orders, or those with overlapped expert parallelism, which start one more micro-batch and run two passes at once.
inline rank_orders megatron_orders(const nlohmann::json& c, bool overlaps = false) {
  const moeplan::pipeline_shape shape = megatron_shape(c);
  std::vector<moeplan::operation> table;
  if (c.at("vpp").is_null()) table = schedule_table(1, shape.micro_batches, shape.micro_batches);
  if (!c.at("vpp").is_null())
    for (const nlohmann::json& step : c.at("schedule_table")) table.push_back({.chunk = step.at(1), .micro_batch = step.at(0)});
  rank_orders orders;
  for (const nlohmann::json& rank : c.at(overlaps ? "ranks_overlap_moe" : "ranks"))
    orders.push_back(in_turn(table, shape.chunks, rank.at(2), overlaps));
  return orders;
}

/// Where a case of zero-bubble-pipeline-parallelism lays its chunks.
inline moeplan::pipeline_shape zero_bubble_placement(const nlohmann::json& c) {
  moeplan::pipeline_shape shape{.ranks = c.at("p"), .chunks = c.at("chunks"), .micro_batches = c.at("m")};
  const std::string name = c.at("schedule");
  if (name.starts_with("zb-h") || name == "zb-unlimited") shape.schedule = moeplan::schedule::zb_h1;
  if (name.starts_with("v-") || name == "zb-v") shape.schedule = moeplan::schedule::zb_v;
  return shape;
}

/// What a case is in this library; absent for the schedules that it does not have.
inline std::optional<moeplan::pipeline_shape> zero_bubble_shape(const nlohmann::json& c) {
  using moeplan::schedule;
  struct name_and_schedule {
    std::string_view name;
    schedule order;
  };
  constexpr name_and_schedule all[] = {{"1f1b", schedule::one_forward_one_backward},
                                       {"vpp2", schedule::one_forward_one_backward},
                                       {"zb-h1", schedule::zb_h1},
                                       {"zb-h2", schedule::zb_h2},
                                       {"zb-v", schedule::zb_v},
                                       {"v-half", schedule::v_half},
                                       {"v-min", schedule::v_min}};
  const std::string name = c.at("schedule");
  for (const name_and_schedule& known : all)
    if (known.name == name)
      return moeplan::pipeline_shape{
          .schedule = known.order, .ranks = c.at("p"), .chunks = name == "vpp2" ? 2 : 1, .micro_batches = c.at("m")};
  return {};
}

/// The times of a case; those of the zero bubble data are of passes alone, transfers take none.
inline moeplan::pass_times zero_bubble_times(const nlohmann::json& c) {
  const nlohmann::json& costs = c.at("costs");
  CHECK(costs.at("comm") == 0);
  const auto input = costs.at("B").get<std::int64_t>();
  const auto weights = costs.at("W").get<std::int64_t>();
  return {.forward = costs.at("F"), .backward = input + weights, .input_gradient = input, .weight_gradient = weights};
}

/// A word is F, B, W or BW, a layer group, a point and a micro-batch. In a V the second half of the groups is the second chunk.
inline rank_orders zero_bubble_orders(const nlohmann::json& c) {
  const std::int64_t ranks = c.at("p");
  const moeplan::schedule placement = zero_bubble_placement(c).schedule;
  rank_orders orders;
  for (const nlohmann::json& line : c.at("order")) {
    auto& order = orders.emplace_back();
    for (const std::string& word : words_in(line)) {
      const std::size_t digits = word.find_first_of("0123456789");
      const std::string kind = word.substr(0, digits);
      const std::size_t point = word.find('.');
      const std::int64_t stage = std::stoll(word.substr(digits, point - digits));
      moeplan::operation o{.chunk = stage / ranks, .micro_batch = std::stoll(word.substr(point + 1))};
      CHECK(moeplan::virtual_stage(placement, ranks, static_cast<std::int64_t>(orders.size()) - 1, o.chunk) == stage);
      o.kind = kind == "F"    ? moeplan::pass::forward
               : kind == "B"  ? moeplan::pass::input_gradient
               : kind == "BW" ? moeplan::pass::backward
                              : moeplan::pass::weight_gradient;
      order.push_back(o);
    }
  }
  return orders;
}

inline moeplan::pipeline_shape dual_shape(const nlohmann::json& c) {
  const bool both_ends = c.at("schedule") == "dualpipe";
  return {
      .schedule = both_ends ? moeplan::schedule::dualpipe : moeplan::schedule::dualpipe_v,
      .ranks = c.at(both_ends ? "pp" : "devices"),
      .micro_batches = c.at(both_ends ? "num_chunks_both_directions" : "num_chunks"),
  };
}

/// A word is F, B (whole) or Bz (for the input), each with a phase, FB with that of the forward and that of the backward pass, or W,
/// which takes what has waited longest. Phase 0 is a rank's own half direction: on the second half of DualPipe's ranks chunk 1.
inline rank_orders dual_orders(const nlohmann::json& c) {
  const moeplan::pipeline_shape shape = dual_shape(c);
  rank_orders orders;
  for (const nlohmann::json& line : c.at("order")) {
    const auto rank = static_cast<std::int64_t>(orders.size());
    const std::int64_t own = shape.schedule == moeplan::schedule::dualpipe && rank >= shape.ranks / 2 ? 1 : 0;
    std::vector<std::int64_t> forwards(2);
    std::vector<std::int64_t> backwards(2);
    std::deque<moeplan::operation> waiting;
    auto& order = orders.emplace_back();
    const auto next_of = [own](std::vector<std::int64_t>& counts, char phase) {
      const std::int64_t chunk = (phase - '0') ^ own;
      return moeplan::operation{.chunk = chunk, .micro_batch = counts.at(static_cast<std::size_t>(chunk))++};
    };
    for (const std::string& word : words_in(line)) {
      moeplan::operation o;
      if (word == "W") {
        o = waiting.front();
        o.kind = moeplan::pass::weight_gradient;
        waiting.pop_front();
      } else if (word.starts_with("FB")) {
        o = next_of(forwards, word[2]);
        const moeplan::operation back = next_of(backwards, word[3]);
        o.kind = moeplan::pass::forward_and_backward;
        o.backward_chunk = back.chunk;
        o.backward_micro_batch = back.micro_batch;
      } else if (word[0] == 'F') {
        o = next_of(forwards, word[1]);
      } else {
        o = next_of(backwards, word.back());
        o.kind = word[1] == 'z' ? moeplan::pass::input_gradient : moeplan::pass::backward;
        if (word[1] == 'z') waiting.push_back(o);
      }
      order.push_back(o);
    }
    CHECK(waiting.empty());
  }
  return orders;
}

} // namespace moeplan_test
