#include <moeplan/catalog/mixtral.hpp>

#include <moeplan/memory/parameters.hpp>

#include "support/both_times.hpp"

// The parameters of the published checkpoints, from the safetensors headers on the Hugging Face hub.

using namespace moeplan;

namespace {

BOTH_TIMES("Mixtral 8x7B: 46.7B, 12.9B active", [] {
  const auto p = parameters(catalog::mixtral_8x7b);
  EXPECT(p.total() == 46'702'792'704);
  EXPECT(p.active() == 12'879'925'248);
});

BOTH_TIMES("Mixtral 8x22B: 141B, 39B active", [] {
  const auto p = parameters(catalog::mixtral_8x22b);
  EXPECT(p.total() == 140'620'634'112);
  EXPECT(p.active() == 39'152'031'744);
});

} // namespace
