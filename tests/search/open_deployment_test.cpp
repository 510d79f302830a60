#include <moeplan/search/open_deployment.hpp>

#include <doctest/doctest.h>

#include "support/both_times.hpp"

using namespace moeplan;

BOTH_TIMES("a rule on numbers that are not chosen yet is not judged, another is", [] {
  detail::open_deployment d{.tried = {.strategy = {tp{3}, ep{5}}}};
  d.tried.model = {.layers = 2, .hidden_size = 64, .vocabulary_size = 1024};
  d.tried.model.attention.heads = d.tried.model.attention.kv_heads = 4;
  d.tried.model.experts = {.routed = 8, .top_k = 2, .intermediate_size = 32};
  d.tried.workload = training{.sequence_length = 64};
  d.leave_open(axis::dp);
  EXPECT(d.first_violated(check(d.tried)) == static_cast<std::size_t>(rule::heads_divide_by_tp));
  d.leave_open(axis::tp);
  EXPECT(d.first_violated(check(d.tried)) == static_cast<std::size_t>(rule::experts_divide_by_ep));
  d.leave_open(axis::ep);
  EXPECT(d.first_violated(check(d.tried)) == rule_count);
  EXPECT(!d.is_complete());
  d.leave_micro_batch_open();
  EXPECT(d.first_violated(check(d.tried)) == rule_count);
  d.choose_micro_batch(0);
  EXPECT(d.first_violated(check(d.tried)) == static_cast<std::size_t>(rule::micro_batch_is_at_least_1));
  d.leave_micro_batch_open();
  d.choose(axis::tp, 4);
  d.choose(axis::ep, 4);
  EXPECT(!d.only_micro_batch_is_open());
  d.choose(axis::dp, 1);
  EXPECT(d.only_micro_batch_is_open() && !d.is_complete());
  d.choose_micro_batch(1);
  EXPECT(d.is_complete());
  EXPECT(check(d.tried).ok());
});
