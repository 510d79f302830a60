// How many cases of a random or exhaustive test a build has time for.
#pragma once

namespace moeplan_test {

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MOEPLAN_TEST_IS_SANITIZED
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define MOEPLAN_TEST_IS_SANITIZED
#endif

/// Under the sanitizers, which find what they find in the first few, and where everything takes many times as long: one in ten.
template <class Integer>
constexpr Integer cases_for_build(Integer all) {
#ifdef MOEPLAN_TEST_IS_SANITIZED
  return all / 10;
#else
  return all;
#endif
}

} // namespace moeplan_test
