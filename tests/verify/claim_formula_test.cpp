#include <moeplan/verify/claim_formula.hpp>

#include <moeplan/verify/printed_text.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

using in = claim_input;

constexpr wide_ratio over(std::int64_t n, std::int64_t d) noexcept { return {uint256{n}, uint256{d}}; }

constexpr claim used{.quantity = claim_quantity::memory_utilisation,
                     .claimed = "27.6%"_printed,
                     .inputs = {{in::used_memory, "17.7 GB"_printed}, {in::capacity, "64 GB"_printed}, {in::tp_size, "2"_printed}}};

BOTH_TIMES("operands are read as printed, or with their precision; what is exact has none to lose", [] {
  constexpr claim_operands printed{used};
  EXPECT(printed[in::used_memory] == interval{17'700'000'000});
  constexpr claim_operands rounded{.of = used, .rounded = true};
  EXPECT(rounded[in::used_memory] == (interval{wide_ratio{17'650'000'000}, wide_ratio{17'750'000'000}}));
  EXPECT(rounded[in::capacity] == interval{64'000'000'000});
  EXPECT(rounded[in::tp_size] == interval{2});
});

BOTH_TIMES("all of them in one reading", [] {
  constexpr claim_operands binary{.of = used, .reading = byte_reading::binary};
  EXPECT(binary[in::capacity] == interval{64LL << 30});
  EXPECT(binary[in::used_memory] == interval{over(177LL << 30, 10)});
});

BOTH_TIMES("a degree that is not given can be taken as 1", [] {
  constexpr claim_operands o{used};
  EXPECT(o.or_one(in::tp_size) == interval{2});
  EXPECT(o.or_one(in::cp_size) == interval{1});
});

BOTH_TIMES("a formula knows what it takes", [] {
  constexpr claim_formula f{.needs = formulas::needs(in::tp_size, in::pp_size)};
  EXPECT(f.takes(in::pp_size));
  EXPECT(!f.takes(in::ep_size));
});

BOTH_TIMES("weights between two ways to spread them", [] {
  constexpr claim c{.quantity = claim_quantity::parameter_memory,
                    .claimed = "1 GB"_printed,
                    .inputs = {{in::parameters, "30B"_printed}, {in::bytes_per_parameter, 2}}};
  EXPECT(formulas::weights({c}) == interval{60'000'000'000});
  EXPECT(formulas::weights_between({c}, interval{128}, interval{8}) ==
         (interval{wide_ratio{468'750'000}, wide_ratio{7'500'000'000}}));
  EXPECT(formulas::weights_between({c}, interval{0}, interval{8}).overflowed());
  // 29.5B to 30.5B parameters widen both ends.
  EXPECT(formulas::weights_between({.of = c, .rounded = true}, interval{2}, interval{1}) ==
         (interval{wide_ratio{29'500'000'000}, wide_ratio{61'000'000'000}}));
});

} // namespace
