#include <moeplan/catalog/gpt_oss.hpp>

#include <moeplan/memory/parameters.hpp>

#include "support/both_times.hpp"

// The parameters of the published checkpoints, from the safetensors headers on the Hugging Face hub.

using namespace moeplan;

namespace {

// Without the embedding, as its makers count the active ones: 3.61B and 5.13B (arXiv 2508.10925, table 1).

BOTH_TIMES("gpt-oss-20b", [] {
  const auto p = parameters(catalog::gpt_oss_20b);
  EXPECT(p.total() == 20'914'757'184);
  EXPECT((p.active() - p.embedding + 5'000'000) / 10'000'000 == 361);
});

BOTH_TIMES("gpt-oss-120b", [] {
  const auto p = parameters(catalog::gpt_oss_120b);
  EXPECT(p.total() == 116'829'156'672);
  EXPECT(p.active() == 5'711'982'912);
  EXPECT((p.active() - p.embedding + 5'000'000) / 10'000'000 == 513);
});

// "attention patterns alternate between banded window and fully dense, with a bandwidth of 128 tokens" (arXiv 2508.10925, 2.2).
BOTH_TIMES("every other layer of gpt-oss has a window of 128 tokens, the first among them", [] {
  EXPECT(catalog::gpt_oss_20b.attention.window.tokens == 128);
  EXPECT(catalog::gpt_oss_20b.windowed_layers() == 12);
  EXPECT(catalog::gpt_oss_120b.windowed_layers() == 18);
  EXPECT(catalog::gpt_oss_120b.has_window(0));
  EXPECT(!catalog::gpt_oss_120b.has_window(1));
});

} // namespace
