#pragma once

/// @file
/// The attribute of small functions on whose being inlined the speed of the calculators rests.

/// Nothing where the compiler does not optimise: there it would only make compiling take three times as long.
#ifdef __OPTIMIZE__
#define MOEPLAN_ALWAYS_INLINE gnu::always_inline
#else
#define MOEPLAN_ALWAYS_INLINE
#endif
