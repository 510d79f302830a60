#include <moeplan/memory/tensors/linear_input.hpp>

#include "support/both_times.hpp"

#include <string_view>

using namespace moeplan;

namespace {

constexpr std::uint16_t backward = 4;
constexpr std::uint16_t again = 6;
constexpr tensor input{"input", "a test", 100, 300, number_type::bf16, 1, 9};

constexpr activation_shape with(fp8_recipe recipe) {
  activation_shape s;
  s.train.precision.fp8 = recipe;
  return s;
}

struct visited {
  int number = 0;
  tensor all[4]{};
  constexpr void operator()(const tensor& t) noexcept { all[number++] = t; }
};

constexpr visited visit(fp8_recipe recipe, bool dropped) {
  visited seen;
  visit_linear_input(with(recipe), seen, input, dropped, backward, again);
  return seen;
}

constexpr bool lives(const tensor& t, std::uint16_t from, std::uint16_t until) { return t.from == from && t.until == until; }

BOTH_TIMES("a linear layer keeps its input as it is, for the gradient of its weight", [] {
  const visited seen = visit(fp8_recipe::none, false);
  EXPECT(seen.number == 1);
  EXPECT(bytes_of(seen.all[0]) == 2 * 100 * 300);
  EXPECT(lives(seen.all[0], 1, 9) && seen.all[0].for_weights);
});

BOTH_TIMES("in FP8 it keeps a byte a number", [] {
  const visited seen = visit(fp8_recipe::tensorwise, false);
  EXPECT(seen.number == 1);
  EXPECT(bytes_of(seen.all[0]) == 100 * 300);
});

BOTH_TIMES("scales are fp32 for 128 numbers or a byte for 32, rounded up", [] {
  const visited blocks = visit(fp8_recipe::blockwise, false);
  EXPECT(blocks.number == 2);
  EXPECT(bytes_of(blocks.all[1]) == 100 * 3 * 4);
  EXPECT(std::string_view{blocks.all[1].name} == "scales of a quantised input");
  const visited micro = visit(fp8_recipe::mxfp8, false);
  EXPECT(micro.number == 2);
  EXPECT(bytes_of(micro.all[1]) == 100 * 10);
  EXPECT(lives(micro.all[1], 1, 9) && micro.all[1].for_weights);
});

BOTH_TIMES("what is computed again lives twice, and is needed for weights the second time", [] {
  for (const fp8_recipe recipe : {fp8_recipe::none, fp8_recipe::blockwise}) {
    const visited seen = visit(recipe, true);
    EXPECT(seen.number == (recipe == fp8_recipe::none ? 2 : 4));
    for (int i = 0; i < seen.number; i += 2) {
      EXPECT(lives(seen.all[i], 1, backward) && !seen.all[i].for_weights);
      EXPECT(lives(seen.all[i + 1], again, 9) && seen.all[i + 1].for_weights);
      EXPECT(bytes_of(seen.all[i]) == bytes_of(seen.all[i + 1]));
    }
  }
});

BOTH_TIMES("without a step for it, that is when the backward pass begins", [] {
  visited seen;
  visit_linear_input(with(fp8_recipe::none), seen, input, true, backward);
  EXPECT(seen.number == 2);
  EXPECT(lives(seen.all[1], backward, 9));
});

} // namespace
