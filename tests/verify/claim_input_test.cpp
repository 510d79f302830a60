#include <moeplan/verify/claim_input.hpp>

#include <moeplan/verify/printed_text.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

BOTH_TIMES("the table is in the order of the enumerators, and no name stands twice", [] {
  EXPECT(sizeof claim_input_table / sizeof(claim_input_entry) == claim_input_count);
  for (std::size_t i = 0; i < claim_input_count; ++i) {
    EXPECT(claim_input_table[i].id == static_cast<claim_input>(i));
    EXPECT(!name_of(static_cast<claim_input>(i)).empty());
    for (std::size_t other = 0; other < i; ++other)
      EXPECT(!(text{claim_input_table[i].name} == text{claim_input_table[other].name}));
  }
});

BOTH_TIMES("what is counted is exact, what is measured is not", [] {
  EXPECT(entry(claim_input::tp_size).exact);
  EXPECT(entry(claim_input::global_batch).exact);
  EXPECT(entry(claim_input::capacity).exact);
  EXPECT(!entry(claim_input::parameters).exact);
  EXPECT(!entry(claim_input::used_memory).exact);
  EXPECT(!entry(claim_input::latency).exact);
});

BOTH_TIMES("units suit a dimension or do not", [] {
  EXPECT(suits(dimension::number, "30B"_printed));
  EXPECT(!suits(dimension::number, "30 GB"_printed));
  EXPECT(!suits(dimension::number, "30%"_printed));
  EXPECT(suits(dimension::bytes, "30 GB"_printed));
  EXPECT(suits(dimension::time, "30 ms"_printed));
  EXPECT(!suits(dimension::time, "30/s"_printed));
  EXPECT(suits(dimension::rate, "30/s"_printed));
  EXPECT(suits(dimension::rate, "30 tokens/s"_printed));
  EXPECT(suits(dimension::token_rate, "30 tokens/s"_printed));
  EXPECT(suits(dimension::token_rate, "30/s"_printed));
  EXPECT(!suits(dimension::token_rate, "30 samples/s"_printed));
  EXPECT(!suits(dimension::token_rate, "30 s"_printed));
  EXPECT(suits(dimension::sample_rate, "30 requests/s"_printed));
  EXPECT(suits(dimension::sample_rate, "30 sequences/s"_printed));
  EXPECT(!suits(dimension::sample_rate, "30 tokens/s"_printed));
  EXPECT(suits(dimension::operation_rate, "30T FLOP/s"_printed));
  EXPECT(!suits(dimension::operation_rate, "30T tokens/s"_printed));
  for (const printed_value& v : {"0.3"_printed, "30%"_printed, "3x"_printed, "1/3"_printed}) EXPECT(suits(dimension::share, v));
  EXPECT(suits(dimension::answer, "no"_printed));
  EXPECT(!suits(dimension::answer, "1"_printed));
  for (const printed_value& v : {"3"_printed, "30%"_printed, "3 s"_printed, "3 GB"_printed}) EXPECT(suits(dimension::any, v));
});

BOTH_TIMES("units have words", [] {
  EXPECT(units_of(dimension::number) == "a number without a unit");
  EXPECT(units_of(dimension::share) == "a share, such as 27.6%, 64x or 1/8");
  EXPECT(units_of(dimension::any) == "a number");
});

BOTH_TIMES("inputs are found by name, and replaced", [] {
  claim_inputs given{{claim_input::tp_size, 8}, {claim_input::capacity, "64 GB"_printed}};
  EXPECT(given.gives(claim_input::tp_size));
  EXPECT(!given.gives(claim_input::pp_size));
  EXPECT(given[claim_input::capacity] == "64 GB"_printed);
  EXPECT(given.set(claim_input::tp_size, 4));
  EXPECT(given[claim_input::tp_size] == printed_value{4});
  EXPECT(given.items.size() == 2);
  EXPECT((given == claim_inputs{{claim_input::tp_size, 4}, {claim_input::capacity, "64 GB"_printed}}));
});

BOTH_TIMES("there is room for so many inputs", [] {
  claim_inputs given;
  for (std::size_t i = 0; i < claim_inputs::capacity; ++i) EXPECT(given.set(static_cast<claim_input>(i), 1));
  EXPECT(!given.set(static_cast<claim_input>(claim_inputs::capacity), 1));
  EXPECT(given.set(static_cast<claim_input>(0), 2));
});

} // namespace
