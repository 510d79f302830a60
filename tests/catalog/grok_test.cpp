#include <moeplan/catalog/grok.hpp>

#include <moeplan/memory/parameters.hpp>

#include "support/both_times.hpp"

// The parameters of the published checkpoints, from the safetensors headers on the Hugging Face hub.

using namespace moeplan;

namespace {

BOTH_TIMES("Grok-1", [] {
  const auto p = parameters(catalog::grok_1);
  EXPECT(p.total() == 315'684'820'992);
  EXPECT(p.active() == 83'756'587'008);
  EXPECT((p.total() - p.embedding) / 1'000'000'000 == 314); // "314B" leaves out the embedding
});

} // namespace
