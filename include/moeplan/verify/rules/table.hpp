#pragma once

#include <cstddef>
#include <cstdint>

#include <moeplan/verify/rules/batch.hpp>
#include <moeplan/verify/rules/experts.hpp>
#include <moeplan/verify/rules/memory.hpp>
#include <moeplan/verify/rules/model.hpp>
#include <moeplan/verify/rules/nodes.hpp>
#include <moeplan/verify/rules/pipeline.hpp>
#include <moeplan/verify/rules/serving.hpp>
#include <moeplan/verify/rules/sharding.hpp>
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

inline constexpr section sections[] = {world, nodes, model, tensor, experts, pipeline, batch, sharding, serving, memory};

/// One bit a rule.
struct rule_bits {
  std::uint64_t words[(rule_count + 63) / 64]{};

  constexpr void set(std::size_t i) noexcept { words[i / 64] |= std::uint64_t{1} << i % 64; }
};

/// Rules of severity error.
inline constexpr rule_bits errors = [] {
  rule_bits bits;
  for (const section& s : sections)
    for (std::size_t i = 0; i < s.length; ++i)
      if (s.first[i].severity == severity::error) bits.set(static_cast<std::size_t>(s.first[i].id));
  return bits;
}();

/// The entry of a rule. That the tables have the order of the enumeration is tested.
[[nodiscard]] constexpr const rule_entry& entry(rule id) noexcept {
  auto index = static_cast<std::size_t>(id);
  const section* s = sections;
  while (index >= s->length) index -= s++->length;
  return s->first[index];
}

} // namespace moeplan::rules
