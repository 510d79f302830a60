#include <moeplan/memory/state_source.hpp>

#include <doctest/doctest.h>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr state_kind kinds[] = {state_kind::weights,       state_kind::router_biases, state_kind::quantised_weights,
                                state_kind::weight_scales, state_kind::gradients,     state_kind::master_weights,
                                state_kind::first_moments, state_kind::second_moments};

constexpr bool same(const char* a, const char* b) { return text{a} == text{b}; }

/// Remembers which kinds were visited.
struct visited_kinds {
  bool any[16]{};
  constexpr void operator()(state_kind kind, count, number_type) noexcept { any[static_cast<std::size_t>(kind)] = true; }
};

} // namespace

BOTH_TIMES("every state has a name of its own", [] {
  for (const state_kind a : kinds)
    for (const state_kind b : kinds) EXPECT(same(name_of(a), name_of(b)) == (a == b));
  EXPECT(same(name_of(state_kind::none), ""));
});

BOTH_TIMES("whatever an optimizer keeps has a source, with every sharding", [] {
  for (const optimizer kind : {optimizer::adam, optimizer::sgd_momentum, optimizer::muon, optimizer::none})
    for (const sharding s : {sharding::none, sharding::optimizer, sharding::gradients, sharding::parameters}) {
      training t{.optimizer = kind, .sharding = s};
      t.precision.fp8 = fp8_recipe::blockwise;
      visited_kinds visited;
      visit_states<count>({.linear = 1000, .routers = 100, .others = 10, .buffers = 1}, t, 4, visited);
      for (const state_kind state : kinds)
        if (visited.any[static_cast<std::size_t>(state)]) EXPECT(*source_of(state, t) != 0);
    }
});

BOTH_TIMES("sharding decides who allocates", [] {
  const training whole{};
  training zero1{};
  zero1.sharding = sharding::optimizer;
  training fsdp{};
  fsdp.sharding = sharding::parameters;
  EXPECT(same(source_of(state_kind::gradients, whole), "param_and_grad_buffer.py _ParamAndGradBuffer.grad_data"));
  EXPECT(same(source_of(state_kind::weights, zero1), "param_and_grad_buffer.py _ParamAndGradBuffer.param_data"));
  EXPECT(same(source_of(state_kind::master_weights, whole), "optimizer.py Float16OptimizerWithFloat16Params"));
  EXPECT(same(source_of(state_kind::master_weights, zero1), "distrib_optimizer.py _build_model_and_main_param_groups"));
  EXPECT(same(source_of(state_kind::weights, fsdp), "fully_shard, _fsdp_param.py _init_sharded_param"));
});
