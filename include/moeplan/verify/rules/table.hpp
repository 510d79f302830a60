#pragma once

#include <cstddef>

#include <moeplan/verify/rules/batch.hpp>
#include <moeplan/verify/rules/experts.hpp>
#include <moeplan/verify/rules/model.hpp>
#include <moeplan/verify/rules/pipeline.hpp>
#include <moeplan/verify/rules/tensor.hpp>
#include <moeplan/verify/rules/world.hpp>

/// @file
/// All rules, section by section, in the order of the enumeration.

namespace moeplan::rules {

/// A table of rules that belong together.
struct section {
  const rule_entry* first = nullptr;
  std::size_t length = 0;

  template <std::size_t N>
  constexpr section(const rule_entry (&table)[N]) noexcept : first{table}, length{N} {}
};

inline constexpr section sections[] = {world, model, tensor, experts, pipeline, batch};

/// The entry of a rule. That the tables have the order of the enumeration is tested.
[[nodiscard]] constexpr const rule_entry& entry(rule id) noexcept {
  auto index = static_cast<std::size_t>(id);
  const section* s = sections;
  while (index >= s->length) index -= s++->length;
  return s->first[index];
}

} // namespace moeplan::rules
