#include <doctest/doctest.h>

#include <moeplan/io/nearest_name.hpp>

#include <string>

using namespace moeplan::io;

TEST_CASE("the edit distance counts inserted, deleted, replaced and swapped letters") {
  CHECK(edit_distance("", "") == 0);
  CHECK(edit_distance("tp", "tp") == 0);
  CHECK(edit_distance("", "tp") == 2);
  CHECK(edit_distance("tpp", "tp") == 1);
  CHECK(edit_distance("kitten", "sitting") == 3);
  CHECK(edit_distance("trainign", "training") == 1); // one swap, not two replacements
  CHECK(edit_distance("ca", "abc") == 3);            // optimal string alignment: a swapped pair is not edited again
  CHECK(edit_distance("DeepSeek", "deepseek") == 0);
}

TEST_CASE("the nearest name is the one with the smallest distance") {
  CHECK(nearest_name("trainign", {"schema", "training", "serving"}) == "training");
  CHECK(nearest_name("x", {}).empty());
  CHECK(nearest_name("", {"tp"}) == "tp");
}

TEST_CASE("of several nearest names it is the one that begins most alike") {
  CHECK(nearest_name("dpp", {"tp", "pp", "dp"}) == "dp");
  CHECK(nearest_name("xp", {"tp", "pp"}) == "tp");
}

TEST_CASE("a very long name takes no time") { CHECK(nearest_name(std::string(1'000'000, 'a'), {"a", "b"}) == "a"); }

TEST_CASE("names are listed in quotation marks") {
  CHECK(listed({}).empty());
  CHECK(listed({"tp", "pp"}) == "\"tp\", \"pp\"");
}
