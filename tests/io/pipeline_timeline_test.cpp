#include <moeplan/io/pipeline_timeline.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

using namespace moeplan;
using namespace moeplan::io;

TEST_CASE("a timeline keeps every operation") {
  const pipeline_shape shape{.ranks = 4, .micro_batches = 8};
  const pipeline_timeline t = timeline_of(shape, {});
  CHECK(t.result.ok());
  CHECK(t.result.makespan == 11 * 3); // (m + p - 1) (F + B)
  CHECK(t.bubble() == ratio{3, 11});  // (p - 1) / (m + p - 1)
  CHECK(t.entries.size() == 4 * 8 * 2);
  std::vector<std::int64_t> until(4);
  for (const timeline_entry& e : t.entries) {
    std::int64_t& end = until[static_cast<std::size_t>(e.rank)];
    CHECK(e.start >= end);
    CHECK(e.end - e.start == (e.operation.kind == pass::forward ? 1 : 2));
    end = e.end;
  }
  CHECK(t.ranks[3].busy == 24);
}

TEST_CASE("a timeline of an order that cannot be followed") {
  const pipeline_timeline t = timeline_of({.ranks = 4, .chunks = 3, .micro_batches = 5}, {});
  CHECK(t.result.status == replay_status::deadlock);
  CHECK(t.entries.size() < 120);
}

TEST_CASE("micro-batches and operations as people name them") {
  const pipeline_shape plain{.ranks = 2, .micro_batches = 8};
  CHECK(shown_micro_batch(plain, 0, 3) == 3);
  CHECK(short_name(plain, {pass::forward, 0, 3}) == "F3");
  CHECK(short_name(plain, {pass::backward, 0, 12}) == "B12");
  CHECK(short_name(plain, {pass::input_gradient, 0, 0}) == "I0");
  CHECK(short_name(plain, {pass::weight_gradient, 0, 0}) == "W0");
  const pipeline_shape chunks{.ranks = 2, .chunks = 2, .micro_batches = 8};
  CHECK(short_name(chunks, {pass::forward, 1, 3}) == "F1.3");
  CHECK(short_name(chunks, {pass::forward_and_backward, 0, 7, 1, 3}) == "F0.7B1.3");
  // arXiv 2412.19437, figure 5: ten micro-batches from either end, those from the last rank 10 to 19.
  const pipeline_shape both_ends{.schedule = schedule::dualpipe, .ranks = 8, .micro_batches = 20};
  CHECK(shown_micro_batch(both_ends, 0, 9) == 9);
  CHECK(shown_micro_batch(both_ends, 1, 0) == 10);
  CHECK(short_name(both_ends, {pass::forward_and_backward, 1, 2, 0, 1}) == "F12B1");
}
