#pragma once

#include <cstddef>
#include <cstdint>

#include <moeplan/describe/deployment.hpp>
#include <moeplan/number/bytes.hpp>
#include <moeplan/number/optional_integer.hpp>
#include <moeplan/number/sequence.hpp>
#include <moeplan/number/wide_ratio.hpp>
#include <moeplan/search/repair_part.hpp>
#include <moeplan/verify/rule.hpp>

/// @file
/// What a repair is, and what a search for repairs answers.

namespace moeplan {

/// What a repair does with the layout.
enum class repaired_layout : std::uint16_t { kept, even, even_with_embedding, even_with_loss, even_with_both, balanced };

/// One legal deployment, and how it differs from the given one.
struct repair {
  moeplan::strategy strategy{};
  repaired_layout layout = repaired_layout::kept;
  optional_integer micro_batch{}; ///< absent: as given
  repair_parts changed{};
  wide_ratio distance{1}; ///< how many times larger or smaller the changed numbers are, multiplied
  std::int64_t gpus = 0;
  std::int64_t idle_gpus = 0;   ///< of the cluster, where one is described
  bool memory_is_known = false; ///< as `check` judges it: the GPU's memory is described, and stages and layers are not too many
  bytes peak{};                 ///< on each rank of the fullest stage, where that is known

  /// The deployment repaired. Precondition: the one that this is a repair of.
  [[nodiscard]] constexpr deployment on(deployment d) const noexcept {
    d.strategy = strategy;
    if (micro_batch.given) d.workload.train.micro_batch = micro_batch.number;
    if (layout != repaired_layout::kept) d.layout = described(layout);
    return d;
  }

  /// Precondition: not `kept`.
  [[nodiscard]] static constexpr moeplan::layout described(repaired_layout l) noexcept {
    if (l == repaired_layout::balanced) return moeplan::layout::balanced();
    const bool embedding = l == repaired_layout::even_with_embedding || l == repaired_layout::even_with_both;
    const bool loss = l == repaired_layout::even_with_loss || l == repaired_layout::even_with_both;
    return moeplan::layout::even_with(embedding, loss);
  }
};

/// What came of looking for repairs.
enum class repair_outcome : std::uint16_t {
  legal,   ///< nothing is to repair: the one answer is the given deployment
  found,   ///< the answers are the nearest there are
  none,    ///< nothing within reach is legal: `rejected` says what stands in the way
  too_many ///< there is more to look at than was asked for: the nearest may be missing, and answers may not be the nearest
};

struct repair_options {
  repair_parts pinned{};                                  ///< what stays as it is
  std::size_t most_changes = counted_repair_parts.size(); ///< of one repair
  std::size_t further_changes = 1;                        ///< a repair has at most so many more than the nearest
  std::int64_t most_considered =
      200'000; ///< then the search stops: each takes from some hundred nanoseconds to some hundred microseconds
};

/// The nearest repairs, nearest first.
template <std::size_t Most>
struct repairs {
  repair_outcome outcome = repair_outcome::none;
  sequence<repair, Most> nearest{};
  std::size_t exhausted = 0;           ///< every set of fewer parts than this has been looked at, or need not be
  std::int64_t considered = 0;         ///< deployments looked at, or many at once that share what is wrong: legal ones and rejected
  std::int64_t rejected[rule_count]{}; ///< how many of those were by which rule, of those that they violate

  [[nodiscard]] constexpr bool found() const noexcept { return !nearest.empty(); }
};

} // namespace moeplan
