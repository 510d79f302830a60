#include <moeplan/io/pipeline_trace.hpp>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <sstream>
#include <string>
#include <vector>

using namespace moeplan;
using namespace moeplan::io;

namespace {

nlohmann::json trace_of(const pipeline_timeline& timeline) {
  std::ostringstream out;
  write_pipeline_trace(out, timeline);
  return nlohmann::json::parse(out.str());
}

std::vector<nlohmann::json> events(const nlohmann::json& trace, const std::string& phase) {
  std::vector<nlohmann::json> result;
  for (const nlohmann::json& event : trace.at("traceEvents"))
    if (event.at("ph") == phase) result.push_back(event);
  return result;
}

} // namespace

// Trace Event Format: "X" has ts and dur, "M" names a thread, "C" is a counter.
TEST_CASE("a thread for each rank, an event for each pass, a counter for what is held") {
  const pipeline_shape shape{.ranks = 3, .chunks = 2, .micro_batches = 6};
  const pipeline_timeline t = timeline_of(shape, {.forward = 3, .backward = 5});
  const nlohmann::json trace = trace_of(t);
  const auto passes = events(trace, "X");
  REQUIRE(passes.size() == t.entries.size());
  for (std::size_t i = 0; i < passes.size(); ++i) {
    const nlohmann::json& event = passes[i];
    const timeline_entry& e = t.entries[i];
    CHECK(event.at("tid") == e.rank);
    CHECK(event.at("ts") == e.start);
    CHECK(event.at("dur") == e.end - e.start);
    CHECK(event.at("cat") == (e.operation.kind == pass::forward ? "forward" : "backward"));
    CHECK(event.at("args").at("chunk") == e.operation.chunk);
    CHECK(event.at("args").at("micro_batch") == e.operation.micro_batch);
  }
  CHECK(passes[0].at("name") == "F0.0");
  std::vector<std::string> threads;
  for (const nlohmann::json& event : events(trace, "M"))
    if (event.at("name") == "thread_name") threads.push_back(event.at("args").at("name"));
  CHECK(threads == std::vector<std::string>{"rank 0", "rank 1", "rank 2"});
  std::map<std::int64_t, std::int64_t> held;
  std::map<std::int64_t, std::int64_t> most;
  for (const nlohmann::json& event : events(trace, "C")) {
    const std::int64_t rank = event.at("tid");
    held[rank] = event.at("args").at("micro-batches");
    most[rank] = std::max(most[rank], held[rank]);
  }
  for (std::int64_t rank = 0; rank < 3; ++rank) {
    CHECK(held[rank] == 0);
    CHECK(most[rank] == in_flight(shape, rank));
  }
}

TEST_CASE("a pair says both of its micro-batches") {
  const pipeline_shape shape{.ranks = 2, .chunks = 2, .micro_batches = 4, .overlaps = true};
  const pipeline_timeline t = timeline_of(shape, {});
  std::size_t pairs = 0;
  for (const nlohmann::json& event : events(trace_of(t), "X"))
    if (event.at("cat") == "forward_and_backward") {
      ++pairs;
      CHECK(event.at("args").contains("backward_micro_batch"));
      CHECK(event.at("args").contains("backward_chunk"));
    }
  CHECK(pairs > 0);
}
