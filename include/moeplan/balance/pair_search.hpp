#pragma once

#include <cstdint>

#include <moeplan/balance/copy_pairs.hpp>
#include <moeplan/balance/expert_pool.hpp>
#include <moeplan/balance/packing.hpp>
#include <moeplan/number/array_view.hpp>
#include <moeplan/number/draws.hpp>
#include <moeplan/number/storage_parts.hpp>

/// @file
/// Two slots on each GPU: the search for the numbers of copies whose best packing is most even.

namespace moeplan::detail {

/// Gives one expert's copy to another, again and again, and keeps what makes the GPUs pass the limit less, or little more than
/// before: how little, falls to nothing in the course of the search (threshold accepting; Dueck, Scheuer, 1990). The limit is just
/// below the best packing found so far, so that getting under it is finding a better one.
class pair_search {
public:
  /// How many elements of storage it takes.
  [[nodiscard]] static constexpr std::int64_t storage(std::int64_t experts, std::int64_t slots) noexcept {
    return 4 * slots + 2 * experts;
  }

  /// Starts from the copies of `p`.
  constexpr pair_search(packing& p, array_view<std::int64_t> elements) noexcept : p_{p} {
    storage_parts parts{elements};
    now_ = {parts.take(p.pool.slots), parts.take(p.pool.slots)};
    next_ = {parts.take(p.pool.slots), parts.take(p.pool.slots)};
    copies_ = parts.take(p.pool.experts());
    order_ = parts.take(p.pool.experts());
    for (std::int64_t e = 0; e < p.pool.experts(); ++e) copies_[e] = p.copies[e];
  }

  /// Leaves the best packing found in `p` and returns what its busiest GPU carries. The patience at first: this part of that.
  /// Preconditions: trials < 2^40, part >= 1.
  constexpr std::int64_t run(std::int64_t enough, std::int64_t trials, std::int64_t part) noexcept {
    list_copies(p_.pool, copies_, order_, now_);
    best_ = now_.judge(0).most;
    lower_limit();
    const std::int64_t patience = best_ / part;
    if (p_.pool.slots > p_.pool.experts())
      for (std::int64_t trial = 0; trial < trials && best_ > enough; ++trial) {
        const std::int64_t left = (trials - trial) * 1024 / trials;
        try_change((patience >> 20) * left * left);
      }
    list_copies(p_.pool, p_.copies, order_, now_);
    p_.count_shares();
    now_.pack(p_);
    return best_;
  }

private:
  constexpr void lower_limit() noexcept {
    limit_ = best_ - best_ / 8192 - 1;
    excess_ = now_.judge(limit_).excess;
  }

  /// Any expert that can spare a copy. There is one where there are more slots than experts.
  [[nodiscard]] constexpr std::int64_t with_several_copies() noexcept {
    std::int64_t slot = draws_.below(p_.pool.slots);
    while (copies_[now_.expert[slot]] == 1) slot = slot + 1 < p_.pool.slots ? slot + 1 : 0;
    return now_.expert[slot];
  }

  constexpr void try_change(std::int64_t worse) noexcept {
    const std::int64_t from = with_several_copies();
    const std::int64_t to = draws_.below(p_.pool.experts());
    if (from == to || copies_[to] == p_.pool.most_copies()) return;
    --copies_[from];
    ++copies_[to];
    list_changed(now_, p_.pool, copies_, from, to, next_);
    const copy_pairs::verdict v = next_.judge(limit_);
    if (v.excess > excess_ + worse) {
      ++copies_[from];
      --copies_[to];
      return;
    }
    const copy_pairs now = now_;
    now_ = next_;
    next_ = now;
    excess_ = v.excess;
    if (v.most >= best_) return;
    best_ = v.most;
    for (std::int64_t e = 0; e < p_.pool.experts(); ++e) p_.copies[e] = copies_[e];
    lower_limit();
  }

  packing& p_;
  copy_pairs now_{};
  copy_pairs next_{};
  array_view<std::int64_t> copies_{};
  array_view<std::int64_t> order_{};
  draws draws_{};
  std::int64_t best_ = 0;
  std::int64_t limit_ = 0;
  std::int64_t excess_ = 0;
};

} // namespace moeplan::detail
