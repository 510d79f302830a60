#include <moeplan/io/schedule_title.hpp>

#include <doctest/doctest.h>

#include <cctype>
#include <sstream>
#include <string>

#include <moeplan/io/enumerator_names.hpp>
#include <moeplan/io/pipeline_dot.hpp>
#include <moeplan/io/pipeline_svg.hpp>
#include <moeplan/io/pipeline_timeline.hpp>
#include <moeplan/io/pipeline_trace.hpp>

using namespace moeplan;
using namespace moeplan::io;

namespace {

/// A title as a name: letters and digits alone, in lower case.
std::string letters_of(const std::string& text) {
  std::string letters;
  for (const char c : text)
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) letters += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return letters;
}

} // namespace

TEST_CASE("a title is the name as papers spell it") {
  for (const auto& s : schedule_names) CHECK(letters_of(schedule_title({.schedule = s.value})) == letters_of(s.name));
  CHECK(std::string{schedule_title({})} == "1F1B");
  CHECK(std::string{schedule_title({.chunks = 2})} == "interleaved 1F1B");
  CHECK(std::string{schedule_title({.schedule = schedule::v_half, .chunks = 2})} == "V-Half");
}

TEST_CASE("every picture has the same title") {
  for (const auto& s : schedule_names) {
    const bool two_chunks = placed_in_a_v(s.value);
    const pipeline_shape shape{.schedule = s.value, .ranks = 2, .chunks = two_chunks ? 2 : 1, .micro_batches = 8};
    const pipeline_timeline timeline = timeline_of(shape, {});
    REQUIRE(timeline.result.ok());
    const std::string title = schedule_title(shape);
    std::ostringstream svg;
    std::ostringstream dot;
    std::ostringstream trace;
    write_pipeline_svg(svg, timeline);
    static_cast<void>(write_pipeline_dot(dot, shape, gradient_clipping::none));
    write_pipeline_trace(trace, timeline);
    CAPTURE(title);
    CHECK(svg.str().find('>' + title + ", 2 ranks") != std::string::npos);
    CHECK(dot.str().find("label=\"" + title + ", 2 ranks") != std::string::npos);
    CHECK(trace.str().find("pipeline, " + title + '"') != std::string::npos);
  }
}
