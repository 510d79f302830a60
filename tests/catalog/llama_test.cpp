#include <moeplan/catalog/llama.hpp>

#include <moeplan/memory/parameters.hpp>

#include "support/both_times.hpp"

// The parameters of the published checkpoints, from the safetensors headers on the Hugging Face hub.

using namespace moeplan;

namespace {

BOTH_TIMES("Llama 3.1 8B", [] {
  const auto p = parameters(catalog::llama_3_1_8b);
  EXPECT(p.total() == 8'030'261'248);
  EXPECT(p.active() == p.total());
});

BOTH_TIMES("Llama 3.1 70B", [] {
  const auto p = parameters(catalog::llama_3_1_70b);
  EXPECT(p.total() == 70'553'706'496);
  EXPECT(p.active() == p.total());
});

} // namespace
