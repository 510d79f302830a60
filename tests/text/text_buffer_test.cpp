#include <moeplan/text/text_buffer.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

BOTH_TIMES("text and numbers one after the other", [] {
  text_buffer<64> b;
  b.append("tp ").append(std::int64_t{8}).append(' ').append(text{"of "}).append(std::uint64_t{256});
  EXPECT(text{b} == "tp 8 of 256");
  EXPECT(!b.truncated());
});

BOTH_TIMES("numbers at their ends", [] {
  text_buffer<128> b;
  b.append(std::uint64_t{0}).append(',').append(UINT64_MAX).append(',').append(std::int64_t{INT64_MIN});
  b.append(',').append(std::int64_t{INT64_MAX}).append(',').append(std::int64_t{-1});
  EXPECT(text{b} == "0,18446744073709551615,-9223372036854775808,9223372036854775807,-1");
});

BOTH_TIMES("what does not fit is cut off", [] {
  text_buffer<5> b;
  b.append("abcde");
  EXPECT(!b.truncated());
  b.append("");
  EXPECT(!b.truncated());
  b.append('f');
  EXPECT(b.truncated());
  EXPECT(text{b} == "abcde");
  text_buffer<2> number;
  number.append(std::uint64_t{123});
  EXPECT(number.truncated());
  EXPECT(text{number} == "12");
});

BOTH_TIMES("empty", [] {
  EXPECT(text{text_buffer<4>{}}.empty());
  EXPECT(text_buffer<4>{}.size() == 0);
});

} // namespace
