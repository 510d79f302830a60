// One test body, run twice: in constant evaluation by the compiler, and at run time by doctest.
//
//   BOTH_TIMES("gpus of a folded strategy", [] { EXPECT(moeplan::gpus(s) == 128); });
//
// The body is a lambda without captures and without what constant evaluation cannot do. Run-time checks (CHECK, REQUIRE) do not
// belong in it; EXPECT does.
#pragma once

#include <doctest/doctest.h>

#include <type_traits>

namespace moeplan_test {

// Not constexpr on purpose: a false EXPECT in constant evaluation stops here, and the compiler prints this name.
inline void this_expectation_does_not_hold(const char* expression, const char* file, int line) {
  DOCTEST_ADD_FAIL_CHECK_AT(file, line, "EXPECT( " << doctest::String(expression) << " ) does not hold");
}

// Lets doctest count the assertion.
inline void this_expectation_holds() { DOCTEST_CHECK(true); }

constexpr void expect(bool holds, const char* expression, const char* file, int line) {
  if (!holds) {
    this_expectation_does_not_hold(expression, file, line);
  } else if (!std::is_constant_evaluated()) {
    this_expectation_holds();
  }
}

} // namespace moeplan_test

#define EXPECT(...) ::moeplan_test::expect(static_cast<bool>(__VA_ARGS__), #__VA_ARGS__, __FILE__, __LINE__)

// Variadic, because the body may hold commas.
#define BOTH_TIMES(name, ...) MOEPLAN_BOTH_TIMES_(name, DOCTEST_ANONYMOUS(both_times_body_), __VA_ARGS__)
#define MOEPLAN_BOTH_TIMES_(name, body, ...)              \
  static constexpr auto body = __VA_ARGS__;               \
  static_assert((static_cast<void>(body()), true), name); \
  DOCTEST_TEST_CASE(name) { body(); }                     \
  static_assert(true, "BOTH_TIMES ends with a semicolon")
