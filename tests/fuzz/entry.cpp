#include <cstddef>
#include <cstdint>

#include "expect.hpp"

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it by this name.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast)
  moeplan_fuzz::run({reinterpret_cast<const char*>(data), size});
  return 0;
}
