// Small pools of experts, and the least that their busiest GPU can carry, found by trying everything.
#pragma once

#include <moeplan/balance/packing.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

namespace moeplan_test {

struct random_pool {
  std::vector<std::int64_t> loads{};
  std::int64_t slots = 1;
  std::int64_t gpus = 1;
  moeplan::same_expert where = moeplan::same_expert::apart;

  [[nodiscard]] moeplan::detail::expert_pool pool() const { return {loads, slots, gpus, where}; }
  [[nodiscard]] std::int64_t experts() const { return static_cast<std::int64_t>(loads.size()); }

  /// Storage for a packing.
  [[nodiscard]] std::vector<std::int64_t> storage() const {
    return std::vector<std::int64_t>(static_cast<std::size_t>(moeplan::detail::packing::storage(experts(), slots, gpus)));
  }
};

class random_pools {
public:
  explicit random_pools(std::uint64_t seed) : random_{seed} {}

  [[nodiscard]] std::int64_t below(std::int64_t n) { return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(n)); }

  /// At most 8 slots, at most 4 more of them than experts.
  random_pool next(std::int64_t slots_per_gpu) {
    random_pool p;
    p.gpus = 1 + below(8 / slots_per_gpu);
    p.slots = p.gpus * slots_per_gpu;
    const std::int64_t extra = below(std::min<std::int64_t>(p.slots, 5));
    const std::int64_t scale = below(2) == 0 ? 20 : 2000;
    for (std::int64_t e = 0; e < p.slots - extra; ++e) {
      const bool hot = below(5) == 0;
      p.loads.push_back(below(hot ? 6 * scale : scale));
    }
    p.where = below(3) == 0 ? moeplan::same_expert::together : moeplan::same_expert::apart;
    return p;
  }

private:
  std::mt19937_64 random_;
};

class tried_packings {
public:
  explicit tried_packings(const random_pool& p) : pool_{p.pool()}, copies_(p.loads.size(), 1), carried_(as_size(p.gpus), 0) {
    held_.assign(carried_.size(), {});
    choose(0, p.slots - p.experts());
  }

  [[nodiscard]] std::int64_t least() const { return least_; }

private:
  [[nodiscard]] static std::size_t as_size(std::int64_t n) { return static_cast<std::size_t>(n); }

  void choose(std::size_t e, std::int64_t extra) {
    if (e + 1 == copies_.size()) {
      copies_[e] = 1 + extra;
      place(0, 0, 0);
      return;
    }
    for (std::int64_t more = 0; more <= extra; ++more) {
      copies_[e] = 1 + more;
      choose(e + 1, extra - more);
    }
  }

  void place(std::size_t e, std::int64_t copy, std::size_t first) {
    if (e == copies_.size()) {
      least_ = std::min(least_, *std::max_element(carried_.begin(), carried_.end()));
      return;
    }
    if (copy == copies_[e]) {
      place(e + 1, 0, 0);
      return;
    }
    const std::int64_t share = pool_.share(static_cast<std::int64_t>(e), copies_[e]);
    for (std::size_t g = first; g < held_.size(); ++g) {
      if (held_[g].size() == as_size(pool_.slots_per_gpu())) continue;
      if (std::count(held_[g].begin(), held_[g].end(), e) == pool_.most_on_a_gpu) continue;
      held_[g].push_back(e);
      carried_[g] += share;
      place(e, copy + 1, g);
      carried_[g] -= share;
      held_[g].pop_back();
    }
  }

  moeplan::detail::expert_pool pool_;
  std::vector<std::int64_t> copies_;
  std::vector<std::int64_t> carried_;
  std::vector<std::vector<std::size_t>> held_{};
  std::int64_t least_ = std::numeric_limits<std::int64_t>::max();
};

/// Copies all dealt, no GPU with an expert too often, and loads as they are said to be.
inline bool whole(const moeplan::detail::packing& p) {
  std::int64_t slots = 0;
  for (std::int64_t e = 0; e < p.pool.experts(); ++e) {
    if (p.copies[e] < 1 || std::count(p.expert.begin(), p.expert.end(), e) != p.copies[e]) return false;
    for (std::int64_t g = 0; g < p.pool.gpus; ++g)
      if (p.held(g, p.pool.slots_per_gpu(), e) > p.pool.most_on_a_gpu) return false;
    slots += p.copies[e];
  }
  for (std::int64_t g = 0; g < p.pool.gpus; ++g) {
    std::int64_t load = 0;
    for (const std::int64_t e : p.slots_of(g)) load += p.pool.share(e, p.copies[e]);
    if (load != p.carried[g]) return false;
  }
  return slots == p.pool.slots;
}

} // namespace moeplan_test
