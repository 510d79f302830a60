#include <moeplan/catalog/phi.hpp>

#include <moeplan/memory/parameters.hpp>

#include "support/both_times.hpp"

// The parameters of the published checkpoints, from the safetensors headers on the Hugging Face hub.

using namespace moeplan;

namespace {

BOTH_TIMES("Phi-3.5-MoE: 42B, 6.6B active", [] {
  const auto p = parameters(catalog::phi_3_5_moe);
  EXPECT(p.total() == 41'873'153'344);
  EXPECT(p.active() == 6'640'999'744);
});

} // namespace
