#include <moeplan/verify/rules/batch.hpp>

#include "rule_cases.hpp"

using namespace moeplan;
using namespace moeplan_test;

namespace {

template <class Change>
constexpr deployment when(Change change) {
  return changed(trained, [&change](deployment& d) { change(d.workload.train); });
}
template <class Change>
constexpr deployment serving_when(Change change) {
  return changed(served, [&change](deployment& d) { change(d.workload.serve); });
}

constexpr rule_case cases[] = {
    {rule::micro_batch_is_at_least_1, when([](auto& t) { t.micro_batch = 1; }), when([](auto& t) { t.micro_batch = 0; }), {0}, {1}},
    // One micro-batch of 2 on each of DP 4, and where virtual stages are interleaved as many as PP 2.
    {rule::global_batch_is_at_least_1,
     when([](auto& t) { t.global_batch = {}; }),
     when([](auto& t) { t.global_batch = 0, t.schedule = schedule::gpipe; }),
     {0},
     {8}},
    {rule::global_batch_is_at_least_1,
     when([](auto& t) { t.global_batch = 1; }),
     when([](auto& t) { t.global_batch = 0; }),
     {0},
     {16}},
    {rule::global_batch_is_at_least_1, served, when([](auto& t) { t.global_batch = -64, t.micro_batch = 0; }), {-64}, {1}},
    {rule::batch_is_at_least_1, served, serving_when([](auto& s) { s.batch = 0; }), {0}, {1}},
    {rule::sequence_length_is_at_least_1, trained, when([](auto& t) { t.sequence_length = 0; }), {0}},
    {rule::sequence_length_is_at_least_1, served, serving_when([](auto& s) { s.sequence_length = -1; }), {-1}},
    {rule::global_batch_divides_by_dp,
     when([](auto& t) { t.global_batch = {}; }),
     when([](auto& t) { t.global_batch = 60; }),
     {60, 2, 4},
     {48, 64}},
    {rule::global_batch_divides_by_dp,
     in(profile::universal, when([](auto& t) { t.global_batch = 56; })),
     in(profile::universal, when([](auto& t) { t.global_batch = 60; })),
     {60, 2, 4},
     {56, 64}},
    {rule::global_batch_divides_by_dp,
     when([](auto& t) { t.global_batch = 8; }),
     when([](auto& t) { t.global_batch = 4; }),
     {4, 2, 4},
     {16}},
    // Micro-batch x DP exceeds 64 bits: no batch is large enough.
    {rule::global_batch_divides_by_dp, trained, when([](auto& t) { t.micro_batch = INT64_MAX; }), {64, INT64_MAX, 4}},
    {rule::sequence_fits_positions,
     when([](auto& t) { t.sequence_length = 4096; }),
     when([](auto& t) { t.sequence_length = 8192; }),
     {8192, 4096},
     {4096}},
    {rule::sequence_fits_positions,
     changed(served, [](auto& d) { d.workload.serve.sequence_length = 8192, d.model.max_positions = {}; }),
     changed(served, [](auto& d) { d.workload.serve.sequence_length = 8192; }),
     {8192, 4096},
     {4096}},
    {rule::sequence_fits_positions,
     in(profile::trtllm, when([](auto& t) { t.sequence_length = 8192; })),
     in(profile::torchtitan, when([](auto& t) { t.sequence_length = 8192; })),
     {8192, 4096},
     {4096}},
    {rule::sequence_fits_positions,
     in(profile::deepspeed, when([](auto& t) { t.sequence_length = 8192; })),
     in(profile::vllm, serving_when([](auto& s) { s.sequence_length = 8192; })),
     {8192, 4096},
     {4096}},
    {rule::sequence_fits_positions,
     in(profile::sglang, served),
     in(profile::sglang, serving_when([](auto& s) { s.sequence_length = 8192; })),
     {8192, 4096},
     {4096}},
    {rule::workload_is_training, in(profile::torchtitan), in(profile::torchtitan, served), {}},
    {rule::workload_is_training, served, in(profile::torchtitan, served), {}},
    {rule::workload_is_serving, in(profile::vllm, served), in(profile::vllm), {}},
    {rule::workload_is_serving, in(profile::sglang, served), in(profile::sglang), {}},
    {rule::workload_is_serving, in(profile::deepspeed), in(profile::trtllm), {}},
};

static_assert(meet_every_rule(cases, rules::batch));
static_assert(judged_in_constant_evaluation<cases>);

TEST_CASE("every rule on batches and sequences") { judge_at_run_time(cases); }

} // namespace
