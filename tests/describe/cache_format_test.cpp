#include <moeplan/describe/cache_format.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

// vLLM config/cache.py, DEFAULT_BLOCK_SIZE; SGLang server_args.py, page_size; TensorRT-LLM KvCacheConfig.tokens_per_block.
BOTH_TIMES("blocks of the frameworks", [] {
  EXPECT(cache_block::vllm == 16);
  EXPECT(cache_block::sglang == 1);
  EXPECT(cache_block::trtllm == 32);
});

} // namespace
