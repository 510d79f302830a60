#include <moeplan/number/radix_sort.hpp>

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr std::uint64_t key(std::uint64_t weight, std::uint64_t rest) { return weight << 32 | rest; }

BOTH_TIMES("few keys keep their order where the upper halves agree", [] {
  std::uint64_t keys[] = {key(3, 9), key(1, 8), key(3, 7), key(0, 6), key(1, 5)};
  std::uint64_t buffer[5]{};
  const auto result = radix_sorted(keys, buffer);
  EXPECT(result[0] == key(0, 6));
  EXPECT(result[1] == key(1, 8));
  EXPECT(result[2] == key(1, 5));
  EXPECT(result[3] == key(3, 9));
  EXPECT(result[4] == key(3, 7));
});

BOTH_TIMES("many keys are sorted in constant expressions too", [] {
  std::uint64_t keys[100]{};
  std::uint64_t buffer[100]{};
  for (std::uint64_t i = 0; i < 100; ++i) keys[i] = key(i * 0x9E37'79B9U % 7 << 29 | i % 3, i);
  const auto result = radix_sorted(keys, buffer);
  bool ordered = true;
  for (std::int64_t i = 1; i < 100; ++i) {
    const bool agree = result[i - 1] >> 32 == result[i] >> 32;
    ordered = ordered && (agree ? result[i - 1] < result[i] : result[i - 1] >> 32 < result[i] >> 32);
  }
  EXPECT(ordered);
});

BOTH_TIMES("no key and one key", [] {
  EXPECT(radix_sorted({}, {}).size() == 0);
  std::uint64_t one[] = {7};
  std::uint64_t buffer[1]{};
  EXPECT(radix_sorted(one, buffer)[0] == 7);
});

} // namespace

TEST_CASE("the same as a stable sort that compares") {
  std::mt19937_64 random{1};
  for (std::size_t size = 0; size < 400; ++size) {
    // Few different upper halves, halves that differ in one byte alone, any at all.
    for (const std::uint64_t mask : {0x3ULL, 0xFF00ULL, 0xFF00'0000ULL, 0xFFFF'FFFFULL}) {
      std::vector<std::uint64_t> keys(size);
      for (std::uint64_t& k : keys) {
        const std::uint64_t upper = random() & mask;
        const std::uint64_t lower = random() & 0xFFFF'FFFFU;
        k = key(upper, lower);
      }
      std::vector<std::uint64_t> expected = keys;
      std::stable_sort(expected.begin(), expected.end(), [](std::uint64_t a, std::uint64_t b) { return a >> 32 < b >> 32; });
      std::vector<std::uint64_t> buffer(size);
      const auto result = radix_sorted(keys, buffer);
      CHECK(std::equal(result.begin(), result.end(), expected.begin(), expected.end()));
    }
  }
}
