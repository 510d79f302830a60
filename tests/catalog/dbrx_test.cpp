#include <moeplan/catalog/dbrx.hpp>

#include <moeplan/memory/parameters.hpp>

#include "support/both_times.hpp"

// 132B in all and 36B active, says the model card; to the digit counted from config.json independently of this library.

using namespace moeplan;

namespace {

BOTH_TIMES("DBRX: 132B, 36B active", [] {
  const auto p = parameters(catalog::dbrx);
  EXPECT(p.total() == 131'596'523'520);
  EXPECT(p.active() == 36'469'708'800);
});

} // namespace
