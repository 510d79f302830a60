#include <moeplan/catalog/ernie.hpp>

#include <moeplan/memory/parameters.hpp>

#include "support/both_times.hpp"

// 21B in all and 3B active, says the model card; to the digit counted from config.json independently of this library.

using namespace moeplan;

namespace {

BOTH_TIMES("ERNIE-4.5-21B-A3B", [] {
  const auto p = parameters(catalog::ernie_4_5_21b_a3b);
  EXPECT(p.total() == 21'825'437'888);
  EXPECT(p.active() == 3'352'150'208);
});

} // namespace
