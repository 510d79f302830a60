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

BOTH_TIMES("Llama 3.1 405B", [] { EXPECT(parameters(catalog::llama_3_1_405b).total() == 405'853'388'800); });

// Vision tower and projector, which the checkpoints of Llama 4 hold too, and which are no part of the model here.
constexpr count vision{850'960'896 + 20'971'520};

BOTH_TIMES("Llama 4 Scout: 109B, 17B active", [] {
  const auto p = parameters(catalog::llama_4_scout);
  EXPECT(p.total() == 107'769'861'120);
  EXPECT(p.active() == 17'172'894'720);
  EXPECT(p.total() + vision == 108'641'793'536);
});

BOTH_TIMES("Llama 4 Maverick: 400B, 17B active", [] {
  const auto p = parameters(catalog::llama_4_maverick);
  EXPECT(p.total() + vision == 401'583'781'376);
  EXPECT(p.active() / 1'000'000'000 == 17);
});

// transformers, configuration_llama4.py: no_rope_layer_interval 4, attention_chunk_size 8192.
BOTH_TIMES("three of four layers of Llama 4 attend within chunks of 8192 tokens", [] {
  EXPECT(catalog::llama_4_scout.attention.window.kind == window_kind::chunked);
  EXPECT(catalog::llama_4_scout.attention.window.tokens == 8192);
  EXPECT(catalog::llama_4_scout.windowed_layers() == 36);
  EXPECT(!catalog::llama_4_scout.has_window(3));
  EXPECT(catalog::llama_4_maverick.attention.window == catalog::llama_4_scout.attention.window);
  EXPECT(!catalog::llama_3_1_8b.has_window());
});

} // namespace
