#include <moeplan/search/fit_recompute.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "search/random_fits.hpp"

using namespace moeplan;
using moeplan_test::fits;
using moeplan_test::for_random_fits;

namespace {

deployment with_choice(deployment d, const recompute_choice& c) {
  d.workload.train = c.on(d.workload.train);
  return d;
}

constexpr bool recompute_modules::*all_modules[] = {&recompute_modules::moe_activation,
                                                    &recompute_modules::layer_norm,
                                                    &recompute_modules::latent_up_projection,
                                                    &recompute_modules::shared_experts,
                                                    &recompute_modules::core_attention,
                                                    &recompute_modules::mlp,
                                                    &recompute_modules::moe};

/// Every set of modules, those of fewer modules first, whether a model has them or not.
std::vector<recompute_modules> all_sets() {
  std::vector<recompute_modules> all;
  for (unsigned size = 1; size <= 7; ++size)
    for (unsigned set = 1; set < 128; ++set) {
      recompute_modules s{.core_attention = false};
      unsigned taken = 0;
      for (unsigned i = 0; i < 7; ++i)
        if ((set & 1U << i) != 0) s.*all_modules[i] = true, ++taken;
      if (taken == size) all.push_back(s);
    }
  return all;
}

/// What the documentation says, written down once more.
std::vector<recompute_choice> candidates(const deployment& d) {
  std::vector<recompute_choice> all;
  const recompute_modules none{.core_attention = false};
  all.push_back({.modules = none});
  recompute_modules m = none;
  const auto add = [&all, &m](bool has, bool recompute_modules::*module) {
    if (!has) return;
    m.*module = true;
    all.push_back({.recompute = recompute::selective, .modules = m});
  };
  const bool experts = d.model.experts.routed > 0;
  const bool shared = experts && d.model.experts.shared_intermediate_size > 0;
  const bool latent = d.model.attention.kind == attention_kind::latent;
  add(experts, &recompute_modules::moe_activation);
  add(experts || latent, &recompute_modules::layer_norm);
  add(latent, &recompute_modules::latent_up_projection);
  add(shared, &recompute_modules::shared_experts);
  add(!d.workload.train.kernels.flash_attention, &recompute_modules::core_attention);
  add(d.model.dense_layers() > 0, &recompute_modules::mlp);
  m.moe_activation = m.shared_experts = false;
  add(experts, &recompute_modules::moe);
  for (const recompute_modules& set : all_sets()) {
    const recompute_choice other{.recompute = recompute::selective, .modules = set};
    const bool lacks = (!experts && (set.moe || set.moe_activation)) || (!shared && set.shared_experts) ||
                       (!latent && set.latent_up_projection) || (d.model.dense_layers() == 0 && set.mlp);
    const bool twice = set.moe && (set.moe_activation || set.shared_experts);
    if (!lacks && !twice && std::find(all.begin(), all.end(), other) == all.end()) all.push_back(other);
  }
  std::int64_t layers = 0;
  for (std::int64_t stage = 0; stage < virtual_stages(d.strategy, d.layout); ++stage) {
    const std::int64_t here = contents(d.model, d.strategy, d.layout, stage).decoder_layers;
    layers = here > layers ? here : layers;
  }
  for (std::int64_t l = 1; l < layers; ++l) all.push_back({recompute::full, none, recompute_method::block, l});
  for (std::int64_t l = 1; l <= layers; ++l) all.push_back({recompute::full, none, recompute_method::uniform, l});
  return all;
}

} // namespace

TEST_CASE("the least recomputation is the first that fits") {
  int found = 0;
  int selective = 0;
  int full = 0;
  int lacking = 0;
  const auto set = [](deployment& d, std::mt19937_64& bits) {
    if (!d.workload.is_training()) return;
    d.workload.train.recompute = static_cast<recompute>(bits() % 3);
    if (d.workload.train.recompute_layers < 1) d.workload.train.recompute_layers = 1;
    d.workload.train.recompute_modules.core_attention = false;
  };
  for_random_fits(5, 1500, set, [&](const deployment& d, std::mt19937_64&) {
    const recompute_answer a = smallest_recompute(d);
    if (!d.workload.is_training()) {
      CHECK(a == recompute_answer{});
      return;
    }
    if (a.outcome == fit_outcome::illegal || a.outcome == fit_outcome::not_judged) {
      for (const recompute r : {recompute::none, recompute::selective, recompute::full})
        CHECK_FALSE(fits(with_choice(d, {.recompute = r})));
      return;
    }
    const std::vector<recompute_choice> all = candidates(d);
    std::size_t first = 0;
    bytes least{};
    while (first < all.size() && !fits(with_choice(d, all[first]))) {
      const findings f = check(with_choice(d, all[first]));
      if (f.facts.knows(known::memory) && (least == bytes{} || bytes{f.facts.peak_bytes} < least))
        least = bytes{f.facts.peak_bytes};
      ++first;
    }
    CHECK(a.found() == (first < all.size()));
    if (!a.found()) {
      CHECK(a.peak == least);
      CHECK(a.missing > bytes{});
      ++lacking;
      return;
    }
    CHECK(a.choice == all[first]);
    CHECK(a.peak == bytes{check(with_choice(d, a.choice)).facts.peak_bytes});
    ++found;
    selective += a.choice.recompute == recompute::selective ? 1 : 0;
    full += a.choice.recompute == recompute::full ? 1 : 0;
  });
  CHECK(found > 400);
  CHECK(selective > 40);
  CHECK(full > 40);
  CHECK(lacking > 20);
}

TEST_CASE("where no recomputation is found none fits, of any modules and any layers") {
  int lacking = 0;
  int overlapped = 0;
  int out_of_turn = 0;
  const std::vector<recompute_modules> sets = all_sets();
  const auto set = [&sets](deployment& d, std::mt19937_64& bits) {
    if (!d.workload.is_training()) return;
    d.workload.train.recompute = recompute::selective;
    d.workload.train.recompute_modules = sets[bits() % sets.size()];
  };
  for_random_fits(7, 12000, set, [&](const deployment& d, std::mt19937_64&) {
    if (!d.workload.is_training()) return;
    const recompute_answer a = smallest_recompute(d);
    if (a.outcome == fit_outcome::illegal || a.outcome == fit_outcome::not_judged) return;
    const bool overlaps = d.workload.train.overlap.expert_parallel;
    if (a.found()) {
      const auto growing = detail::growing_selections(d.model, d.workload.train.kernels);
      out_of_turn += a.choice.recompute == recompute::selective &&
                     std::find(growing.begin(), growing.end(), a.choice.modules) == growing.end();
      return;
    }
    ++lacking;
    overlapped += overlaps;
    for (const recompute_modules& modules : sets)
      CHECK_FALSE(fits(with_choice(d, {.recompute = recompute::selective, .modules = modules})));
    if (overlaps) return; // No full recompute is legal then.
    const std::int64_t layers = detail::most_layers_of_a_stage(d);
    for (std::int64_t l = 1; l <= layers + 1; ++l)
      for (const recompute_method method : {recompute_method::block, recompute_method::uniform})
        CHECK_FALSE(fits(with_choice(d, {recompute::full, {}, method, l})));
  });
  CHECK(lacking > 300);
  CHECK(overlapped > 100);
  CHECK(out_of_turn > 50);
}

TEST_CASE("full recomputation of every layer by block is uniform recomputation in groups of one") {
  for_random_fits(
      6, 300, [](deployment&, std::mt19937_64&) {},
      [](const deployment& d, std::mt19937_64&) {
        // Modules of multi-token prediction are computed again by the second alone.
        if (!d.workload.is_training() || !check(d).facts.knows(known::memory) || d.model.mtp_layers > 0) return;
        const std::int64_t layers = detail::most_layers_of_a_stage(d);
        const findings by_block = check(with_choice(d, {recompute::full, {}, recompute_method::block, layers}));
        const findings uniform = check(with_choice(d, {recompute::full, {}, recompute_method::uniform, 1}));
        CHECK(by_block.facts.peak_bytes == uniform.facts.peak_bytes);
      });
}
