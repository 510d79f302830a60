#include <moeplan/catalog/olmoe.hpp>

#include <moeplan/memory/parameters.hpp>

#include "support/both_times.hpp"

// The parameters of the published checkpoints, from the safetensors headers on the Hugging Face hub.

using namespace moeplan;

namespace {

BOTH_TIMES("OLMoE: 6.9B, 1.3B active", [] {
  const auto p = parameters(catalog::olmoe_1b_7b);
  EXPECT(p.total() == 6'919'161'856);
  EXPECT(p.active() == 1'282'017'280);
});

} // namespace
