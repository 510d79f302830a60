#include <moeplan/describe/weight_format.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr bool is(weight_format format, std::int64_t number_bits, std::int64_t rows, std::int64_t columns,
                  std::int64_t scale_bits) {
  const format_sizes f = sizes_of(format);
  return bits(f.numbers) == number_bits && f.block_rows == rows && f.block_columns == columns && f.scale_bits == scale_bits;
}

BOTH_TIMES("numbers, blocks and scales", [] {
  EXPECT(is(weight_format::bf16, 16, 0, 0, 0));
  EXPECT(is(weight_format::fp8_tensor, 8, 0, 0, 32));
  EXPECT(is(weight_format::fp8_channel, 8, 1, 0, 32));
  EXPECT(is(weight_format::fp8_block, 8, 128, 128, 32));
  EXPECT(is(weight_format::mxfp8, 8, 1, 32, 8));
  EXPECT(is(weight_format::int8_channel, 8, 1, 0, 32));
  EXPECT(is(weight_format::int4_group128, 4, 1, 128, 20));
  EXPECT(is(weight_format::int4_group32, 4, 1, 32, 16));
  EXPECT(is(weight_format::mxfp4, 4, 1, 32, 8));
  EXPECT(is(weight_format::nvfp4, 4, 1, 16, 8));
});

BOTH_TIMES("NVFP4 alone has a second scale, one a matrix", [] {
  EXPECT(sizes_of(weight_format::nvfp4).matrix_bytes == 4);
  EXPECT(sizes_of(weight_format::mxfp4).matrix_bytes == 0);
});

BOTH_TIMES("no format is no format", [] { EXPECT(sizes_of(static_cast<weight_format>(99)) == format_sizes{}); });

} // namespace
