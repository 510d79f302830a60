#include <moeplan/balance/eplb.hpp>

#include <cmath>
#include <cstdint>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "balance/placed.hpp"
#include "support/both_times.hpp"

using namespace moeplan;
using namespace moeplan_test;

namespace {

// The example of EPLB's README.
constexpr std::int64_t readme_loads[2][12] = {{90, 132, 40, 61, 104, 165, 39, 4, 73, 56, 183, 86},
                                              {20, 107, 104, 64, 19, 197, 187, 157, 172, 86, 16, 27}};
constexpr placement_shape readme{.experts = 12, .slots = 16, .groups = 4, .nodes = 2, .gpus = 8};
constexpr placement_shape readme_global{.experts = 12, .slots = 16, .groups = 1, .nodes = 1, .gpus = 8};

template <std::size_t Slots, std::size_t Experts>
constexpr bool places(placement_shape shape, const std::int64_t (&loads)[Experts], const std::int32_t (&physical_to_logical)[Slots],
                      const std::int32_t (&logical_count)[Experts]) {
  const auto p = placed_by_eplb<Slots>(shape, loads);
  return p.error.ok() && same(p.physical_to_logical, physical_to_logical) && same(p.logical_count, logical_count);
}

BOTH_TIMES("the README's example, hierarchical", [] {
  EXPECT(eplb_policy(readme) == placement_policy::hierarchical);
  EXPECT(
      places(readme, readme_loads[0], {5, 6, 5, 7, 8, 4, 3, 4, 10, 9, 10, 2, 0, 1, 11, 1}, {1, 2, 1, 1, 2, 2, 1, 1, 1, 1, 2, 1}));
  EXPECT(places(readme, readme_loads[1], {7, 10, 6, 8, 6, 11, 8, 9, 2, 4, 5, 1, 5, 0, 3, 1}, {1, 2, 1, 1, 1, 2, 2, 1, 2, 1, 1, 1}));
});

BOTH_TIMES("the README's example, global", [] {
  EXPECT(places(readme_global, readme_loads[0], {10, 6, 10, 7, 0, 2, 11, 4, 5, 9, 5, 4, 8, 3, 1, 1},
                {1, 2, 1, 1, 2, 2, 1, 1, 1, 1, 2, 1}));
  EXPECT(places(readme_global, readme_loads[1], {1, 10, 2, 4, 5, 11, 5, 0, 6, 7, 6, 3, 8, 8, 9, 7},
                {1, 1, 1, 1, 1, 2, 2, 2, 2, 1, 1, 1}));
});

BOTH_TIMES("where the nodes do not divide the groups, the policy is global and groups and nodes say nothing", [] {
  placement_shape shape = readme;
  shape.nodes = 5; // which divides neither the groups nor the GPUs
  shape.groups = 7;
  EXPECT(eplb_policy(shape) == placement_policy::global);
  const auto p = placed_by_eplb<16>(shape, readme_loads[0]);
  EXPECT(p.error.ok());
  EXPECT(same(p.physical_to_logical, placed_by_eplb<16>(readme_global, readme_loads[0]).physical_to_logical));
});

BOTH_TIMES("one expert, one GPU, one slot", [] {
  EXPECT(places<1>({}, {5}, {0}, {1}));
  EXPECT(places<4>({.experts = 1, .slots = 4, .gpus = 2}, {5}, {0, 0, 0, 0}, {4}));
  // On one GPU the heaviest first; of equal ones the first.
  EXPECT(places<4>({.experts = 4, .slots = 4}, {1, 9, 1, 3}, {1, 3, 0, 2}, {1, 1, 1, 1}));
});

BOTH_TIMES("as many slots as GPUs stay in their order", [] {
  EXPECT(places<4>({.experts = 3, .slots = 4, .gpus = 4}, {2, 7, 1}, {0, 1, 2, 1}, {1, 2, 1}));
});

BOTH_TIMES("all loads zero: the first expert has every redundant slot, the first GPU is filled first", [] {
  EXPECT(places<6>({.experts = 3, .slots = 6, .gpus = 2}, {0, 0, 0}, {0, 1, 2, 0, 0, 0}, {4, 1, 1}));
});

BOTH_TIMES("one hot expert has every redundant slot, one on each GPU", [] {
  EXPECT(places<8>({.experts = 5, .slots = 8, .gpus = 4}, {0, 0, 800, 0, 0}, {2, 0, 2, 1, 2, 3, 2, 4}, {1, 1, 4, 1, 1}));
  const auto p = placed_by_eplb<8>({.experts = 5, .slots = 8, .gpus = 4}, {0, 0, 800, 0, 0});
  EXPECT(evaluate(p.view()).max_over_mean() == 1);
});

BOTH_TIMES("all loads equal: the first experts have the redundant slots", [] {
  EXPECT(places<6>({.experts = 4, .slots = 6, .gpus = 2}, {8, 8, 8, 8}, {2, 0, 0, 3, 1, 1}, {2, 2, 1, 1}));
});

constexpr std::int64_t largest = 0x7FFF'FFFF'FFFF'FFFF;

BOTH_TIMES("loads of 2^63 - 1", [] {
  const auto p = placed_by_eplb<4>({.experts = 2, .slots = 4, .gpus = 2}, {largest, largest});
  EXPECT(p.error.ok());
  EXPECT(same(p.physical_to_logical, {0, 0, 1, 1}));
  EXPECT(evaluate(p.view()).max_over_mean() == 1);
  EXPECT(exact_gpu_load(p.view(), 0) == ratio{largest});
});

// 2^24 + 1 is no float: it becomes 2^24, and both experts weigh the same. 2^24 + 3 becomes 2^24 + 4.
BOTH_TIMES("loads are rounded to float32", [] {
  constexpr std::int64_t n = 1 << 24;
  EXPECT(places<4>({.experts = 2, .slots = 4, .gpus = 4}, {n, n + 1}, {0, 1, 0, 1}, {2, 2}));
  EXPECT(places<3>({.experts = 2, .slots = 3, .gpus = 3}, {n, n + 1}, {0, 1, 0}, {2, 1}));
  EXPECT(places<3>({.experts = 2, .slots = 3, .gpus = 3}, {n, n + 3}, {0, 1, 1}, {1, 2}));
});

BOTH_TIMES("the sum of a group's loads is rounded from left to right", [] {
  constexpr std::int64_t n = 1 << 24;
  // Groups {2^24, 1, 1}: 2^24 in float32, and {1, 1, 2^24}: 2^24 + 2. Exactly they are equal, and the first would be first.
  const placement_shape shape{.experts = 12, .slots = 12, .groups = 4, .nodes = 2, .gpus = 2};
  const auto p = placed_by_eplb<12>(shape, {n, 1, 1, 1, 1, n, 0, 0, 0, 0, 0, 0});
  EXPECT(p.error.ok());
  EXPECT(p.physical_to_logical[0] == 5); // the heaviest expert of the group that is packed first
});

// What is wrong, and the numbers it is about.

constexpr placement_error error_of(placement_shape shape, std::int64_t loads = 12, std::int64_t slots = 16,
                                   std::int64_t counts = 12, std::int64_t words = 200) {
  const std::int64_t load[16]{};
  std::int32_t physical_to_logical[32]{};
  std::int32_t logical_count[16]{};
  std::uint64_t storage[200]{};
  return eplb(shape, {load, loads}, {physical_to_logical, slots}, {logical_count, counts}, {storage, words});
}

BOTH_TIMES("sizes that do not belong together", [] {
  using enum placement_problem;
  EXPECT(error_of(readme).ok());
  EXPECT(error_of({.experts = 0, .slots = 16, .gpus = 8}) == placement_error{experts_below_one, 0});
  EXPECT(error_of({.experts = 12, .slots = -16, .gpus = 8}) == placement_error{slots_below_one, -16});
  EXPECT(error_of({.experts = 12, .slots = 16, .groups = 0, .gpus = 8}) == placement_error{groups_below_one, 0});
  EXPECT(error_of({.experts = 12, .slots = 16, .nodes = 0, .gpus = 8}) == placement_error{nodes_below_one, 0});
  EXPECT(error_of({.experts = 12, .slots = 16, .gpus = -1}) == placement_error{gpus_below_one, -1});
  EXPECT(error_of({.experts = 12, .slots = 15, .gpus = 8}) == placement_error{slots_not_divisible_by_gpus, 15, 8});
  EXPECT(error_of({.experts = 12, .slots = 8, .gpus = 8}) == placement_error{fewer_slots_than_experts, 8, 12});
  EXPECT(error_of({.experts = 12, .slots = 16, .groups = 8, .nodes = 2, .gpus = 8}) ==
         placement_error{experts_not_divisible_by_groups, 12, 8});
  EXPECT(error_of({.experts = 12, .slots = 18, .groups = 4, .nodes = 4, .gpus = 6}) ==
         placement_error{gpus_not_divisible_by_nodes, 6, 4});
  EXPECT(error_of({.experts = largest, .slots = largest}) == placement_error{too_many_slots, largest, (std::int64_t{1} << 31) - 1});
});

BOTH_TIMES("loads and storage", [] {
  using enum placement_problem;
  const std::int64_t words = eplb_storage_words(readme);
  EXPECT(error_of(readme, 11) == placement_error{wrong_number_of_loads, 11, 12});
  EXPECT(error_of(readme, 13) == placement_error{wrong_number_of_loads, 13, 12});
  EXPECT(error_of(readme, 12, 15) == placement_error{storage_too_small, 15, 16});
  EXPECT(error_of(readme, 12, 16, 11) == placement_error{storage_too_small, 11, 12});
  EXPECT(error_of(readme, 12, 16, 12, words - 1) == placement_error{storage_too_small, words - 1, words});
  EXPECT(error_of(readme, 12, 16, 12, words).ok());

  const std::int64_t loads[] = {3, -1};
  std::int32_t slots[] = {7, 7};
  std::int32_t counts[] = {7, 7};
  std::uint64_t storage[64]{};
  EXPECT(eplb({.experts = 2, .slots = 2}, loads, slots, counts, storage) == placement_error{load_below_zero, 1, -1});
  EXPECT(slots[0] == 7);
  EXPECT(counts[0] == 7);
});

// What the unmodified original gives, run under torch: see the file's own "fields" and "arithmetic".

using json = nlohmann::json;

const json& peer() {
  static const json data = [] {
    std::ifstream file{MOEPLAN_TEST_DATA "/eplb.json"};
    REQUIRE(file.good());
    return json::parse(file);
  }();
  return data;
}

struct answer {
  std::vector<std::int32_t> physical_to_logical;
  std::vector<std::int32_t> logical_count;
};

answer answer_to(const placement_shape& s, const std::vector<std::int64_t>& loads) {
  answer a{std::vector<std::int32_t>(static_cast<std::size_t>(s.slots)), std::vector<std::int32_t>(loads.size())};
  std::vector<std::uint64_t> words(static_cast<std::size_t>(eplb_storage_words(s)));
  CHECK(eplb(s, loads, a.physical_to_logical, a.logical_count, words).ok());
  return a;
}

placement_shape shape_of(const json& c) {
  return {.experts = c.at("experts"),
          .slots = c.at("replicas"),
          .groups = c.at("groups"),
          .nodes = c.at("nodes"),
          .gpus = c.at("gpus")};
}

} // namespace

TEST_CASE("every layer of the original's cases") {
  std::int64_t exact = 0;
  std::int64_t ties = 0;
  for (const json& c : peer().at("cases")) {
    const placement_shape s = shape_of(c);
    CHECK((eplb_policy(s) == placement_policy::hierarchical) == (c.at("policy") == "hierarchical"));
    std::int64_t twice = 0;
    for (std::size_t layer = 0; layer < c.at("load").size(); ++layer) {
      INFO("case ", c.at("name").get<std::string>(), ", layer ", layer);
      const std::vector<std::int64_t> loads = c.at("load").at(layer);
      const answer a = answer_to(s, loads);
      CHECK(json(a.logical_count) == c.at("logcnt").at(layer));
      // With equal weights, the unmodified original's placement is whatever its unstable sort makes of them.
      const json& stable = c.at("phy2log_stable_sort");
      const std::string name = std::to_string(layer);
      const bool unstable = stable.contains(name);
      CHECK(json(a.physical_to_logical) == (unstable ? stable.at(name) : c.at("phy2log").at(layer)));
      unstable ? ++ties : ++exact;

      const placement_view placement{s, loads, a.physical_to_logical, a.logical_count};
      const placement_quality q = evaluate(placement);
      const json& expected = c.at("max_over_mean").at(layer);
      if (expected.is_null()) // no load at all
        CHECK(q.max_over_mean() == 1);
      else
        CHECK(std::abs(q.max_over_mean() - expected.get<double>()) < 1e-12);
      twice += q.gpus_with_an_expert_twice;
      if (eplb_policy(s) == placement_policy::hierarchical) CHECK(groups_stay_on_their_node(placement));
    }
    // Counted in the unmodified original's placements.
    if (c.at("phy2log_stable_sort").empty()) CHECK(twice == c.at("gpus_holding_two_replicas_of_one_expert"));
  }
  CHECK(exact == 165);
  CHECK(ties == 23);
}

// One whole layer of DeepSeek-V3 within the compilers' default limits.
namespace {

constexpr auto layer_of_deepseek_v3 = [] {
  std::int64_t loads[256]{};
  std::uint64_t random = 1;
  for (std::int64_t& load : loads) {
    random = random * 6364136223846793005U + 1442695040888963407U;
    load = static_cast<std::int64_t>(random >> 40);
  }
  return placed_by_eplb<288>({.experts = 256, .slots = 288, .groups = 8, .nodes = 4, .gpus = 32}, loads);
};

} // namespace

TEST_CASE("a layer of DeepSeek-V3 is the same in a constant expression and at run time") {
  constexpr auto in_a_constant = layer_of_deepseek_v3();
  static_assert(in_a_constant.error.ok());
  const auto now = layer_of_deepseek_v3();
  CHECK(same(in_a_constant.physical_to_logical, now.physical_to_logical));
  CHECK(same(in_a_constant.logical_count, now.logical_count));
}
