#pragma once

#include <cstddef>
#include <cstdint>

#include <moeplan/mesh/grid.hpp>
#include <moeplan/mesh/group_axes.hpp>

/// @file
/// Groups of ranks as views: computed on the way, nothing stored, nothing allocated.

namespace moeplan {

/// Nested strides: an innermost run of ranks a fixed stride apart, repeated at a larger stride, and so on. Runs that continue each
/// other are merged, so that most groups are one run.
struct strided_ranks {
  struct level {
    std::int64_t size = 1;
    std::int64_t stride = 0;
    friend constexpr bool operator==(const level&, const level&) noexcept = default;
  };

  level levels[grid::axes]{};
  std::size_t depth = 0;
  std::int64_t count = 1;

  /// Adds an axis whose stride is larger than those before.
  constexpr void append(std::int64_t size, std::int64_t stride) noexcept {
    if (size == 1) return;
    count *= size;
    if (depth != 0 && levels[depth - 1].size * levels[depth - 1].stride == stride)
      levels[depth - 1].size *= size;
    else
      levels[depth++] = {size, stride};
  }

  /// The i-th sum of strides. Precondition: 0 <= i < count.
  [[nodiscard]] constexpr std::int64_t offset(std::int64_t i) const noexcept {
    if (depth <= 1) return i * levels[0].stride;
    std::int64_t sum = 0;
    for (std::size_t l = 0; l < depth; ++l) {
      const std::int64_t rest = i / levels[l].size;
      sum += (i - rest * levels[l].size) * levels[l].stride;
      i = rest;
    }
    return sum;
  }

  friend constexpr bool operator==(const strided_ranks&, const strided_ranks&) noexcept = default;
};

/// The ranks of one group, ascending along the grid's order as in Megatron-LM.
class rank_group {
public:
  constexpr rank_group(std::int64_t first, const strided_ranks& members) noexcept : first_{first}, members_{members} {}

  [[nodiscard]] constexpr std::int64_t front() const noexcept { return first_; }
  [[nodiscard]] constexpr std::int64_t size() const noexcept { return members_.count; }

  /// The i-th member. Precondition: 0 <= i < size().
  [[nodiscard]] constexpr std::int64_t operator[](std::int64_t i) const noexcept { return first_ + members_.offset(i); }

  /// Steps from member to member without a division. Valid as long as the group.
  class iterator {
  public:
    using value_type = std::int64_t;
    using difference_type = std::ptrdiff_t;

    constexpr iterator() noexcept = default;
    constexpr iterator(const rank_group& group, std::int64_t index) noexcept
        : levels_{group.members_.levels}, depth_{group.members_.depth}, rank_{group.first_}, index_{index} {}

    [[nodiscard]] constexpr std::int64_t operator*() const noexcept { return rank_; }

    constexpr iterator& operator++() noexcept {
      ++index_;
      rank_ += levels_[0].stride;
      if (depth_ > 1 && ++used_[0] == levels_[0].size) carry();
      return *this;
    }
    constexpr iterator operator++(int) noexcept {
      const iterator before = *this;
      ++*this;
      return before;
    }

    friend constexpr bool operator==(const iterator& a, const iterator& b) noexcept { return a.index_ == b.index_; }

  private:
    constexpr void carry() noexcept {
      for (std::size_t l = 0; l < depth_ && used_[l] == levels_[l].size; ++l) {
        used_[l] = 0;
        rank_ -= levels_[l].size * levels_[l].stride;
        if (l + 1 == depth_) return;
        rank_ += levels_[l + 1].stride;
        ++used_[l + 1];
      }
    }

    const strided_ranks::level* levels_ = nullptr;
    std::size_t depth_ = 0;
    std::int64_t rank_ = 0;
    std::int64_t index_ = 0;
    std::int64_t used_[grid::axes]{};
  };

  [[nodiscard]] constexpr iterator begin() const noexcept { return {*this, 0}; }
  [[nodiscard]] constexpr iterator end() const noexcept { return {*this, size()}; }

  friend constexpr bool operator==(const rank_group&, const rank_group&) noexcept = default;

private:
  std::int64_t first_;
  strided_ranks members_;
};

/// All groups that span the same axes, in Megatron-LM's order; together they hold every rank exactly once.
class rank_groups {
public:
  constexpr rank_groups(std::int64_t first, const strided_ranks& leaders, const strided_ranks& members) noexcept
      : first_{first}, leaders_{leaders}, members_{members} {}

  /// Number of groups.
  [[nodiscard]] constexpr std::int64_t size() const noexcept { return leaders_.count; }

  /// Ranks in each.
  [[nodiscard]] constexpr std::int64_t group_size() const noexcept { return members_.count; }

  /// Precondition: 0 <= i < size().
  [[nodiscard]] constexpr rank_group operator[](std::int64_t i) const noexcept { return {first_ + leaders_.offset(i), members_}; }

  class iterator {
  public:
    using value_type = rank_group;
    using difference_type = std::ptrdiff_t;

    constexpr iterator() noexcept = default;
    constexpr iterator(const rank_groups& groups, std::int64_t index) noexcept : groups_{&groups}, index_{index} {}
    [[nodiscard]] constexpr rank_group operator*() const noexcept { return (*groups_)[index_]; }
    constexpr iterator& operator++() noexcept {
      ++index_;
      return *this;
    }
    constexpr iterator operator++(int) noexcept {
      const iterator before = *this;
      ++index_;
      return before;
    }
    friend constexpr bool operator==(const iterator& a, const iterator& b) noexcept { return a.index_ == b.index_; }

  private:
    const rank_groups* groups_ = nullptr;
    std::int64_t index_ = 0;
  };

  [[nodiscard]] constexpr iterator begin() const noexcept { return {*this, 0}; }
  [[nodiscard]] constexpr iterator end() const noexcept { return {*this, size()}; }

private:
  std::int64_t first_;
  strided_ranks leaders_;
  strided_ranks members_;
};

} // namespace moeplan
