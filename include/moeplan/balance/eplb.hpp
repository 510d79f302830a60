#pragma once

#include <cstdint>

#include <moeplan/balance/placement.hpp>
#include <moeplan/number/array_view.hpp>
#include <moeplan/number/extremes.hpp>
#include <moeplan/number/radix_sort.hpp>
#include <moeplan/number/storage_parts.hpp>
#include <moeplan/number/tournament.hpp>

/// @file
/// DeepSeek's Expert Parallelism Load Balancer, in IEEE float32 as the original. Source: deepseek-ai/EPLB, eplb.py.
///
/// Where the original leaves the result to its tensor library, it is defined here: its sort of equal weights is stable (torch.sort
/// without stable=True is free to do otherwise), the largest of equal weights is the first, and a group's weight is the sum of
/// its experts' from left to right, which makes a difference only where it exceeds 2^24.

namespace moeplan {

namespace detail {

static_assert(__FLT_EVAL_METHOD__ == 0, "float arithmetic must round to float, which the x87 does not");

/// A weight that is to be found first if it is large and, among equal ones, if its index is small: as one key, the smallest first.
/// Floats that are not negative are ordered like their bits.
[[nodiscard]] constexpr std::uint64_t heaviest_first(float weight, std::int64_t index) noexcept {
  const std::uint32_t bits = ~__builtin_bit_cast(std::uint32_t, weight);
  return std::uint64_t{bits} << 32 | static_cast<std::uint64_t>(index);
}

[[nodiscard]] constexpr float weight_of(std::uint64_t heaviest_first_key) noexcept {
  return __builtin_bit_cast(float, ~static_cast<std::uint32_t>(heaviest_first_key >> 32));
}

/// The same with the lightest first.
[[nodiscard]] constexpr std::uint64_t lightest_first(float weight, std::int64_t index) noexcept {
  return std::uint64_t{__builtin_bit_cast(std::uint32_t, weight)} << 32 | static_cast<std::uint64_t>(index);
}

[[nodiscard]] constexpr std::int64_t index_of(std::uint64_t key) noexcept { return static_cast<std::int64_t>(key & 0xFFFF'FFFFU); }

/// The weight of one of an expert's copies: a quotient of floats, as torch divides a float32 tensor by an int64 one.
[[nodiscard]] constexpr float copy_weight(std::int64_t load, std::int32_t copies) noexcept {
  return static_cast<float>(load) / static_cast<float>(copies);
}

/// How the storage that the caller provides is divided. Sizes are in words.
struct eplb_storage {
  std::int64_t groups = 0;  ///< groups in the order of the nodes
  std::int64_t experts = 0; ///< a node's experts, in the order of its groups
  std::int64_t copied = 0;  ///< which of them each redundant slot holds
  std::int64_t keys = 0;    ///< what is sorted; twice: the second is the sort's buffer
  std::int64_t matches = 0; ///< of a tournament
  std::int64_t filled = 0;  ///< how many items a pack has

  [[nodiscard]] static constexpr eplb_storage of(const placement_shape& s) noexcept {
    const std::int64_t experts_per_node = s.experts / s.nodes;
    const std::int64_t slots_per_node = s.slots / s.nodes;
    const std::int64_t packs = greatest(s.nodes, s.gpus_per_node());
    return {.groups = s.groups,
            .experts = experts_per_node,
            .copied = slots_per_node - experts_per_node,
            .keys = greatest(s.groups, slots_per_node),
            .matches = tournament::storage(greatest(experts_per_node, packs)),
            .filled = packs};
  }

  [[nodiscard]] constexpr std::int64_t words() const noexcept { return groups + experts + copied + 2 * keys + matches + filled; }
};

/// The sizes that EPLB computes with.
[[nodiscard]] constexpr placement_shape eplb_shape(const placement_shape& s) noexcept { return sizes_under(eplb_policy(s), s); }

/// One run of the algorithm. Precondition: everything that eplb() checks.
class eplb_run {
public:
  constexpr eplb_run(const placement_shape& s, array_view<const std::int64_t> loads, array_view<std::int32_t> physical_to_logical,
                     array_view<std::int32_t> logical_count, array_view<std::uint64_t> storage) noexcept
      : shape_{s}, loads_{loads}, slots_{physical_to_logical}, copies_{logical_count} {
    const eplb_storage sizes = eplb_storage::of(s);
    storage_parts parts{storage};
    groups_ = parts.take(sizes.groups);
    experts_ = parts.take(sizes.experts);
    copied_ = parts.take(sizes.copied);
    keys_ = parts.take(sizes.keys);
    buffer_ = parts.take(sizes.keys);
    matches_ = parts.take(sizes.matches);
    filled_ = parts.take(sizes.filled);
  }

  constexpr void run() noexcept {
    pack_groups();
    for (std::int64_t node = 0; node < shape_.nodes; ++node) {
      list_experts(node);
      replicate();
      pack_slots(node);
    }
  }

private:
  /// Puts items of these weights into packs, the same number in each: the heaviest item that is left to the lightest pack that has
  /// room, the first of several. place(item, pack, position in the pack). Source: eplb.py balanced_packing.
  template <class Weight, class Place>
  constexpr void pack(std::int64_t items, std::int64_t packs, const Weight& weight, const Place& place) noexcept {
    const std::int64_t room = items / packs;
    if (room == 1) {
      for (std::int64_t i = 0; i < items; ++i) place(i, i, 0);
      return;
    }
    for (std::int64_t i = 0; i < items; ++i) keys_[i] = heaviest_first(weight(i), i);
    tournament lightest{matches_, packs};
    for (std::int64_t p = 0; p < packs; ++p) {
      lightest.set(p, lightest_first(0, p));
      filled_[p] = 0;
    }
    lightest.play();
    for (const std::uint64_t item : radix_sorted(keys_.part(0, items), buffer_.part(0, items))) {
      const std::uint64_t pack_key = lightest.smallest();
      const std::int64_t p = index_of(pack_key);
      const auto position = static_cast<std::int64_t>(filled_[p]++);
      place(index_of(item), p, position);
      const float sum = __builtin_bit_cast(float, static_cast<std::uint32_t>(pack_key >> 32)) + weight_of(item);
      lightest.replace(p, position + 1 == room ? ~std::uint64_t{0} : lightest_first(sum, p));
    }
  }

  constexpr void pack_groups() noexcept {
    const std::int64_t size = shape_.experts / shape_.groups;
    const std::int64_t groups_per_node = shape_.groups / shape_.nodes;
    const auto weight = [&](std::int64_t group) {
      float sum = 0;
      for (const std::int64_t load : loads_.part(group * size, size)) sum += static_cast<float>(load);
      return sum;
    };
    pack(shape_.groups, shape_.nodes, weight, [&](std::int64_t group, std::int64_t node, std::int64_t position) {
      groups_[node * groups_per_node + position] = static_cast<std::uint64_t>(group);
    });
  }

  constexpr void list_experts(std::int64_t node) noexcept {
    const std::int64_t size = shape_.experts / shape_.groups;
    const std::int64_t groups_per_node = shape_.groups / shape_.nodes;
    std::uint64_t* next = experts_.data();
    for (const std::uint64_t group : groups_.part(node * groups_per_node, groups_per_node))
      for (std::int64_t i = 0; i < size; ++i) *next++ = group * static_cast<std::uint64_t>(size) + static_cast<std::uint64_t>(i);
  }

  [[nodiscard]] constexpr std::int64_t expert(std::int64_t i) const noexcept { return static_cast<std::int64_t>(experts_[i]); }

  [[nodiscard]] constexpr float weight(std::int64_t i) const noexcept { return copy_weight(loads_[expert(i)], copies_[expert(i)]); }

  /// Gives one redundant slot after the other to the expert whose copies weigh most. Source: eplb.py replicate_experts.
  constexpr void replicate() noexcept {
    for (std::int64_t i = 0; i < experts_.size(); ++i) copies_[expert(i)] = 1;
    if (copied_.size() == 0) return;
    tournament heaviest{matches_, experts_.size()};
    for (std::int64_t i = 0; i < experts_.size(); ++i) heaviest.set(i, heaviest_first(weight(i), i));
    heaviest.play();
    for (std::uint64_t& copied : copied_) {
      const std::int64_t i = index_of(heaviest.smallest());
      copied = static_cast<std::uint64_t>(i);
      ++copies_[expert(i)];
      heaviest.replace(i, heaviest_first(weight(i), i));
    }
  }

  /// Puts what a node's slots are to hold, every expert once and then the redundant ones, on the node's GPUs.
  constexpr void pack_slots(std::int64_t node) noexcept {
    const std::int64_t slots = shape_.slots / shape_.nodes;
    const std::int64_t each = shape_.slots_per_gpu();
    const array_view<std::int32_t> here = slots_.part(node * slots, slots);
    const auto held = [&](std::int64_t i) {
      return i < experts_.size() ? i : static_cast<std::int64_t>(copied_[i - experts_.size()]);
    };
    const auto place = [&](std::int64_t i, std::int64_t gpu, std::int64_t position) {
      here[gpu * each + position] = static_cast<std::int32_t>(expert(held(i)));
    };
    pack(
        slots, shape_.gpus_per_node(), [&](std::int64_t i) { return weight(held(i)); }, place);
  }

  placement_shape shape_;
  array_view<const std::int64_t> loads_;
  array_view<std::int32_t> slots_;
  array_view<std::int32_t> copies_;
  array_view<std::uint64_t> groups_, experts_, copied_, keys_, buffer_, matches_, filled_;
};

} // namespace detail

/// How many 64-bit words eplb() computes in, at most 7 a slot. Precondition: a shape that check_shape accepts for eplb_policy.
[[nodiscard]] constexpr std::int64_t eplb_storage_words(const placement_shape& s) noexcept {
  return detail::eplb_storage::of(detail::eplb_shape(s)).words();
}

/// Places the experts of one layer as DeepSeek's EPLB does. The policy is eplb_policy's: hierarchical if the nodes divide the groups
/// (groups to nodes, then redundant experts within each node, then its slots to its GPUs), else global.
///
/// Writes the expert in each slot and the number of each expert's slots. Storage: `physical_to_logical` one a slot, `logical_count`
/// one an expert, `words` as many as eplb_storage_words says; more does no harm. In O(n log n) of the slots.
///
/// An error says what is wrong with sizes, loads or storage, and nothing has been written: what the original asserts, and what it
/// computes with as if it were right (a load below zero).
///
/// Source: deepseek-ai/EPLB eplb.py rebalance_experts, for one layer.
[[nodiscard]] constexpr placement_error eplb(const placement_shape& s, array_view<const std::int64_t> loads,
                                             array_view<std::int32_t> physical_to_logical, array_view<std::int32_t> logical_count,
                                             array_view<std::uint64_t> words) noexcept {
  if (const placement_error e = check_shape(s, eplb_policy(s)); !e.ok()) return e;
  if (const placement_error e = check_loads(s, loads); !e.ok()) return e;
  const placement_shape computed = detail::eplb_shape(s);
  const auto too_small = [](std::int64_t given, std::int64_t needed) {
    return placement_error{placement_problem::storage_too_small, given, needed};
  };
  if (physical_to_logical.size() < s.slots) return too_small(physical_to_logical.size(), s.slots);
  if (logical_count.size() < s.experts) return too_small(logical_count.size(), s.experts);
  if (const std::int64_t needed = eplb_storage_words(s); words.size() < needed) return too_small(words.size(), needed);
  detail::eplb_run{computed, loads, physical_to_logical, logical_count, words}.run();
  return {};
}

} // namespace moeplan
