#include <moeplan/multiprecision.hpp>

#include <cstdint>
#include <ostream>
#include <stdexcept>

#include <moeplan/catalog/llama.hpp>
#include <moeplan/cost/model_flops.hpp>
#include <moeplan/cost/training_flops.hpp>
#include <moeplan/number/uint256.hpp>

#include <doctest/doctest.h>

#include "cost/published_models.hpp"

using namespace moeplan;
using namespace moeplan_test;

namespace {

constexpr flops_convention megatron = flops_convention::megatron();

/// The pre-training of DeepSeek-V3: 14.8 T tokens (arXiv 2412.19437, section 1).
constexpr deployment pre_training{
    .model = deepseek_v3_without_mtp,
    .strategy = {pp{16}, ep{64}, dp{128}},
    .layout = layout::stages({15, 4}, {1, 1}),
    .workload = training{.global_batch = 3'613'281'250, .sequence_length = 4096, .recompute = recompute::full},
};

// In constant expressions.
static_assert(run_flops<wide>{pre_training, megatron}.of_step().model() == wide{14'800'000'000'000} * wide{249'812'054'016});
static_assert(flops_per_sequence<wide>(deepseek_v3_without_mtp, 4096, megatron).total() * 3 == wide{4096} * 249'812'054'016);

static_assert(noexcept(flops_per_sequence(deepseek_v3_without_mtp, 4096)));
static_assert(noexcept(run_flops<>{pre_training}.of_step().hardware()));
static_assert(noexcept(run_flops<uint256>{pre_training}.of_step().hardware()));
static_assert(!noexcept(flops_per_sequence<wide>(deepseek_v3_without_mtp, 4096)));
static_assert(!noexcept(run_flops<wide>{pre_training}.of_step().hardware()));

} // namespace

TEST_CASE("a run outgrows a count and fits the wider integers, all with the same number") {
  CHECK(run_flops<>{pre_training, megatron}.of_step().model().overflowed());
  const training_flops<uint256> run = run_flops<uint256>{pre_training, megatron}.of_step();
  CHECK(run.model() == uint256{count{14'800'000'000'000}} * uint256{count{249'812'054'016}});
  const unbounded hardware = run_flops<unbounded>{pre_training, megatron}.of_step().hardware();
  CHECK(unbounded{run_flops<wide>{pre_training, megatron}.of_step().hardware()} == hardware);
  CHECK(unbounded{run.hardware().low} == hardware);
  CHECK(run.hardware().high == 0);
}

TEST_CASE("the core attention of a sequence of 2^40 tokens, and of 2^60") {
  const model& m = catalog::llama_3_1_405b;
  const std::int64_t long_sequence = std::int64_t{1} << 40;
  CHECK(flops_per_sequence(m, long_sequence).core_attention.overflowed());
  // 126 layers, 128 heads, keys and values of 128: twice 2^39 (2^40 + 1) pairs.
  const unbounded pairs = (unbounded{1} << 39) * ((unbounded{1} << 40) + 1);
  CHECK(flops_per_sequence<unbounded>(m, long_sequence).core_attention == 2 * pairs * 126 * 128 * 256);
  CHECK(unbounded{flops_per_sequence<wide>(m, long_sequence).core_attention} == 2 * pairs * 126 * 128 * 256);
  const std::int64_t longer = std::int64_t{1} << 60;
  CHECK_THROWS_AS(static_cast<void>(flops_per_sequence<wide>(m, longer)), std::overflow_error);
  const unbounded more_pairs = (unbounded{1} << 59) * ((unbounded{1} << 60) + 1);
  CHECK(flops_per_sequence<unbounded>(m, longer).core_attention == 2 * more_pairs * 126 * 128 * 256);
}
