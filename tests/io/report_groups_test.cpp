#include <doctest/doctest.h>

#include <moeplan/io/report_groups.hpp>

#include <string>
#include <vector>

using namespace moeplan;
using namespace moeplan::io;

namespace {

using texts = std::vector<std::string>;

texts complaints(std::vector<std::vector<std::int64_t>> members, std::int64_t degree, optional_integer gpus = {}) {
  return group_complaints({axis::tp, std::move(members)}, degree, gpus);
}

} // namespace

TEST_CASE("groups that suit their degree") {
  CHECK(complaints({{0, 1}, {2, 3}}, 2, 4).empty());
  CHECK(complaints({{0, 2}, {1, 3}}, 2, 4).empty()); // which ranks they are is the order's business
  CHECK(complaints({{5}}, 1).empty());
  CHECK(complaints({}, 2).empty());
}

TEST_CASE("a group of three where TP is 2") {
  CHECK(complaints({{0, 1, 2}}, 2, 3) == texts{"the TP group of ranks 0, 1, 2 has 3 members, but TP is 2"});
  CHECK(complaints({{7}}, 2) == texts{"the TP group of rank 7 has 1 member, but TP is 2"});
  CHECK(complaints({{}}, 2) == texts{"the TP group of no ranks has 0 members, but TP is 2"});
}

TEST_CASE("a rank in no group, or in two") {
  CHECK(complaints({{0, 1}}, 2, 3) == texts{"rank 2 is in no TP group"});
  CHECK(complaints({{1, 2}}, 2, 4) == texts{"ranks 0, 3 are in no TP group"});
  CHECK(complaints({{0, 1}, {1, 2}}, 2, 3) == texts{"rank 1 is listed more than once among the TP groups"});
  CHECK(complaints({{0, 3}}, 2, 2) ==
        texts{"rank 3 is in a TP group, but ranks are below the number of GPUs, 2", "rank 1 is in no TP group"});
}

TEST_CASE("of very many ranks the first are named, and the others counted") {
  CHECK(complaints({{0}}, 1, 999'999'999'999'999'999) ==
        texts{"ranks 1, 2, 3, 4, 5, 6, 7, 8 and 999999999999999990 more are in no TP group"});
  CHECK(complaints({{0}}, 1, 9) == texts{"ranks 1, 2, 3, 4, 5, 6, 7, 8 are in no TP group"});
  CHECK(complaints({{0}}, 1, 10) == texts{"ranks 1, 2, 3, 4, 5, 6, 7, 8 and 1 more are in no TP group"});
  CHECK(complaints({{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}}, 2, 10) ==
        texts{"the TP group of ranks 0, 1, 2, 3, 4, 5, 6, 7 and 2 more has 10 members, but TP is 2"});
  CHECK(complaints({{8, 9}, {8, 9}, {8, 7}}, 2, 8) ==
        texts{"ranks 8, 9 are listed more than once among the TP groups",
              "ranks 8, 9 are in a TP group, but ranks are below the number of GPUs, 8",
              "ranks 0, 1, 2, 3, 4, 5, 6 are in no TP group"});
}

TEST_CASE("of very many groups of a wrong size the first are named, and the others counted") {
  std::vector<std::vector<std::int64_t>> members;
  for (std::int64_t rank = 0; rank < 10; ++rank) members.push_back({rank});
  const texts all = complaints(members, 2, 10);
  REQUIRE(all.size() == 9);
  CHECK(all[7] == "the TP group of rank 7 has 1 member, but TP is 2");
  CHECK(all[8] == "2 more TP groups do not have 2 members");
  members.pop_back();
  CHECK(complaints(members, 2, 9).back() == "1 more TP group does not have 2 members");
}
