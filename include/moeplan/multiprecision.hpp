#pragma once

#include <boost/multiprecision/cpp_int.hpp>

/// @file
/// Wider integers for totals that can outgrow 64 bits: `parameters<moeplan::wide>(model)`. Opt-in, because Boost.Multiprecision costs
/// seconds a translation unit. Link Boost's headers yourself.

namespace moeplan {

/// 128 bits, in constant expressions too; throws std::overflow_error (in a constant expression: does not compile) when that is too few.
using wide = boost::multiprecision::checked_uint128_t;

/// As large as need be, at run time.
using unbounded = boost::multiprecision::cpp_int;

} // namespace moeplan
