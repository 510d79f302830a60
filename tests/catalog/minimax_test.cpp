#include <moeplan/catalog/minimax.hpp>

#include <moeplan/memory/parameters.hpp>

#include "support/both_times.hpp"

// The parameters of the published checkpoints, from the safetensors headers on the Hugging Face hub.

using namespace moeplan;

namespace {

BOTH_TIMES("MiniMax-M2.5: 230B, 10B active", [] {
  const auto p = parameters(catalog::minimax_m2_5);
  EXPECT(p.total() == 228'689'764'864);
  EXPECT(p.active() == 11'030'553'088);
  EXPECT(p.total() + 13'880'064 == 228'703'644'928); // with the scales of its 128 x 128 blocks
});

} // namespace
