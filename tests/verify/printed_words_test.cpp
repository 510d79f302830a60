#include <moeplan/verify/printed_words.hpp>

#include <initializer_list>

#include <moeplan/verify/printed_text.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

/// Reads and writes again.
constexpr bool stays(text printed) noexcept {
  text_buffer<64> out;
  append_printed(out, parse_printed(printed).value);
  return text{out} == printed;
}

BOTH_TIMES("printed values are written as they are read", [] {
  for (const text t : {"64",
                       "8,192",
                       "1,048,576",
                       "30B",
                       "12.8K",
                       "1.04T",
                       "17.7 GB",
                       "223.52 MB",
                       "16 GiB",
                       "5 bytes",
                       "27.6%",
                       "64x",
                       "1/8",
                       "0.016 s",
                       "8.5 ms",
                       "7 us",
                       "15-20 ms",
                       "4-8x",
                       "0.50%",
                       "yes",
                       "no",
                       "15.6K/s",
                       "6,400/ms",
                       "1/us",
                       "2M/us",
                       "312/s",
                       "0",
                       "12.8K tokens/s",
                       "8,000 sequences/s",
                       "312 samples/s",
                       "2 requests/ms",
                       "3 batches/s",
                       "4 steps/us",
                       "400T FLOP/s"})
    EXPECT(stays(t));
});

constexpr bool writes(const wide_ratio& value, printed_value like, byte_reading reading, std::size_t decimals,
                      text expected) noexcept {
  text_buffer<64> out;
  append_value(out, value, like, reading, decimals);
  return text{out} == expected;
}

constexpr wide_ratio over(std::int64_t n, std::int64_t d) noexcept { return {uint256{n}, uint256{d}}; }

BOTH_TIMES("computed values are rounded to the decimals asked for, without zeros at the end", [] {
  constexpr auto decimal = byte_reading::decimal;
  EXPECT(writes(8192, "1"_printed, decimal, 2, "8,192"));
  EXPECT(writes(over(64, 3), "1"_printed, decimal, 2, "21.33"));
  EXPECT(writes(over(1785, 2), "1"_printed, decimal, 0, "893"));
  EXPECT(writes(over(1'799, 100'000), "1%"_printed, decimal, 3, "1.799%"));
  EXPECT(writes(over(21'696, 1000), "1x"_printed, decimal, 2, "21.7x"));
  EXPECT(writes(117'187'500, "1 MB"_printed, decimal, 4, "117.1875 MB"));
  EXPECT(writes(0, "1 GB"_printed, decimal, 3, "0 GB"));
  EXPECT(writes(1, "yes"_printed, decimal, 0, "yes"));
  EXPECT(writes(0, "yes"_printed, decimal, 0, "no"));
  EXPECT(writes(12'800'000, "1/ms"_printed, decimal, 0, "12,800/ms"));
  EXPECT(writes(8'000'000'000, "1 billion tokens/s"_printed, decimal, 0, "8B tokens/s"));
});

BOTH_TIMES("below 1 there are three digits after the zeros", [] {
  EXPECT(writes(468'750'000, "5.9 GB"_printed, byte_reading::decimal, 0, "0.469 GB"));
  EXPECT(writes(over(1, 3000), "1"_printed, byte_reading::decimal, 2, "0.000333"));
  EXPECT(writes(over(1, 1'000'000'000'000'000), "1"_printed, byte_reading::decimal, 2, "0"));
});

BOTH_TIMES("bytes in powers of 1024 say so", [] {
  EXPECT(writes(117'187'500, "1 MB"_printed, byte_reading::binary, 2, "111.76 MiB"));
  EXPECT(writes(117'187'500, "1 MiB"_printed, byte_reading::decimal, 2, "111.76 MiB"));
});

BOTH_TIMES("a number of more digits than there is room for gets fewer decimals, or is only said to be large", [] {
  EXPECT(writes(123'456'789'012'345'678, "1"_printed, byte_reading::decimal, 2, "123,456,789,012,345,678"));
  EXPECT(writes(wide_ratio{uint256::halves(1, 0)}, "1"_printed, byte_reading::decimal, 2, "more than 10^18"));
});

} // namespace
