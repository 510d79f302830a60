#pragma once

#include <cstddef>
#include <cstdint>

/// @file
/// Groups of ranks as views: computed on the way, nothing stored, nothing allocated.

namespace moeplan {

/// Ranks a fixed stride apart, and that run repeated at a larger stride. On a grid of four axes no group takes more: axes next to each
/// other are one run, and of four axes no three can be chosen without two being neighbours.
struct strided_ranks {
  std::int64_t inner_size = 1;
  std::int64_t inner_stride = 0;
  std::int64_t outer_size = 1;
  std::int64_t outer_stride = 0;

  /// Adds an axis whose stride is larger than those before. Precondition: it continues the outer run if there is one.
  constexpr void append(std::int64_t size, std::int64_t stride) noexcept {
    if (size == 1) return;
    if (inner_size == 1) {
      inner_size = size;
      inner_stride = stride;
    } else if (outer_size != 1) {
      outer_size *= size;
    } else if (inner_size * inner_stride == stride) {
      inner_size *= size;
    } else {
      outer_size = size;
      outer_stride = stride;
    }
  }

  [[nodiscard]] constexpr std::int64_t count() const noexcept { return inner_size * outer_size; }

  /// The i-th distance from the first rank. Precondition: 0 <= i < count().
  [[nodiscard]] constexpr std::int64_t offset(std::int64_t i) const noexcept {
    if (outer_size == 1) return i * inner_stride;
    return i % inner_size * inner_stride + i / inner_size * outer_stride;
  }

  friend constexpr bool operator==(const strided_ranks&, const strided_ranks&) noexcept = default;
};

/// The ranks of one group, ascending as in Megatron-LM.
class rank_group {
public:
  constexpr rank_group(std::int64_t first, const strided_ranks& members) noexcept : first_{first}, members_{members} {}

  [[nodiscard]] constexpr std::int64_t front() const noexcept { return first_; }
  [[nodiscard]] constexpr std::int64_t size() const noexcept { return members_.count(); }

  /// The members as distances from the first.
  [[nodiscard]] constexpr const strided_ranks& distances() const noexcept { return members_; }

  /// The i-th member. Precondition: 0 <= i < size().
  [[nodiscard]] constexpr std::int64_t operator[](std::int64_t i) const noexcept { return first_ + members_.offset(i); }

  /// Steps from member to member without a division; needs no group to stay alive.
  class iterator {
  public:
    using value_type = std::int64_t;
    using difference_type = std::ptrdiff_t;

    constexpr iterator() noexcept = default;
    constexpr iterator(const rank_group& group, std::int64_t index) noexcept
        : rank_{group.first_},
          index_{index},
          run_{group.members_.inner_size},
          step_{group.members_.inner_stride},
          jump_{group.members_.outer_stride - group.members_.inner_size * group.members_.inner_stride} {}

    [[nodiscard]] constexpr std::int64_t operator*() const noexcept { return rank_; }

    constexpr iterator& operator++() noexcept {
      ++index_;
      rank_ += step_;
      if (++in_run_ == run_) {
        in_run_ = 0;
        rank_ += jump_;
      }
      return *this;
    }
    constexpr iterator operator++(int) noexcept {
      const iterator before = *this;
      ++*this;
      return before;
    }

    friend constexpr bool operator==(const iterator& a, const iterator& b) noexcept { return a.index_ == b.index_; }

  private:
    std::int64_t rank_ = 0;
    std::int64_t index_ = 0;
    std::int64_t in_run_ = 0;
    std::int64_t run_ = 1;
    std::int64_t step_ = 0;
    std::int64_t jump_ = 0; ///< from behind one run to the start of the next
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
      : leaders_{first, leaders}, members_{members} {}

  /// Number of groups.
  [[nodiscard]] constexpr std::int64_t size() const noexcept { return leaders_.size(); }

  /// Ranks in each.
  [[nodiscard]] constexpr std::int64_t group_size() const noexcept { return members_.count(); }

  /// Precondition: 0 <= i < size().
  [[nodiscard]] constexpr rank_group operator[](std::int64_t i) const noexcept { return {leaders_[i], members_}; }

  class iterator {
  public:
    using value_type = rank_group;
    using difference_type = std::ptrdiff_t;

    constexpr iterator() noexcept = default;
    constexpr iterator(const rank_group::iterator& leader, const strided_ranks& members) noexcept
        : leader_{leader}, members_{members} {}

    [[nodiscard]] constexpr rank_group operator*() const noexcept { return {*leader_, members_}; }

    constexpr iterator& operator++() noexcept {
      ++leader_;
      return *this;
    }
    constexpr iterator operator++(int) noexcept {
      const iterator before = *this;
      ++leader_;
      return before;
    }

    friend constexpr bool operator==(const iterator& a, const iterator& b) noexcept { return a.leader_ == b.leader_; }

  private:
    rank_group::iterator leader_{};
    strided_ranks members_{};
  };

  [[nodiscard]] constexpr iterator begin() const noexcept { return {leaders_.begin(), members_}; }
  [[nodiscard]] constexpr iterator end() const noexcept { return {leaders_.end(), members_}; }

private:
  rank_group leaders_;
  strided_ranks members_;
};

} // namespace moeplan
