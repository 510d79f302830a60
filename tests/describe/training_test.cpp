#include <moeplan/describe/training.hpp>

#include "support/as_template_argument.hpp"
#include "support/both_times.hpp"

using namespace moeplan;

namespace {

BOTH_TIMES("Megatron-LM's defaults", [] {
  constexpr training t;
  EXPECT(!t.global_batch.given);
  EXPECT(t.micro_batch == 1);
  EXPECT(t.sequence_length == 0); // has to be given
  EXPECT(t.recompute == recompute::none);
  EXPECT(t.context == context_exchange::ring);
  EXPECT(t.dispatcher == token_dispatcher::all_gather);
  EXPECT(t.routing.balancing == load_balancing::auxiliary_loss);
  EXPECT(t.dp_replicate == 1);
  EXPECT(t.vocabulary_multiple == 128);
  EXPECT(t.overlap == overlap{});
});

BOTH_TIMES("training runs are values", [] {
  EXPECT(training{.micro_batch = 2} == training{.micro_batch = 2});
  EXPECT(training{.global_batch = 0} != training{});
  EXPECT(training{.routing = {.capacity_factor = {5, 4}}} == training{.routing = {.capacity_factor = {10, 8}}});
  EXPECT(training{.overlap = {.shared_experts = true}} != training{});
});

using moeplan_test::name_the_same_type;
static_assert(
    name_the_same_type<training{.routing = {.capacity_factor = {5, 4}}}, training{.routing = {.capacity_factor = {10, 8}}}>);
static_assert(!name_the_same_type<training{}, training{.recompute = recompute::full}>);

} // namespace
