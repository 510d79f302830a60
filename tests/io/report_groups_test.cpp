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
  CHECK(complaints({{0, 1}, {1, 2}}, 2, 3) == texts{"rank 1 is listed twice among the TP groups"});
  CHECK(complaints({{0, 3}}, 2, 2) ==
        texts{"rank 3 is in a TP group, but ranks are below the number of GPUs, 2", "rank 1 is in no TP group"});
}

TEST_CASE("of very many ranks in no group the first are named") {
  CHECK(complaints({{0}}, 1, 999'999'999'999'999'999) == texts{"ranks 1, 2, 3, 4, 5, 6, 7, 8 are in no TP group"});
}
