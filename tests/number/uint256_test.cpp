#include <moeplan/number/uint256.hpp>

#include "support/as_template_argument.hpp"
#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr std::uint64_t ones = ~std::uint64_t{0};
constexpr uint128 long_ones = ~uint128{0};

BOTH_TIMES("from built-in integers and counts", [] {
  EXPECT(uint256{} == uint256{0});
  EXPECT(uint256{7}.low == 7);
  EXPECT(uint256{ones} + uint256{1} == uint256::halves(0, uint128{1} << 64));
  EXPECT(uint256{long_ones} + uint256{1} == uint256::halves(1, 0));
  EXPECT(uint256{-1}.overflowed());
  EXPECT(uint256{int128{-1}}.overflowed());
  EXPECT(uint256{int128{1} << 100} == uint256{uint128{1} << 100});
  EXPECT(uint256{count{12}} == uint256{12});
});

BOTH_TIMES("products", [] {
  // (2^128 - 1)^2 = 2^256 - 2^129 + 1
  EXPECT(uint256::product(long_ones, long_ones) == uint256::halves(long_ones - 1, 1));
  EXPECT(uint256::product(uint128{ones} << 64, 3) == uint256::halves(2, uint128{ones - 2} << 64));
  EXPECT(uint256{10'000'000'000} * uint256{10'000'000'000} == uint256{uint128{10'000'000'000} * 10'000'000'000});
  // 2^128 (2^127 - 1) and a product that is longer by one bit
  EXPECT(uint256::halves(1, 0) * uint256{(uint128{1} << 127) - 1} == uint256::halves((uint128{1} << 127) - 1, 0));
  EXPECT((uint256::halves(2, 0) * uint256{uint128{1} << 127}).overflowed());
  EXPECT((uint256::halves(1, 0) * uint256::halves(1, 0)).overflowed());
});

BOTH_TIMES("quotients and remainders", [] {
  EXPECT(uint256{17} / uint256{5} == uint256{3});
  EXPECT(uint256{17} % uint256{5} == uint256{2});
  EXPECT(uint256::halves(1, 0) / uint256{2} == uint256{uint128{1} << 127});
  // 2^128 = 3 x 113427455640312821154458202477256070485 + 1
  EXPECT(uint256::halves(1, 0) % uint256{3} == uint256{1});
  EXPECT(uint256::halves(1, 0) / uint256{3} == uint256{long_ones / 3});
  EXPECT(uint256::halves(5, 9) / uint256::halves(5, 10) == uint256{0});
  EXPECT(uint256::halves(5, 9) % uint256::halves(5, 10) == uint256::halves(5, 9));
  EXPECT(uint256::halves(long_ones, 0) / uint256::halves(1, 0) == uint256{long_ones});
});

BOTH_TIMES("what does not fit is the top, and stays there", [] {
  constexpr uint256 largest = uint256::halves(long_ones, long_ones - 1);
  EXPECT(!largest.overflowed());
  EXPECT((largest + uint256{1}).overflowed());
  EXPECT((largest + uint256{2}).overflowed());
  EXPECT((uint256{3} - uint256{4}).overflowed());
  EXPECT((uint256{3} / uint256{0}).overflowed());
  EXPECT((uint256{3} % uint256{0}).overflowed());
  EXPECT((uint256::top() - uint256{1}).overflowed());
  EXPECT((uint256::top() * uint256{0}).overflowed());
  EXPECT((uint256::top() / uint256{2}).overflowed());
  EXPECT((uint256{2} % uint256::top()).overflowed());
  EXPECT(largest < uint256::top());
});

BOTH_TIMES("order and length", [] {
  EXPECT(uint256::halves(1, 0) > uint256{long_ones});
  EXPECT(uint256::halves(1, 3) <= uint256::halves(1, 3));
  EXPECT(uint256::halves(1, 2) < uint256::halves(1, 3));
  EXPECT(uint256{}.bit_length() == 0);
  EXPECT(uint256{1}.bit_length() == 1);
  EXPECT(uint256{ones}.bit_length() == 64);
  EXPECT(uint256::halves(0, uint128{1} << 64).bit_length() == 65);
  EXPECT(uint256::halves(1, 0).bit_length() == 129);
  EXPECT(uint256::top().bit_length() == 256);
});

BOTH_TIMES("as a count and as a double", [] {
  EXPECT(uint256{ones - 1}.to_count() == count{ones - 1});
  EXPECT(uint256{3}.to_double() == 3);
  EXPECT(uint256::halves(3, 0).to_double() == 0x3p128);
  EXPECT(uint256::top().to_double() == __builtin_inf());
});

static_assert(moeplan_test::name_the_same_type<uint256{5}, uint256::halves(0, 5)>);

} // namespace

TEST_CASE("an overflowed count and one too large for a count") {
  const count none = count{} - 1;
  CHECK(uint256{none}.overflowed());
  CHECK(uint256{ones}.to_count().overflowed());
  CHECK(uint256::halves(0, uint128{1} << 64).to_count().overflowed());
  CHECK(uint256::halves(1, 0).to_count().overflowed());
}
