#include <moeplan/catalog/ling.hpp>

#include <moeplan/memory/parameters.hpp>

#include "support/both_times.hpp"

// The parameters of the published checkpoints, from the safetensors headers on the Hugging Face hub.

using namespace moeplan;

namespace {

BOTH_TIMES("Ling-mini-2.0: 16B, 1.4B active", [] {
  const auto p = parameters(catalog::ling_mini_2_0);
  EXPECT(p.total() == 16'255'643'392);
  EXPECT((p.active() + 50'000'000) / 100'000'000 == 14);
});

BOTH_TIMES("Ling-1T: 1T, 50B active", [] {
  const auto p = parameters(catalog::ling_1t);
  EXPECT(p.total() == 999'705'328'640);
  EXPECT(p.active() == 51'054'427'136);
});

} // namespace
