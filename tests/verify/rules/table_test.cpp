#include <moeplan/verify/rules/table.hpp>

#include "support/both_times.hpp"
#include "verify/examples.hpp"

#include <moeplan/number/indices.hpp>
#include <moeplan/verify/findings.hpp>

using namespace moeplan;

namespace {

/// The enumerator as the compiler spells it.
template <rule Rule>
constexpr auto spelled() {
  const text function = __PRETTY_FUNCTION__;
  std::size_t end = function.size();
  while (function[end - 1] != ']') --end;
  std::size_t start = --end;
  while (function[start - 1] != ':') --start;
  return function.part(start, end - start);
}
static_assert(spelled<rule::gpus_are_available>() == "gpus_are_available");

template <std::size_t... I>
constexpr bool names_are_spelled_as_their_enumerators(indices<I...>) {
  return ((text{rules::entry(static_cast<rule>(I)).name} == spelled<static_cast<rule>(I)>()) && ...);
}
static_assert(names_are_spelled_as_their_enumerators(indices_below<rule_count>{}));

template <class Test>
constexpr bool for_every_rule(Test test) {
  for (const rules::section& s : rules::sections)
    for (std::size_t i = 0; i < s.length; ++i)
      if (!test(s.first[i])) return false;
  return true;
}

BOTH_TIMES("the tables have the order of the enumeration, and none is left out", [] {
  std::size_t next = 0;
  EXPECT(for_every_rule([&next](const rule_entry& e) { return e.id == static_cast<rule>(next++); }));
  EXPECT(next == rule_count);
  for (std::size_t i = 0; i < rule_count; ++i) EXPECT(rules::entry(static_cast<rule>(i)).id == static_cast<rule>(i));
});

BOTH_TIMES("every rule has a message and a source",
           [] { EXPECT(for_every_rule([](const rule_entry& e) { return *e.message != 0 && *e.source != 0; })); });

// Only at run time: with -fsanitize=undefined g++ compares no address of a function with null in constant expressions.
TEST_CASE("every rule has a judgement, and suggests values exactly if it says of what") {
  CHECK(for_every_rule([](const rule_entry& e) { return e.holds != nullptr; }));
  CHECK(for_every_rule([](const rule_entry& e) { return (*e.changes == 0) == (e.legal == nullptr); }));
}

/// Where the operands of an entry end; none may follow.
constexpr std::size_t operands_of(const rule_entry& e) {
  std::size_t n = 0;
  while (n < 8 && e.operands[n] != nullptr) ++n;
  for (std::size_t i = n; i < 8; ++i)
    if (e.operands[i] != nullptr) return 9;
  return n;
}

constexpr bool has_operand(const rule_entry& e, text name) {
  for (std::size_t i = 0; i < operands_of(e); ++i)
    if (e.operands[i]->name == name) return true;
  return false;
}

BOTH_TIMES("operands have a name and a value, no two the same", [] {
  EXPECT(for_every_rule([](const rule_entry& e) {
    const std::size_t n = operands_of(e);
    if (n > 8) return false;
    for (std::size_t i = 0; i < n; ++i) {
      if (e.operands[i]->name.empty() || e.operands[i]->value == nullptr) return false;
      for (std::size_t j = 0; j < i; ++j)
        if (e.operands[i]->name == e.operands[j]->name || e.operands[i]->value == e.operands[j]->value) return false;
    }
    return true;
  }));
});

BOTH_TIMES("every placeholder of a message is an operand", [] {
  EXPECT(for_every_rule([](const rule_entry& e) {
    const text message = e.message;
    for (std::size_t at = 0; at < message.size(); ++at) {
      if (message[at] == '}') return false;
      if (message[at] != '{') continue;
      const std::size_t close = message.find('}', at);
      if (close == message.size() || !has_operand(e, message.part(at + 1, close - at - 1))) return false;
      at = close;
    }
    return true;
  }));
});

BOTH_TIMES("the longest message of every rule fits", [] {
  EXPECT(for_every_rule([](const rule_entry& e) {
    facts f;
    for (const operand* const o : e.operands)
      if (o != nullptr) f.*o->value = INT64_MIN;
    return !finding{e, f}.message().truncated();
  }));
});

BOTH_TIMES("what a rule suggests to change can be changed", [] {
  EXPECT(for_every_rule([](const rule_entry& e) {
    deployment d = moeplan_test::trained;
    deployment s = moeplan_test::served;
    return *e.changes == 0 || moeplan_test::follow(d, e.changes, 1) || moeplan_test::follow(s, e.changes, 1);
  }));
});

} // namespace
