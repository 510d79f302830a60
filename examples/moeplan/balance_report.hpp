// Where the experts of every layer go, and how evenly that loads the GPUs, for text, JSON and pictures.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <moeplan/balance/metrics.hpp>
#include <moeplan/balance/placement.hpp>
#include <moeplan/balance/placement_bound.hpp>
#include <moeplan/balance/real_metrics.hpp>
#include <moeplan/io/loads_file.hpp>
#include <moeplan/number/optional_integer.hpp>
#include <moeplan/number/ratio.hpp>
#include <moeplan/number/wide_ratio.hpp>

namespace tool {

/// Who places the experts.
enum class placement_algorithm : std::uint16_t {
  eplb, ///< DeepSeek's EPLB, bit for bit
  best  ///< the library's own search
};

/// What the GPUs of a layer carry.
struct gpu_loads {
  std::vector<double> of_gpu;
  moeplan::placement_quality quality{};
  moeplan::real_load_metrics metrics{};
  double gini = 0;
  double normalised_entropy = 1;

  std::vector<moeplan::ratio> exact_of_gpu; ///< overflowed where a load is no fraction of 64-bit integers
  moeplan::wide_ratio exact_mean{};
  std::optional<moeplan::load_metrics> exact{}; ///< absent where the loads have no common denominator of 64 bits
  moeplan::wide_ratio exact_gini{};             ///< likewise
};

/// How far the rounding of loads and of what is computed from them can reach, relatively.
inline constexpr double rounding = 1e-12;

/// What no placement of a layer is below: as max over mean.
struct layer_bounds {
  moeplan::placement_bound all{}; ///< of all placements under the policy
  /// Of those that hold no expert twice on a GPU: what the best of them has, where the search tried all of them.
  std::optional<moeplan::placement_bound> apart;
};

struct layer_report {
  /// Of all placements, of which this one is one.
  [[nodiscard]] double lower_bound() const { return without_rounding(bounds.all); }

  /// Of those without an expert twice on a GPU; absent where not all of them were tried.
  [[nodiscard]] std::optional<double> lower_bound_apart() const {
    return bounds.apart ? std::optional{without_rounding(*bounds.apart)} : std::nullopt;
  }

  /// Whether what is paid in moves makes it worse. False where it is not known how it was.
  [[nodiscard]] bool is_less_even_than_before() const {
    return before && after.quality.max_over_mean() > before->quality.max_over_mean() * (1 + rounding);
  }

  std::vector<std::int32_t> physical_to_logical;
  std::vector<std::int32_t> logical_count;
  gpu_loads after;
  std::optional<gpu_loads> before; ///< as experts are now; absent where that is not known
  bool before_obeys_policy = true;
  layer_bounds bounds{};
  std::int64_t moves = 0; ///< experts to copy to GPUs that do not hold them now; 0 where the placement now is not given

private:
  /// A bound is below every exact value; that of the placement is rounded, and may be so to the bound's other side.
  [[nodiscard]] double without_rounding(const moeplan::placement_bound& bound) const {
    const double found = after.quality.max_over_mean();
    return bound.max_over_mean > found && bound.max_over_mean <= found * (1 + rounding) ? found : bound.max_over_mean;
  }
};

/// How experts are placed before they are balanced.
enum class placement_before : std::uint16_t {
  unknown,  ///< not given, and the GPUs do not divide the experts
  in_order, ///< not given: as many experts on each GPU, in their order, none redundant
  previous  ///< given
};

struct balance_report {
  moeplan::placement_shape shape{};
  moeplan::placement_policy policy{};
  placement_algorithm algorithm{};
  placement_before before{};
  std::optional<std::int64_t> expert_bytes;
  std::vector<layer_report> layers;

  /// Which layer is the least even.
  [[nodiscard]] std::size_t worst() const;
  [[nodiscard]] std::int64_t moves() const;
};

struct balance_wish {
  placement_algorithm algorithm{};
  moeplan::placement_policy policy{};
  moeplan::optional_integer most_moves{}; ///< of each layer
};

/// What is wrong with the sizes, or with the placement of a layer.
struct balance_problem {
  moeplan::placement_error error{};
  std::int64_t layer = -1; ///< -1: all of them
};

/// Either a report or what is wrong.
struct balance_answer {
  std::optional<balance_report> report;
  balance_problem problem{};
};

balance_answer balance(const moeplan::io::loads_file& file, const balance_wish& wish);

/// "eplb", "best"; "hierarchical", "global"; "mean", ...
const char* name_of(placement_algorithm algorithm);
const char* name_of(moeplan::placement_policy policy);
const char* name_of(moeplan::bound_reason reason);

} // namespace tool
