#include <moeplan/text/parsed.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr bool reads(text t, std::int64_t value, std::size_t length) {
  const leading_number n = read_number(t);
  return n.value == value && n.length == length;
}

BOTH_TIMES("a number at the start of a text", [] {
  EXPECT(reads("15", 15, 2));
  EXPECT(reads("4*15", 4, 1));
  EXPECT(reads("0", 0, 1));
  EXPECT(reads("007", 7, 3));
  EXPECT(reads("9223372036854775807,", INT64_MAX, 19));
});

BOTH_TIMES("no number has length 0", [] {
  EXPECT(reads("", 0, 0));
  EXPECT(reads("x1", 0, 0));
  EXPECT(reads("-1", 0, 0));
  EXPECT(reads("+1", 0, 0));
  EXPECT(reads(" 1", 0, 0));
  EXPECT(reads("/", 0, 0)); // the neighbours of the digits
  EXPECT(reads(":", 0, 0));
});

BOTH_TIMES("neither has one that is too large", [] {
  EXPECT(reads("9223372036854775808", 0, 0));
  EXPECT(reads("92233720368547758070", 0, 0));
  EXPECT(reads("99999999999999999999999999999999", 0, 0));
});

BOTH_TIMES("a value or an error", [] {
  const parsed<int> value{.value = 5, .error = {}};
  EXPECT(value.ok());
  EXPECT(value);
  const parsed<int> failed{.value = 0, .error = {.problem = "not a number", .found = "x", .expected = "a digit", .position = 3}};
  EXPECT(!failed.ok());
  EXPECT(!failed);
});

} // namespace
