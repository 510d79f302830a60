#pragma once

#include <cstdint>

#include <moeplan/describe/deployment.hpp>
#include <moeplan/mesh/stage_layers.hpp>
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

/// Calls visit with sets of modules for selective recompute, each more than the one before, until it returns true. Modules that the
/// model does not have, or that would keep more, are left out.
template <class Visit>
[[nodiscard]] constexpr bool visit_selections(const model& m, const kernels& k, Visit& visit) noexcept {
  const bool latent = m.attention.kind == attention_kind::latent;
  const bool shared = m.has_experts() && m.experts.shared_intermediate_size > 0;
  recompute_modules s = no_modules;
  if (s.moe_activation = m.has_experts(); s.moe_activation && visit(s)) return true;
  if (s.layer_norm = m.has_experts() || latent; s.layer_norm && visit(s)) return true;
  if (s.latent_up_projection = latent; latent && visit(s)) return true;
  if (s.shared_experts = shared; shared && visit(s)) return true;
  if (s.core_attention = !k.flash_attention; s.core_attention && visit(s)) return true;
  if (s.mlp = m.dense_layers() > 0; s.mlp && visit(s)) return true;
  s.moe_activation = s.shared_experts = false; // They are part of the whole.
  s.moe = m.has_experts();
  return s.moe && visit(s);
}

} // namespace detail

/// The least recompute with which a training run is legal and fits, everything else staying as it is: the first that fits of
/// - none,
/// - selective of one module after another, those before it included: the activation function of experts and norms, which multiply no
///   matrices; the up-projection of latent attention and shared experts, which are within a factor of two of each other in published
///   models; core attention, whose FLOPs grow with the square of the sequence, and only where it is not fused, since then the
///   probabilities are what is dropped (with flash attention the output is kept twice instead); the MLP of dense layers; whole MoE
///   layers, which multiply the most matrices and exchange tokens once more, and include the two modules of theirs,
/// - full by block, of 1 layer of each virtual stage, of 2, and so on,
/// - full, uniform, of all layers, in groups of 1, 2 and so on, each of which costs the same.
///
/// The order is one of kinds; a single layer by block can cost less than the MoE layers of a whole model. Nothing is monotonous here: more
/// is computed again at once, beside what is kept. So each is tried, in this order.
template <int OnUse = 0>
[[nodiscard]] constexpr recompute_answer smallest_recompute(const deployment& d) noexcept {
  if (!d.workload.is_training()) return {};
  deployment c = d;
  recompute_answer least;
  const auto ends = [&c, &least ](const recompute_choice& choice) constexpr noexcept {
    c.workload.train = choice.on(c.workload.train);
    const detail::fit_trial t = detail::try_out<OnUse>(c);
    const bool better = t.fits() || (t.judged() && (least.outcome == fit_outcome::illegal || bytes{t.peak} < least.peak));
    if (better) least = {t.outcome, choice, bytes{t.peak}, bytes{t.missing}};
    if (t.outcome == fit_outcome::not_judged) least.outcome = t.outcome;
    return t.fits() || t.outcome == fit_outcome::not_judged;
  };
  if (ends({.modules = detail::no_modules}) || least.outcome == fit_outcome::illegal) return least;
  const auto selective = [&ends](const recompute_modules& modules) constexpr noexcept {
    return ends({.recompute = recompute::selective, .modules = modules});
  };
  if (detail::visit_selections(d.model, d.workload.train.kernels, selective)) return least;
  const std::int64_t all = detail::most_layers_of_a_stage(d);
  const std::int64_t most = all < most_recomputed ? all : most_recomputed;
  for (std::int64_t layers = 1; layers < most; ++layers)
    if (ends({recompute::full, detail::no_modules, recompute_method::block, layers})) return least;
  for (std::int64_t layers = 1; layers <= most; ++layers)
    if (ends({recompute::full, detail::no_modules, recompute_method::uniform, layers})) return least;
  if (most < all) least.outcome = fit_outcome::too_many;
  return least;
}

} // namespace moeplan
