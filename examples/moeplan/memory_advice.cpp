#include "memory_advice.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include <moeplan/io/enumerator_names.hpp>
#include <moeplan/memory/serving_memory.hpp>
#include <moeplan/verify/findings.hpp>

#include "text_table.hpp"

using namespace moeplan;

namespace tool {

namespace {

/// Makes a change and says what it is; empty: there is nothing to change.
using change = std::string (*)(deployment&);

/// What a change costs; what comes first is taken first.
enum class price : std::uint16_t { nothing, little_time, time, precision, layout };

struct candidate {
  memory_member shrinks; ///< chiefly
  price costs;
  const char* in_words; ///< what it costs
  change make;
};

std::string from_to(const char* key, std::int64_t before, std::int64_t after) {
  return std::string{key} + ' ' + grouped(before) + " -> " + grouped(after);
}

/// Doubles a degree and halves DP, so that the GPUs stay the same. Sequence parallelism, where it is on, follows TP.
std::string double_degree(deployment& d, axis a, const char* name) {
  strategy& s = d.strategy;
  if (s[axis::dp] % 2 != 0) return {};
  const std::int64_t before = s[a];
  const std::int64_t dp_before = s[axis::dp];
  const std::int64_t sp_before = s[axis::sp];
  s = s.with(dp{dp_before / 2});
  s.set(a, 2 * before);
  std::string what = from_to(name, before, 2 * before) + ", " + from_to("dp", dp_before, dp_before / 2);
  if (a != axis::tp || sp_before == 1) return what;
  s.set(axis::sp, 2 * before);
  return what + ", " + from_to("sp", sp_before, 2 * before);
}

std::string shard_optimizer(deployment& d) {
  if (d.workload.train.sharding >= sharding::optimizer) return {};
  d.workload.train.sharding = sharding::optimizer;
  return R"("sharding": "optimizer": each data-parallel rank keeps a part of its states)";
}
std::string shard_parameters(deployment& d) {
  if (d.workload.train.sharding >= sharding::parameters || d.strategy[axis::pp] > 1) return {};
  d.workload.train.sharding = sharding::parameters;
  return R"("sharding": "parameters": weights and gradients in parts too)";
}
std::string smaller_moments(deployment& d) {
  precision& p = d.workload.train.precision;
  if (p.first_moment != number_type::fp32 || p.second_moment != number_type::fp32) return {};
  p.first_moment = p.second_moment = number_type::bf16;
  return R"("first_moment" and "second_moment": "bf16")";
}
std::string offload_optimizer(deployment& d) {
  if (d.workload.train.optimizer_offload == ratio{1}) return {};
  d.workload.train.optimizer_offload = ratio{1};
  return R"("optimizer_offload": 1: its states in the host's memory)";
}
std::string smaller_gradients(deployment& d) {
  if (d.workload.train.precision.gradients != number_type::fp32) return {};
  d.workload.train.precision.gradients = number_type::bf16;
  return R"("gradients": "bf16")";
}
std::string more_expert_ranks(deployment& d) {
  const std::int64_t ep = d.strategy[axis::ep];
  if (!d.model.has_experts()) return {};
  d.strategy.set(axis::ep, 2 * ep);
  return from_to("ep", ep, 2 * ep);
}
std::string more_stages(deployment& d) { return d.layout == layout::even() ? double_degree(d, axis::pp, "pp") : std::string{}; }
std::string more_tensor_ranks(deployment& d) { return double_degree(d, axis::tp, "tp"); }
std::string more_context_ranks(deployment& d) { return double_degree(d, axis::cp, "cp"); }

std::string sequence_parallelism(deployment& d) {
  const std::int64_t tp = d.strategy[axis::tp];
  if (d.strategy[axis::sp] > 1 || tp == 1) return {};
  d.strategy.set(axis::sp, tp);
  return from_to("sp", 1, tp) + ": sequence parallelism";
}
std::string smaller_micro_batch(deployment& d) {
  std::int64_t& micro_batch = d.workload.train.micro_batch;
  if (micro_batch % 2 != 0) return {};
  micro_batch /= 2;
  return from_to("micro_batch", 2 * micro_batch, micro_batch);
}
/// In place of the all-gather, with which each rank sees the tokens of all EP ranks.
std::string exchange_tokens(deployment& d) {
  token_dispatcher& dispatcher = d.workload.train.dispatcher;
  if (dispatcher != token_dispatcher::all_gather || !d.model.has_experts() || d.strategy[axis::ep] == 1) return {};
  dispatcher = token_dispatcher::all_to_all;
  return R"("dispatcher": "all_to_all")";
}
std::string fuse_loss(deployment& d) {
  if (d.workload.train.kernels.fused_cross_entropy) return {};
  d.workload.train.kernels.fused_cross_entropy = true;
  return R"("fused_cross_entropy": true)";
}
/// "core_attention", "layer_norm" in brackets: as a deployment file lists them.
std::string listed(const recompute_modules& modules) {
  std::string list;
  for (const auto& [name, module] : io::recompute_module_names)
    if (modules.*module) list += (list.empty() ? "\"" : ", \"") + std::string{name} + '"';
  return '[' + list + ']';
}
/// What is cheap to compute again: activation functions, norms, the up-projections of latent attention.
std::string recompute_parts(deployment& d) {
  training& t = d.workload.train;
  if (t.recompute == recompute::full) return {};
  const training before = t;
  recompute_modules& m = t.recompute_modules;
  if (t.recompute == recompute::none) m.core_attention = !t.kernels.flash_attention;
  t.recompute = recompute::selective;
  m.layer_norm = true;
  m.moe_activation = d.model.has_experts();
  m.latent_up_projection = d.model.attention.kind == attention_kind::latent;
  if (t == before) return {};
  return R"("recompute": "selective", "recompute_modules": )" + listed(m);
}
std::string recompute_layers(deployment& d) {
  training& t = d.workload.train;
  const bool all_of_them = t.recompute_method == recompute_method::uniform;
  if (t.recompute == recompute::full && all_of_them) return {};
  const bool one_by_one = t.recompute_layers == 1;
  t.recompute = recompute::full;
  t.recompute_method = recompute_method::uniform;
  t.recompute_layers = 1;
  return std::string{R"("recompute": "full")"} + (all_of_them ? "" : R"(, "recompute_method": "uniform")") +
         (one_by_one ? "" : R"(, "recompute_layers": 1)") + ": of each layer only its input is kept";
}

std::string quantise_weights(deployment& d) {
  if (d.workload.serve.weights != weight_format::bf16) return {};
  d.workload.serve.weights = weight_format::fp8_block;
  return R"("weights": "fp8_block")";
}
std::string quantise_cache(deployment& d) {
  if (d.workload.serve.cache != cache_format::bf16) return {};
  d.workload.serve.cache = cache_format::fp8;
  return R"("cache": "fp8")";
}
/// As many sequences as there is room for.
std::string smaller_batch(deployment& d) {
  if (virtual_stages(d.strategy, d.layout) != d.strategy[axis::pp]) return {};
  const capacity<> room = serving_capacity_of(d).sequences;
  serving& v = d.workload.serve;
  if (room.unbounded || room.amount == 0 || !(room.amount < count{v.batch})) return {};
  const std::int64_t before = v.batch;
  v.batch = static_cast<std::int64_t>(room.amount.value());
  return from_to("batch", before, v.batch);
}

constexpr candidate for_training[] = {
    {memory_member::optimizer, price::nothing, "an all-gather of weights a step, in place of a part of the all-reduce",
     shard_optimizer},
    {memory_member::optimizer, price::precision, "rounds the moments", smaller_moments},
    {memory_member::optimizer, price::time, "the host updates weights: slower steps, host memory", offload_optimizer},
    {memory_member::optimizer, price::time, "gathers weights in every pass", shard_parameters},
    {memory_member::gradients, price::precision, "rounds sums of gradients", smaller_gradients},
    {memory_member::weights, price::layout, "tokens travel further to their experts", more_expert_ranks},
    {memory_member::weights, price::layout, "a larger bubble", more_stages},
    {memory_member::weights, price::layout, "more communication in every layer", more_tensor_ranks},
    {memory_member::activations, price::nothing, "other communication", sequence_parallelism},
    {memory_member::activations, price::nothing, "other communication", exchange_tokens},
    {memory_member::activations, price::nothing, "nothing, where the kernel is there", fuse_loss},
    {memory_member::activations, price::little_time, "a little more computation", recompute_parts},
    {memory_member::activations, price::time, "every layer's forward pass twice", recompute_layers},
    {memory_member::activations, price::time, "smaller multiplications", smaller_micro_batch},
    {memory_member::activations, price::layout, "keys and values travel between ranks", more_context_ranks},
};

constexpr candidate for_serving[] = {
    {memory_member::kv_cache, price::nothing, "fewer sequences at once", smaller_batch},
    {memory_member::weights, price::precision, "rounds weights", quantise_weights},
    {memory_member::kv_cache, price::precision, "rounds keys and values", quantise_cache},
    {memory_member::weights, price::layout, "tokens travel further to their experts", more_expert_ranks},
    {memory_member::weights, price::layout, "more communication in every layer", more_tensor_ranks},
};

struct trial {
  const candidate* tried = nullptr;
  std::string what;
  std::uint64_t peak = 0;
};

/// The peak of a deployment; absent where it is not legal.
std::optional<std::uint64_t> peak_of(const deployment& d) {
  const findings found = check_without_capacity(d);
  if (!found.ok() || !found.facts.knows(known::memory)) return {};
  if (found.facts.peak_bytes == std::numeric_limits<std::int64_t>::max()) return {};
  return static_cast<std::uint64_t>(found.facts.peak_bytes);
}

/// A change that lowers the peak by at least one in a hundred. Makes it.
std::optional<trial> attempt(deployment& d, const candidate& c, std::uint64_t peak) {
  deployment changed = d;
  std::string what = c.make(changed);
  if (what.empty()) return {};
  const std::optional<std::uint64_t> lower = peak_of(changed);
  if (!lower || *lower > peak - peak / 100) return {};
  d = changed;
  return trial{&c, std::move(what), *lower};
}

/// Whether a change sets anew what an earlier one has set, so that this one need not be made.
bool undoes(change later, change earlier) {
  return (later == recompute_layers && earlier == recompute_parts) || (later == shard_parameters && earlier == shard_optimizer);
}

/// Takes one change after another, the cheapest first, until the deployment fits.
void combine(memory_advice& advice, deployment d, std::vector<trial> trials, std::uint64_t peak, std::uint64_t capacity) {
  std::stable_sort(trials.begin(), trials.end(), [](const trial& a, const trial& b) {
    return a.tried->costs != b.tried->costs ? a.tried->costs < b.tried->costs : a.peak < b.peak;
  });
  std::vector<trial> taken;
  for (const trial& alone : trials) {
    std::optional<trial> next = attempt(d, *alone.tried, peak);
    if (!next) continue;
    std::erase_if(taken, [&](const trial& earlier) { return undoes(next->tried->make, earlier.tried->make); });
    peak = next->peak;
    taken.push_back(std::move(*next));
    if (peak > capacity) continue;
    for (trial& t : taken) advice.together.push_back(std::move(t.what));
    advice.peak_together = peak;
    return;
  }
}

} // namespace

memory_advice advise_on_memory(const deployment& d, const memory_report& report) {
  std::vector<trial> trials;
  const auto try_all = [&](const auto& candidates) {
    for (const candidate& c : candidates) {
      deployment changed = d;
      if (std::optional<trial> t = attempt(changed, c, report.peak())) trials.push_back(std::move(*t));
    }
  };
  d.workload.is_training() ? try_all(for_training) : try_all(for_serving);
  const stage_memory& fullest = report.stages[report.fullest].memory;
  std::stable_sort(trials.begin(), trials.end(), [&](const trial& a, const trial& b) {
    const std::uint64_t of_a = bytes_of(fullest, a.tried->shrinks);
    const std::uint64_t of_b = bytes_of(fullest, b.tried->shrinks);
    if (of_a != of_b) return of_a > of_b;
    return a.tried->costs != b.tried->costs ? a.tried->costs < b.tried->costs : a.peak < b.peak;
  });
  memory_advice advice;
  for (const trial& t : trials) advice.alone.push_back({t.what, t.tried->in_words, t.peak});
  const std::uint64_t capacity = *report.capacity;
  const bool one_is_enough = std::any_of(trials.begin(), trials.end(), [&](const trial& t) { return t.peak <= capacity; });
  if (!one_is_enough) combine(advice, d, std::move(trials), report.peak(), capacity);
  return advice;
}

} // namespace tool
