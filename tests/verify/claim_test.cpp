#include <moeplan/verify/claim.hpp>

#include <moeplan/verify/printed_text.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

BOTH_TIMES("a claim is written down as it is read", [] {
  constexpr claim c{.id = "left",
                    .quantity = claim_quantity::left_memory,
                    .claimed = "21.7 GB"_printed,
                    .inputs = {{claim_input::capacity, "64 GB"_printed}, {claim_input::utilisation, "66.1%"_printed}}};
  EXPECT(c.relation == claim_relation::equals);
  EXPECT(c.subject.empty());
  EXPECT(c.inputs.items.size() == 2);
});

BOTH_TIMES("relations have names", [] {
  EXPECT(name_of(claim_relation::equals) == "equals");
  EXPECT(name_of(claim_relation::less_than) == "less_than");
  EXPECT(name_of(claim_relation::differs) == "differs");
});

} // namespace
