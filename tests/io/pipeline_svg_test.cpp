#include <moeplan/io/pipeline_svg.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "io/svg_text.hpp"

using namespace moeplan;
using namespace moeplan::io;
using namespace moeplan_test;

namespace {

std::string svg_of(const pipeline_shape& shape, const pass_times& times = {}) {
  std::ostringstream out;
  write_pipeline_svg(out, timeline_of(shape, times));
  return out.str();
}

struct box {
  double x, y, width, height;
  std::string fill;
};

std::vector<box> boxes_in(const std::string& svg) {
  const std::regex pattern{
      R"re(<rect x="([0-9.]+)" y="([0-9.]+)" width="([0-9.]+)" height="([0-9.]+)" fill="(#[0-9a-f]{6})" stroke)re"};
  std::vector<box> boxes;
  for (std::sregex_iterator at{svg.begin(), svg.end(), pattern}, end; at != end; ++at)
    boxes.push_back({std::stod((*at)[1]), std::stod((*at)[2]), std::stod((*at)[3]), std::stod((*at)[4]), (*at)[5]});
  return boxes;
}

} // namespace

TEST_CASE("a box for each pass, as long as the pass, where it belongs") {
  const pipeline_shape shape{.ranks = 3, .micro_batches = 4};
  const std::string svg = svg_of(shape);
  CHECK(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
  CHECK(is_well_formed(svg));
  const pipeline_timeline t = timeline_of(shape, {});
  const std::vector<box> boxes = boxes_in(svg);
  REQUIRE(boxes.size() == t.entries.size());
  const double unit = boxes[0].width; // The first pass is a forward pass of rank 0 and starts at 0.
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    const timeline_entry& e = t.entries[i];
    CHECK(boxes[i].x == doctest::Approx(boxes[0].x + unit * static_cast<double>(e.start)));
    CHECK(boxes[i].width == doctest::Approx(unit * static_cast<double>(e.end - e.start)));
    CHECK((boxes[i].y - boxes[0].y) / boxes[0].height >= static_cast<double>(e.rank));
    CHECK((boxes[i].fill == boxes[0].fill) == (e.operation.kind == pass::forward));
  }
  CHECK(times_in(svg, "<title>") == t.entries.size());
  CHECK(svg.find("<title>rank 2: B3, ") != std::string::npos);
  CHECK(svg.find(">rank 2</text>") != std::string::npos);
  CHECK(svg.find("1F1B, 3 ranks, 4 micro-batches, step 18, idle 1/3") != std::string::npos);
  CHECK(svg.find(">forward</text>") != std::string::npos);
  CHECK(svg.find("for the weights") == std::string::npos); // There are none.
}

TEST_CASE("chunks differ in colour") {
  const std::vector<box> boxes = boxes_in(svg_of({.ranks = 2, .chunks = 2, .micro_batches = 2}));
  std::vector<std::string> fills;
  for (const box& b : boxes)
    if (std::find(fills.begin(), fills.end(), b.fill) == fills.end()) fills.push_back(b.fill);
  CHECK(fills.size() == 4);
}

TEST_CASE("a pair shares a box") {
  const pipeline_shape shape{.ranks = 2, .chunks = 2, .micro_batches = 4, .overlaps = true};
  const pipeline_timeline t = timeline_of(shape, {});
  std::size_t pairs = 0;
  for (const timeline_entry& e : t.entries) pairs += e.operation.kind == pass::forward_and_backward ? 1U : 0U;
  REQUIRE(pairs > 0);
  const std::vector<box> boxes = boxes_in(svg_of(shape));
  CHECK(boxes.size() == t.entries.size() + pairs);
  std::size_t halves = 0;
  for (const box& b : boxes) halves += b.height < boxes[0].height ? 1U : 0U;
  CHECK(halves == 2 * pairs);
}

TEST_CASE("a long step is drawn smaller, and numbers that have no room are left out") {
  const std::string svg = svg_of({.ranks = 4, .micro_batches = 1000});
  const std::vector<box> boxes = boxes_in(svg);
  for (const box& b : boxes) CHECK(b.x + b.width < 6200);
  CHECK(times_in(svg, "<text") < 200);
  CHECK(times_in(svg, "<title>") == 8000);
  CHECK(is_well_formed(svg));
}

TEST_CASE("times of any size") {
  CHECK(is_well_formed(svg_of({.ranks = 2, .micro_batches = 2}, {.forward = 1, .backward = std::int64_t{1} << 58})));
  CHECK(is_well_formed(svg_of({.ranks = 1, .micro_batches = 1}, {.forward = 0, .backward = 0})));
  CHECK(is_well_formed(svg_of({.ranks = 2, .micro_batches = 2}, {.forward = 0, .backward = 1'000'000})));
}
