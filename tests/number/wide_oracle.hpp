// 256-bit numbers of every length, and what they are as integers without bound.
#pragma once

#include <moeplan/number/wide_ratio.hpp>

#include "number/oracle.hpp"

namespace oracle {

inline integer truth_of(moeplan::uint128 n) {
  return (integer{static_cast<std::uint64_t>(n >> 64)} << 64) + integer{static_cast<std::uint64_t>(n)};
}

inline integer truth_of(moeplan::uint256 n) { return (truth_of(n.high) << 128) + truth_of(n.low); }

inline fraction truth_of(const moeplan::wide_ratio& r) { return fraction{truth_of(r.numerator), truth_of(r.denominator)}; }

/// 0 to 256 bits long, each 64 of them drawn as oracle::operands draws them.
inline moeplan::uint256 next_uint256(operands& from) {
  const std::uint64_t length = from.next() % 4;
  moeplan::uint128 parts[4]{};
  for (std::uint64_t i = 0; i <= length; ++i) parts[i] = from.next();
  return moeplan::uint256::halves(parts[3] << 64 | parts[2], parts[1] << 64 | parts[0]);
}

} // namespace oracle
