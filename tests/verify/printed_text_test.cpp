#include <moeplan/verify/printed_text.hpp>

#include "support/both_times.hpp"
#include "support/is_constant.hpp"

using namespace moeplan;

namespace {

constexpr interval over(std::int64_t n, std::int64_t d) noexcept { return wide_ratio{uint256{n}, uint256{d}}; }

BOTH_TIMES("counts, grouped or not, and with a letter", [] {
  EXPECT(exact_value("8192"_printed) == interval{8192});
  EXPECT(exact_value("8,192"_printed) == interval{8192});
  EXPECT(exact_value("1,048,576"_printed) == interval{1'048'576});
  EXPECT(exact_value("~128"_printed) == interval{128});
  EXPECT(exact_value("30B"_printed) == interval{30'000'000'000});
  EXPECT(exact_value("1.04T"_printed) == interval{1'040'000'000'000});
  EXPECT(exact_value("12.8K"_printed) == interval{12'800});
  EXPECT(exact_value("64"_printed) == exact_value(printed_value{64}));
  EXPECT("64"_printed == printed_value{64});
  EXPECT(exact_value("999999999999999999"_printed) == interval{999'999'999'999'999'999});
});

BOTH_TIMES("precision is what is printed", [] {
  EXPECT(rounded_value("30B"_printed) == (interval{wide_ratio{29'500'000'000}, wide_ratio{30'500'000'000}}));
  EXPECT(rounded_value("1.80%"_printed).low == over(1795, 100'000).low);
  EXPECT(rounded_value("1.8%"_printed).low == over(175, 10'000).low);
});

BOTH_TIMES("bytes, with a space and without", [] {
  EXPECT(exact_value("17.7 GB"_printed) == interval{17'700'000'000});
  EXPECT(exact_value("17.7GB"_printed) == interval{17'700'000'000});
  EXPECT(exact_value("~1.15 GB"_printed) == interval{1'150'000'000});
  EXPECT(exact_value("223.52 MB"_printed, byte_reading::binary) == over(22352LL << 20, 100));
  EXPECT(exact_value("16 GiB"_printed) == interval{16LL << 30});
  EXPECT(exact_value("2 KiB"_printed) == interval{2048});
  EXPECT(exact_value("3 kB"_printed) == interval{3000});
  EXPECT(exact_value("3 KB"_printed) == interval{3000});
  EXPECT(exact_value("117,187,500 B"_printed) == interval{117'187'500});
  EXPECT(exact_value("5 bytes"_printed) == interval{5});
  EXPECT(exact_value("6 TB"_printed) == interval{6'000'000'000'000});
  EXPECT(exact_value("5 TiB"_printed) == interval{5LL << 40});
  EXPECT("30B"_printed.unit == printed_unit::none);
  EXPECT("30 B"_printed.unit == printed_unit::bytes);
});

BOTH_TIMES("shares, times and rates", [] {
  EXPECT(exact_value("27.6%"_printed) == over(276, 1000));
  EXPECT(exact_value("6,400%"_printed) == interval{64});
  EXPECT(exact_value("64x"_printed) == interval{64});
  EXPECT(exact_value("1/8"_printed) == over(1, 8));
  EXPECT(exact_value("0.016s"_printed) == over(16, 1000));
  EXPECT(exact_value("8.5ms"_printed) == over(85, 10'000));
  EXPECT(exact_value("7 us"_printed) == over(7, 1'000'000));
  EXPECT(exact_value("8000 sequences/second"_printed) == interval{8000});
  EXPECT(exact_value("15.6K tokens/sec"_printed) == interval{15'600});
  EXPECT(exact_value("12,800 tokens/ms"_printed) == interval{12'800'000});
  EXPECT(exact_value("312 samples/s"_printed) == interval{312});
  EXPECT(exact_value("2 M tokens/us"_printed) == interval{2'000'000'000'000});
  EXPECT(exact_value("5K/s"_printed) == interval{5000});
  EXPECT(exact_value("5/s"_printed) == interval{5});
  EXPECT("312 samples/s"_printed.unit == printed_unit::rate);
});

BOTH_TIMES("a scale in words, and the thing that a rate counts", [] {
  EXPECT(exact_value("8 billion tokens/s"_printed) == interval{8'000'000'000});
  EXPECT(exact_value("1.5 million tokens/second"_printed) == interval{1'500'000});
  EXPECT(exact_value("12 thousand/s"_printed) == interval{12'000});
  EXPECT(exact_value("2trillion FLOP/s"_printed) == interval{2'000'000'000'000});
  EXPECT(exact_value("30 billion"_printed) == interval{30'000'000'000});
  EXPECT("30 billion"_printed == "30B"_printed);
  EXPECT("8 billion tokens/s"_printed == "8B tok/s"_printed);
  EXPECT("8 billion tokens/s"_printed.thing == counted_thing::tokens);
  EXPECT("5 seq/s"_printed.thing == counted_thing::sequences);
  EXPECT("5samples/s"_printed.thing == counted_thing::samples);
  EXPECT("5 req/s"_printed.thing == counted_thing::requests);
  EXPECT("5 iterations/s"_printed.thing == counted_thing::steps);
  EXPECT("5 batches/s"_printed.thing == counted_thing::batches);
  EXPECT("400T FLOPs/s"_printed.thing == counted_thing::operations);
  EXPECT("5K/s"_printed.thing == counted_thing::unstated);
  EXPECT("5B/s"_printed == "5 billion/s"_printed); // as with all numbers, B right after one is a billion
});

BOTH_TIMES("ranges", [] {
  EXPECT((exact_value("15-20 ms"_printed) == interval{over(15, 1000).low, over(20, 1000).low}));
  EXPECT((exact_value("~800-1200 sequences/second"_printed) == interval{wide_ratio{800}, wide_ratio{1200}}));
  EXPECT((exact_value("4-8x"_printed) == interval{wide_ratio{4}, wide_ratio{8}}));
  EXPECT((exact_value("0.5-1%"_printed) == interval{over(5, 1000).low, over(1, 100).low}));
  EXPECT(
      "15\xe2\x80\x93"
      "20 ms"_printed == "15-20 ms"_printed); // an en dash
  EXPECT(!"3-3"_printed.is_range());
});

BOTH_TIMES("answers", [] {
  EXPECT(exact_value("yes"_printed) == interval{1});
  EXPECT(exact_value("no"_printed) == interval{0});
  EXPECT("no"_printed.unit == printed_unit::answer);
});

/// Whether an error points at this part of the text.
constexpr bool stops_at(text input, std::size_t position, text found) noexcept {
  const parsed<printed_value> read = parse_printed(input);
  return !read.ok() && read.error.position == position && read.error.found == found && !read.error.expected.empty();
}

BOTH_TIMES("what is no such number says where it stops being one", [] {
  EXPECT(stops_at("", 0, ""));
  EXPECT(stops_at("many", 0, "m"));
  EXPECT(stops_at("-5", 0, "-"));
  EXPECT(stops_at("5.", 2, ""));
  EXPECT(stops_at("5. GB", 2, " "));
  EXPECT(stops_at("15-", 3, ""));
  EXPECT(stops_at("15-ms", 3, "m"));
  EXPECT(stops_at("128 GPUs", 3, " GPUs"));
  EXPECT(stops_at("5 gb", 1, " gb"));
  EXPECT(stops_at("5  GB", 1, "  GB"));
  EXPECT(stops_at("1,00", 1, ",00"));
  EXPECT(stops_at("1,0000", 1, ",0000"));
  EXPECT(stops_at("8 billion things/s", 10, "things"));
  EXPECT(stops_at("8 things/s", 2, "things"));
  EXPECT(stops_at("8 zillion tokens/s", 2, "zillion tokens"));
  EXPECT(stops_at("8 Billion", 1, " Billion"));
  EXPECT(stops_at("5 K  tokens/s", 4, " tokens"));
  EXPECT(stops_at("5K /s", 3, "/"));
  EXPECT(stops_at("5 billionth/s", 2, "billionth"));
  EXPECT(stops_at("400 TFLOP/s", 4, "TFLOP"));
  EXPECT(stops_at("12.8ktok/s", 4, "ktok"));
  EXPECT(stops_at("12.8k tokens/s", 4, "k tokens"));
  EXPECT(stops_at("900 GB/s", 4, "GB"));
  EXPECT(stops_at("900 GiB/s", 4, "GiB"));
  EXPECT(stops_at("900 B/s", 4, "B")); // bytes
  EXPECT(stops_at("3 K tok/s/GPU", 8, "s/GPU"));
  EXPECT(
      stops_at("15\xe2\x80\x94"
               "20 ms",
               2,
               "\xe2\x80\x94"
               "20 ms")); // an em dash
  EXPECT(stops_at("15\xe2\x80", 2, "\xe2\x80"));
  EXPECT(stops_at("5 tokens/hour", 9, "hour"));
  EXPECT(stops_at("5 tokens/", 9, ""));
  EXPECT(stops_at("1/0", 2, "0"));
  EXPECT(stops_at("20-15 ms", 0, "20-15 ms"));
  EXPECT(stops_at("1000000000000000000", 0, "1000000000000000000"));
  EXPECT(stops_at("5%x", 1, "%x"));
  EXPECT(stops_at("Yes", 0, "Y"));
});

using moeplan_test::is_constant;
static_assert(is_constant<decltype([] { return "64"_printed; })>);
static_assert(!is_constant<decltype([] { return "64 GPUs"_printed; })>);

} // namespace
