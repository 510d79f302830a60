#pragma once

#include <cstddef>
#include <cstdint>

#include <moeplan/describe/deployment.hpp>
#include <moeplan/mesh/stage_layers.hpp>
#include <moeplan/number/sequence.hpp>
#include <moeplan/search/fit_trial.hpp>

/// @file
/// The least recomputation with which a training run fits.

namespace moeplan {

/// Full recompute of no more than this many layers of a virtual stage is looked at.
inline constexpr std::int64_t most_recomputed = 1024;

/// What to set in `training`.
struct recompute_choice {
  moeplan::recompute recompute = moeplan::recompute::none;
  moeplan::recompute_modules modules{};
  moeplan::recompute_method method = recompute_method::uniform;
  std::int64_t layers = 1;

  [[nodiscard]] constexpr training on(training t) const noexcept {
    t.recompute = recompute;
    t.recompute_modules = modules;
    t.recompute_method = method;
    t.recompute_layers = layers;
    return t;
  }

  friend constexpr bool operator==(const recompute_choice&, const recompute_choice&) noexcept = default;
};

/// What smallest_recompute() finds.
struct recompute_answer {
  fit_outcome outcome = fit_outcome::illegal;
  recompute_choice choice{}; ///< where none fits, the one that takes least
  bytes peak{};              ///< with it, on each rank of the fullest stage
  bytes missing{};           ///< more than a GPU has for it

  [[nodiscard]] constexpr bool found() const noexcept { return outcome == fit_outcome::found; }

  friend constexpr bool operator==(const recompute_answer&, const recompute_answer&) noexcept = default;
};

namespace detail {

inline constexpr recompute_modules no_modules{.core_attention = false};

/// The decoder layers of the virtual stage that has most of them. Precondition: a deployment that `check` accepts.
[[nodiscard]] constexpr std::int64_t most_layers_of_a_stage(const deployment& d) noexcept {
  std::int64_t most = 0;
  for (std::int64_t stage = 0; stage < virtual_stages(d.strategy, d.layout); ++stage) {
    const std::int64_t layers = contents(d.model, d.strategy, d.layout, stage).decoder_layers;
    if (layers > most) most = layers;
  }
  return most;
}

/// The modules that selective recompute can drop, in the order in which it takes one after another.
inline constexpr bool recompute_modules::*module_order[] = {&recompute_modules::moe_activation,
                                                            &recompute_modules::layer_norm,
                                                            &recompute_modules::latent_up_projection,
                                                            &recompute_modules::shared_experts,
                                                            &recompute_modules::core_attention,
                                                            &recompute_modules::mlp,
                                                            &recompute_modules::moe};
inline constexpr std::size_t module_count = sizeof module_order / sizeof *module_order;

[[nodiscard]] constexpr bool has_module(const model& m, bool recompute_modules::*module) noexcept {
  const bool experts = m.has_experts();
  if (module == &recompute_modules::moe_activation || module == &recompute_modules::moe) return experts;
  if (module == &recompute_modules::latent_up_projection) return m.attention.kind == attention_kind::latent;
  if (module == &recompute_modules::shared_experts) return experts && m.experts.shared_intermediate_size > 0;
  return module != &recompute_modules::mlp || m.dense_layers() > 0;
}

/// Whether a module is taken in its turn: it is one that the model has and that alone does not keep more than before.
[[nodiscard]] constexpr bool is_in_turn(const model& m, const kernels& k, bool recompute_modules::*module) noexcept {
  if (module == &recompute_modules::core_attention) return !k.flash_attention;
  if (module == &recompute_modules::layer_norm) return m.has_experts() || m.attention.kind == attention_kind::latent;
  return has_module(m, module);
}

/// The sets of modules that grow by one module after another; whole MoE layers include the two modules of theirs.
[[nodiscard]] constexpr sequence<recompute_modules, module_count> growing_selections(const model& m, const kernels& k) noexcept {
  sequence<recompute_modules, module_count> all;
  recompute_modules s = no_modules;
  for (const auto module : module_order) {
    if (!is_in_turn(m, k, module)) continue;
    if (module == &recompute_modules::moe) s.moe_activation = s.shared_experts = false;
    s.*module = true;
    all.push_back(s);
  }
  return all;
}

/// The set whose n-th module in the order above is that of bit n.
[[nodiscard]] constexpr recompute_modules selection_of(std::uint32_t bits) noexcept {
  recompute_modules s = no_modules;
  for (std::size_t i = 0; i < module_count; ++i) s.*module_order[i] = (bits >> i & 1) != 0;
  return s;
}

/// Whether a model has every module of a set, and none is part of another.
[[nodiscard]] constexpr bool is_selection_of(const model& m, const recompute_modules& s) noexcept {
  for (const auto module : module_order)
    if (s.*module && !has_module(m, module)) return false;
  return !s.moe || !(s.moe_activation || s.shared_experts);
}

/// Calls visit with sets of modules until it returns true: those that grow, then every other one, those of fewer modules first.
template <class Visit>
[[nodiscard]] constexpr bool visit_selections(const model& m, const kernels& k, Visit& visit) noexcept {
  const auto growing = growing_selections(m, k);
  for (const recompute_modules& s : growing)
    if (visit(s)) return true;
  const auto is_new = [&](const recompute_modules& s) {
    for (const recompute_modules& other : growing)
      if (other == s) return false;
    return is_selection_of(m, s);
  };
  for (int modules = 1; modules <= static_cast<int>(module_count); ++modules) {
    for (std::uint32_t bits = 1; bits < std::uint32_t{1} << module_count; ++bits) {
      if (__builtin_popcount(bits) != modules) continue;
      if (const recompute_modules s = selection_of(bits); is_new(s) && visit(s)) return true;
    }
  }
  return false;
}

/// Calls visit(const recompute_choice&) with what smallest_recompute() tries, in this order, until it returns true.
template <class Visit>
[[nodiscard]] constexpr bool visit_recomputes(const deployment& d, Visit&& visit) noexcept {
  if (visit(recompute_choice{.modules = no_modules})) return true;
  const auto selective = [&visit](const recompute_modules& modules) constexpr noexcept {
    return visit(recompute_choice{.recompute = recompute::selective, .modules = modules});
  };
  if (visit_selections(d.model, d.workload.train.kernels, selective)) return true;
  const std::int64_t all = most_layers_of_a_stage(d);
  const std::int64_t most = all < most_recomputed ? all : most_recomputed;
  for (std::int64_t layers = 1; layers < most; ++layers)
    if (visit(recompute_choice{recompute::full, no_modules, recompute_method::block, layers})) return true;
  for (std::int64_t layers = 1; layers <= most; ++layers)
    if (visit(recompute_choice{recompute::full, no_modules, recompute_method::uniform, layers})) return true;
  return false;
}

} // namespace detail

/// The least recompute with which a training run is legal and fits, everything else staying as it is: the first that fits of
/// - none,
/// - selective of one module after another, those before it included: the activation function of experts and norms, which multiply no
///   matrices; the up-projection of latent attention and shared experts, which are within a factor of two of each other in published
///   models; core attention, whose FLOPs grow with the square of the sequence, and only where it is not fused, since then the
///   probabilities are what is dropped (with flash attention the output is kept twice instead); the MLP of dense layers; whole MoE
///   layers, which multiply the most matrices and exchange tokens once more, and include the two modules of theirs,
/// - selective of every other set of modules that the model has, those of fewer modules first: what a module is computed again beside can
///   take more than it saves, most of all where exchanges between experts are overlapped, and full recompute may be illegal there,
/// - full by block, of 1 layer of each virtual stage, of 2, and so on,
/// - full, uniform, of all layers, in groups of 1, 2 and so on, each of which costs the same.
/// So where none of them fits, no recompute does.
///
/// The order is one of kinds; a single layer by block can cost less than the MoE layers of a whole model. Nothing is monotonous here: more
/// is computed again at once, beside what is kept. So each is tried, in this order.
template <int OnUse = 0>
[[nodiscard]] constexpr recompute_answer smallest_recompute(const deployment& d) noexcept {
  if (!d.workload.is_training()) return {};
  deployment c = d;
  recompute_answer least;
  (void)detail::visit_recomputes(
      d, [&c, &least ](const recompute_choice& choice) constexpr noexcept {
        c.workload.train = choice.on(c.workload.train);
        const detail::fit_trial t = detail::try_out<OnUse>(c);
        const bool better = t.fits() || (t.judged() && (least.outcome == fit_outcome::illegal || bytes{t.peak} < least.peak));
        if (better) least = {t.outcome, choice, bytes{t.peak}, bytes{t.missing}};
        if (t.outcome == fit_outcome::not_judged) least.outcome = t.outcome;
        return t.fits() || t.outcome == fit_outcome::not_judged || least.outcome == fit_outcome::illegal; // Without any recompute.
      });
  if (least.outcome == fit_outcome::lacks_memory && detail::most_layers_of_a_stage(d) > most_recomputed)
    least.outcome = fit_outcome::too_many;
  return least;
}

} // namespace moeplan
