#pragma once

#include <cstdint>

#include <moeplan/number/always_inline.hpp>

/// @file
/// Exact non-negative integers that never overflow silently.

namespace moeplan {

/// int, std::int64_t and their like, of 64 bits at most. <concepts> has this too, but alone takes a tenth of the time that including the core may.
template <class T>
concept built_in_integer = sizeof(T) <= 8 && !__is_class(T) && !__is_enum(T) && requires(T n) {
  n % 2;
};

/// What a count does when a result does not fit into 64 bits and the compiler is evaluating a constant expression.
enum class overflow : std::uint16_t {
  fails,    ///< calls a function that is not constexpr: a compile error that names the function
  saturates ///< becomes the top, as at run time; for callers that report overflow themselves
};

/// Not constexpr on purpose: a compiler that meets one of these in a constant expression prints its name.
namespace not_a_constant {
inline void a_count_exceeds_64_bits() noexcept {}
inline void a_count_is_negative() noexcept {}
inline void a_count_is_divided_by_zero() noexcept {}
} // namespace not_a_constant

/// An exact count: parameters, GPUs, layers, bytes.
///
/// A result that does not fit is `top`, and so is everything computed from it (sums, differences, products, quotients, remainders), so
/// that an overflowed result says so and never looks like an answer. `top` compares greater than every exact count.
/// Subtraction below zero and division by zero are no counts either and give `top`.
template <overflow Policy>
struct basic_count {
  static constexpr std::uint64_t top = ~std::uint64_t{0};

  std::uint64_t bits = 0; ///< public only because template arguments need it; read it with value()

  constexpr basic_count() noexcept = default;

  template <built_in_integer Integer>
  constexpr basic_count(Integer n) noexcept : bits{static_cast<std::uint64_t>(n) | top_if(n < Integer{0})} {
    if constexpr (Policy == overflow::fails) {
      if (n < Integer{0})
        not_a_constant::a_count_is_negative();
      else if (overflowed())
        not_a_constant::a_count_exceeds_64_bits();
    }
  }

  /// Precondition: not overflowed().
  [[nodiscard]] constexpr std::uint64_t value() const noexcept { return bits; }
  [[nodiscard]] constexpr bool overflowed() const noexcept { return bits == top; }

  [[MOEPLAN_ALWAYS_INLINE]] friend constexpr basic_count operator+(basic_count a, basic_count b) noexcept {
    std::uint64_t sum = 0;
    const bool over = __builtin_add_overflow(a.bits, b.bits, &sum); // The top and more: too much. The top and 0: the top.
    return result(a, b, sum | top_if(over));
  }

  [[MOEPLAN_ALWAYS_INLINE]] friend constexpr basic_count operator-(basic_count a, basic_count b) noexcept {
    if constexpr (Policy == overflow::fails)
      if (a.bits < b.bits && !b.overflowed()) not_a_constant::a_count_is_negative();
    return raw((a.bits - b.bits) | top_if((a.bits < b.bits) | (a.bits == top)));
  }

  [[MOEPLAN_ALWAYS_INLINE]] friend constexpr basic_count operator*(basic_count a, basic_count b) noexcept {
    std::uint64_t product = 0;
    if (__builtin_mul_overflow(a.bits, b.bits, &product)) product = top;
    if (product == 0 && (a.overflowed() || b.overflowed())) product = top; // Times more it is the top already.
    return result(a, b, product);
  }

  /// Rounds down.
  [[MOEPLAN_ALWAYS_INLINE]] friend constexpr basic_count operator/(basic_count a, basic_count b) noexcept {
    return has_quotient(a, b) ? raw(a.bits / b.bits) : raw(top);
  }

  [[MOEPLAN_ALWAYS_INLINE]] friend constexpr basic_count operator%(basic_count a, basic_count b) noexcept {
    return has_quotient(a, b) ? raw(a.bits % b.bits) : raw(top);
  }

  constexpr basic_count& operator+=(basic_count b) noexcept { return *this = *this + b; }
  constexpr basic_count& operator-=(basic_count b) noexcept { return *this = *this - b; }
  constexpr basic_count& operator*=(basic_count b) noexcept { return *this = *this * b; }

  /// To any stream of characters: the number, or "overflow".
  template <class Stream>
    requires requires(Stream& out) { out << std::uint64_t{} << ""; }
  friend Stream& operator<<(Stream& out, basic_count c) {
    if (c.overflowed())
      out << "overflow";
    else
      out << c.bits;
    return out;
  }

  friend constexpr bool operator==(basic_count, basic_count) noexcept = default;
  friend constexpr bool operator<(basic_count a, basic_count b) noexcept { return a.bits < b.bits; }
  friend constexpr bool operator>(basic_count a, basic_count b) noexcept { return a.bits > b.bits; }
  friend constexpr bool operator<=(basic_count a, basic_count b) noexcept { return a.bits <= b.bits; }
  friend constexpr bool operator>=(basic_count a, basic_count b) noexcept { return a.bits >= b.bits; }

private:
  static constexpr basic_count raw(std::uint64_t bits) noexcept {
    basic_count c;
    c.bits = bits;
    return c;
  }

  /// A top that none of the operands is, is an error in a constant expression.
  [[MOEPLAN_ALWAYS_INLINE]] static constexpr basic_count result(basic_count a, basic_count b, std::uint64_t bits) noexcept {
    if constexpr (Policy == overflow::fails)
      if (bits == top && !a.overflowed() && !b.overflowed()) not_a_constant::a_count_exceeds_64_bits();
    return raw(bits);
  }

  [[MOEPLAN_ALWAYS_INLINE]] static constexpr bool has_quotient(basic_count a, basic_count b) noexcept {
    if constexpr (Policy == overflow::fails)
      if (b.bits == 0 && !a.overflowed()) not_a_constant::a_count_is_divided_by_zero();
    return (b.bits != 0) & (a.bits != top) & (b.bits != top);
  }

  /// The bits that make any result the top, or none. Long sums compile in a fraction of the time that branches take.
  [[MOEPLAN_ALWAYS_INLINE]] static constexpr std::uint64_t top_if(bool yes) noexcept { return 0 - static_cast<std::uint64_t>(yes); }
};

/// The type of every count that this library returns.
using count = basic_count<overflow::fails>;

/// The same without the compile error: for a caller that looks at overflowed(), as `check` does.
using saturating_count = basic_count<overflow::saturates>;

/// Whether an integer type says that a result did not fit, as counts do, rather than hold any result.
template <class Integer>
concept saturates = requires(const Integer& n) {
  n.overflowed();
};

} // namespace moeplan
