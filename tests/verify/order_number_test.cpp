#include <moeplan/verify/order_number.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

BOTH_TIMES("an order of ranks as a number", [] {
  EXPECT(number_of(rank_order{}) == 12345);
  EXPECT(number_of(rank_order{"cp-ep-tp-dp-pp"}) == 23145);
  EXPECT(number_of(rank_order{"pp-dp"}) == 54);
  EXPECT(order_of(12345) == rank_order{});
  EXPECT(order_of(5) == rank_order{"pp"});
  EXPECT(order_of(0).axes.empty());
});

BOTH_TIMES("an order of ranks as it is written", [] {
  EXPECT(text{written(rank_order{})} == "tp-cp-ep-dp-pp");
  EXPECT(text{written(rank_order{"dp-pp"})} == "dp-pp");
  EXPECT(text{written(order_of(0))} == "");
});

// Every order of any of the axes.
TEST_CASE("every order comes back") {
  int orders = 0;
  for (std::int64_t number = 1; number < 54322; ++number) {
    int seen[6]{};
    bool is_one = true;
    for (std::int64_t rest = number; rest > 0; rest /= 10) is_one = is_one && rest % 10 <= 5 && seen[rest % 10]++ == 0;
    if (!is_one || seen[0] != 0) continue;
    ++orders;
    const rank_order order = order_of(number);
    CHECK(number_of(order) == number);
    CHECK(rank_order::parse(text{written(order)}).value == order);
  }
  CHECK(orders == 325); // all but the empty one
}

} // namespace
