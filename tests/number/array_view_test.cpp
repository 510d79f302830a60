#include <moeplan/number/array_view.hpp>

#include <array>
#include <type_traits>
#include <vector>

#include <doctest/doctest.h>

#include "support/both_times.hpp"

using moeplan::array_view;

namespace {

constexpr std::int64_t sum(array_view<const std::int32_t> numbers) {
  std::int64_t total = 0;
  for (const std::int32_t n : numbers) total += n;
  return total;
}

} // namespace

BOTH_TIMES("a view of a built-in array", [] {
  std::int32_t numbers[]{1, 2, 3, 4};
  const array_view<std::int32_t> view{numbers};
  EXPECT(view.size() == 4);
  EXPECT(view.data() == numbers);
  view[2] = 30;
  EXPECT(numbers[2] == 30);
  EXPECT(sum(view) == 37);
});

BOTH_TIMES("a part of a view", [] {
  const std::int32_t numbers[]{1, 2, 3, 4};
  const array_view<const std::int32_t> view{numbers};
  EXPECT(sum(view.part(1, 2)) == 5);
  EXPECT(view.part(4, 0).size() == 0);
  EXPECT(view.part(1, 3).data() == numbers + 1);
});

BOTH_TIMES("views of containers, which may be temporary", [] {
  std::array<std::int32_t, 3> numbers{5, 6, 7};
  array_view<std::int32_t> view{numbers};
  view[0] = 50;
  EXPECT(numbers[0] == 50);
  EXPECT(sum(numbers) == 63);
  EXPECT(sum(std::array<std::int32_t, 2>{1, 2}) == 3);
  EXPECT(sum({numbers.data(), 1}) == 50);
});

BOTH_TIMES("a view of nothing", [] {
  const array_view<std::int32_t> nothing;
  EXPECT(nothing.size() == 0);
  EXPECT(nothing.begin() == nothing.end());
});

TEST_CASE("a view of a vector") {
  const std::vector<std::int32_t> numbers{1, 2, 3};
  CHECK(sum(numbers) == 6);
}

// Who may only look does not get a view that writes.
static_assert(!std::is_constructible_v<array_view<std::int32_t>, const std::vector<std::int32_t>&>);
static_assert(!std::is_constructible_v<array_view<std::int32_t>, array_view<const std::int32_t>>);
static_assert(!std::is_constructible_v<array_view<std::int32_t>, const std::int32_t (&)[2]>);
static_assert(std::is_constructible_v<array_view<std::int32_t>, std::int32_t (&)[2]>);
