// Every rule from both sides: a deployment that satisfies it and one that violates it, with the operands that the finding must show and the
// legal values that it must suggest.
#pragma once

#include "support/both_times.hpp"
#include "verify/examples.hpp"

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <type_traits>

#include <moeplan/number/indices.hpp>
#include <moeplan/verify/check.hpp>

namespace moeplan_test {

struct numbers {
  std::int64_t items[8]{};
  std::size_t size = 0;

  constexpr numbers() = default;
  constexpr numbers(std::initializer_list<std::int64_t> list) {
    for (const std::int64_t n : list) items[size++] = n;
  }
};

struct rule_case {
  moeplan::rule id{};
  moeplan::deployment satisfying{};
  moeplan::deployment violating{};
  numbers operands{}; ///< in the finding's order
  numbers legal{};
};

/// The suggestions are those expected, and each of them, followed, ends the violation.
constexpr void judge_suggestions(const rule_case& c, const moeplan::finding& f) {
  const moeplan::legal_values legal = f.legal();
  EXPECT(legal.size() == c.legal.size);
  for (std::size_t i = 0; i < legal.size(); ++i) {
    EXPECT(legal[i] == c.legal.items[i]);
    moeplan::deployment better = c.violating;
    EXPECT(follow(better, f.changes(), legal[i]));
    EXPECT(!moeplan::check(better).contains(c.id));
  }
}

constexpr void judge(const rule_case& c) {
  EXPECT(!moeplan::check(c.satisfying).contains(c.id));
  const moeplan::findings found = moeplan::check(c.violating);
  EXPECT(found.contains(c.id));
  for (const moeplan::finding f : found) {
    if (f.id() != c.id) continue;
    const moeplan::operand_values operands = f.operands();
    EXPECT(operands.size() == c.operands.size);
    for (std::size_t i = 0; i < operands.size(); ++i) EXPECT(operands[i].value == c.operands.items[i]);
    judge_suggestions(c, f);
  }
}

/// Whether the cases meet every rule of a section, in its order; a rule may have several cases.
template <std::size_t Cases, std::size_t Rules>
constexpr bool meet_every_rule(const rule_case (&cases)[Cases], const moeplan::rule_entry (&section)[Rules]) {
  std::size_t next = 0;
  for (const rule_case& c : cases) {
    if (next != 0 && c.id == section[next - 1].id) continue;
    if (next == Rules || c.id != section[next].id) return false;
    ++next;
  }
  return next == Rules;
}

/// Each case is a constant expression of its own, so that compilers' limits hold for one and not for all.
template <const auto& Cases, std::size_t... I>
consteval bool judged(moeplan::indices<I...>) {
  return (std::bool_constant<(judge(Cases[I]), true)>::value && ...);
}
template <const auto& Cases>
inline constexpr bool judged_in_constant_evaluation = judged<Cases>(moeplan::indices_below<sizeof Cases / sizeof(rule_case)>{});

/// One test case that names the rule it is at.
template <std::size_t Cases>
void judge_at_run_time(const rule_case (&cases)[Cases]) {
  for (const rule_case& c : cases) {
    const moeplan::text name = moeplan::rules::entry(c.id).name;
    INFO("rule " << std::string(name.data(), name.size()) << ", case " << &c - cases);
    judge(c);
  }
}

} // namespace moeplan_test
