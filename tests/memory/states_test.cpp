#include <moeplan/memory/states.hpp>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/memory/rank_model.hpp>
#include <moeplan/memory/stage_parts.hpp>

#include <ostream>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr sharding steps[] = {sharding::none, sharding::optimizer, sharding::gradients, sharding::parameters};

constexpr count all_bytes(const model_states<>& b) { return b.weights + b.quantised_weights + b.gradients + b.optimizer + b.host; }

/// Bytes of a number of parameters.
constexpr count bytes_of_parameters(std::int64_t n, const training& t, std::int64_t ranks = 1) {
  return all_bytes(states_of(parameter_group<>{.others = n}, t, ranks));
}

/// With one after another of what can be sharded.
constexpr training sharded(training t, sharding s) {
  t.sharding = s;
  return t;
}

constexpr precision all_fp16{.weights = number_type::fp16, .gradients = number_type::fp16};

/// Amounts as a table prints them, rounded half up: printed(31'406'250'000, 100'000'000) is 314 tenths of a GB.
constexpr std::uint64_t printed(count n, std::uint64_t unit) { return (n.value() + unit / 2) / unit; }

BOTH_TIMES("ZeRO on 7.5 billion parameters (arXiv 1910.02054, table 1), to the digits printed", [] {
  struct line {
    std::int64_t ranks;
    std::uint64_t in_tenths[2];  ///< of a GB: optimizer sharded; gradients too
    std::uint64_t in_hundredths; ///< parameters too
  };
  constexpr line lines[] = {{1, {1200, 1200}, 12000}, {4, {525, 413}, 3000}, {16, {356, 216}, 750},
                            {64, {314, 166}, 188},    {256, {304, 154}, 47}, {1024, {301, 151}, 12}};
  const training t{.precision = all_fp16};
  for (const line& l : lines) {
    const auto total = [&](sharding s) { return bytes_of_parameters(7'500'000'000, sharded(t, s), l.ranks); };
    EXPECT(total(sharding::none) == 120'000'000'000);
    EXPECT(printed(total(sharding::optimizer), 100'000'000) == l.in_tenths[0]);
    EXPECT(printed(total(sharding::gradients), 100'000'000) == l.in_tenths[1]);
    EXPECT(printed(total(sharding::parameters), 10'000'000) == l.in_hundredths);
  }
});

BOTH_TIMES("ZeRO, exactly", [] {
  const training t{.precision = all_fp16};
  const auto total = [&](std::int64_t billions, std::int64_t ranks, sharding s) {
    return bytes_of_parameters(billions * 1'000'000'000, sharded(t, s), ranks);
  };
  EXPECT(bytes_of_parameters(7'500'000'000, sharded(t, sharding::optimizer), 64) == 31'406'250'000);
  EXPECT(bytes_of_parameters(7'500'000'000, sharded(t, sharding::gradients), 64) == 16'640'625'000);
  EXPECT(bytes_of_parameters(7'500'000'000, sharded(t, sharding::parameters), 256) == 468'750'000);
  // 128 billion and a trillion.
  EXPECT(total(128, 64, sharding::optimizer) == 536'000'000'000);
  EXPECT(total(128, 64, sharding::gradients) == 284'000'000'000);
  EXPECT(total(128, 64, sharding::parameters) == 32'000'000'000);
  EXPECT(total(128, 1024, sharding::optimizer) == 513'500'000'000);
  EXPECT(total(128, 1024, sharding::gradients) == 257'750'000'000);
  EXPECT(total(128, 1024, sharding::parameters) == 2'000'000'000);
  EXPECT(total(1000, 64, sharding::optimizer) == 4'187'500'000'000);
  EXPECT(total(1000, 64, sharding::gradients) == 2'218'750'000'000);
  EXPECT(total(1000, 64, sharding::parameters) == 250'000'000'000);
  EXPECT(total(1000, 1024, sharding::optimizer) == 4'011'718'750'000);
  EXPECT(total(1000, 1024, sharding::gradients) == 2'013'671'875'000);
  EXPECT(total(1000, 1024, sharding::parameters) == 15'625'000'000);
});

/// Bytes of 6720 parameters, which every number of ranks here divides, per 6720.
constexpr count bytes_a_parameter(const precision& p, sharding s, std::int64_t ranks, std::int64_t times = 1) {
  return count{times} * bytes_of_parameters(6720, {.precision = p, .sharding = s}, ranks) / 6720;
}

BOTH_TIMES("Megatron-LM's bytes a parameter (docs/user-guide/features/dist_optimizer.md)", [] {
  constexpr precision bf16{}; // with fp32 gradients
  constexpr precision fp32{.weights = number_type::fp32};
  constexpr precision bf16_moments{.first_moment = number_type::bf16, .second_moment = number_type::bf16};
  EXPECT(bytes_a_parameter(bf16, sharding::none, 8) == 18);
  EXPECT(bytes_a_parameter(fp32, sharding::none, 8) == 16);
  for (const std::int64_t d : {1, 2, 3, 7, 8, 32, 64}) {
    EXPECT(bytes_a_parameter(bf16, sharding::optimizer, d, d) == 6 * d + 12);
    EXPECT(bytes_a_parameter(fp32, sharding::optimizer, d, d) == 8 * d + 8);
    EXPECT(bytes_a_parameter(bf16_moments, sharding::optimizer, d, d) == 6 * d + 8); // precision-aware optimizer
  }
  EXPECT(bytes_a_parameter(bf16_moments, sharding::optimizer, 8, 2) == 14);
  EXPECT(bytes_a_parameter(bf16_moments, sharding::optimizer, 32, 8) == 50);
});

BOTH_TIMES("Megatron-LM's fp16 row has 4 bytes more that are there only during the step", [] {
  // 20, and 4 + 16 / d: the fp16 gradients' copy in fp32 (optimizer.py, _copy_model_grads_to_main_grads; distrib_optimizer.py), which is
  // made after the last backward pass and gone before the next. ZeRO's 16 and 4 + 12 / d are without it.
  EXPECT(bytes_a_parameter(all_fp16, sharding::none, 8) == 20 - 4);
  for (const std::int64_t d : {1, 2, 3, 7, 8, 32, 64})
    EXPECT(bytes_a_parameter(all_fp16, sharding::optimizer, d, d) == 4 * d + 16 - 4);
});

/// Four layers of experts in the middle of a pipeline, on a rank of TP 2, EP 8, DP 32, EDP 8 (arXiv 2502.07846, section 4).
constexpr count memory_analysis(const model& m, sharding s) {
  const strategy degrees{tp{2}, pp{16}, ep{8}, dp{32}};
  const training t{.precision = {.first_moment = number_type::bf16, .second_moment = number_type::bf16},
                   .sharding = s,
                   .assumptions = assumptions::memory_analysis()};
  const auto p = parameters_of_stage(parts_of_rank(m, rank_model(m, degrees), degrees, 0, t.assumptions),
                                     parts_of_stage(m, contents(m, degrees, layout::stages({15, 4}, {1, 1}), 7)));
  return all_bytes(states_of(p.dense, t, 32)) + all_bytes(states_of(p.experts, t, 8));
}

BOTH_TIMES("DeepSeek-V3 under ZeRO, with a number of ranks for each grid (arXiv 2502.07846, table 8)", [] {
  model m = catalog::deepseek_v3;
  m.experts.selection_bias = false; // the paper does not count it
  EXPECT(memory_analysis(m, sharding::none) == 87'505'108'992);
  EXPECT(memory_analysis(m, sharding::optimizer) == 43'430'264'832);
  EXPECT(memory_analysis(m, sharding::gradients) == 21'392'842'752);
  EXPECT(memory_analysis(m, sharding::parameters) == 10'374'131'712);
  // 4 x 256 correction biases in fp32, on every rank however the rest is sharded.
  for (const sharding s : steps) EXPECT(memory_analysis(catalog::deepseek_v3, s) == memory_analysis(m, s) + 4096);
});

BOTH_TIMES("what goes where", [] {
  const parameter_group<> g{.linear = 1000, .routers = 200, .others = 34, .buffers = 7};
  const auto b = states_of(g, training{}, 1);
  EXPECT(b == model_states<>{.weights = 2 * 1234 + 4 * 7, .gradients = 4 * 1234, .optimizer = 12 * 1234});
  const auto sgd = states_of(g, training{.optimizer = optimizer::sgd_momentum}, 1);
  EXPECT(sgd.optimizer == 8 * 1234); // master weights and one moment
  const auto none = states_of(g, training{.optimizer = optimizer::none}, 1);
  EXPECT(none == model_states<>{.weights = 2 * 1234 + 4 * 7, .gradients = 4 * 1234});
  const auto frozen = states_of(g, training{.precision = {.gradients = number_type::none}, .optimizer = optimizer::none}, 1);
  EXPECT(frozen == model_states<>{.weights = 2 * 1234 + 4 * 7});
});

BOTH_TIMES("muon has one moment for matrices and two for the rest", [] {
  const parameter_group<> g{.linear = 1000, .routers = 200, .others = 34};
  const auto b = states_of(g, training{.optimizer = optimizer::muon}, 1);
  EXPECT(b.optimizer == 8 * 1200 + 12 * 34);
  const auto shared = states_of(g, training{.optimizer = optimizer::muon, .sharding = sharding::optimizer}, 2);
  EXPECT(shared.optimizer == 8 * 600 + 12 * 17);
});

BOTH_TIMES("each sharded part is rounded up", [] {
  // 10 parameters on 4 ranks: 3 each at most.
  const parameter_group<> g{.others = 10, .buffers = 10};
  const auto with = [&g](sharding s) { return states_of(g, training{.sharding = s}, 4); };
  EXPECT(with(sharding::none) == model_states<>{.weights = 20 + 40, .gradients = 40, .optimizer = 120});
  EXPECT(with(sharding::optimizer) == model_states<>{.weights = 20 + 40, .gradients = 40, .optimizer = 36});
  EXPECT(with(sharding::gradients) == model_states<>{.weights = 20 + 40, .gradients = 12, .optimizer = 36});
  EXPECT(with(sharding::parameters) == model_states<>{.weights = 6 + 40, .gradients = 12, .optimizer = 36});
});

BOTH_TIMES("numbers of less than a byte share one", [] {
  const parameter_group<> g{.others = 5};
  const training t{.precision = {.weights = number_type::fp4, .gradients = number_type::none}, .optimizer = optimizer::none};
  EXPECT(states_of(g, t, 1).weights == 3);
  EXPECT(states_of(parameter_group<>{.others = 6}, t, 1).weights == 3);
  EXPECT(states_of(parameter_group<>{}, t, 1).weights == 0);
});

BOTH_TIMES("FP8 copies of linear layers, in rows and in columns, with their scales", [] {
  const parameter_group<> g{.linear = 3 * 16384, .routers = 100, .others = 100};
  const auto copies = [&g](fp8_recipe r) { return states_of(g, training{.precision = {.fp8 = r}}, 1).quantised_weights; };
  EXPECT(copies(fp8_recipe::none) == 0);
  EXPECT(copies(fp8_recipe::tensorwise) == 2 * 49152);
  EXPECT(copies(fp8_recipe::delayed) == 2 * 49152);
  EXPECT(copies(fp8_recipe::blockwise) == 2 * (49152 + 3 * 4)); // three blocks of 128 x 128
  EXPECT(copies(fp8_recipe::mxfp8) == 2 * (49152 + 1536));      // one byte for 32
  // The weights themselves are still there.
  EXPECT(states_of(g, training{.precision = {.fp8 = fp8_recipe::mxfp8}}, 1).weights == 2 * (49152 + 200));
});

BOTH_TIMES("FP8 copies in place of the weights", [] {
  const parameter_group<> g{.linear = 3 * 16384, .routers = 100, .others = 100};
  const training t{.precision = {.fp8 = fp8_recipe::blockwise, .fp8_weights = true}};
  const auto b = states_of(g, t, 1);
  EXPECT(b.weights == 2 * 200);
  EXPECT(b.quantised_weights == 2 * (49152 + 12));
  EXPECT(b.gradients == 4 * 49352);
  EXPECT(b.optimizer == 12 * 49352);
  // Without a recipe there is nothing in FP8.
  EXPECT(states_of(g, training{.precision = {.fp8_weights = true}}, 1) == states_of(g, training{}, 1));
  // They are sharded where parameters are.
  EXPECT(states_of(g, sharded(t, sharding::parameters), 3).quantised_weights == 2 * (16384 + 4));
  EXPECT(states_of(g, sharded(t, sharding::gradients), 3).quantised_weights == b.quantised_weights);
});

BOTH_TIMES("a master copy in the type of the weights is the weights, unless those are quantised", [] {
  const parameter_group<> g{.linear = 100};
  EXPECT(states_of(g, training{.precision = {.weights = number_type::fp32}}, 1).optimizer == 8 * 100);
  EXPECT(states_of(g, training{.precision = {.master_weights = number_type::bf16}}, 1).optimizer == 8 * 100);
  const precision only_fp8{.master_weights = number_type::bf16, .fp8 = fp8_recipe::tensorwise, .fp8_weights = true};
  EXPECT(states_of(g, training{.precision = only_fp8}, 1).optimizer == (2 + 8) * 100);
});

BOTH_TIMES("offload moves a share of the optimizer's states and adds nothing", [] {
  const parameter_group<> g{.others = 1001};
  const auto with = [&g](ratio share) { return states_of(g, training{.optimizer_offload = share}, 1); };
  EXPECT(with(ratio{0}).host == 0);
  EXPECT(with(ratio{1}).host == 12 * 1001 && with(ratio{1}).optimizer == 0);
  EXPECT(with({1, 2}).host == 6 * 1001);
  // Cut off in each of the three tensors of 4004 bytes: the part on the GPU is not the smaller for rounding.
  EXPECT(with({1, 5}).host == 3 * 800 && with({1, 5}).optimizer == 12012 - 3 * 800);
  EXPECT(with({1, 2}).weights == with(ratio{0}).weights && with({1, 2}).gradients == with(ratio{0}).gradients);
});

BOTH_TIMES("states add up member by member", [] {
  model_states<> b{1, 2, 3, 4, 5};
  b += {10, 20, 30, 40, 50};
  EXPECT(b == model_states<>{11, 22, 33, 44, 55});
});

static_assert(noexcept(states_of(parameter_group<>{}, training{}, 1)));

} // namespace

TEST_CASE("bytes that do not fit say so") {
  const parameter_group<> g{.others = std::uint64_t{1} << 61};
  const auto b = states_of(g, training{.optimizer_offload = {1, 2}}, 1);
  CHECK(b.weights == std::uint64_t{1} << 62);
  CHECK(b.gradients == std::uint64_t{1} << 63);
  CHECK(b.optimizer == std::uint64_t{3} << 62); // half of three tensors of 2^63 bytes
  CHECK(b.host == std::uint64_t{3} << 62);
  const auto more = states_of(parameter_group<>{.others = std::uint64_t{1} << 62}, training{.optimizer_offload = {1, 2}}, 1);
  CHECK(more.gradients.overflowed());
  CHECK(more.optimizer.overflowed());
  CHECK(more.host.overflowed());
  // All of it is elsewhere: nothing is here, however much that is.
  const auto elsewhere = states_of(parameter_group<>{.others = std::uint64_t{1} << 62}, training{.optimizer_offload = {3, 3}}, 1);
  CHECK(elsewhere.host.overflowed());
  CHECK(elsewhere.optimizer == 0);
}
