// Everything that tests/data/schedules_zerobubble.json says of a case, with or without its order, against a replay of the library's order:
// times and memory of every rank. Where the two differ, both stand here.
#include <moeplan/pipeline/replay.hpp>
#include <moeplan/pipeline/schedule_order.hpp>
#include <moeplan/pipeline/stage_times.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/peer_orders.hpp"
#include "pipeline/replayed.hpp"

using namespace moeplan;
using namespace moeplan_test;
using nlohmann::json;

namespace {

using replayed_order = replayed_rank<operation_cursor>;
using counts = std::vector<std::int64_t>; ///< one a rank, or one of all

/// What a replay gives, by the names of the data.
std::map<std::string, counts> figures_of(const replay_record<operation_cursor>& record) {
  std::int64_t longest_span = 0;
  std::int64_t most_idle_in_span = 0;
  for (const replayed_order& r : record.ranks) {
    longest_span = std::max(longest_span, r.end - r.start);
    most_idle_in_span = std::max(most_idle_in_span, r.end - r.start - r.busy);
  }
  return {{"makespan", {record.result.makespan}},
          {"stage_start", record.of_ranks(&replayed_order::start)},
          {"stage_end", record.of_ranks(&replayed_order::end)},
          {"stage_busy", record.of_ranks(&replayed_order::busy)},
          {"longest_stage_span", {longest_span}},
          {"max_stage_bubble_in_span", {most_idle_in_span}},
          {"makespan_minus_busy", {record.ranks.front().idle(record.result.makespan)}},
          {"peak_act_chunks_freed_at_W", record.of_ranks(&replayed_order::most_held)},
          {"peak_act_chunks_freed_at_B", record.of_ranks(&replayed_order::most_whole)}};
}

struct difference {
  std::string schedule;
  std::int64_t ranks = 0;
  std::int64_t micro_batches = 0;
  std::int64_t forward = 0; ///< time of a forward pass: 1 where all passes are equally long
  std::string figure;
  counts ours;
  counts theirs;
};

const std::string span = "longest_stage_span";
const std::string idle_in_span = "max_stage_bubble_in_span";
const std::string idle = "makespan_minus_busy";
const std::string ends = "stage_end";
const std::string held = "peak_act_chunks_freed_at_W";
const std::string held_whole = "peak_act_chunks_freed_at_B";

const difference differences[] = {
    // ZB-H1 with no more micro-batches than ranks. The authors' search starts all that its memory allows on every rank; those in the middle
    // come to their end earlier for it, those at the ends do not, and the step is as long. The paper's order starts p - r on rank r.
    {"zb-h1", 4, 4, 1, ends, {15, 15, 15, 15}, {15, 14, 14, 15}},
    {"zb-h1", 4, 4, 1, held_whole, {4, 3, 2, 1}, {4, 4, 3, 1}},
    {"zb-h1", 8, 8, 1, ends, {31, 31, 31, 31, 31, 31, 31, 31}, {31, 30, 29, 28, 28, 29, 30, 31}},
    {"zb-h1", 8, 8, 1, held_whole, {8, 7, 6, 5, 4, 3, 2, 1}, {8, 8, 8, 8, 7, 5, 3, 1}},

    // ZB-H2. The search is given memory for 2p and delays one more pass for the weights than the paper's order, which holds 2p - 1.
    {"zb-h2", 2, 4, 1, held, counts(2, 3), counts(2, 4)},
    {"zb-h2", 3, 9, 1, held, counts(3, 5), counts(3, 6)},
    {"zb-h2", 4, 8, 1, held, counts(4, 7), counts(4, 8)},
    {"zb-h2", 4, 12, 1, held, counts(4, 7), counts(4, 8)},
    {"zb-h2", 8, 16, 1, held, counts(8, 15), counts(8, 16)},
    {"zb-h2", 8, 24, 1, held, counts(8, 15), counts(8, 16)},
    {"zb-h2", 16, 32, 1, held, counts(16, 31), counts(16, 32)},
    // With passes of 10, 12 and 8 it bridges the wait for the longer backward pass on the first ranks; the last one's end, which is the
    // step's, stays.
    {"zb-h2", 4, 8, 10, held, counts(4, 7), counts(4, 8)},
    {"zb-h2", 4, 8, 10, ends, {258, 262, 266, 270}, {252, 262, 266, 270}},
    {"zb-h2", 4, 8, 10, span, {258}, {252}},
    {"zb-h2", 4, 8, 10, idle_in_span, {18}, {12}},
    {"zb-h2", 8, 16, 10, held, counts(8, 15), counts(8, 16)},
    {"zb-h2", 8, 16, 10, held_whole, {15, 13, 11, 9, 7, 5, 3, 1}, {16, 14, 12, 9, 7, 5, 3, 1}},
    {"zb-h2", 8, 16, 10, ends, {522, 526, 530, 534, 538, 542, 546, 550}, {514, 518, 522, 534, 538, 542, 546, 550}},
    {"zb-h2", 8, 16, 10, span, {522}, {514}},
    {"zb-h2", 8, 16, 10, idle_in_span, {42}, {34}},

    // V-Half with as many micro-batches as ranks: no block ever repeats, and the order here ends as longer ones do. Of four ranks that is
    // shorter, of eight one rank ends one slot later; the first rank holds one more, as many as the others.
    {"v-half", 4, 4, 1, "makespan", {29}, {34}},
    {"v-half", 4, 4, 1, ends, {29, 28, 29, 29}, {34, 33, 32, 31}},
    {"v-half", 4, 4, 1, span, {29}, {34}},
    {"v-half", 4, 4, 1, idle_in_span, {5}, {10}},
    {"v-half", 4, 4, 1, idle, {5}, {10}},
    {"v-half", 4, 4, 1, held, {6, 6, 6, 6}, {5, 6, 6, 6}},
    {"v-half", 8, 8, 1, ends, {65, 64, 63, 62, 61, 60, 61, 61}, {65, 64, 63, 62, 61, 60, 60, 61}},
    {"v-half", 8, 8, 1, held, {10, 10, 10, 10, 10, 10, 10, 10}, {9, 10, 10, 10, 10, 10, 10, 10}},

    // V-Min. The search moves forward passes up as far as the memory of the rank that holds most allows, before they are needed; here
    // they come when they are due.
    {"v-min", 2, 4, 1, held, {2, 4}, {3, 4}},
    {"v-min", 2, 4, 1, held_whole, {2, 2}, {3, 2}},
    {"v-min", 3, 9, 1, held_whole, {4, 3, 4}, {4, 4, 4}},
    {"v-min", 4, 4, 1, held_whole, {4, 4, 3, 4}, {4, 4, 4, 4}},
    {"v-min", 4, 8, 1, held_whole, {4, 4, 3, 4}, {4, 4, 4, 4}},
    {"v-min", 4, 12, 1, held_whole, {4, 4, 3, 4}, {4, 4, 4, 4}},
    {"v-min", 8, 8, 1, held, {6, 8, 8, 6, 8, 8, 6, 8}, {7, 8, 8, 8, 8, 8, 8, 8}},
    {"v-min", 8, 8, 1, held_whole, counts(8, 6), {7, 7, 8, 8, 8, 8, 8, 8}},
    {"v-min", 8, 16, 1, held, {6, 8, 8, 6, 8, 8, 6, 8}, {7, 8, 8, 8, 8, 8, 8, 8}},
    {"v-min", 8, 16, 1, held_whole, counts(8, 6), {7, 7, 8, 8, 8, 8, 8, 8}},
    {"v-min", 8, 24, 1, held, {6, 8, 8, 6, 8, 8, 6, 8}, {7, 8, 8, 8, 8, 8, 8, 8}},
    {"v-min", 8, 24, 1, held_whole, counts(8, 6), {7, 7, 8, 8, 8, 8, 8, 8}},
    {"v-min", 16, 32, 1, held_whole, {12, 12, 11, 12, 12, 11, 12, 12, 11, 12, 12, 11, 12, 12, 11, 12}, counts(16, 12)},
};

} // namespace

TEST_CASE("times and memory of every zero bubble case") {
  const json data = peer_schedules("zerobubble");
  std::size_t compared = 0;
  std::size_t met = 0;
  std::size_t others = 0;
  for (const json& c : data.at("cases")) {
    const std::string name = c.at("schedule");
    const std::optional<pipeline_shape> shape = zero_bubble_shape(c);
    if (!shape) {
      CHECK((name == "zb-unlimited" || name == "v-1f1b"));
      ++others;
      continue;
    }
    ++compared;
    const pass_times times = zero_bubble_times(c);
    const auto record = replayed(*shape, equal_times{.passes = times});
    CHECK(record.result.ok());
    for (const auto& named : figures_of(record)) {
      const std::string& figure = named.first;
      const counts& ours = named.second;
      CAPTURE(name);
      CAPTURE(shape->ranks);
      CAPTURE(shape->micro_batches);
      CAPTURE(figure);
      const json& listed = c.at(figure);
      const counts theirs = whole_numbers(listed.is_array() ? listed : json::array({listed}));
      const auto* const known = std::find_if(std::begin(differences), std::end(differences), [&](const difference& d) {
        return d.schedule == name && d.ranks == shape->ranks && d.micro_batches == shape->micro_batches &&
               d.forward == times.forward && d.figure == figure;
      });
      if (known == std::end(differences)) {
        CHECK(ours == theirs);
        continue;
      }
      ++met;
      CHECK(ours == known->ours);
      CHECK(theirs == known->theirs);
      CHECK(ours != theirs);
    }
  }
  CHECK(compared == 67);
  CHECK(others == 18);
  CHECK(met == std::size(differences));
}
