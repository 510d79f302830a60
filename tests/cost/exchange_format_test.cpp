#include <moeplan/cost/exchange_format.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr exchange_format fp8{.numbers = number_type::fp8};

BOTH_TIMES("rows of DeepSeek-V3", [] {
  EXPECT(bytes_of_row<count>({}, 7168) == 14336);
  EXPECT(bytes_of_row<count>(fp8, 7168) == 7168);
  // 56 scales of 4 bytes: 224 bytes, 3.125 % more.
  EXPECT(bytes_of_row<count>(exchange_format::fp8_block(), 7168) == 7168 + 224);
});

BOTH_TIMES("blocks and bytes are rounded up", [] {
  EXPECT(bytes_of_row<count>(exchange_format::fp8_block(), 129) == 129 + 8);
  EXPECT(bytes_of_row<count>({.numbers = number_type::fp4, .block = 16, .scale_bits = 8}, 33) == 17 + 3);
  EXPECT(bytes_of_row<count>({.numbers = number_type::fp4, .block = 32, .scale_bits = 4}, 96) == 48 + 2);
});

// k = 8 of h = 7168: FP8 to the experts, bf16 back.
BOTH_TIMES("a token's exchange in one layer", [] {
  const count there = 8 * bytes_of_row<count>(fp8, 7168);
  const count back = 8 * bytes_of_row<count>({}, 7168);
  EXPECT(there + back == 172'032);
  EXPECT(back + back == 229'376);
  EXPECT(4096 * there == 234'881'024);
  EXPECT(4096 * back == 469'762'048);
  EXPECT(count{4096} * 8 * (bytes_of_row<count>(exchange_format::fp8_block(), 7168) - bytes_of_row<count>(fp8, 7168)) == 7'340'032);
  EXPECT(count{4096} * 4 * bytes_of_row<count>(fp8, 7168) == 117'440'512); // to four nodes instead of eight experts
});

BOTH_TIMES("both passes of DeepSeek-V3", [] {
  const exchange_formats f = exchange_formats::deepseek_v3();
  EXPECT(f.dispatch == exchange_format::fp8_block() && f.gradient_dispatch == exchange_format::fp8_block());
  EXPECT(f.combine == exchange_format{} && f.gradient_combine == exchange_format{});
  EXPECT(exchange_formats::activations(number_type::bf16) == exchange_formats{});
  EXPECT(exchange_formats::activations(number_type::fp32).combine.numbers == number_type::fp32);
});

BOTH_TIMES("what linear layers multiply in FP8", [] {
  EXPECT(bytes_of_row(quantised_format(fp8_recipe::delayed), 7168) == 7168);
  EXPECT(quantised_format(fp8_recipe::tensorwise) == quantised_format(fp8_recipe::delayed));
  EXPECT(bytes_of_row(quantised_format(fp8_recipe::blockwise), 7168) == 7168 + 4 * 56);
  EXPECT(bytes_of_row(quantised_format(fp8_recipe::mxfp8), 7168) == 7168 + 224);
});

} // namespace
