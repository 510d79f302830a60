#pragma once

#include <cstdint>

#include <moeplan/number/array_view.hpp>
#include <moeplan/search/ranking.hpp>
#include <moeplan/search/search_candidate.hpp>

/// @file
/// The best strategies of a search, and those that none is better than in every respect, without keeping all.

namespace moeplan {

/// A visitor that keeps the best as many as its storage holds, the best first.
class best_strategies {
public:
  /// Precondition: the storage outlives this.
  constexpr best_strategies(array_view<search_candidate> storage, const ranking& by) noexcept : storage_{storage}, ranking_{by} {}

  constexpr bool operator()(const search_candidate& c) noexcept {
    if (size_ == storage_.size() && (size_ == 0 || !ranking_.before(c, storage_[size_ - 1]))) return false;
    std::int64_t at = size_ < storage_.size() ? size_++ : size_ - 1;
    for (; at > 0 && ranking_.before(c, storage_[at - 1]); --at) storage_[at] = storage_[at - 1];
    storage_[at] = c;
    return false;
  }

  [[nodiscard]] constexpr array_view<const search_candidate> found() const noexcept { return {storage_.data(), size_}; }

private:
  array_view<search_candidate> storage_;
  ranking ranking_;
  std::int64_t size_ = 0;
};

/// A visitor that keeps the Pareto front of a ranking's criteria, whatever their order or weights: the strategies that no other one is at
/// least as good as by every criterion and better by one. Of those that are equal by every criterion it keeps the first found.
class strategy_front {
public:
  /// Precondition: the storage outlives this.
  constexpr strategy_front(array_view<search_candidate> storage, const ranking& by) noexcept : storage_{storage}, ranking_{by} {}

  constexpr bool operator()(const search_candidate& c) noexcept {
    for (std::int64_t i = 0; i < size_; ++i)
      if (!any_better(c, storage_[i])) return false;
    std::int64_t kept = 0;
    for (std::int64_t i = 0; i < size_; ++i)
      if (any_better(storage_[i], c)) storage_[kept++] = storage_[i];
    size_ = kept;
    if (size_ == storage_.size()) {
      complete_ = false;
      return false;
    }
    storage_[size_++] = c;
    return false;
  }

  /// In the order in which they were found.
  [[nodiscard]] constexpr array_view<const search_candidate> found() const noexcept { return {storage_.data(), size_}; }

  /// False: the storage was too small. Some of the front is then missing, and something may stand in it that only what is missing beats.
  [[nodiscard]] constexpr bool complete() const noexcept { return complete_; }

private:
  [[nodiscard]] constexpr bool any_better(const search_candidate& a, const search_candidate& b) const noexcept {
    for (const ranking::entry& e : ranking_.criteria)
      if (better_by(e.by, a, b)) return true;
    return false;
  }

  array_view<search_candidate> storage_;
  ranking ranking_;
  std::int64_t size_ = 0;
  bool complete_ = true;
};

} // namespace moeplan
