#include <moeplan/mesh/mesh.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

// tests/data/rank_groups.json holds what Megatron-LM's own RankGenerator returned; it explains its fields itself.

using namespace moeplan;
using json = nlohmann::json;

namespace {

json read(const std::string& name) {
  std::ifstream file{std::string{MOEPLAN_TEST_DATA} + "/" + name};
  REQUIRE(file.good());
  return json::parse(file);
}

/// FNV-1a of "0,1;2,3": ranks joined by ',', groups by ';'.
std::string hash_of(const rank_groups& groups) {
  std::uint64_t hash = 0xcbf29ce484222325;
  const auto add = [&](char c) { hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3; };
  bool first_group = true;
  for (const rank_group group : groups) {
    if (!first_group) add(';');
    first_group = false;
    bool first_rank = true;
    for (const std::int64_t rank : group) {
      if (!first_rank) add(',');
      first_rank = false;
      for (const char c : std::to_string(rank)) add(c);
    }
  }
  char hex[17];
  std::snprintf(hex, sizeof hex, "%016llx", static_cast<unsigned long long>(hash));
  return hex;
}

std::vector<std::int64_t> members(const rank_group& group) { return {group.begin(), group.end()}; }

/// Compares listed groups, which the file may have cut to their first or last 32 ranks, with those from `begin` on.
void check_listed(const rank_groups& groups, const json& listed, std::int64_t begin, bool cut_at_front) {
  for (std::size_t i = 0; i < listed.size(); ++i) {
    const auto expected = listed[i].get<std::vector<std::int64_t>>();
    auto actual = members(groups[begin + static_cast<std::int64_t>(i)]);
    REQUIRE(actual.size() >= expected.size());
    const auto surplus = static_cast<std::ptrdiff_t>(actual.size() - expected.size());
    if (cut_at_front)
      actual.erase(actual.begin(), actual.begin() + surplus);
    else
      actual.resize(expected.size());
    CHECK(actual == expected);
  }
}

void check_groups(const rank_groups& groups, const json& expected) {
  CHECK(groups.size() == expected["n"].get<std::int64_t>());
  if (expected.contains("size")) CHECK(groups.group_size() == expected["size"].get<std::int64_t>());
  CHECK(hash_of(groups) == expected["fnv1a64"].get<std::string>());
  if (expected.contains("groups")) {
    CHECK(groups.size() == static_cast<std::int64_t>(expected["groups"].size()));
    check_listed(groups, expected["groups"], 0, false);
  }
  if (expected.contains("first2")) check_listed(groups, expected["first2"], 0, false);
  if (expected.contains("last2")) {
    check_listed(groups, expected["last2"], groups.size() - static_cast<std::int64_t>(expected["last2"].size()), true);
  }
}

/// The axes of one of the file's tokens, in our names.
std::vector<std::string> axes_of(const std::string& token, grid_kind grid) {
  std::vector<std::string> axes;
  for (std::size_t start = 0; start <= token.size();) {
    const std::size_t stop = std::min(token.find('-', start), token.size());
    std::string axis = token.substr(start, stop - start);
    if (grid == grid_kind::expert && (axis == "tp" || axis == "dp")) axis = std::string{'e'}.append(axis);
    axes.push_back(axis);
    start = stop + 1;
  }
  std::sort(axes.begin(), axes.end());
  return axes;
}

std::string joined(const std::vector<std::string>& axes) {
  std::string all = axes.front();
  for (std::size_t i = 1; i < axes.size(); ++i) all.append(1, '-').append(axes[i]);
  return all;
}

/// Every spelling of a token parses to the same axes; then the groups. Returns how many spellings there were.
int check_token(const mesh& m, const std::string& token, grid_kind grid, const json& expected) {
  CAPTURE(token);
  auto axes = axes_of(token, grid);
  int spellings = 0;
  group_axes last;
  do {
    const auto along = group_axes::parse(joined(axes));
    REQUIRE(along.ok());
    if (spellings++ != 0) CHECK(along.value == last);
    last = along.value;
  } while (std::next_permutation(axes.begin(), axes.end()));
  // "pp" alone is read as the dense grid's; the file has it on both.
  if (token == "pp") last.grid = grid;
  CHECK(last.grid == grid);
  check_groups(m.groups(last), expected);
  return spellings;
}

mesh mesh_of(const json& c) {
  const auto number = [&](const char* key) { return c[key].get<std::int64_t>(); };
  const auto order = rank_order::parse(c["order"].get_ref<const std::string&>());
  REQUIRE(order.ok());
  const strategy s{tp{number("tp")}, cp{number("cp")},   pp{number("pp")}, ep{number("ep")},
                   dp{number("dp")}, etp{number("etp")}, order.value};
  return mesh{s, number("rank_offset")};
}

} // namespace

TEST_CASE("rank groups are Megatron-LM's") {
  const json peer = read("rank_groups.json");
  int configurations = 0;
  int spellings = 0;
  for (const char* list : {"configs", "rank_offset_configs"})
    for (const json& c : peer[list]) {
      CAPTURE(list);
      CAPTURE(configurations);
      const mesh m = mesh_of(c);
      CHECK(m.world() == c["world"].get<std::int64_t>());
      CHECK(m.expert().edp == c["edp"].get<std::int64_t>());
      for (const auto& [token, expected] : c["dense"].items()) spellings += check_token(m, token, grid_kind::dense, expected);
      for (const auto& [token, expected] : c["expert"].items()) spellings += check_token(m, token, grid_kind::expert, expected);
      if (c.contains("embedding")) check_groups(m.embedding_groups(), c["embedding"]);
      const bool equal_pipelines = hash_of(m.groups({grid_kind::dense, 0b1000})) == hash_of(m.groups({grid_kind::expert, 0b1000}));
      CHECK(equal_pipelines == c["init_assert_pp_groups_equal_ok"].get<bool>());
      ++configurations;
    }
  CHECK(configurations == 42);
  // Of 9 dense and 6 expert tokens, 8 are one axis, 5 join two and 2 join three.
  CHECK(spellings == 42 * (8 + 5 * 2 + 2 * 6));
}
