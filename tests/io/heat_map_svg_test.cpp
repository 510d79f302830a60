#include <doctest/doctest.h>

#include <moeplan/io/heat_map_svg.hpp>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "io/svg_text.hpp"

using namespace moeplan::io;
using namespace moeplan_test;

namespace {

std::string drawn(const std::vector<heat_map>& maps) {
  std::ostringstream out;
  write_heat_maps(out, maps);
  return out.str();
}

/// Of the box that has this in its tooltip.
std::string colour_of(const std::string& svg, const std::string& title) {
  const std::size_t at = svg.find(title);
  REQUIRE(at != std::string::npos);
  return svg.substr(svg.rfind("fill=\"", at) + 6, 7);
}

/// How far from white, 0 to 255.
int strength_of(const std::string& colour) {
  int palest = 255;
  for (const std::size_t at : {1U, 3U, 5U}) palest = std::min(palest, std::stoi(colour.substr(at, 2), nullptr, 16));
  return 255 - palest;
}

} // namespace

TEST_CASE("a rectangle for each GPU of each layer, with its load") {
  const std::string svg = drawn({{"Before", {{2, 0.5, 0.5}, {1, 1, 1}}}, {"After", {{1, 1, 1}, {1, 1, 1}}}});
  CHECK(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
  CHECK(svg.ends_with("</svg>\n"));
  CHECK(is_well_formed(svg));
  CHECK(times_in(svg, "of the mean</title>") == 12);
  CHECK(times_in(svg, "<title>layer 0, GPU 0: 2.000 of the mean</title>") == 1);
  CHECK(times_in(svg, "<title>layer 0, GPU 1: 0.500 of the mean</title>") == 1);
  CHECK(times_in(svg, ">Before</text>") == 1);
  CHECK(times_in(svg, ">After</text>") == 1);
}

TEST_CASE("the mean is white, and colours are as strong as loads are far from it") {
  const std::string svg = drawn({{"Loads", {{2, 1, 0.5, 0}}}});
  CHECK(colour_of(svg, "GPU 0: ") == "#b2182b");
  CHECK(colour_of(svg, "GPU 1: ") == "#ffffff");
  CHECK(colour_of(svg, "GPU 3: ") == "#2166ac");
  CHECK(colour_of(svg, "GPU 2: ") == "#90b3d6"); // halfway from white
}

TEST_CASE("one GPU with most of the load leaves idle ones blue, and nearly even ones pale") {
  const std::string svg = drawn({{"Loads", {{8, 0, 2, 0.99, 0.5}}}});
  CHECK(colour_of(svg, "GPU 0: ") == "#b2182b");
  CHECK(colour_of(svg, "GPU 1: ") == "#2166ac");
  CHECK(strength_of(colour_of(svg, "GPU 3: ")) <= 3);
  // A third of the full red, whose palest channel is 0x18; half of the full blue, 0x21.
  CHECK(strength_of(colour_of(svg, "GPU 2: ")) == 77);
  CHECK(strength_of(colour_of(svg, "GPU 4: ")) == 111);
  // Where all are nearly even, the farthest one has the full colour, and the other side is no stronger for being nearer.
  const std::string even = drawn({{"Loads", {{1.02, 0.99, 0.99}}}});
  CHECK(colour_of(even, "GPU 0: ") == "#b2182b");
  CHECK(strength_of(colour_of(even, "GPU 1: ")) == 111);
}

TEST_CASE("the legend says where the mean is") {
  for (const std::vector<double>& row : {std::vector<double>{1, 1}, {8, 0}, {1.001, 0.999}, {1000, 0.5}}) {
    const std::string svg = drawn({{"Loads", {row}}});
    CHECK(times_in(svg, ">1</text>") == 1 + 1); // and the number of the second GPU
    CHECK(times_in(svg, ">1.000</text>") == 0);
  }
  const std::string svg = drawn({{"Loads", {{8, 0}}}});
  CHECK(times_in(svg, ">8.000</text>") == 1);
  CHECK(times_in(svg, ">0.000</text>") == 1);
}

TEST_CASE("equal loads, titles with markup") {
  const std::string svg = drawn({{"a < b & \"c\"", {{1, 1}, {1, 1}}}});
  CHECK(times_in(svg, ">a &lt; b &amp; &quot;c&quot;</text>") == 1);
  CHECK(is_well_formed(svg));
  CHECK(times_in(svg, "fill=\"#ffffff\"") >= 4);
  CHECK(times_in(svg, "nan") == 0);
}

TEST_CASE("no rows, and very large loads") {
  CHECK(is_well_formed(drawn({})));
  CHECK(is_well_formed(drawn({{"Nothing", {}}})));
  const std::string svg = drawn({{"Large", {{1024, 0}}}});
  CHECK(times_in(svg, "1024.000 of the mean") == 1);
  CHECK(is_well_formed(svg));
}

TEST_CASE("many cells do without a text for each") {
  const std::string svg = drawn({{"Many", std::vector<std::vector<double>>(61, std::vector<double>(1024, 1.0))}});
  CHECK(times_in(svg, "<title>") == 0);
  CHECK(times_in(svg, "<rect") > 61 * 1024);
}
