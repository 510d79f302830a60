#pragma once

#include <moeplan/describe/deployment.hpp>
#include <moeplan/dialect/spelling.hpp>

/// @file
/// Members of training and serving that a framework has no flags for: a sentence for each that is not what a deployment takes by itself.

namespace moeplan::dialect {

/// "member: why", if the value is another one.
template <class T>
constexpr void note_unless(writing& out, const T& value, const T& by_default, text member, text why) noexcept {
  if (!(value == by_default)) out.cannot(member).append(text{": "}).append(why);
}

constexpr void note_reserve(writing& out, bytes reserve) noexcept {
  if (reserve != bytes{})
    out.cannot("reserve_bytes")
        .append(' ')
        .append(reserve.amount.bits)
        .append(text{": it is set aside by whoever reckons, not launched"});
}

/// What is no matter of launching at all.
constexpr void note_what_is_not_launched(writing& out, const training& t) noexcept {
  const training by_default{};
  constexpr text why = "it is what memory is reckoned for, and launches nothing";
  note_unless(out, t.routing.load, by_default.routing.load, "routing/load", why);
  note_unless(out, t.routing.busiest_share, by_default.routing.busiest_share, "routing/busiest_share", why);
  note_unless(out, t.assumptions, by_default.assumptions, "assumptions", why);
  note_reserve(out, t.reserve);
}

constexpr void note_fp8(writing& out, const training& t, text why) noexcept {
  note_unless(out, t.precision.fp8, fp8_recipe::none, "precision/fp8", why);
  note_unless(out, t.precision.fp8_weights, false, "precision/fp8_weights", why);
}

constexpr void note_kernels(writing& out, const training& t, text why) noexcept {
  const kernels by_default{};
  note_unless(out, t.kernels.flash_attention, by_default.flash_attention, "kernels/flash_attention", why);
  note_unless(out, t.kernels.fused_cross_entropy, by_default.fused_cross_entropy, "kernels/fused_cross_entropy", why);
  note_unless(out, t.kernels.fused_weight_gradient, by_default.fused_weight_gradient, "kernels/fused_weight_gradient", why);
  note_unless(out, t.kernels.attention_dropout, by_default.attention_dropout, "kernels/attention_dropout", why);
  note_unless(out, t.kernels.hidden_dropout, by_default.hidden_dropout, "kernels/hidden_dropout", why);
}

/// What recompute takes, as far as it is more than whether there is any.
constexpr void note_recomputed(writing& out, const training& t, text why) noexcept {
  const training by_default{};
  note_unless(out, t.recompute_modules, by_default.recompute_modules, "recompute_modules", why);
  note_unless(out, t.recompute_method, by_default.recompute_method, "recompute_method", why);
  if (t.recompute_layers != by_default.recompute_layers) out.cannot("recompute_layers", t.recompute_layers, why);
}

/// What a served checkpoint says by itself.
constexpr void note_checkpoint(writing& out, const serving& v, text why) noexcept {
  const serving by_default{};
  note_unless(out, v.weights, by_default.weights, "weights", why);
  note_unless(out, v.quantised, by_default.quantised, "quantised", why);
}

/// What no serving framework has a flag for.
constexpr void note_what_is_not_launched(writing& out, const serving& v) noexcept {
  note_unless(out, v.absorbed_projections, false, "absorbed_projections",
              "a serving framework decides on them by itself, from the format of the weights");
  note_reserve(out, v.reserve);
}

} // namespace moeplan::dialect
