#include <moeplan/cost/step_time.hpp>

#include <cstdint>
#include <limits>
#include <set>
#include <string>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr step_time five{
    .compute = {true, 3}, .memory = {true, 5}, .nvlink = {true, 1}, .network = {true, 4}, .pipeline = {true, 5}};

BOTH_TIMES("a step is as long as what takes longest, of several the first", [] {
  EXPECT(five.limit() == step_resource::memory);
  EXPECT(five.step() == known_seconds{true, 5});
  step_time t = five;
  t.network = {true, 5.5};
  EXPECT(t.limit() == step_resource::network && t.step().seconds == 5.5);
});

BOTH_TIMES("what is not known does not count, however it is filled", [] {
  step_time t = five;
  t.memory = {false, 9};
  EXPECT(t.limit() == step_resource::pipeline && t.step().seconds == 5);
  t.compute = {false, 9};
  t.pipeline = {};
  EXPECT(t.limit() == step_resource::network && t.step().seconds == 4);
  EXPECT(!step_time{}.step().known);
  t = {};
  t.nvlink = {true, 0}; // needed by nobody
  EXPECT(t.limit() == step_resource::nvlink && t.step().known);
});

BOTH_TIMES("by resource", [] {
  EXPECT(five[step_resource::compute].seconds == 3);
  EXPECT(five[step_resource::memory].seconds == 5);
  EXPECT(five[step_resource::nvlink].seconds == 1);
  EXPECT(five[step_resource::network].seconds == 4);
  EXPECT(five[step_resource::pipeline].seconds == 5);
});

BOTH_TIMES("an efficiency is from a millionth to 1", [] {
  EXPECT(efficiencies{}.valid());
  EXPECT((efficiencies{.compute = 0.4, .memory = 0.9, .nvlink = 0.8, .network = 1e-3}).valid());
  EXPECT(efficiencies{.network = 1e-6}.valid() && !efficiencies{.network = 1e-320}.valid());
  EXPECT(!efficiencies{.compute = 0}.valid());
  EXPECT(!efficiencies{.memory = 1.0001}.valid());
  EXPECT(!efficiencies{.nvlink = -0.5}.valid());
  EXPECT(!efficiencies{.network = std::numeric_limits<double>::quiet_NaN()}.valid());
});

TEST_CASE("every resource has a name of its own") {
  std::set<std::string> names;
  for (std::int64_t i = 0; i < step_resources; ++i) names.insert(name_of(static_cast<step_resource>(i)));
  CHECK(names.size() == static_cast<std::size_t>(step_resources));
}

} // namespace
