#pragma once

#include <cstddef>

/// @file
/// The numbers below N as a template pack. <utility> has this too, but costs as much to include as the whole of describe/.

namespace moeplan {

template <std::size_t... I>
struct indices {};

namespace detail {
#if __has_builtin(__make_integer_seq)
template <class, std::size_t... I>
using indices_of = indices<I...>;
template <std::size_t N>
using make_indices = __make_integer_seq<indices_of, std::size_t, N>;
#else
template <std::size_t N>
using make_indices = indices<__integer_pack(N)...>;
#endif
} // namespace detail

/// indices<0, 1, ..., N - 1>
template <std::size_t N>
using indices_below = detail::make_indices<N>;

} // namespace moeplan
