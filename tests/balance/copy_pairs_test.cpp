#include <moeplan/balance/copy_pairs.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

using namespace moeplan;
using namespace moeplan::detail;

namespace {

using numbers = std::vector<std::int64_t>;

/// The least that the busiest GPU can carry: tries every partner of the first copy that is left.
std::int64_t least_of_all_pairings(const numbers& experts, const numbers& shares, std::vector<bool>& used, bool may_meet) {
  const auto first = static_cast<std::size_t>(std::find(used.begin(), used.end(), false) - used.begin());
  if (first == used.size()) return 0;
  std::int64_t least = std::numeric_limits<std::int64_t>::max();
  used[first] = true;
  for (std::size_t other = first + 1; other < used.size(); ++other) {
    if (used[other] || (!may_meet && experts[first] == experts[other])) continue;
    used[other] = true;
    const std::int64_t rest = least_of_all_pairings(experts, shares, used, may_meet);
    least = std::min(least, std::max(rest, shares[first] + shares[other]));
    used[other] = false;
  }
  used[first] = false;
  return least;
}

struct layer {
  numbers loads{};
  numbers copies{};
  std::int64_t gpus = 1;
  same_expert where = same_expert::apart;

  [[nodiscard]] std::int64_t experts() const { return static_cast<std::int64_t>(loads.size()); }
  [[nodiscard]] expert_pool pool() const { return {loads, 2 * gpus, gpus, where}; }
};

layer random_layer(std::mt19937_64& random) {
  const auto below = [&random](std::int64_t n) { return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(n)); };
  layer l;
  l.gpus = 2 + below(3);
  l.where = below(3) == 0 ? same_expert::together : same_expert::apart;
  const std::int64_t experts = 2 + below(2 * l.gpus - 1);
  for (std::int64_t e = 0; e < experts; ++e) l.loads.push_back(below(30));
  l.copies.assign(l.loads.size(), 1);
  for (std::int64_t left = 2 * l.gpus - experts; left > 0;) {
    auto& copies = l.copies[static_cast<std::size_t>(below(experts))];
    if (copies == l.pool().most_copies()) continue;
    ++copies;
    --left;
  }
  return l;
}

TEST_CASE("the best of all pairings") {
  std::mt19937_64 random{4};
  int met = 0;
  for (int i = 0; i < 5000; ++i) {
    const layer l = random_layer(random);
    numbers order(l.loads.size());
    numbers experts(static_cast<std::size_t>(2 * l.gpus));
    numbers shares(experts.size());
    copy_pairs pairs{experts, shares};
    list_copies(l.pool(), l.copies, order, pairs);
    CHECK(std::is_sorted(shares.begin(), shares.end()));
    std::vector<bool> used(experts.size(), false);
    const std::int64_t least = least_of_all_pairings(experts, shares, used, l.where == same_expert::together);
    CAPTURE(i);
    CHECK(pairs.judge(0).most == least);
    met += pairs.apart() > 0 ? 1 : 0;

    numbers storage(static_cast<std::size_t>(packing::storage(l.experts(), 2 * l.gpus, l.gpus)));
    packing p{l.pool(), storage};
    for (std::int64_t e = 0; e < l.experts(); ++e) p.copies[e] = l.copies[static_cast<std::size_t>(e)];
    p.count_shares();
    pairs.pack(p);
    CHECK(p.most() == least);
    for (std::int64_t e = 0; e < l.experts(); ++e) CHECK(std::count(p.expert.begin(), p.expert.end(), e) == p.copies[e]);
    for (std::int64_t g = 0; g < l.gpus; ++g) CHECK((l.where == same_expert::together || p.slots_of(g)[0] != p.slots_of(g)[1]));
    const std::int64_t limit = least - least / 10;
    CHECK((pairs.judge(limit).excess > 0) == (least > limit));
    CHECK(pairs.judge(least).excess == 0);
  }
  CHECK(met > 250);
}

TEST_CASE("a changed list is the list of the changed copies") {
  std::mt19937_64 random{5};
  int changed = 0;
  for (int i = 0; i < 5000; ++i) {
    layer l = random_layer(random);
    numbers order(l.loads.size());
    numbers experts[3];
    numbers shares[3];
    copy_pairs pairs[3];
    for (std::size_t k = 0; k < 3; ++k) {
      experts[k].resize(static_cast<std::size_t>(2 * l.gpus));
      shares[k].resize(experts[k].size());
      pairs[k] = {experts[k], shares[k]};
    }
    const auto from = static_cast<std::size_t>(random() % l.loads.size());
    const auto to = static_cast<std::size_t>(random() % l.loads.size());
    if (from == to || l.copies[from] == 1 || l.copies[to] == l.pool().most_copies()) continue;
    list_copies(l.pool(), l.copies, order, pairs[0]);
    --l.copies[from];
    ++l.copies[to];
    list_changed(pairs[0], l.pool(), l.copies, static_cast<std::int64_t>(from), static_cast<std::int64_t>(to), pairs[1]);
    list_copies(l.pool(), l.copies, order, pairs[2]);
    CHECK(shares[1] == shares[2]);
    for (std::int64_t e = 0; e < l.experts(); ++e)
      CHECK(std::count(experts[1].begin(), experts[1].end(), e) == std::count(experts[2].begin(), experts[2].end(), e));
    CHECK(pairs[1].judge(0).most == pairs[2].judge(0).most);
    CHECK(pairs[1].may_meet == pairs[2].may_meet);
    ++changed;
  }
  CHECK(changed > 500);
}

} // namespace
