#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <moeplan/io/json_reader.hpp>
#include <moeplan/verify/claim_formulas.hpp>
#include <moeplan/verify/claim_input.hpp>
#include <moeplan/verify/claim_quantity.hpp>
#include <moeplan/verify/printed_text.hpp>
#include <moeplan/verify/printed_value.hpp>

/// @file
/// The numbers of a report file: as the report prints them, in strings such as "17.7 GB", or as integers.

namespace moeplan::io {

/// The largest integer that a report may print.
inline constexpr std::int64_t largest_printed_integer = 999'999'999'999'999'999;

/// An integer that is exact: a degree, a number of GPUs.
[[nodiscard]] inline std::int64_t read_printed_integer(const json_place& place) {
  const bool is_integer = place.is(json_kind::integer) || place.is(json_kind::large_integer);
  if (!is_integer) place.refuse("an integer");
  const bool fits = place.is(json_kind::integer) && place.value().integer >= 0 && place.value().integer <= largest_printed_integer;
  if (!fits) place.refuse("an integer from 0 to 10^18 - 1", "a number out of range");
  return place.value().integer;
}

/// A number with its unit, of one dimension.
[[nodiscard]] inline printed_value read_printed(const json_place& place, dimension d) {
  const text units = units_of(d);
  const std::string expected{units.data(), units.size()};
  const auto is = [&place](const char* word) { return place.is(json_kind::string) && place.value().text == word; };
  if (d == dimension::answer && !is("yes") && !is("no")) place.refuse(expected);
  const bool is_number = place.is(json_kind::integer) || place.is(json_kind::large_integer);
  if (!is_number && !place.is(json_kind::string)) place.refuse(expected + ", as an integer or in a string as it is printed");
  const printed_value value = is_number ? printed_value{read_printed_integer(place)} : place.parse(&parse_printed);
  if (!suits(d, value)) place.refuse(expected);
  return value;
}

/// The names in one of the tables of claims.
template <class Entry, std::size_t N>
[[nodiscard]] std::vector<std::string> names_in(const Entry (&table)[N]) {
  std::vector<std::string> names;
  for (const Entry& e : table) names.emplace_back(e.name);
  return names;
}

/// Whether a claim about the quantity can be computed with the number: some formula needs it, or says that it can have it.
[[nodiscard]] inline bool is_computed_with(claim_quantity quantity, claim_input input) {
  const std::string name = std::string{"{"} + entry(input).name + '}';
  for (const claim_formula& f : claim_formula_table)
    if (f.quantity == quantity && (f.takes(input) || std::string_view{f.words}.find(name) != std::string_view::npos)) return true;
  return false;
}

/// Any numbers that a claim can be computed from. Throws input_error, also for a key that is no such number.
[[nodiscard]] inline claim_inputs read_claim_inputs(const json_place& place) {
  json_object object{place, "an object with the numbers that the claim is computed from"};
  claim_inputs inputs;
  for (const claim_input_entry& e : claim_input_table)
    if (const auto member = object.find(e.name))
      if (!inputs.set(e.id, read_printed(*member, e.dimension)))
        place.refuse("at most " + std::to_string(claim_inputs::capacity) + " numbers", "too many numbers");
  object.refuse_unknown_keys();
  return inputs;
}

} // namespace moeplan::io
