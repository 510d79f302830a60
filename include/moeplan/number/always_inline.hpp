#pragma once

/// @file
/// The attributes of functions about which the compiler is not to decide whether they are inlined.

/// Small ones on which the speed of the calculators rests. Nothing where the compiler does not optimise: there it would only make
/// compiling take three times as long.
#ifdef __OPTIMIZE__
#define MOEPLAN_ALWAYS_INLINE gnu::always_inline
#else
#define MOEPLAN_ALWAYS_INLINE
#endif

/// Ones with so many calls that inlining them makes programs large and slow to compile, and not faster.
#define MOEPLAN_NEVER_INLINE gnu::noinline
