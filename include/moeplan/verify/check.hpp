#pragma once

#include <cstddef>

#include <moeplan/describe/deployment.hpp>
#include <moeplan/number/indices.hpp>
#include <moeplan/verify/facts.hpp>
#include <moeplan/verify/findings.hpp>
#include <moeplan/verify/memory_facts.hpp>
#include <moeplan/verify/rules/table.hpp>

/// @file
/// Checks a deployment against the rules of its profile.

namespace moeplan {

namespace detail {

/// Judges the rules of one section one by one. A pack, not a loop: each rule's function is then known where it is called, and inlined.
template <const auto& Table, std::size_t... I>
constexpr void judge(findings& result, indices<I...>) noexcept {
  const facts& f = result.facts;
  const auto binds = [&f](const rule_entry& e) { return (e.scope & scope::of(f.profile)) != 0 && f.knows(e.needs); };
  ((binds(Table[I]) && !Table[I].holds(f) ? result.add(Table[I].id) : void()), ...);
}

template <const auto& Table>
constexpr void judge(findings& result) noexcept {
  judge<Table>(result, indices_below<sizeof Table / sizeof(rule_entry)>{});
}

} // namespace detail

/// Every rule that the deployment violates, at run time and in constant expressions alike. Defined for every deployment, however wrong:
/// this is what establishes the preconditions of the calculators. A template so that only who checks compiles all rules.
template <int OnUse = 0>
[[nodiscard]] constexpr findings check(const deployment& d) noexcept {
  findings result{.facts = facts_of(d)};
  detail::judge<rules::world>(result);
  detail::judge<rules::nodes>(result);
  detail::judge<rules::model>(result);
  detail::judge<rules::tensor>(result);
  detail::judge<rules::experts>(result);
  detail::judge<rules::pipeline>(result);
  detail::judge<rules::batch>(result);
  detail::judge<rules::sharding>(result);
  detail::judge<rules::serving>(result);
  detail::judge<rules::memory>(result);
  if (!result.ok() || !detail::read_memory(result.facts, d)) return result;
  detail::judge<rules::memory>(result); // with what was not known before
  return result;
}

} // namespace moeplan
