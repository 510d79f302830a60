#include <moeplan/dialect/nearest_flag.hpp>

#include <initializer_list>

#include "support/both_times.hpp"

using namespace moeplan;
using namespace moeplan::dialect;

BOTH_TIMES("distances of words", [] {
  EXPECT(flag_distance("", "") == 0);
  EXPECT(flag_distance("", "abc") == 3);
  EXPECT(flag_distance("kitten", "sitting") == 3); // the textbook's example
  EXPECT(flag_distance("--tp_size", "--tp-size") == 0);
});

BOTH_TIMES("the first of equally near names stays", [] {
  nearest_flag near{"--pp"};
  for (const text name : {text{"--tp-size"}, text{"--tp"}, text{"--cp"}}) near.consider(name);
  EXPECT(near.nearest() == "--tp");
});

BOTH_TIMES("a limit", [] {
  EXPECT(flag_distance("kitten", "sitting", 3) == 3);
  EXPECT(flag_distance("kitten", "sitting", 4) == 3);
  EXPECT(flag_distance("abcdefgh", "h", 4) == 4);
  EXPECT(flag_distance("h", "abcdefgh", 4) == 4);
});

BOTH_TIMES("what is too far away was not meant", [] {
  nearest_flag near{"--learning-rate"};
  near.consider("--tensor-model-parallel-size");
  near.consider("--tp-size");
  EXPECT(near.nearest().empty());
});

BOTH_TIMES("names between blanks", [] {
  EXPECT(is_among("b", "a b c"));
  EXPECT(!is_among("", "a b c"));
  EXPECT(!is_among("a b", "a b c"));
  EXPECT(!is_among("a", ""));
});
