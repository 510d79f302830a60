#include "include_graph.hpp"

#include <doctest/doctest.h>

using namespace architecture;

namespace {

const floors table{{"number", 0}, {"text", 0}, {"describe", 1}, {"mesh", 2}, {"moeplan.hpp", 9}};

std::string only(const complaints& all) {
  REQUIRE(all.size() == 1);
  return all.front();
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

} // namespace

TEST_CASE("include lines are found in every spelling") {
  CHECK(includes_of("#include <moeplan/number/count.hpp>\n") == std::vector<include_line>{{"moeplan/number/count.hpp", 1}});
  CHECK(includes_of("#pragma once\n\n#include \"a.hpp\"") == std::vector<include_line>{{"a.hpp", 3}});
  CHECK(includes_of("  #  include\t<a>  // why\n#include<b>\r\n") == std::vector<include_line>{{"a", 1}, {"b", 2}});
  CHECK(includes_of("/* one\n two */ #include <a>\n") == std::vector<include_line>{{"a", 2}});
}

TEST_CASE("what only looks like an include is none") {
  CHECK(includes_of("// #include <a>\n").empty());
  CHECK(includes_of("/*\n#include <a>\n*/\n").empty());
  CHECK(includes_of("int a;  // see #include <a>\n").empty());
  CHECK(includes_of("#if __has_include(<a>)\n#endif\n").empty());
  CHECK(includes_of("").empty());
}

TEST_CASE("topics") {
  CHECK(topic_of("moeplan/mesh/grid.hpp") == "mesh");
  CHECK(topic_of("moeplan/mesh/detail/grid.hpp") == "mesh");
  CHECK(topic_of("moeplan/moeplan.hpp") == "moeplan.hpp");
}

TEST_CASE("down and within a folder is allowed") {
  CHECK(
      floor_complaints({{"moeplan/number/count.hpp", "#include <cstdint>\n"},
                        {"moeplan/number/ratio.hpp", "#include \"count.hpp\"\n"},
                        {"moeplan/describe/degree.hpp", "#include \"../number/count.hpp\"\n#include <moeplan/number/ratio.hpp>\n"},
                        {"moeplan/moeplan.hpp", "#include \"describe/degree.hpp\"\n"}},
                       table)
          .empty());
}

TEST_CASE("up is refused") {
  const auto complaint = only(floor_complaints(
      {{"moeplan/number/count.hpp", "\n#include <moeplan/mesh/grid.hpp>\n"}, {"moeplan/mesh/grid.hpp", ""}}, table));
  CHECK(contains(complaint, "moeplan/number/count.hpp:2"));
  CHECK(contains(complaint, "moeplan/mesh/grid.hpp"));
  CHECK(contains(complaint, "higher floor"));
}

TEST_CASE("up by a relative path is refused") {
  const texts headers{{"moeplan/number/count.hpp", "#include \"../mesh/grid.hpp\"\n"}, {"moeplan/mesh/grid.hpp", ""}};
  CHECK(contains(only(floor_complaints(headers, table)), "higher floor"));
}

TEST_CASE("the umbrella is above all folders") {
  const texts headers{{"moeplan/mesh/grid.hpp", "#include \"moeplan/moeplan.hpp\"\n"}, {"moeplan/moeplan.hpp", ""}};
  CHECK(contains(only(floor_complaints(headers, table)), "higher floor"));
}

TEST_CASE("sideways is refused") {
  const texts headers{{"moeplan/number/count.hpp", "#include <moeplan/text/line.hpp>\n"}, {"moeplan/text/line.hpp", ""}};
  CHECK(contains(only(floor_complaints(headers, table)), "another folder of the same floor"));
}

TEST_CASE("an unknown folder is named") {
  const auto complaint = only(floor_complaints({{"moeplan/attic/box.hpp", ""}}, table));
  CHECK(contains(complaint, "attic"));
  CHECK(contains(complaint, "add the folder to the table"));
}

TEST_CASE("a header that does not exist is named") {
  const texts headers{{"moeplan/mesh/grid.hpp", "#include <moeplan/number/none.hpp>\n#include \"none.hpp\"\n"}};
  CHECK(floor_complaints(headers, table).size() == 2);
}

TEST_CASE("circles are found") {
  const texts circle{{"moeplan/number/a.hpp", "#include \"b.hpp\"\n"},
                     {"moeplan/number/b.hpp", "#include <moeplan/number/c.hpp>\n"},
                     {"moeplan/number/c.hpp", "#include \"a.hpp\"\n"}};
  CHECK(contains(only(cycle_complaints(circle)),
                 "moeplan/number/a.hpp -> moeplan/number/b.hpp -> moeplan/number/c.hpp -> moeplan/number/a.hpp"));
  CHECK(cycle_complaints({{"moeplan/number/a.hpp", "#include \"a.hpp\"\n"}}).size() == 1);
  // A diamond is no circle.
  CHECK(cycle_complaints({{"moeplan/number/a.hpp", "#include \"b.hpp\"\n#include \"c.hpp\"\n"},
                          {"moeplan/number/b.hpp", "#include \"d.hpp\"\n"},
                          {"moeplan/number/c.hpp", "#include \"d.hpp\"\n"},
                          {"moeplan/number/d.hpp", ""}})
            .empty());
}

TEST_CASE("forbidden headers") {
  const texts headers{{"moeplan/number/a.hpp", "#include <cstdint>\n#include <string>\n#include <boost/rational.hpp>\n"},
                      {"moeplan/text/a.hpp", "#include <string_view>\n"}};
  CHECK(forbidden_complaints(headers, {"string", "boost/"}, {}).size() == 2);
  CHECK(forbidden_complaints(headers, {"string", "boost/"}, {"number"}).empty());
}

TEST_CASE("headers that the umbrella forgets") {
  const texts headers{{"moeplan/moeplan.hpp", "#include <moeplan/mesh/a.hpp>\n"},
                      {"moeplan/mesh/a.hpp", "#include \"b.hpp\"\n"},
                      {"moeplan/mesh/b.hpp", ""},
                      {"moeplan/mesh/c.hpp", ""}};
  CHECK(contains(only(unreached_complaints(headers, {"moeplan/moeplan.hpp"}, {})), "moeplan/mesh/c.hpp"));
  CHECK(unreached_complaints(headers, {"moeplan/moeplan.hpp"}, {"mesh"}).empty());
  CHECK(unreached_complaints(headers, {"moeplan/moeplan.hpp", "moeplan/mesh/c.hpp"}, {}).empty());
}
