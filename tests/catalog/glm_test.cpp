#include <moeplan/catalog/glm.hpp>

#include <moeplan/memory/parameters.hpp>

#include "support/both_times.hpp"

// The parameters of the published checkpoints, from the safetensors headers on the Hugging Face hub.

using namespace moeplan;

namespace {

BOTH_TIMES("GLM-4.5-Air: 106B, 12B active", [] {
  const auto p = parameters(catalog::glm_4_5_air);
  EXPECT(p.total() == 106'852'251'264);
  EXPECT(p.active() == 13'424'129'664);
  // The checkpoint holds the module for multi-token prediction as well, with copies of embedding and head.
  EXPECT(p.total() + p.mtp + p.embedding + p.lm_head == 110'468'824'832);
});

BOTH_TIMES("GLM-4.5: 355B, 32B active", [] {
  const auto p = parameters(catalog::glm_4_5);
  EXPECT(p.total() + p.mtp + p.embedding + p.lm_head == 358'337'791'296);
  // Its makers count the module and leave out the vocabulary (arXiv 2508.06471, table 1).
  EXPECT((p.total() + p.mtp - p.embedding - p.lm_head) / 1'000'000'000 == 355);
  EXPECT((p.active() - p.embedding - p.lm_head) / 1'000'000'000 == 32);
});

} // namespace
