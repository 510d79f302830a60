#pragma once

#include <cstdint>

#include <moeplan/number/array_view.hpp>
#include <moeplan/number/heap_sort.hpp>

/// @file
/// Experts, and the GPUs among which their copies may go anywhere: those of one node, or all. The problem that the searches solve.

namespace moeplan {

/// Whether a GPU may hold an expert in several slots, which wastes memory, but can be more even.
enum class same_expert : std::uint16_t {
  apart,   ///< no more often than it has to: once, unless there are more slots than one for each expert and GPU
  together ///< as often as it likes, as with EPLB
};

} // namespace moeplan

namespace moeplan::detail {

/// Sizes that fit: at least as many slots as experts, a multiple of the GPUs.
struct expert_pool {
  array_view<const std::int64_t> loads{}; ///< of each expert, in units of a load_unit
  std::int64_t slots = 1;                 ///< on all GPUs of the pool
  std::int64_t gpus = 1;
  std::int64_t most_on_a_gpu = 1; ///< copies of an expert

  constexpr expert_pool() noexcept = default;

  constexpr expert_pool(array_view<const std::int64_t> expert_loads, std::int64_t all_slots, std::int64_t all_gpus,
                        same_expert where = same_expert::apart) noexcept
      : loads{expert_loads}, slots{all_slots}, gpus{all_gpus} {
    most_on_a_gpu = where == same_expert::together ? slots_per_gpu() : (slots_per_gpu() - 1) / experts() + 1;
  }

  [[nodiscard]] constexpr std::int64_t experts() const noexcept { return loads.size(); }
  [[nodiscard]] constexpr std::int64_t slots_per_gpu() const noexcept { return slots / gpus; }
  [[nodiscard]] constexpr std::int64_t most_copies() const noexcept { return most_on_a_gpu * gpus; }

  /// What a GPU carries for one of an expert's copies, rounded down. Precondition: copies >= 1.
  [[nodiscard]] constexpr std::int64_t share(std::int64_t expert, std::int64_t copies) const noexcept {
    return loads[expert] / copies;
  }
};

/// Gives each expert one copy, and each slot that is left to the expert whose copies carry most: the numbers of copies for which
/// the heaviest copy is lightest (an expert that carries more than that one would need another copy, and its slot could only come
/// from one that then carried more still). Returns what the heaviest copy carries. No expert gets more than most_copies(), and the
/// heaviest copy carries no less for that, or no more than a GPU does on average: as many copies as GPUs carry that at most.
/// Preconditions: `copies` and `heap` have an element for each expert.
constexpr std::int64_t spread_copies(const expert_pool& pool, array_view<std::int64_t> copies,
                                     array_view<std::int64_t> heap) noexcept {
  for (std::int64_t e = 0; e < pool.experts(); ++e) {
    copies[e] = 1;
    heap[e] = e;
  }
  const auto lighter = [&](std::int64_t a, std::int64_t b) {
    const std::int64_t left = pool.share(a, copies[a]);
    const std::int64_t right = pool.share(b, copies[b]);
    return left < right || (left == right && a > b);
  };
  std::int64_t size = pool.experts();
  for (std::int64_t top = size / 2; top-- > 0;) sink(heap, top, size, lighter);
  std::int64_t heaviest = 0; // of those with as many copies as there may be
  for (std::int64_t slot = pool.experts(); slot < pool.slots; ++slot) {
    const std::int64_t e = heap[0];
    if (++copies[e] == pool.most_copies()) {
      const std::int64_t share = pool.share(e, copies[e]);
      heaviest = share > heaviest ? share : heaviest;
      heap[0] = heap[--size];
    }
    if (size > 0) sink(heap, 0, size, lighter);
  }
  const std::int64_t share = size > 0 ? pool.share(heap[0], copies[heap[0]]) : 0;
  return share > heaviest ? share : heaviest;
}

} // namespace moeplan::detail
