#pragma once

#include <cstdint>

#include <moeplan/number/array_view.hpp>
#include <moeplan/number/count.hpp>
#include <moeplan/number/heap_sort.hpp>
#include <moeplan/number/optional_integer.hpp>
#include <moeplan/number/ratio.hpp>

/// @file
/// Sequences of unequal length in micro-batches, so that the costliest micro-batch costs as little as possible.

namespace moeplan {

/// What a sequence costs, in any unit: what each token costs (matrices), and what each pair of a query and a key costs that a causal mask
/// leaves (attention). Packed sequences do not attend to each other, so what a micro-batch costs is the sum.
struct sequence_cost {
  count per_token{1};
  count per_pair{0};

  /// Overflow as in `count`. Precondition: length >= 0.
  [[nodiscard]] constexpr count of(std::int64_t length) const noexcept {
    const count matrices = per_token * length;
    return per_pair == 0 ? matrices : matrices + per_pair * causal_pairs(length);
  }

  /// length (length + 1) / 2. Precondition: length >= 0.
  [[nodiscard]] static constexpr count causal_pairs(std::int64_t length) noexcept {
    const count half = length / 2;
    return length % 2 == 0 ? half * (count{length} + 1) : count{length} * (half + 1);
  }

  friend constexpr bool operator==(const sequence_cost&, const sequence_cost&) noexcept = default;
};

/// A micro-batch of packed sequences; it may be empty.
struct packed_micro_batch {
  count cost{};
  count tokens{};
  std::int64_t sequences = 0;
  std::int32_t first = -1; ///< one of its sequences, from which packing_storage::next leads to all others; -1 if it is empty
  std::int32_t number = 0; ///< its place in the array

  friend constexpr bool operator==(const packed_micro_batch&, const packed_micro_batch&) noexcept = default;
};

enum class packing_outcome : std::uint16_t {
  packed,
  none_found,        ///< not every sequence found room, yet nothing proves that they cannot
  none_exists,       ///< the token limit is proven to be too small for as many micro-batches
  too_little_storage ///< no micro-batch, or an array shorter than packing_storage asks for: nothing is computed or written
};

/// How good a packing has to be, and how much work that may take: with the defaults some tens of milliseconds, which hundreds of sequences
/// need not use up.
struct packing_effort {
  ratio enough{10003, 10000}; ///< times the bound: the search ends once the costliest micro-batch costs no more; 1 at least
  /// How many moves, changes of places and micro-batches to look at for that; 0: longest first alone.
  std::int64_t trials = 1'000'000;
};

struct sequence_packing {
  packing_outcome outcome = packing_outcome::packed;
  count largest{};     ///< what the costliest micro-batch costs; only meaningful if packed
  count lower_bound{}; ///< proven: no packing into as many micro-batches makes the costliest one cheaper

  [[nodiscard]] constexpr bool is_optimal() const noexcept {
    return outcome == packing_outcome::packed && largest == lower_bound && !largest.overflowed();
  }

  /// By how much the costliest micro-batch may be too costly at most, as a share of the least possible. Precondition: packed.
  [[nodiscard]] constexpr ratio gap() const noexcept { return is_optimal() ? ratio{0} : ratio{largest - lower_bound, lower_bound}; }

  friend constexpr bool operator==(const sequence_packing&, const sequence_packing&) noexcept = default;
};

/// The arrays that a packing is written to and computed in.
struct packing_storage {
  array_view<packed_micro_batch> micro_batches; ///< as many as are to be packed, at least 1: those of all DP ranks in one step
  array_view<std::int32_t> micro_batch_of;      ///< for each sequence
  array_view<std::int32_t> next;                ///< for each sequence, another one of the same micro-batch; -1 for its last
  array_view<std::int32_t> scratch;             ///< as long as sequences or micro-batches, whichever are more

  [[nodiscard]] constexpr bool suffices(std::int64_t sequences) const noexcept {
    return micro_batches.size() >= 1 && micro_batch_of.size() >= sequences && next.size() >= sequences &&
           scratch.size() >= sequences && scratch.size() >= micro_batches.size();
  }
};

namespace detail {

/// The least that the largest of `bins` sums of costs can be, for costs in descending order: the average, the largest cost, and, as one bin
/// gets at least k + 1 of the k x bins + 1 largest costs, the sum of the k + 1 smallest of these.
template <class CostAt>
[[nodiscard]] constexpr count least_largest_sum(std::int64_t costs, std::int64_t bins, const CostAt& cost_at) noexcept {
  constexpr std::int64_t longest_sum = 64; // Beyond it the average is as good, and adding up is not free.
  if (costs == 0) return {};
  __extension__ unsigned __int128 total = 0;
  for (std::int64_t i = 0; i < costs; ++i) total += cost_at(i).bits;
  const auto n = static_cast<std::uint64_t>(bins);
  const auto average = (total + n - 1) / n;
  if (average >= count::top) return count{count::top};
  count bound = static_cast<std::uint64_t>(average);
  for (std::int64_t k = 0; k < longest_sum && k <= (costs - 1) / bins; ++k) {
    count sum;
    for (std::int64_t i = k * (bins - 1); i <= k * bins; ++i) sum += cost_at(i);
    if (bound < sum) bound = sum;
  }
  return bound;
}

/// Packs, and keeps the sums of each micro-batch up to date. Sequences are known by their place in `lengths`.
class sequence_packer {
  // Before its users, because clang 14 has no definition of a member template further down in a constant expression.

  /// Where the first micro-batch lies that has room and is not worse than another one that has; -1 if there is none.
  template <class Worse>
  [[nodiscard]] constexpr std::int64_t best_with_room(std::int32_t sequence, const Worse& is_worse) const noexcept {
    std::int64_t best = -1;
    for (std::int64_t at = 0; at < bins_.size(); ++at)
      if (has_room(bins_[at], lengths_[sequence]) && (best < 0 || is_worse(bins_[best], bins_[at]))) best = at;
    return best;
  }

public:
  constexpr sequence_packer(array_view<const std::int64_t> all, optional_integer limit, const sequence_cost& cost_of_a_sequence,
                            const packing_storage& where, std::int64_t trials) noexcept
      : lengths_{all},
        cost_{cost_of_a_sequence},
        bins_{where.micro_batches},
        bin_of_{where.micro_batch_of.part(0, all.size())},
        next_{where.next.part(0, all.size())},
        scratch_{where.scratch},
        order_{where.scratch.part(0, all.size())},
        limited_{limit.given},
        most_tokens_{limit.number},
        trials_left_{trials} {
    for (std::int64_t i = 0; i < order_.size(); ++i) order_[i] = static_cast<std::int32_t>(i);
    heap_sort(order_,
              [this](std::int32_t a, std::int32_t b) { return lengths_[a] != lengths_[b] ? lengths_[a] > lengths_[b] : a < b; });
  }

  [[nodiscard]] constexpr count lower_bound() const noexcept {
    return least_largest_sum(order_.size(), bins_.size(), [this](std::int64_t i) { return cost_.of(lengths_[order_[i]]); });
  }

  [[nodiscard]] constexpr bool proves_that_none_exists() const noexcept {
    if (!limited_) return false;
    return least_largest_sum(order_.size(), bins_.size(), [this](std::int64_t i) { return count{lengths_[order_[i]]}; }) >
           most_tokens_;
  }

  /// Longest first, each into the cheapest micro-batch that has room, the first of equal ones. False if there is none for one.
  [[nodiscard]] constexpr bool pack_into_cheapest() noexcept {
    const auto is_dearer = [](const packed_micro_batch& a, const packed_micro_batch& b) {
      return a.cost != b.cost ? a.cost > b.cost : a.number > b.number;
    };
    empty_all(); // Equal ones in the order of their numbers: a heap whose top is the cheapest.
    for (const std::int32_t sequence : order_) {
      std::int64_t at = 0;
      if (!has_room(bins_[0], lengths_[sequence])) at = best_with_room(sequence, is_dearer);
      if (at < 0) return false;
      put(bins_[at], sequence);
      sink(bins_, at, bins_.size(), is_dearer);
    }
    heap_sort(bins_, [](const packed_micro_batch& a, const packed_micro_batch& b) { return a.number < b.number; });
    return true;
  }

  /// Likewise into the fullest.
  [[nodiscard]] constexpr bool pack_into_fullest() noexcept {
    const auto is_emptier = [](const packed_micro_batch& a, const packed_micro_batch& b) { return a.tokens < b.tokens; };
    empty_all();
    for (const std::int32_t sequence : order_) {
      const std::int64_t at = best_with_room(sequence, is_emptier);
      if (at < 0) return false;
      put(bins_[at], sequence);
    }
    return true;
  }

  [[nodiscard]] constexpr const packed_micro_batch& costliest() const noexcept {
    const packed_micro_batch* most = bins_.begin();
    for (const packed_micro_batch& b : bins_)
      if (most->cost < b.cost) most = &b;
    return *most;
  }

  /// One sequence of the costliest micro-batch moves to the cheapest, or changes places with one there, so that the costlier of the two
  /// costs as little as possible afterwards; or, where that does not cost less than now, to the first of all others where it does. False,
  /// and no change, if there is none among those that the trials left allow to look at. Sums in descending order decrease lexicographically,
  /// so this comes to an end.
  [[nodiscard]] constexpr bool improve() noexcept {
    if (!may_look_at(bins_.size())) return false;
    const std::int32_t from = costliest().number;
    exchange best{.largest = bins_[from].cost};
    consider_exchanges(best, from, cheapest());
    for (std::int64_t to = 0; best.leaving == none && trials_left_ > 0 && to < bins_.size(); ++to)
      consider_exchanges(best, from, bins_[to]);
    if (best.leaving == none) return false;
    remove(best.leaving);
    if (best.coming != none) remove(best.coming); // Before anything is added, which might not fit into 64 bits.
    put(bins_[best.to], best.leaving);
    if (best.coming != none) put(bins_[from], best.coming);
    return true;
  }

  /// Numbers micro-batches from the costliest down; equal ones keep their order.
  constexpr void number_by_cost() noexcept {
    heap_sort(bins_, [](const packed_micro_batch& a, const packed_micro_batch& b) {
      return a.cost != b.cost ? a.cost > b.cost : a.number < b.number;
    });
    for (std::int64_t i = 0; i < bins_.size(); ++i) {
      scratch_[bins_[i].number] = static_cast<std::int32_t>(i);
      bins_[i].number = static_cast<std::int32_t>(i);
    }
    for (std::int32_t& bin : bin_of_) bin = scratch_[bin];
  }

private:
  static constexpr std::int32_t none = -1;

  struct exchange {
    count largest{}; ///< of the two micro-batches, afterwards
    std::int32_t leaving = none;
    std::int32_t coming = none;
    std::int32_t to = 0;
  };

  array_view<const std::int64_t> lengths_;
  sequence_cost cost_;
  array_view<packed_micro_batch> bins_;
  array_view<std::int32_t> bin_of_;
  array_view<std::int32_t> next_;
  array_view<std::int32_t> scratch_;
  array_view<std::int32_t> order_; ///< longest first
  bool limited_;
  count most_tokens_;
  std::int64_t trials_left_;

  /// Takes so many trials from those left; all of them, and false, where they are too few.
  [[nodiscard]] constexpr bool may_look_at(std::int64_t trials) noexcept {
    const bool may = trials <= trials_left_;
    trials_left_ = may ? trials_left_ - trials : 0;
    return may;
  }

  [[nodiscard]] constexpr bool has_room(const packed_micro_batch& b, std::int64_t length) const noexcept {
    return !limited_ || (b.tokens <= most_tokens_ && count{length} <= most_tokens_ - b.tokens);
  }

  constexpr void empty_all() noexcept {
    for (packed_micro_batch& b : bins_) b = {.number = static_cast<std::int32_t>(&b - bins_.begin())};
  }

  constexpr void put(packed_micro_batch& b, std::int32_t sequence) noexcept {
    b.cost += cost_.of(lengths_[sequence]);
    b.tokens += lengths_[sequence];
    ++b.sequences;
    bin_of_[sequence] = b.number;
    next_[sequence] = b.first;
    b.first = sequence;
  }

  constexpr void remove(std::int32_t sequence) noexcept {
    packed_micro_batch& b = bins_[bin_of_[sequence]];
    b.cost -= cost_.of(lengths_[sequence]);
    b.tokens -= lengths_[sequence];
    --b.sequences;
    std::int32_t* link = &b.first;
    while (*link != sequence) link = &next_[*link];
    *link = next_[sequence];
  }

  [[nodiscard]] constexpr const packed_micro_batch& cheapest() const noexcept {
    const packed_micro_batch* least = bins_.begin();
    for (const packed_micro_batch& b : bins_)
      if (b.cost < least->cost) least = &b;
    return *least;
  }

  constexpr void consider_exchanges(exchange& best, std::int32_t from, const packed_micro_batch& to) noexcept {
    if (to.number == from) return;
    for (std::int32_t leaving = bins_[from].first; leaving != none; leaving = next_[leaving]) {
      if (!may_look_at(1 + to.sequences)) return;
      consider(best, leaving, none, to);
      for (std::int32_t coming = to.first; coming != none; coming = next_[coming])
        if (lengths_[coming] < lengths_[leaving]) consider(best, leaving, coming, to);
    }
  }

  constexpr void consider(exchange& best, std::int32_t leaving, std::int32_t coming, const packed_micro_batch& to) const noexcept {
    const std::int64_t back = coming == none ? 0 : lengths_[coming];
    if (!has_room(to, lengths_[leaving] - back)) return;
    const count more = cost_.of(lengths_[leaving]) - cost_.of(back);
    if (best.largest <= more || best.largest - more <= to.cost) return; // Subtracted, because the sum may not fit.
    const count there = to.cost + more;
    const count here = bins_[bin_of_[leaving]].cost - more;
    const count largest = here < there ? there : here;
    if (largest < best.largest) best = {largest, leaving, coming, to.number};
  }
};

/// The largest count that is at most `factor` times n; overflowed where one of them is or that does not fit.
[[nodiscard]] constexpr saturating_count times_at_most(count n, ratio factor) noexcept {
  if (n.overflowed() || factor.overflowed()) return saturating_count{0} - 1;
  __extension__ using twice_as_wide = unsigned __int128;
  const twice_as_wide product = twice_as_wide{n.value()} * factor.numerator.value() / factor.denominator.value();
  return product < count::top ? saturating_count{static_cast<std::uint64_t>(product)} : saturating_count{0} - 1;
}

} // namespace detail

/// Packs sequences into a given number of micro-batches of at most `token_limit` tokens each, so that the costliest costs little; the
/// problem is NP-hard, so the result says how far from the best possible it can be at most.
///
/// Longest first, each into the cheapest micro-batch that has room (R. L. Graham, Bounds on multiprocessing timing anomalies, 1969: 4/3 -
/// 1/(3 x micro-batches) of the best where no limit is given); if one then finds no room, once more with each into the fullest that has.
/// Then sequences of the costliest micro-batch move or change places as long as it becomes cheaper and is not cheap enough, at most as often
/// as there are sequences: with the cheapest micro-batch, or the first other one where that is no help. The same sequences in the same
/// order give the same packing, with any compiler. Takes sequences x log(micro-batches) steps, or, for those that the cheapest micro-batch
/// has no room for, sequences x micro-batches, and the trials that `effort` allows.
///
/// All of storage.micro_batches are used; other arrays may be longer than they have to be.
///
/// Micro-batches are numbered from the costliest down, and micro-batch b is the (b / DP)-th of rank b % DP: see step_cost(). Unless the
/// outcome is `packed`, what the arrays hold means nothing.
///
/// Costs that need more than 64 bits show as in any count. Preconditions: each length at least 1, token_limit not negative, fewer than
/// 2^31 sequences and micro-batches.
[[nodiscard]] constexpr sequence_packing pack_sequences(array_view<const std::int64_t> lengths, const sequence_cost& cost,
                                                        optional_integer token_limit, const packing_storage& storage,
                                                        const packing_effort& effort = {}) noexcept {
  if (!storage.suffices(lengths.size())) return {.outcome = packing_outcome::too_little_storage};
  detail::sequence_packer packer{lengths, token_limit, cost, storage, effort.trials};
  sequence_packing result{.lower_bound = packer.lower_bound()};
  if (packer.proves_that_none_exists()) {
    result.outcome = packing_outcome::none_exists;
    return result;
  }
  if (!packer.pack_into_cheapest() && !packer.pack_into_fullest()) {
    result.outcome = packing_outcome::none_found;
    return result;
  }
  const saturating_count enough = detail::times_at_most(result.lower_bound, effort.enough);
  for (std::int64_t i = 0; i < lengths.size() && packer.costliest().cost.bits > enough.bits; ++i)
    if (!packer.improve()) break;
  packer.number_by_cost();
  result.largest = storage.micro_batches[0].cost;
  return result;
}

/// What a step costs where all DP ranks wait for each other after each micro-batch, as ranks that share experts do: the sum of the largest
/// cost among the first micro-batches of the ranks, among their second ones, and so on. Numbered as pack_sequences() does it, this is the
/// least that these micro-batches allow. Overflowed if there are no ranks or if they do not divide the number of micro-batches.
[[nodiscard]] constexpr count step_cost(array_view<const packed_micro_batch> micro_batches, std::int64_t ranks) noexcept {
  if (ranks < 1 || micro_batches.size() % ranks != 0) return count{count::top};
  count sum;
  for (std::int64_t first = 0; first < micro_batches.size(); first += ranks) {
    count largest;
    for (const packed_micro_batch& b : micro_batches.part(first, ranks))
      if (largest < b.cost) largest = b.cost;
    sum += largest;
  }
  return sum;
}

} // namespace moeplan
