// What stays on one node. The ranks of a tensor-parallel group exchange activations in every layer, those of an expert-parallel group
// tokens in every MoE layer: on one node they do it over NVLink, across nodes over the network.
#pragma once

#include <cstddef>
#include <cstdint>

#include <moeplan/mesh/mesh.hpp>
#include <moeplan/number/divisors.hpp>
#include <moeplan/number/reciprocal.hpp>

#include "placement.hpp"

namespace admission {

/// The groups that are best kept on one node.
inline constexpr moeplan::group_axes kept_together[] = {moeplan::groups::tp, moeplan::groups::etp, moeplan::groups::ep};
inline constexpr const char* kept_together_names[] = {"tp", "etp", "ep"};
inline constexpr std::size_t kept_together_count = 3;

/// All groups along one axis: `stride` of them interleave in each block of size x stride ranks.
class axis_groups {
public:
  constexpr axis_groups() noexcept = default;
  constexpr axis_groups(const moeplan::mesh& m, moeplan::group_axes along) noexcept {
    const moeplan::rank_group first = m.group(along, 0);
    size_ = first.size();
    stride_ = size_ == 1 ? 1 : first[1];
    block_ = moeplan::reciprocal{size_ * stride_};
    groups_ = m.world() / size_;
  }

  [[nodiscard]] constexpr std::int64_t count() const noexcept { return groups_; }

  /// A node boundary divides no group exactly where it divides no block.
  [[nodiscard]] constexpr std::int64_t block() const noexcept { return block_.divisor; }

  /// How many groups lie wholly on the ranks from `begin` to below `end`.
  [[nodiscard]] constexpr std::int64_t within(std::int64_t begin, std::int64_t end) const noexcept {
    const std::int64_t first = block_.quotient(begin);
    const std::int64_t last = block_.quotient(end);
    const std::int64_t from = begin - first * block();
    const std::int64_t to = end - last * block();
    if (first == last) return within_block(from, to);
    return within_block(from, block()) + (last - first - 1) * stride_ + within_block(0, to);
  }

private:
  /// Group i of a block has the members i, i + stride, ... of it.
  [[nodiscard]] constexpr std::int64_t within_block(std::int64_t from, std::int64_t to) const noexcept {
    const std::int64_t fit_before_end = to - (size_ - 1) * stride_;
    const std::int64_t end = fit_before_end < stride_ ? fit_before_end : stride_;
    return end > from ? end - from : 0;
  }

  std::int64_t size_ = 1;
  std::int64_t stride_ = 1;
  moeplan::reciprocal block_{};
  std::int64_t groups_ = 0;
};

/// How many of an axis' groups are on more than one node.
struct crossing {
  std::int64_t groups = 0;
  std::int64_t across_nodes = 0;
  friend constexpr bool operator==(const crossing&, const crossing&) noexcept = default;
};

/// A placement and what it divides, in the order of kept_together.
struct located {
  admission::placement placement{};
  crossing crossings[kept_together_count]{};
};

namespace detail {

/// Groups across nodes along one axis, walking along the ranks of the placement node by node.
[[nodiscard]] constexpr std::int64_t across_nodes(const axis_groups& groups, const placement& p, free_gpus free,
                                                  std::int64_t world) noexcept {
  if (p.unit.divisor % groups.block() == 0) return 0;
  std::int64_t across = groups.count();
  std::int64_t rank = 0;
  for (std::size_t node = 0; rank < world; ++node) {
    const std::int64_t gpus = p.gpus_on(node, free[node]);
    if (gpus != 0) across -= groups.within(rank, rank + gpus);
    rank += gpus;
  }
  return across;
}

} // namespace detail

/// Places a job so that each TP, ETP and EP group is on one node; where free GPUs do not allow that, each TP and ETP group; where they
/// do not even allow that, anyhow. Precondition: a mesh of 1 to sum(free) ranks.
[[nodiscard]] constexpr located locate(const moeplan::mesh& m, free_gpus free, policy how) noexcept {
  const axis_groups watched[] = {{m, kept_together[0]}, {m, kept_together[1]}, {m, kept_together[2]}};
  // Every block divides the world, and so does their least common multiple.
  const std::int64_t tensor = moeplan::lcm(watched[0].block(), watched[1].block());
  const std::int64_t units[] = {moeplan::lcm(tensor, watched[2].block()), tensor, 1};
  located result;
  for (std::size_t i = 0; result.placement.nodes == 0 && i < 3; ++i)
    if (i == 0 || units[i] != units[i - 1]) result.placement = place(free, how, m.world(), units[i]);
  for (std::size_t i = 0; i < kept_together_count; ++i)
    result.crossings[i] = {watched[i].count(), detail::across_nodes(watched[i], result.placement, free, m.world())};
  return result;
}

} // namespace admission
