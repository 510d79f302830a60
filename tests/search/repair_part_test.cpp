#include <moeplan/search/repair_part.hpp>

#include <doctest/doctest.h>

#include "support/both_times.hpp"

using namespace moeplan;

BOTH_TIMES("a set of parts", [] {
  repair_parts parts{repair_part::ep_size, repair_part::micro_batch};
  EXPECT(parts.size() == 2);
  EXPECT(parts.contains(repair_part::micro_batch));
  EXPECT(!parts.contains(repair_part::tp_size));
  EXPECT(parts.contains_all({repair_part::ep_size}));
  EXPECT(!parts.contains_all({repair_part::ep_size, repair_part::tp_size}));
  EXPECT(parts.shares_none({repair_part::tp_size}));
  EXPECT(!parts.shares_none({repair_part::tp_size, repair_part::ep_size}));
  parts.add(repair_part::ep_size);
  EXPECT(parts == repair_parts{repair_part::micro_batch, repair_part::ep_size});
  EXPECT(repair_parts{}.empty());
});

BOTH_TIMES("every part has a name of its own, and DP is the one that is no change", [] {
  for (std::size_t i = 0; i < repair_part_count; ++i)
    for (std::size_t j = 0; j < i; ++j) EXPECT(name_of(static_cast<repair_part>(i)) != name_of(static_cast<repair_part>(j)));
  EXPECT(name_of(repair_part::vpp_size) == text{"vpp"});
  EXPECT(name_of(repair_part::dp_size) == text{"dp"});
  EXPECT(counted_repair_parts.size() == repair_part_count - 1);
  EXPECT(!counted_repair_parts.contains(repair_part::dp_size));
});
