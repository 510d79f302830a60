// What every fuzz target shares: its entry, and how it says that something does not hold.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace moeplan_fuzz {

/// Judges one input; each target defines it. Whatever is wrong with the library ends the program.
void run(std::string_view input);

/// Ends the program, which the fuzzer reports with the input, unless the claim holds.
inline void expect(bool holds, const char* claim) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", claim);
  std::abort();
}

} // namespace moeplan_fuzz
