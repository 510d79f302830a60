#include <moeplan/verify/require.hpp>

#include "support/both_times.hpp"
#include "verify/examples.hpp"

using namespace moeplan;
using namespace moeplan_test;

// What must not compile is in tests/compile_fail/require_*.cpp.

namespace {

constexpr deployment warned = trained_with(sp{1});

MOEPLAN_REQUIRE(trained);
MOEPLAN_REQUIRE(warned); // Warnings are no errors.
MOEPLAN_REQUIRE(trained_with(dp{4}, vpp{2}));

struct launcher {
  MOEPLAN_REQUIRE(trained);
};

template <deployment Plan>
constexpr std::int64_t stages() {
  MOEPLAN_REQUIRE(Plan);
  return Plan.strategy[axis::pp];
}

TEST_CASE("MOEPLAN_REQUIRE stands where a static_assert may") {
  MOEPLAN_REQUIRE(served);
  CHECK(stages<trained>() == 2);
  CHECK(stages<warned>() == 2);
}

constexpr deployment wrong = trained_with(ep{3}, sp{1});

BOTH_TIMES("violations are the errors with their operands", [] {
  EXPECT(detail::errors(trained) == 0);
  EXPECT(detail::errors(warned) == 0);
  EXPECT(detail::errors(wrong) == 2);
  const auto found = detail::violations_of<2>(wrong);
  EXPECT(found.items[0].id == rule::stage_divides_by_expert_ranks);
  EXPECT(found.items[0].used == 4);
  EXPECT(found.items[0].operands[1] == 3 && found.items[0].operands[3] == 16);
  EXPECT(found.items[1].id == rule::experts_divide_by_ep);
  EXPECT(found.items[1].used == 2);
  EXPECT(found.items[1].operands[0] == 16 && found.items[1].operands[1] == 3);
});

BOTH_TIMES("the sentences of C++26 name every error and what would be legal", [] {
  EXPECT(text{detail::sentences(trained)} == "");
  EXPECT(text{detail::sentences(wrong)} ==
         "stage_divides_by_expert_ranks: the experts' ETP 1 x EP 3 = 3 ranks do not divide the 16 GPUs of a stage (TP x CP x DP); "
         "nearest legal ep: 2 or 4. "
         "experts_divide_by_ep: 16 experts (redundant copies included) cannot be divided evenly over EP 3; nearest legal ep: 2 or "
         "4. ");
});

TEST_CASE("the sentences of all errors together fit") {
  std::size_t characters = 0;
  for (const rules::section& s : rules::sections)
    for (std::size_t i = 0; i < s.length; ++i) {
      const rule_entry& e = s.first[i];
      facts f;
      for (const operand* const o : e.operands)
        if (o != nullptr) f.*o->value = INT64_MIN;
      const text values = "; nearest legal : 9223372036854775807 or 9223372036854775807. : ";
      characters += text{e.name}.size() + finding{e, f}.message().size() + text{e.changes}.size() + values.size();
    }
  CHECK(characters <= sizeof(decltype(detail::sentences(trained))::characters));
}

} // namespace
