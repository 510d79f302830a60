// The same functions on integers that cannot overflow.
#include <moeplan/memory/rank_model.hpp>
#include <moeplan/memory/stage_parts.hpp>
#include <moeplan/memory/states.hpp>
#include <moeplan/multiprecision.hpp>

#include <doctest/doctest.h>

#include "memory/legal_strategies.hpp"

using namespace moeplan;

namespace {

bool same(const count& narrow, const unbounded& n) { return !narrow.overflowed() && n == narrow.value(); }

bool same(const parameter_group<>& a, const parameter_group<unbounded>& b) {
  return same(a.linear, b.linear) && same(a.routers, b.routers) && same(a.others, b.others) && same(a.buffers, b.buffers) &&
         same(a.total(), b.total());
}

bool same(const model_states<>& a, const model_states<unbounded>& b) {
  return same(a.weights, b.weights) && same(a.quantised_weights, b.quantised_weights) && same(a.gradients, b.gradients) &&
         same(a.optimizer, b.optimizer) && same(a.host, b.host);
}

const training trainings[] = {
    {},
    {.optimizer = optimizer::muon, .sharding = sharding::optimizer},
    {.precision = {.fp8 = fp8_recipe::blockwise}, .sharding = sharding::gradients, .optimizer_offload = {1, 3}},
    {.precision = {.weights = number_type::fp4, .fp8 = fp8_recipe::mxfp8, .fp8_weights = true},
     .sharding = sharding::parameters,
     .assumptions = assumptions::memory_analysis()},
};

} // namespace

TEST_CASE("parts, stages and states are the same in any integer type") {
  const int found = moeplan_test::for_legal_deployments([](const char* name, const deployment& d) {
    CAPTURE(name);
    const model rank = rank_model(d.model, d.strategy);
    for (const training& t : trainings) {
      const auto narrow = parts_of_rank(d.model, rank, d.strategy, t.vocabulary_multiple, t.assumptions);
      const auto wide_parts = parts_of_rank<unbounded>(d.model, rank, d.strategy, t.vocabulary_multiple, t.assumptions);
      for (std::int64_t i = 0; i < virtual_stages(d.strategy, d.layout); ++i) {
        const stage_parts n = parts_of_stage(d.model, contents(d.model, d.strategy, d.layout, i));
        const auto a = parameters_of_stage(narrow, n);
        const auto b = parameters_of_stage(wide_parts, n);
        CHECK(same(a.dense, b.dense));
        CHECK(same(a.experts, b.experts));
        CHECK(same(states_of(a.dense, t, 48), states_of(b.dense, t, 48)));
        CHECK(same(states_of(a.experts, t, 3), states_of(b.experts, t, 3)));
      }
    }
  });
  CHECK(found > 1000);
}

TEST_CASE("states beyond 64 bits") {
  const unbounded n = unbounded{1} << 80;
  const auto b = states_of(parameter_group<unbounded>{.linear = n}, training{.sharding = sharding::optimizer}, 3);
  CHECK(b.weights == 2 * n);
  CHECK(b.optimizer == 12 * ((n + 2) / 3));
  static_assert(states_of(parameter_group<wide>{.linear = wide{1} << 80}, training{}, 1).weights == wide{1} << 81);
}
