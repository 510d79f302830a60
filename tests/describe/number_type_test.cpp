#include <moeplan/describe/number_type.hpp>

#include <initializer_list>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

BOTH_TIMES("bits of a number", [] {
  EXPECT(bits(number_type::none) == 0);
  EXPECT(bits(number_type::fp32) == 32);
  for (const number_type t : {number_type::bf16, number_type::fp16}) EXPECT(bits(t) == 16);
  for (const number_type t : {number_type::fp8, number_type::int8}) EXPECT(bits(t) == 8);
  for (const number_type t : {number_type::fp4, number_type::int4}) EXPECT(bits(t) == 4);
  EXPECT(bits(number_type::int32) == 32);
  EXPECT(bits(number_type::int64) == 64);
});

} // namespace
