// Integers and fractions that cannot overflow, and operands worth trying.
#pragma once

#include <boost/multiprecision/cpp_int.hpp>

#include <cstdint>
#include <random>

namespace oracle {

using integer = boost::multiprecision::cpp_int;
using fraction = boost::multiprecision::cpp_rational;

/// Numbers of every length from 0 to 64 bits, often at a power of two or at the top, where arithmetic goes wrong.
class operands {
public:
  explicit operands(std::uint64_t seed) : random_{seed} {}

  std::uint64_t next() {
    const std::uint64_t bits = random_();
    const std::uint64_t length = random_() % 65;
    const std::uint64_t number = length == 0 ? 0 : bits >> (64 - length);
    switch (random_() % 8) {
      case 0: return length == 64 ? 0 : std::uint64_t{1} << length;
      case 1: return (length == 64 ? 0 : std::uint64_t{1} << length) - 1;
      case 2: return ~(number & 7);
      default: return number;
    }
  }

private:
  std::mt19937_64 random_;
};

} // namespace oracle
