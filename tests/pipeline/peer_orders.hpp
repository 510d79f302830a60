// The orders in tests/data/schedules_*.json as operations.
#pragma once

#include <moeplan/pipeline/in_flight.hpp>
#include <moeplan/pipeline/operation.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "pipeline/slow_graph.hpp"

namespace moeplan_test {

inline nlohmann::json peer_schedules(const std::string& peer) {
  std::ifstream file{std::string{MOEPLAN_TEST_DATA} + "/schedules_" + peer + ".json"};
  REQUIRE(file.good());
  return nlohmann::json::parse(file);
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

/// Forward passes of the warm-up, then forward and backward passes in turn, then backward passes; backward passes through the chunks
/// from the last.
inline rank_orders megatron_orders(const nlohmann::json& c) {
  const moeplan::pipeline_shape shape = megatron_shape(c);
  std::vector<moeplan::operation> steps;
  for (std::int64_t m = 0; c.at("vpp").is_null() && m < shape.micro_batches; ++m) steps.push_back({.micro_batch = m});
  if (!c.at("vpp").is_null())
    for (const nlohmann::json& step : c.at("schedule_table")) steps.push_back({.chunk = step.at(1), .micro_batch = step.at(0)});
  rank_orders orders;
  for (const nlohmann::json& rank : c.at("ranks")) {
    const std::size_t warm_up = rank.at(2);
    auto& order = orders.emplace_back();
    for (std::size_t i = 0; i < steps.size() + warm_up; ++i) {
      if (i < steps.size()) order.push_back(steps[i]);
      if (i < warm_up) continue;
      moeplan::operation back = steps[i - warm_up];
      back.kind = moeplan::pass::backward;
      back.chunk = shape.chunks - 1 - back.chunk;
      order.push_back(back);
    }
  }
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

/// A word is F, B, W or BW, a layer group, a point and a micro-batch. In a V the second half of the groups is the second chunk.
inline rank_orders zero_bubble_orders(const nlohmann::json& c) {
  const std::int64_t ranks = c.at("p");
  rank_orders orders;
  for (const nlohmann::json& line : c.at("order")) {
    auto& order = orders.emplace_back();
    for (const std::string& word : words_in(line)) {
      const std::size_t digits = word.find_first_of("0123456789");
      const std::string kind = word.substr(0, digits);
      const std::size_t point = word.find('.');
      moeplan::operation o{.chunk = std::stoll(word.substr(digits, point - digits)) / ranks,
                           .micro_batch = std::stoll(word.substr(point + 1))};
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
