#include <moeplan/catalog/kimi.hpp>

#include <moeplan/memory/parameters.hpp>

#include "support/both_times.hpp"

// The parameters of the published checkpoints, from the safetensors headers on the Hugging Face hub.

using namespace moeplan;

namespace {

BOTH_TIMES("Kimi K2: 1T, 32B active", [] {
  const auto p = parameters(catalog::kimi_k2);
  EXPECT(p.total() == 1'026'408'232'448);
  EXPECT(p.active() == 32'861'500'928);
  // The hub's total has one buffer of 56 elements a layer more, which is no weight.
  EXPECT(p.total() + 61 * 56 == 1'026'408'235'864);
});

} // namespace
