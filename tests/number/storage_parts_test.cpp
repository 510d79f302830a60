#include <moeplan/number/storage_parts.hpp>

#include <cstdint>

#include "support/both_times.hpp"

using moeplan::array_view;
using moeplan::detail::storage_parts;

BOTH_TIMES("parts lie one behind the other, and what is left behind them", [] {
  std::int64_t storage[6]{};
  storage_parts parts{array_view<std::int64_t>{storage}};
  const auto first = parts.take(2);
  const auto none = parts.take(0);
  const auto second = parts.take(3);
  EXPECT(first.data() == storage && first.size() == 2);
  EXPECT(none.size() == 0);
  EXPECT(second.data() == storage + 2 && second.size() == 3);
  EXPECT(parts.left.data() == storage + 5 && parts.left.size() == 1);
});

BOTH_TIMES("a copy hands out the same parts again", [] {
  std::uint64_t storage[4]{};
  storage_parts parts{array_view<std::uint64_t>{storage}};
  static_cast<void>(parts.take(1));
  storage_parts again = parts;
  EXPECT(parts.take(2).data() == again.take(3).data());
  EXPECT(parts.left.size() == 1 && again.left.size() == 0);
});
