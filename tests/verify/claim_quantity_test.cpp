#include <moeplan/verify/claim_quantity.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

BOTH_TIMES("the table is in the order of the enumerators, and no name stands twice", [] {
  EXPECT(sizeof claim_quantity_table / sizeof(claim_quantity_entry) == claim_quantity_count);
  for (std::size_t i = 0; i < claim_quantity_count; ++i) {
    EXPECT(claim_quantity_table[i].id == static_cast<claim_quantity>(i));
    EXPECT(!name_of(static_cast<claim_quantity>(i)).empty());
    for (std::size_t other = 0; other < i; ++other)
      EXPECT(!(text{claim_quantity_table[i].name} == text{claim_quantity_table[other].name}));
  }
});

BOTH_TIMES("counts and answers are exact, and nothing else is", [] {
  for (const claim_quantity_entry& e : claim_quantity_table)
    EXPECT(e.exact == (e.dimension == dimension::number || e.dimension == dimension::answer));
});

} // namespace
