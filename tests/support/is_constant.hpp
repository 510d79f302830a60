// Whether a lambda without captures can be called in a constant expression:
//
//   static_assert(!is_constant<decltype([] { return count{3} - 4; })>);
#pragma once

#include <type_traits>

namespace moeplan_test {

template <class Lambda>
concept is_constant = requires {
  typename std::bool_constant<(static_cast<void>(Lambda{}()), true)>;
};

} // namespace moeplan_test
