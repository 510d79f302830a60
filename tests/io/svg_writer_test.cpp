#include <moeplan/io/svg_writer.hpp>

#include <doctest/doctest.h>

#include <sstream>
#include <string>

using moeplan::io::detail::svg_colour;
using moeplan::io::detail::svg_writer;

namespace {

template <class Write>
std::string written(Write write) {
  std::ostringstream out;
  svg_writer svg{out};
  write(svg);
  return out.str();
}

} // namespace

TEST_CASE("numbers have two digits behind the point at most") {
  CHECK(svg_writer::number(0) == "0");
  CHECK(svg_writer::number(18) == "18");
  CHECK(svg_writer::number(2.5) == "2.5");
  CHECK(svg_writer::number(1.0 / 3) == "0.33");
  CHECK(svg_writer::number(-1.005) == "-1");
  CHECK(svg_writer::number(99.999) == "100");
}

TEST_CASE("colours") {
  const svg_colour white{255, 255, 255};
  CHECK(white.text() == "#ffffff");
  CHECK(white.towards({0, 128, 15}, 0).text() == "#ffffff");
  CHECK(white.towards({0, 128, 15}, 1).text() == "#00800f");
  CHECK(white.towards({155, 55, 255}, 0.5).text() == "#cd9bff"); // 205, 155, 255
}

TEST_CASE("elements") {
  CHECK(written([](svg_writer& s) { s.box(1, 2, 3, 4.25, "#000000", R"( stroke="#ffffff")"); }) ==
        "<rect x=\"1\" y=\"2\" width=\"3\" height=\"4.25\" fill=\"#000000\" stroke=\"#ffffff\"/>\n");
  CHECK(written([](svg_writer& s) { s.box_with_title(0, 0, 1, 1, "none", "a"); }) ==
        "<rect x=\"0\" y=\"0\" width=\"1\" height=\"1\" fill=\"none\"><title>a</title></rect>\n");
  CHECK(written([](svg_writer& s) { s.text(1, 2, "words"); }) == "<text x=\"1\" y=\"2\">words</text>\n");
  CHECK(written([](svg_writer& s) { s.text_upwards(1, 2, "up"); }) ==
        "<text transform=\"translate(1 2) rotate(-90)\" text-anchor=\"middle\">up</text>\n");
  const std::string picture = written([](svg_writer& s) {
    s.begin(20, 10.5);
    s.end();
  });
  CHECK(picture.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 20 10.5\" width=\"20\" height=\"10.5\""));
  CHECK(picture.ends_with("</svg>\n"));
}

TEST_CASE("words with markup are words") {
  CHECK(written([](svg_writer& s) { s.title("a < b & \"c\" > d"); }) == "<title>a &lt; b &amp; &quot;c&quot; &gt; d</title>");
  CHECK(written([](svg_writer& s) { s.text(0, 0, "<&>"); }) == "<text x=\"0\" y=\"0\">&lt;&amp;&gt;</text>\n");
}
