// What tests of tables of tensors have in common.
#pragma once

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/llama.hpp>
#include <moeplan/memory/block_memories.hpp>

#include <string_view>

namespace moeplan_test {

constexpr moeplan::activation_shape shape_of(const moeplan::model& m, const moeplan::strategy& s, const moeplan::training& t) {
  return moeplan::activation_shape_of(m, moeplan::rank_model(m, s), s, t);
}

/// The sum of what the table of a block says.
constexpr moeplan::block_memory memory_of(moeplan::block kind, const moeplan::activation_shape& s) {
  const moeplan::block_steps steps = moeplan::steps_of(kind, s.rank.attention.kind);
  moeplan::block_timeline timeline{steps.backward, steps.end};
  moeplan::visit_tensors_of(kind, s, timeline);
  return timeline.summary();
}

/// Adds up the tensors that are alive at a step.
struct alive_at {
  std::uint16_t step = 0;
  moeplan::saturating_count bytes{};
  constexpr void operator()(const moeplan::tensor& t) noexcept {
    if (t.from <= step && step < t.until) bytes += moeplan::allocated(moeplan::bytes_of(t));
  }
};

constexpr moeplan::saturating_count bytes_at(std::uint16_t step, moeplan::block kind, const moeplan::activation_shape& s) {
  alive_at alive{.step = step};
  moeplan::visit_tensors_of(kind, s, alive);
  return alive.bytes;
}

/// How many tensors of a table have a name, and their bytes.
struct tensors_named {
  std::string_view name;
  int found = 0;
  moeplan::tensor last{};
  moeplan::saturating_count bytes{};
  constexpr void operator()(const moeplan::tensor& t) noexcept {
    if (name != t.name) return;
    ++found;
    last = t;
    bytes += moeplan::allocated(moeplan::bytes_of(t));
  }
};

constexpr tensors_named named(std::string_view name, moeplan::block kind, const moeplan::activation_shape& s) {
  tensors_named seen{.name = name};
  moeplan::visit_tensors_of(kind, s, seen);
  return seen;
}

struct well_formed {
  std::uint16_t end = 0;
  bool all = true;
  constexpr void operator()(const moeplan::tensor& t) noexcept {
    all = all && t.name[0] != '\0' && t.source[0] != '\0' && t.from < t.until && t.until <= end;
  }
};

/// Whether every tensor has a name, a source and a life, with and without whatever a run may choose.
constexpr bool is_well_formed(moeplan::block kind, const moeplan::model& m) {
  using namespace moeplan;
  bool all = true;
  const auto look = [&](const strategy& s, const training& t) {
    well_formed seen{.end = steps_of(kind, m.attention.kind).end};
    visit_tensors_of(kind, shape_of(m, s, t), seen);
    all = all && seen.all;
  };
  training t{.sequence_length = 4096, .dispatcher = token_dispatcher::all_to_all};
  look({tp{1}, dp{1}}, t);
  look({tp{4}, sp{4}, cp{2}, ep{4}, dp{4}}, t);
  t.kernels = {.flash_attention = false, .attention_dropout = true, .hidden_dropout = true};
  t.precision.fp8 = fp8_recipe::mxfp8;
  t.recompute = recompute::selective;
  t.recompute_modules = {
      .mlp = true, .moe = true, .moe_activation = true, .layer_norm = true, .latent_up_projection = true, .shared_experts = true};
  t.context = context_exchange::all_to_all;
  look({tp{4}, sp{4}, cp{2}, ep{4}, dp{4}}, t);
  t.recompute_modules.moe = false;
  t.dispatcher = token_dispatcher::all_gather;
  look({tp{4}, cp{2}, ep{4}, etp{2}, dp{4}}, t);
  return all;
}

/// With one part of every layer computed again.
constexpr moeplan::training recomputed(moeplan::training t, const moeplan::recompute_modules& modules) {
  t.recompute = moeplan::recompute::selective;
  t.recompute_modules = modules;
  return t;
}

} // namespace moeplan_test
