#pragma once

#include <cstddef>
#include <cstdint>

#include <moeplan/number/indices.hpp>
#include <moeplan/verify/check.hpp>

/// @file
/// MOEPLAN_REQUIRE: a compile error that names every violated rule and its operands.

namespace moeplan {

/// Never defined: the compiler prints the rule and its operands when it meets one.
template <rule Rule, std::int64_t... Operands>
struct violated;

namespace detail {

/// A violated rule in a form that can be a template argument.
struct violation {
  rule id{};
  std::int64_t operands[8]{};
  std::size_t used = 0;
};

template <std::size_t N>
struct violations {
  violation items[N == 0 ? 1 : N]{};
};

template <int OnUse = 0> // so that only who requires it compiles it
[[nodiscard]] constexpr std::size_t errors(const deployment& d) noexcept {
  return check(d).count(severity::error);
}

template <std::size_t N>
[[nodiscard]] constexpr violations<N> violations_of(const deployment& d) noexcept {
  violations<N> result;
  if constexpr (N != 0) {
    const findings all = check(d);
    std::size_t next = 0;
    for (const finding f : all) {
      if (f.level() != severity::error) continue;
      violation& v = result.items[next++];
      v.id = f.id();
      for (const operand_value& o : f.operands()) v.operands[v.used++] = o.value;
    }
  }
  return result;
}

/// Names one violation to the compiler. Each has a function body of its own, for a compiler stops at the first error of an expression, and
/// one for every line, for it reports the same error in the same body only once.
template <int Line, rule Rule, std::int64_t... Operands>
struct report {
  static constexpr bool body() noexcept { return sizeof(violated<Rule, Operands...>) != 0; }
};

using report_body = bool (*)() noexcept;

template <int Line, violation V, std::size_t... I>
constexpr report_body report_of(indices<I...>) noexcept {
  return &report<Line, V.id, V.operands[I]...>::body;
}

/// Never defined: where there are more violations than a compiler prints errors, they are printed as one.
template <class... Violated>
struct violated_together;

template <violation V, std::size_t... I>
constexpr violated<V.id, V.operands[I]...>* type_of(indices<I...>) noexcept {
  return nullptr;
}

/// clang stops after twenty errors; half of them leave room for a second MOEPLAN_REQUIRE.
inline constexpr std::size_t most_errors = 10;

template <int Line, auto Violations, std::size_t... I>
constexpr bool satisfied(indices<I...>) noexcept {
  if constexpr (sizeof...(I) > most_errors)
    return sizeof(violated_together<decltype(type_of<Violations.items[I]>(indices_below<Violations.items[I].used>{}))...>) == 0;
  else // The addresses make the compiler instantiate every body.
    return ((report_of<Line, Violations.items[I]>(indices_below<Violations.items[I].used>{}) == nullptr) && ...);
}

/// Every error of a deployment in words. A template so that only who requires it compiles it.
template <int OnUse = 0>
[[nodiscard]] constexpr text_buffer<38912> sentences(const deployment& d) noexcept {
  text_buffer<38912> all;
  const findings found = check(d);
  for (const finding f : found) {
    if (f.level() != severity::error) continue;
    all.append(f.name()).append(text{": "}).append(text{f.message()});
    append_legal(all, f);
    all.append(text{". "});
  }
  return all;
}

} // namespace detail

} // namespace moeplan

/// MOEPLAN_REQUIRE(deployment) does not compile where a constant deployment violates a rule of severity error; it stands where a
/// static_assert may. The compiler prints `violated<moeplan::rule::experts_divide_by_ep, 63, 4>` for every violated rule, with its operands
/// in the rule's order, or from C++26 on all findings in words.
#if defined(__cpp_static_assert) && __cpp_static_assert >= 202306L
#define MOEPLAN_REQUIRE(...) static_assert(::moeplan::check(__VA_ARGS__).ok(), ::moeplan::detail::sentences(__VA_ARGS__))
#else
#define MOEPLAN_REQUIRE(...)                                                                                                     \
  static_assert(::moeplan::detail::satisfied<__LINE__, ::moeplan::detail::violations_of<::moeplan::detail::errors(__VA_ARGS__)>( \
                                                           __VA_ARGS__)>(                                                        \
                    ::moeplan::indices_below<::moeplan::detail::errors(__VA_ARGS__)>{}),                                         \
                "the deployment violates the rules named below or above as violated<rule, operands>")
#endif
