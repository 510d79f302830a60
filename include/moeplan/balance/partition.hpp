#pragma once

#include <cstdint>

#include <moeplan/describe/layout.hpp>
#include <moeplan/number/array_view.hpp>
#include <moeplan/number/count.hpp>

/// @file
/// Layers of unequal cost on the stages of a pipeline, so that the costliest stage costs as little as possible.

namespace moeplan {

namespace detail {

/// Holds any sum of fewer than 2^64 counts, and such a sum times a number of parts for all arrays that fit into memory.
__extension__ using sum_of_counts = unsigned __int128;

/// Items in a row, to be cut into parts.
struct row_of_items {
  array_view<const count> costs;
  std::int64_t parts = 1;

  /// Whether parts of at most `limit` each can hold all items. Precondition: no single item costs more.
  [[nodiscard]] constexpr bool suffices(std::uint64_t limit) const noexcept {
    std::int64_t begun = 1;
    std::uint64_t room = limit;
    for (const count& cost : costs) {
      if (cost.bits > room) {
        if (++begun > parts) return false;
        room = limit;
      }
      room -= cost.bits;
    }
    return true;
  }

  [[nodiscard]] constexpr sum_of_counts total() const noexcept {
    sum_of_counts sum = 0;
    for (const count& cost : costs) sum += cost.bits;
    return sum;
  }

  [[nodiscard]] constexpr std::uint64_t costliest() const noexcept {
    std::uint64_t most = 0;
    for (const count& cost : costs)
      if (cost.bits > most) most = cost.bits;
    return most;
  }

  /// The least limit that suffices; count::top if it needs more than 64 bits. Between the two bounds of the search: no part may be below
  /// the average or the costliest item, and a part that the next item no longer fits into lacks less than that item.
  [[nodiscard]] constexpr std::uint64_t least_limit() const noexcept {
    const std::uint64_t item = costliest();
    if (item == count::top) return count::top;
    const auto n = static_cast<std::uint64_t>(parts);
    const sum_of_counts average = (total() + n - 1) / n;
    constexpr std::uint64_t most = count::top - 1;
    if (average > most) return count::top;
    std::uint64_t low = average > item ? static_cast<std::uint64_t>(average) : item;
    std::uint64_t high = average + item > most ? most : static_cast<std::uint64_t>(average + item);
    if (high == most && !suffices(high)) return count::top;
    while (low < high) {
      const std::uint64_t middle = low + (high - low) / 2;
      if (suffices(middle))
        high = middle;
      else
        low = middle + 1;
    }
    return low;
  }

  /// The earliest place of each cut: parts are filled from the back, and one item is left for each part before.
  constexpr void cut_early(std::uint64_t limit, array_view<std::int64_t> bounds) const noexcept {
    std::int64_t at = costs.size();
    bounds[parts] = at;
    for (std::int64_t part = parts; part-- > 1;) {
      std::uint64_t room = limit;
      for (; at > part && costs[at - 1].bits <= room; --at) room -= costs[at - 1].bits;
      bounds[part] = at;
    }
    bounds[0] = 0;
  }

  /// Moves the cuts from their earliest places to where the items before them cost what they would if all parts were equal, or nearest to
  /// it. From the front, so that what a cut may do depends on cuts that stand already; a cut that is not before its earliest place
  /// leaves enough parts for the rest.
  constexpr void even_out(std::uint64_t limit, array_view<std::int64_t> bounds) const noexcept {
    const sum_of_counts all = total();
    sum_of_counts before = 0;
    for (std::int64_t part = 1; part < parts; ++part) {
      const std::int64_t earliest = bounds[part - 1] < bounds[part] ? bounds[part] : bounds[part - 1] + 1;
      const std::int64_t latest = costs.size() - (parts - part);
      const sum_of_counts aim = all * static_cast<std::uint64_t>(part);
      cut_near(aim, {earliest, latest}, limit, bounds.part(part - 1, 2), before);
    }
  }

private:
  struct places {
    std::int64_t earliest;
    std::int64_t latest;
  };

  /// Sets the end of a part. `aim` and `before`: what the items before the cut are to cost, times the number of parts, and what those
  /// before the part do, to which the part's are added.
  constexpr void cut_near(sum_of_counts aim, places cut, std::uint64_t limit, array_view<std::int64_t> part,
                          sum_of_counts& before) const noexcept {
    const auto n = static_cast<std::uint64_t>(parts);
    std::uint64_t room = limit;
    sum_of_counts sum = before;
    sum_of_counts nearest = ~sum_of_counts{0};
    for (std::int64_t at = part[0]; at < cut.latest && costs[at].bits <= room; ++at) {
      room -= costs[at].bits;
      sum += costs[at].bits;
      if (at + 1 < cut.earliest) continue;
      const sum_of_counts off = sum * n < aim ? aim - sum * n : sum * n - aim;
      if (off < nearest) nearest = off, part[1] = at + 1, before = sum;
      if (sum * n >= aim) break; // From here on it is only further away.
    }
  }
};

} // namespace detail

/// Cuts items in a row into parts, each of at least one item, so that the costliest part costs as little as possible. Returns what that
/// part costs; `bounds`, one longer than there are parts, is where they begin: part p holds the items bounds[p] to bounds[p + 1] - 1, and
/// the last bound is the number of items.
///
/// Of several best partitions this is the one whose cuts, one after the other from the front, are each where the items before it cost
/// nearest to their even share of the total, as far as the least largest cost still permits; of two places equally near the earlier one.
///
/// Bisects the answer, and asks each time whether as much is enough: items x log(costliest item) steps, no memory of its own. DeepSpeed
/// asks another question: its partition_balanced (runtime/utils.py) makes the difference of the costliest and the cheapest part small.
///
/// A cost that needs more than 64 bits shows in the result as in any count. So does what no partition is possible for: fewer items than
/// parts, or no part. `bounds` is then left as it was.
[[nodiscard]] constexpr count partition(array_view<const count> costs, array_view<std::int64_t> bounds) noexcept {
  const detail::row_of_items row{costs, bounds.size() - 1};
  if (row.parts < 1 || row.parts > costs.size()) return count{count::top};
  const std::uint64_t limit = row.least_limit();
  if (limit == count::top) return count{count::top};
  row.cut_early(limit, bounds);
  row.even_out(limit, bounds);
  return count{limit};
}

/// What the items of a partition are beside decoder layers, in the order in which a model passes through them: embedding, decoder layers,
/// multi-token prediction, loss. What is an item of its own may have a stage to itself; what is not is on the same stage as the layer
/// next to it, and its cost belongs to that layer's.
struct pipeline_items {
  bool embedding = false;      ///< the first item is the embedding
  std::int64_t mtp_layers = 0; ///< one item, behind the decoder layers, is as many multi-token prediction layers; 0: there is none
  bool loss = false;           ///< the last item is final norm, head and loss

  friend constexpr bool operator==(const pipeline_items&, const pipeline_items&) noexcept = default;
};

/// Writes a partition as a layout, each part a virtual stage: PP x VPP parts, of which rank r has those at r, r + PP and so on. False, and
/// no change, if there is no part or more than layout::max_runs different neighbours result.
///
/// The partition makes the costliest virtual stage cheap, not the costliest sum over the virtual stages of a rank.
/// Precondition: `bounds` as partition() leaves it, with as many items as there are decoder layers and `items` names.
[[nodiscard]] constexpr bool lay_out(array_view<const std::int64_t> bounds, const pipeline_items& items, layout& result) noexcept {
  if (bounds.size() < 2) return false;
  layout l{.kind = layout_kind::listed, .places_mtp = items.mtp_layers > 0};
  const std::int64_t end = bounds[bounds.size() - 1];
  const std::int64_t first = items.embedding ? 1 : 0;
  const std::int64_t behind = end - (items.loss ? 1 : 0) - (items.mtp_layers > 0 ? 1 : 0); // the last decoder layer
  for (std::int64_t part = 0; part + 1 < bounds.size(); ++part) {
    const std::int64_t from = bounds[part] > first ? bounds[part] : first;
    const std::int64_t to = bounds[part + 1] < behind ? bounds[part + 1] : behind;
    const bool has_mtp = items.mtp_layers > 0 && bounds[part] <= behind && behind < bounds[part + 1];
    const stage_run stage{1, to > from ? to - from : 0, has_mtp ? items.mtp_layers : 0};
    if (!l.append(stage)) return false;
  }
  result = l;
  return true;
}

} // namespace moeplan
