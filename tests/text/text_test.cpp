#include <moeplan/text/text.hpp>

#include <string>
#include <string_view>
#include <type_traits>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

BOTH_TIMES("from a literal", [] {
  EXPECT(text{"abc"}.size() == 3);
  EXPECT(text{"abc"}[1] == 'b');
  EXPECT(text{}.empty());
  EXPECT(text{""} == text{});
  EXPECT(text{"abcdef", 3} == "abc");
});

BOTH_TIMES("equality is by characters", [] {
  EXPECT(text{"abc"} == "abc");
  EXPECT(text{"abc"} != "abd");
  EXPECT(text{"abc"} != "ab");
});

BOTH_TIMES("parts", [] {
  EXPECT(text{"abcdef"}.part(1, 3) == "bcd");
  EXPECT(text{"abcdef"}.part(4, 10) == "ef");
  EXPECT(text{"abcdef"}.part(6, 1) == "");
  EXPECT(text{"abcdef"}.part(0, 0) == "");
});

BOTH_TIMES("finding a character", [] {
  EXPECT(text{"a-b-c"}.find('-') == 1);
  EXPECT(text{"a-b-c"}.find('-', 2) == 3);
  EXPECT(text{"a-b-c"}.find('-', 4) == 5);
  EXPECT(text{"abc"}.find('x') == 3);
  EXPECT(text{}.find('x') == 0);
});

BOTH_TIMES("characters one by one", [] {
  std::size_t n = 0;
  for (const char c : text{"aaaa"}) n += c == 'a' ? 1 : 0;
  EXPECT(n == 4);
});

BOTH_TIMES("letters in either case", [] {
  EXPECT(same_letters("Tp-cP", "tP-Cp"));
  EXPECT(!same_letters("tp", "tpp"));
  EXPECT(!same_letters("tp", "pp"));
  EXPECT(!same_letters("[", "{")); // 32 apart, as cases are, but no letters
  EXPECT(!same_letters("@", "`"));
  EXPECT(same_letters("", ""));
});

static_assert(std::is_convertible_v<std::string, text>);
static_assert(std::is_convertible_v<std::string_view, text>);
static_assert(!std::is_convertible_v<int, text>);

} // namespace

TEST_CASE("from strings, embedded zeros included") {
  const std::string s{"ab\0cd", 5};
  CHECK(text{s}.size() == 5);
  CHECK(text{s}.data() == s.data());
  CHECK(text{std::string_view{"abc"}} == "abc");
}
