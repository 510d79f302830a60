#include <moeplan/memory/stage_memory.hpp>

#include "support/both_times.hpp"
#include "support/is_constant.hpp"

using namespace moeplan;

namespace {

constexpr saturating_stage_memory made_up() {
  saturating_stage_memory m;
  m.stage = 3;
  m.layers = 4;
  m.dense_parameters = 1;
  m.expert_parameters = 2;
  m.weights = 10;
  m.gradients = 20;
  m.optimizer = 40;
  m.activations = 80;
  m.kv_cache = 160;
  m.workspace = 320;
  m.host = 640;
  m.time = peak_time::backward_pass;
  m.chunk = 1;
  m.place = {block::head, true, false, -1, 2};
  return m;
}

BOTH_TIMES("the peak is the sum of what is on the GPU", [] {
  EXPECT(made_up().peak() == 10 + 20 + 40 + 80 + 160 + 320);
  EXPECT(made_up().parameters() == 3);
  EXPECT(stage_memory{}.peak() == bytes{});
});

BOTH_TIMES("an exact one is the same in bytes", [] {
  const stage_memory m = detail::exact(made_up());
  EXPECT(m.stage == 3 && m.layers == 4 && m.chunk == 1);
  EXPECT(m.dense_parameters == 1 && m.expert_parameters == 2);
  EXPECT(m.weights == bytes{10} && m.gradients == bytes{20} && m.optimizer == bytes{40});
  EXPECT(m.activations == bytes{80} && m.kv_cache == bytes{160} && m.workspace == bytes{320});
  EXPECT(m.host == bytes{640});
  EXPECT(m.time == peak_time::backward_pass && m.place == made_up().place);
  EXPECT(m.peak() == bytes{630});
});

BOTH_TIMES("a component that overflowed makes the peak say so", [] {
  saturating_stage_memory m = made_up();
  m.activations.bits = saturating_count::top;
  EXPECT(m.peak().overflowed());
  m = made_up();
  m.weights = m.gradients = std::int64_t{1} << 62;
  m.optimizer = m.activations = std::int64_t{1} << 62;
  EXPECT(m.peak().overflowed());
});

// In a constant expression that is an error.
static_assert(moeplan_test::is_constant<decltype([] { return detail::exact(made_up()); })>);
static_assert(!moeplan_test::is_constant<decltype([] {
  saturating_stage_memory m = made_up();
  m.activations.bits = saturating_count::top;
  return detail::exact(m);
})>);

} // namespace

TEST_CASE("at run time an exact stage that overflowed says so") {
  saturating_stage_memory m = made_up();
  m.activations.bits = saturating_count::top;
  CHECK(detail::exact(m).peak().overflowed());
}
