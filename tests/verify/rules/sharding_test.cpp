#include <moeplan/verify/rules/sharding.hpp>

#include "rule_cases.hpp"

using namespace moeplan;
using namespace moeplan_test;

namespace {

/// DP 4 x CP 2 are 8 ranks that share what is sharded, EDP 2 are those for an expert.
constexpr deployment copies(std::int64_t number, deployment d = trained) {
  d.workload.train.dp_replicate = number;
  return d;
}

constexpr rule_case cases[] = {
    {rule::dp_replicate_is_at_least_1, trained, copies(0), {0}, {1}},
    {rule::dp_replicate_is_at_least_1, served, in(profile::universal, copies(INT64_MIN)), {INT64_MIN}, {1}},

    {rule::dp_divides_by_replicate, in(profile::torchtitan, copies(4)), in(profile::torchtitan, copies(3)), {4, 3}, {2, 4}},
    {rule::dp_divides_by_replicate, copies(8), in(profile::torchtitan, copies(8)), {4, 8}, {4}},

    {rule::ranks_divide_by_replicate, copies(8), copies(3), {4, 2, 3}, {2}},
    {rule::ranks_divide_by_replicate, in(profile::deepspeed, copies(8)), in(profile::deepspeed, copies(3)), {4, 2, 3}, {2, 4}},
    {rule::ranks_divide_by_replicate,
     in(profile::universal, copies(3)),
     copies(16, changed(trained_with(ep{1}), [](auto& d) { d.model.experts = {}; })),
     {4, 2, 16},
     {8}},

    {rule::edp_divides_by_replicate, copies(2), copies(4), {2, 4}, {2}},
    {rule::edp_divides_by_replicate, in(profile::deepspeed, copies(4)), copies(8, trained_with(ep{4})), {4, 8}, {4}},
    {rule::edp_divides_by_replicate, copies(3), copies(4), {2, 4}, {2}}, // 3: no number of the ranks either

    // Of DP 4 two copies are sharded over 2 each: 2 x CP 2 x TP 2 ranks.
    {rule::ep_divides_sharded_ranks,
     in(profile::torchtitan, copies(2)),
     in(profile::torchtitan, copies(2, trained_with(ep{16}))),
     {2, 2, 2, 2, 16},
     {8}},
    {rule::ep_divides_sharded_ranks,
     in(profile::torchtitan, copies(1, trained_with(ep{16}))),
     in(profile::torchtitan, copies(4)),
     {1, 2, 2, 4, 8},
     {4}},
    {rule::ep_divides_sharded_ranks, copies(4), in(profile::torchtitan, copies(4, trained_with(ep{16}))), {1, 2, 2, 4, 16}, {4}},
};

static_assert(meet_every_rule(cases, rules::sharding));
static_assert(judged_in_constant_evaluation<cases>);

TEST_CASE("every rule on copies of what data parallelism shards") { judge_at_run_time(cases); }

} // namespace
