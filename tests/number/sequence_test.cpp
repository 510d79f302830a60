#include <moeplan/number/sequence.hpp>

#include "support/as_template_argument.hpp"
#include "support/both_times.hpp"

using namespace moeplan;

namespace {

BOTH_TIMES("a sequence grows to its capacity", [] {
  sequence<int, 3> s;
  EXPECT(s.empty());
  EXPECT(s.capacity() == 3);
  EXPECT(s.push_back(1));
  EXPECT(s.push_back(2));
  EXPECT(s.push_back(3));
  EXPECT(s.size() == 3);
  EXPECT(s.back() == 3);
  EXPECT(!s.push_back(4));
  EXPECT(s.size() == 3);
  EXPECT(s.back() == 3);
});

BOTH_TIMES("elements can be read and changed", [] {
  sequence<int, 4> s{{1, 2, 3}, 3};
  s[1] = 20;
  s.back() = 30;
  for (int& item : s) ++item;
  int sum = 0;
  for (const int item : s) sum += item;
  EXPECT(sum == 2 + 21 + 31);
  const auto& fixed = s;
  EXPECT(fixed[0] == 2);
  EXPECT(fixed.back() == 31);
});

BOTH_TIMES("only elements in use compare", [] {
  EXPECT(sequence<int, 3>{{1, 2, 3}, 2} == sequence<int, 3>{{1, 2, 9}, 2});
  EXPECT(sequence<int, 3>{{1, 2}, 2} != sequence<int, 3>{{1, 2}, 1});
  EXPECT(sequence<int, 3>{{1, 2}, 2} != sequence<int, 3>{{1, 3}, 2});
  EXPECT(sequence<int, 3>{} == sequence<int, 3>{});
});

static_assert(moeplan_test::name_the_same_type<sequence<int, 2>{{1}, 1}, sequence<int, 2>{{1}, 1}>);

} // namespace
