#pragma once

#include <cstdint>

#include <moeplan/text/text.hpp>
#include <moeplan/verify/claim_input.hpp>
#include <moeplan/verify/claim_quantity.hpp>
#include <moeplan/verify/printed_value.hpp>

/// @file
/// One number of a report, and what the report says that it is.

namespace moeplan {

/// How a claim relates its quantity to its value.
enum class claim_relation : std::uint16_t {
  equals,
  at_most,
  less_than, ///< "< 64 GB", "fails to meet the target"
  at_least,
  more_than,
  differs ///< "inconsistent", "impossible"
};

[[nodiscard]] constexpr text name_of(claim_relation r) noexcept {
  constexpr text names[] = {"equals", "at_most", "less_than", "at_least", "more_than", "differs"};
  return names[static_cast<std::size_t>(r)];
}

/// The quantity, computed from the inputs, has this relation to the value claimed: 17.7 GB of 64 GB is a utilisation that equals 27.6%.
struct claim {
  text id{};
  claim_quantity quantity{};
  claim_relation relation = claim_relation::equals;
  printed_value claimed{};
  claim_inputs inputs{};
  text subject{}; ///< what it is a quantity of, where several claims are about the same: those are compared; empty: with no other
};

} // namespace moeplan
