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
  none_found, ///< not every sequence found room, yet nothing proves that they cannot
  none_exists ///< the token limit is proven to be too small for as many micro-batches
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
public:
  constexpr sequence_packer(array_view<const std::int64_t> all, optional_integer limit, const sequence_cost& cost_of_a_sequence,
                            const packing_storage& where) noexcept
      : lengths_{all},
        cost_{cost_of_a_sequence},
        bins_{where.micro_batches},
        bin_of_{where.micro_batch_of},
        next_{where.next},
        scratch_{where.scratch},
        order_{where.scratch.part(0, all.size())},
        limited_{limit.given},
        most_tokens_{limit.number} {
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

  /// Longest first, each into the micro-batch that `before` puts before all others that have room. False if there is none for one.
  template <class Before>
  [[nodiscard]] constexpr bool pack(const Before& before) noexcept {
    for (packed_micro_batch& b : bins_) b = {.number = static_cast<std::int32_t>(&b - bins_.begin())};
    for (const std::int32_t sequence : order_) {
      packed_micro_batch* best = nullptr;
      for (packed_micro_batch& b : bins_)
        if (has_room(b, lengths_[sequence]) && (best == nullptr || before(b, *best))) best = &b;
      if (best == nullptr) return false;
      add(best->number, sequence);
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
  /// and no change, if there is none. Sums in descending order decrease lexicographically, so this comes to an end.
  [[nodiscard]] constexpr bool improve() noexcept {
    const std::int32_t from = costliest().number;
    exchange best{.largest = bins_[from].cost};
    consider_exchanges(best, from, cheapest());
    for (std::int64_t to = 0; best.leaving == none && to < bins_.size(); ++to) consider_exchanges(best, from, bins_[to]);
    if (best.leaving == none) return false;
    remove(best.leaving);
    if (best.coming != none) remove(best.coming); // Before anything is added, which might not fit into 64 bits.
    add(best.to, best.leaving);
    if (best.coming != none) add(from, best.coming);
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

  [[nodiscard]] constexpr bool has_room(const packed_micro_batch& b, std::int64_t length) const noexcept {
    return !limited_ || (b.tokens <= most_tokens_ && count{length} <= most_tokens_ - b.tokens);
  }

  constexpr void add(std::int32_t bin, std::int32_t sequence) noexcept {
    packed_micro_batch& b = bins_[bin];
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

  constexpr void consider_exchanges(exchange& best, std::int32_t from, const packed_micro_batch& to) const noexcept {
    if (to.number == from) return;
    for (std::int32_t leaving = bins_[from].first; leaving != none; leaving = next_[leaving]) {
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

} // namespace detail

/// Packs sequences into a given number of micro-batches of at most `token_limit` tokens each, so that the costliest costs little; the
/// problem is NP-hard, so the result says how far from the best possible it can be at most.
///
/// Longest first, each into the cheapest micro-batch that has room (R. L. Graham, Bounds on multiprocessing timing anomalies, 1969: 4/3 -
/// 1/(3 x micro-batches) of the best where no limit is given); if one then finds no room, once more with each into the fullest that has.
/// Then sequences of the costliest micro-batch move or change places as long as it becomes cheaper, at most as often as there are
/// sequences: with the cheapest micro-batch, or the first other one where that is no help. The same sequences in the same order give
/// the same packing, with any compiler. Sequences x micro-batches steps, and for each improvement micro-batches, or, where the
/// cheapest is no help, sequences x sequences of the costliest one.
///
/// Micro-batches are numbered from the costliest down, and micro-batch b is the (b / DP)-th of rank b % DP: see step_cost(). Unless the
/// outcome is `packed`, what the arrays hold means nothing.
///
/// Costs that need more than 64 bits show as in any count. Preconditions: each length at least 1, token_limit not negative, fewer than
/// 2^31 sequences and micro-batches.
[[nodiscard]] constexpr sequence_packing pack_sequences(array_view<const std::int64_t> lengths, const sequence_cost& cost,
                                                        optional_integer token_limit, const packing_storage& storage) noexcept {
  detail::sequence_packer packer{lengths, token_limit, cost, storage};
  sequence_packing result{.lower_bound = packer.lower_bound()};
  if (packer.proves_that_none_exists()) {
    result.outcome = packing_outcome::none_exists;
    return result;
  }
  const auto cheapest = [](const packed_micro_batch& a, const packed_micro_batch& b) { return a.cost < b.cost; };
  const auto fullest = [](const packed_micro_batch& a, const packed_micro_batch& b) { return b.tokens < a.tokens; };
  if (!packer.pack(cheapest) && !packer.pack(fullest)) {
    result.outcome = packing_outcome::none_found;
    return result;
  }
  for (std::int64_t i = 0; i < lengths.size() && result.lower_bound < packer.costliest().cost; ++i)
    if (!packer.improve()) break;
  packer.number_by_cost();
  result.largest = storage.micro_batches[0].cost;
  return result;
}

/// What a step costs where all DP ranks wait for each other after each micro-batch, as ranks that share experts do: the sum of the largest
/// cost among the first micro-batches of the ranks, among their second ones, and so on. Numbered as pack_sequences() does it, this is the
/// least that these micro-batches allow. Precondition: dp >= 1 divides the number of micro-batches.
[[nodiscard]] constexpr count step_cost(array_view<const packed_micro_batch> micro_batches, std::int64_t dp) noexcept {
  count sum;
  for (std::int64_t first = 0; first < micro_batches.size(); first += dp) {
    count largest;
    for (const packed_micro_batch& b : micro_batches.part(first, dp))
      if (largest < b.cost) largest = b.cost;
    sum += largest;
  }
  return sum;
}

} // namespace moeplan
