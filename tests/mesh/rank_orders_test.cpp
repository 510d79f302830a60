#include <moeplan/mesh/mesh.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <vector>

// Every order of the axes against a slow generator that is nothing but the definition: number the places of the grid in the
// order's order, and put those ranks into one group that agree on every axis the group does not span.

using namespace moeplan;

namespace {

using groups_t = std::vector<std::vector<std::int64_t>>;
using order_t = std::vector<std::string>;

/// The sizes of one grid by axis name, in the names of a rank order (the expert grid's tp is ETP, its dp EDP).
using sizes_t = std::map<std::string, std::int64_t>;

struct degrees {
  std::int64_t tp, cp, pp, ep, etp, dp;

  [[nodiscard]] sizes_t dense() const { return {{"tp", tp}, {"cp", cp}, {"ep", 1}, {"dp", dp}, {"pp", pp}}; }
  [[nodiscard]] sizes_t expert() const {
    return {{"tp", etp}, {"cp", 1}, {"ep", ep}, {"dp", tp * cp * dp / (etp * ep)}, {"pp", pp}};
  }
};

/// The coordinates of all ranks, counted up like an odometer whose first wheel is the first axis of the order.
std::vector<sizes_t> all_places(const sizes_t& sizes, const order_t& order) {
  std::vector<sizes_t> places;
  sizes_t at;
  for (const auto& [axis, size] : sizes) at[axis] = 0; // what the order leaves out stays 0
  for (;;) {
    places.push_back(at);
    auto wheel = order.begin();
    while (wheel != order.end() && ++at[*wheel] == sizes.at(*wheel)) at[*wheel++] = 0;
    if (wheel == order.end()) return places;
  }
}

groups_t slow_groups(const std::vector<sizes_t>& places, const order_t& spanned) {
  std::map<sizes_t, std::size_t> group_of;
  groups_t groups;
  for (std::size_t rank = 0; rank < places.size(); ++rank) {
    sizes_t key = places[rank];
    for (const std::string& axis : spanned) key.erase(axis);
    const auto [entry, is_new] = group_of.try_emplace(key, groups.size());
    if (is_new) groups.emplace_back();
    groups[entry->second].push_back(static_cast<std::int64_t>(rank));
  }
  return groups;
}

groups_t fast_groups(const mesh& m, group_axes along) {
  groups_t groups;
  for (const rank_group group : m.groups(along)) groups.emplace_back(group.begin(), group.end());
  return groups;
}

/// The axes of each grid by the library's places.
const std::array<order_t, 2> place_names{order_t{"tp", "cp", "dp", "pp"}, order_t{"tp", "ep", "dp", "pp"}};

bool is_group_of_all_its_members(const mesh& m, group_axes along, const groups_t& groups) {
  for (const auto& group : groups)
    for (const std::int64_t rank : group) {
      const rank_group found = m.group(along, rank);
      if (!std::equal(found.begin(), found.end(), group.begin(), group.end())) return false;
    }
  return true;
}

bool partitions(const groups_t& groups, std::int64_t world) {
  std::vector<int> seen(static_cast<std::size_t>(world));
  for (const auto& group : groups)
    for (const std::int64_t rank : group) ++seen[static_cast<std::size_t>(rank)];
  return std::all_of(seen.begin(), seen.end(), [](int times) { return times == 1; });
}

std::array<std::int64_t, 4> coordinates(const mesh& m, std::size_t grid, std::int64_t rank) {
  const auto [tp, cp, dp, pp] = m.dense_at(rank);
  const auto [etp, ep, edp, expert_pp] = m.expert_at(rank);
  if (grid == 0) return {tp, cp, dp, pp};
  return {etp, ep, edp, expert_pp};
}

bool coordinates_agree(const mesh& m, std::size_t grid, const std::vector<sizes_t>& places) {
  for (std::int64_t rank = 0; rank < m.world(); ++rank) {
    const auto actual = coordinates(m, grid, rank);
    for (std::size_t place = 0; place < 4; ++place)
      if (actual[place] != places[static_cast<std::size_t>(rank)].at(place_names[grid][place])) return false;
    if (m.rank(m.dense_at(rank)) != rank || m.rank(m.expert_at(rank)) != rank) return false;
  }
  return true;
}

std::int64_t product_before_pp(const sizes_t& sizes, const order_t& order) {
  std::int64_t product = 1;
  for (auto axis = order.begin(); axis != order.end() && *axis != "pp"; ++axis) product *= sizes.at(*axis);
  return product;
}

std::string joined(const order_t& order) {
  std::string all = order.front();
  for (std::size_t i = 1; i < order.size(); ++i) all.append(1, '-').append(order[i]);
  return all;
}

void check_order(const degrees& d, const order_t& order) {
  const std::string written = joined(order);
  CAPTURE(written);
  const mesh m{strategy{tp{d.tp}, cp{d.cp}, pp{d.pp}, ep{d.ep}, etp{d.etp}, dp{d.dp}, rank_order{written}}};
  const std::array sizes{d.dense(), d.expert()};
  for (std::size_t grid = 0; grid < 2; ++grid) {
    const auto places = all_places(sizes[grid], order);
    REQUIRE(m.world() == static_cast<std::int64_t>(places.size()));
    CHECK(coordinates_agree(m, grid, places));
    for (std::uint16_t spanned = 1; spanned < 16; ++spanned) {
      const group_axes along{static_cast<grid_kind>(grid), spanned};
      order_t names;
      for (std::size_t place = 0; place < 4; ++place)
        if (along.spans(place)) names.push_back(place_names[grid][place]);
      const groups_t expected = slow_groups(places, names);
      CHECK(fast_groups(m, along) == expected);
      CHECK(is_group_of_all_its_members(m, along, expected));
      CHECK(partitions(expected, m.world()));
    }
  }
  const bool same_pipelines = fast_groups(m, {grid_kind::dense, 0b1000}) == fast_groups(m, {grid_kind::expert, 0b1000});
  CHECK(same_pipelines == (product_before_pp(sizes[0], order) == product_before_pp(sizes[1], order)));
}

/// All orders of the given axes. Returns how many.
int check_all_orders(const degrees& d, order_t axes) {
  std::sort(axes.begin(), axes.end());
  int orders = 0;
  do {
    check_order(d, axes);
    ++orders;
  } while (std::next_permutation(axes.begin(), axes.end()));
  return orders;
}

const order_t all_axes{"tp", "cp", "ep", "dp", "pp"};

} // namespace

TEST_CASE("all 120 orders of the axes") {
  CHECK(check_all_orders({.tp = 2, .cp = 2, .pp = 2, .ep = 4, .etp = 1, .dp = 2}, all_axes) == 120);
  CHECK(check_all_orders({.tp = 2, .cp = 1, .pp = 3, .ep = 2, .etp = 2, .dp = 6}, all_axes) == 120);
  CHECK(check_all_orders({.tp = 3, .cp = 2, .pp = 2, .ep = 9, .etp = 2, .dp = 3}, all_axes) == 120);
  CHECK(check_all_orders({.tp = 1, .cp = 3, .pp = 5, .ep = 1, .etp = 3, .dp = 2}, all_axes) == 120);
  CHECK(check_all_orders({.tp = 1, .cp = 1, .pp = 1, .ep = 1, .etp = 1, .dp = 1}, all_axes) == 120);
  CHECK(check_all_orders({.tp = 4, .cp = 4, .pp = 4, .ep = 8, .etp = 2, .dp = 1}, all_axes) == 120);
}

TEST_CASE("an order may leave out what has size 1 on both grids") {
  CHECK(check_all_orders({.tp = 2, .cp = 1, .pp = 3, .ep = 4, .etp = 1, .dp = 4}, {"tp", "ep", "dp", "pp"}) == 24);
  CHECK(check_all_orders({.tp = 1, .cp = 1, .pp = 1, .ep = 4, .etp = 1, .dp = 8}, {"ep", "dp"}) == 2);
  CHECK(check_all_orders({.tp = 3, .cp = 1, .pp = 2, .ep = 1, .etp = 1, .dp = 2}, {"tp", "pp", "dp"}) == 6);
}
