// Descriptions are structural: they can be template arguments, and equal ones name the same type.
#pragma once

#include <type_traits>

namespace moeplan_test {

template <auto Value>
struct named_by {
  static constexpr auto value = Value;
};

template <auto A, auto B>
inline constexpr bool name_the_same_type = std::is_same_v<named_by<A>, named_by<B>>;

} // namespace moeplan_test
