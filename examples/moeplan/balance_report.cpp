#include "balance_report.hpp"

#include <algorithm>
#include <utility>

#include <moeplan/balance/best_placement.hpp>
#include <moeplan/balance/entropy.hpp>
#include <moeplan/balance/eplb.hpp>
#include <moeplan/balance/gini.hpp>
#include <moeplan/number/common_denominator.hpp>

using namespace moeplan;

namespace tool {

namespace {

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

/// The same as fractions.
void add_exact(gpu_loads& result, const placement_view& p) {
  for (std::int64_t gpu = 0; gpu < p.shape.gpus; ++gpu) result.exact_of_gpu.push_back(exact_gpu_load(p, gpu));
  uint256 sum;
  for (const std::int64_t load : p.loads) sum += load;
  result.exact_mean = wide_ratio{sum, uint256{p.shape.gpus}}.lowest_terms();
  const saturating_count denominator = common_denominator(result.exact_of_gpu);
  std::vector<std::int64_t> numerators(result.exact_of_gpu.size());
  if (!over_denominator(result.exact_of_gpu, denominator, numerators)) return;
  result.exact = metrics(numerators, count{denominator.value()});
  std::vector<std::int64_t> sorted(numerators.size());
  result.exact_gini = gini(numerators, sorted);
}

gpu_loads loads_of(const placement_view& p) {
  gpu_loads result;
  result.quality = evaluate(p);
  for (std::int64_t gpu = 0; gpu < p.shape.gpus; ++gpu) result.of_gpu.push_back(gpu_load(p, gpu));
  result.metrics = metrics(result.of_gpu);
  std::vector<double> sorted(result.of_gpu.size());
  result.gini = gini(result.of_gpu, sorted);
  result.normalised_entropy = normalised_entropy(result.of_gpu);
  add_exact(result, p);
  return result;
}

/// Experts in their order, each once.
gpu_loads loads_in_order(placement_shape shape, const std::vector<std::int64_t>& loads) {
  shape.slots = shape.experts;
  std::vector<std::int32_t> experts(loads.size());
  for (std::size_t e = 0; e < experts.size(); ++e) experts[e] = static_cast<std::int32_t>(e);
  const std::vector<std::int32_t> copies(loads.size(), 1);
  return loads_of({shape, loads, experts, copies});
}

/// Places layer after layer, in storage that all of them share.
class placer {
public:
  placer(const placement_shape& shape, const balance_wish& wish)
      : shape_{sizes_under(wish.policy, shape)},
        wish_{wish},
        words_(size(eplb_storage_words(shape_))),
        scratch_(size(std::max(best_placement_scratch(shape_), placement_bound_scratch(shape_)))) {}

  [[nodiscard]] placement_error place(layer_report& layer, const std::vector<std::int64_t>& loads,
                                      const std::vector<std::int32_t>& previous) {
    layer.physical_to_logical.resize(size(shape_.slots));
    layer.logical_count.resize(loads.size());
    const placement_error error =
        wish_.algorithm == placement_algorithm::eplb ? place_by_eplb(layer, loads) : place_best(layer, loads, previous);
    if (!error.ok()) return error;
    layer.after = loads_of({shape_, loads, layer.physical_to_logical, layer.logical_count});
    if (!previous.empty()) layer.moves = copies_to_fetch(shape_, previous, layer.physical_to_logical);
    return {};
  }

private:
  [[nodiscard]] placement_error place_by_eplb(layer_report& layer, const std::vector<std::int64_t>& loads) {
    layer.bounds.all = bound_placement(shape_, loads, wish_.policy, scratch_);
    if (!layer.bounds.all.error.ok()) return layer.bounds.all.error;
    return eplb(shape_, loads, layer.physical_to_logical, layer.logical_count, words_);
  }

  [[nodiscard]] placement_error place_best(layer_report& layer, const std::vector<std::int64_t>& loads,
                                           const std::vector<std::int32_t>& previous) {
    placement_wish wish{.policy = wish_.policy};
    wish.previous = previous;
    wish.most_moves = wish_.most_moves;
    const found_placement found = best_placement(shape_, loads, wish, layer.physical_to_logical, layer.logical_count, scratch_);
    if (!found.error.ok()) return found.error;
    layer.bounds.all = found.bound;
    if (found.bound.reason != bound_reason::search) return {};
    // Tried were only placements without an expert twice on a GPU. Others may be more even.
    layer.bounds.apart = found.bound;
    layer.bounds.all = bound_placement(shape_, loads, wish_.policy, scratch_);
    return layer.bounds.all.error;
  }

  placement_shape shape_;
  balance_wish wish_;
  std::vector<std::uint64_t> words_;
  std::vector<std::int64_t> scratch_;
};

placement_before known_before(const io::loads_file& file) {
  if (!file.previous.empty()) return placement_before::previous;
  return file.shape.experts % file.shape.gpus == 0 ? placement_before::in_order : placement_before::unknown;
}

} // namespace

std::size_t balance_report::worst() const {
  const auto less_even = [](const layer_report& a, const layer_report& b) {
    return a.after.quality.max_over_mean() < b.after.quality.max_over_mean();
  };
  return static_cast<std::size_t>(std::max_element(layers.begin(), layers.end(), less_even) - layers.begin());
}

std::int64_t balance_report::moves() const {
  std::int64_t sum = 0;
  for (const layer_report& layer : layers) sum += layer.moves;
  return sum;
}

balance_answer balance(const io::loads_file& file, const balance_wish& wish) {
  const placement_shape& shape = file.shape;
  if (const placement_error e = check_shape(shape, wish.policy); !e.ok()) return {{}, {.error = e}};
  balance_report report{.shape = shape,
                        .policy = wish.policy,
                        .algorithm = wish.algorithm,
                        .before = known_before(file),
                        .expert_bytes = file.expert_bytes,
                        .layers = std::vector<layer_report>(file.loads.size())};
  placer all{shape, wish};
  const std::vector<std::int32_t> nothing;
  for (std::size_t i = 0; i < report.layers.size(); ++i) {
    layer_report& layer = report.layers[i];
    const std::vector<std::int32_t>& previous = file.previous.empty() ? nothing : file.previous[i];
    const auto wrong = [i](const placement_error& e) { return balance_answer{{}, {e, static_cast<std::int64_t>(i)}}; };
    if (report.before == placement_before::previous) {
      std::vector<std::int32_t> copies(file.loads[i].size());
      if (const placement_error e = check_placement(shape, previous, copies); !e.ok()) return wrong(e);
      const placement_view view{sizes_under(wish.policy, shape), file.loads[i], previous, copies};
      layer.before = loads_of(view);
      layer.before_obeys_policy = groups_stay_on_their_node(view);
    } else if (report.before == placement_before::in_order) {
      layer.before = loads_in_order(shape, file.loads[i]);
    }
    if (const placement_error e = all.place(layer, file.loads[i], previous); !e.ok()) return wrong(e);
  }
  return {std::move(report), {}};
}

const char* name_of(placement_algorithm algorithm) { return algorithm == placement_algorithm::eplb ? "eplb" : "best"; }

const char* name_of(placement_policy policy) { return policy == placement_policy::hierarchical ? "hierarchical" : "global"; }

const char* name_of(bound_reason reason) {
  switch (reason) {
    case bound_reason::mean: return "mean";
    case bound_reason::copies: return "copies";
    case bound_reason::node: return "node";
    case bound_reason::pairs: return "pairs";
    case bound_reason::search: break;
  }
  return "search";
}

} // namespace tool
