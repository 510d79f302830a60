#include <moeplan/memory/kv_cache.hpp>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/gpt_oss.hpp>
#include <moeplan/catalog/kimi.hpp>
#include <moeplan/catalog/llama.hpp>
#include <moeplan/catalog/mixtral.hpp>
#include <moeplan/catalog/qwen.hpp>

#include <ostream>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr auto bf16 = cache_format::bf16;

constexpr stage_contents all_layers(const model& m) { return {.decoder_layers = m.layers, .mtp_layers = m.mtp_layers}; }

constexpr cache_rates<> rates(const model& m, const strategy& s, const serving& v) {
  return cache_rates_of(m, rank_model(m, s), all_layers(m), v);
}
constexpr count sequence_bytes(const model& m, const strategy& s, const serving& v, std::int64_t tokens) {
  return cache_of_sequence(rates(m, s, v), tokens).total();
}

// "Insights into DeepSeek-V3" (arXiv 2505.09343), table 1, has the first three, in KB of 1000 bytes; DeepSeek-V2 is arXiv 2405.04434.
BOTH_TIMES("bytes a token of the whole model, as published", [] {
  constexpr model qwen2_5_72b{.layers = 80, .hidden_size = 8192, .attention = attention::grouped_query(64, 8, 128)};
  EXPECT(cache_bytes_per_token(catalog::deepseek_v3, bf16) == 70'272);
  EXPECT(cache_bytes_per_token(qwen2_5_72b, bf16) == 327'680);
  EXPECT(cache_bytes_per_token(catalog::llama_3_1_405b, bf16) == 516'096);
  EXPECT(cache_bytes_per_token(catalog::deepseek_v2, bf16) == 69'120);
});

BOTH_TIMES("bytes a token of the whole model, by hand", [] {
  EXPECT(cache_bytes_per_token(catalog::llama_3_1_8b, bf16) == 131'072);
  EXPECT(cache_bytes_per_token(catalog::mixtral_8x22b, bf16) == 229'376);
  EXPECT(cache_bytes_per_token(catalog::kimi_k2, bf16) == 61 * 576 * 2);
  EXPECT(cache_bytes_per_token(catalog::qwen3_235b_a22b, bf16) == 94 * 2 * 4 * 128 * 2);
  EXPECT(cache_bytes_per_token(catalog::llama_3_1_8b, cache_format::fp8) == 65'536);
  EXPECT(cache_bytes_per_token(catalog::deepseek_v3, cache_format::fp8) == 35'136);
  EXPECT(cache_bytes_per_token(catalog::qwen3_next_80b_a3b, bf16) == 12 * 2 * 2 * 256 * 2); // 36 of 48 layers keep a state instead
});

// vLLM flashmla_sparse.py: 512 + 16 + 128 bytes; deepseek_v2.py, Indexer: 128 + 4.
BOTH_TIMES("DeepSeek-V3.2's cache in vLLM", [] {
  constexpr auto ds_mla = cache_format::fp8_ds_mla;
  EXPECT(key_value_bytes(catalog::deepseek_v3_2, ds_mla) == 656);
  EXPECT(key_value_bytes(catalog::deepseek_v3_2, bf16) == 1152);
  EXPECT(indexer_key_bytes(catalog::deepseek_v3_2) == 132);
  EXPECT(indexer_key_bytes(catalog::deepseek_v3) == 0);
  EXPECT(cache_bytes_per_token(catalog::deepseek_v3_2, ds_mla) == 61 * (656 + 132));
  EXPECT(cache_bytes_per_token(catalog::deepseek_v3_2, bf16) == 61 * (1152 + 132));
});

BOTH_TIMES("a latent vector of no whole blocks has a scale for the rest", [] {
  constexpr model m{.attention = attention::latent(1, {.kv_lora_rank = 200, .qk_rope_head_dim = 64})};
  EXPECT(key_value_bytes(m, cache_format::fp8_ds_mla) == 200 + 2 * 4 + 128);
});

BOTH_TIMES("TP divides heads of keys and values until each rank has one, and latent attention not at all", [] {
  const auto layer = [](const model& m, std::int64_t ranks) { return key_value_bytes(rank_model(m, tp{ranks}), bf16); };
  EXPECT(layer(catalog::llama_3_1_405b, 1) == 4096);
  EXPECT(layer(catalog::llama_3_1_405b, 4) == 1024);
  EXPECT(layer(catalog::llama_3_1_405b, 8) == 512);
  EXPECT(layer(catalog::llama_3_1_405b, 16) == 512); // two ranks have the same head
  EXPECT(layer(catalog::qwen3_235b_a22b, 8) == 512);
  EXPECT(layer(catalog::deepseek_v3, 8) == 1152);
});

// vLLM 0.10.2 on Qwen3-Next-80B-A3B-Instruct with TP 2 and bf16: "Setting attention block size to 544 tokens to ensure that attention
// page size is >= mamba page size", "Padding mamba page size by 1.49%". Blocks are multiples of 16 tokens.
BOTH_TIMES("the state of Qwen3-Next's linear attention", [] {
  constexpr model rank = rank_model(catalog::qwen3_next_80b_a3b, tp{2});
  constexpr count state = linear_state_bytes(rank, number_type::bf16);
  constexpr count token = key_value_bytes(rank, bf16);
  EXPECT((state + 16 * token - 1) / (16 * token) * 16 == 544);
  EXPECT((544 * token - state) * 10'000 / state == 149);
  EXPECT(state == 3 * (2 * 8 + 16) * 128 * 2 + 16 * 128 * 128 * 2);
  EXPECT(linear_state_bytes(rank, number_type::fp32) == state + 16 * 128 * 128 * 2);
  EXPECT(linear_state_bytes(catalog::qwen3_next_80b_a3b, number_type::bf16) == 2 * state);
  EXPECT(linear_state_bytes(catalog::qwen3_32b, number_type::bf16) == 0);
});

BOTH_TIMES("a state does not grow", [] {
  constexpr auto r = rates(catalog::qwen3_next_80b_a3b, tp{2}, {.block_size = 1});
  EXPECT(r.state == 36 * 548'864);
  EXPECT(cache_of_sequence(r, 1).states == r.state);
  EXPECT(cache_of_sequence(r, 100'000).states == r.state);
  EXPECT(cache_of_sequence(r, 100'000).keys_and_values == 100'000 * 12 * 1024);
});

BOTH_TIMES("blocks are whole", [] {
  constexpr auto r = rates(catalog::llama_3_1_8b, tp{1}, {.block_size = 16});
  EXPECT(r.block == 16 * 131'072);
  EXPECT(cache_of_sequence(r, 0).total() == 0);
  EXPECT(cache_of_sequence(r, 1).total() == r.block);
  EXPECT(cache_of_sequence(r, 16).total() == r.block);
  EXPECT(cache_of_sequence(r, 17).total() == 2 * r.block);
});

constexpr attention_window sliding(std::int64_t tokens) { return {.tokens = tokens, .full_layers = attention_window::no_layers()}; }
constexpr attention_window chunks(std::int64_t tokens) {
  return {.tokens = tokens, .kind = window_kind::chunked, .full_layers = attention_window::no_layers()};
}

/// The most blocks in use at once while a sequence grows token by token, from where its tokens lie.
constexpr std::int64_t blocks_while_growing(const attention_window& w, std::int64_t block, std::int64_t tokens) {
  std::int64_t most = 0;
  for (std::int64_t last = 0; last < tokens; ++last) {
    const std::int64_t first =
        w.kind == window_kind::sliding ? (last < w.tokens ? 0 : last - w.tokens + 1) : last / w.tokens * w.tokens;
    const std::int64_t blocks = last / block - first / block + 1;
    if (blocks > most) most = blocks;
  }
  return most;
}

BOTH_TIMES("a window touches as many blocks as its tokens can", [] {
  for (const std::int64_t block : {1, 2, 3, 16, 32})
    for (const std::int64_t tokens : {1, 2, 16, 17, 18, 33, 48}) {
      EXPECT(window_blocks(sliding(tokens), block, 1) == blocks_while_growing(sliding(tokens), block, 4 * tokens + block));
      // A chunk that is no multiple of the block may not meet its worst place at once: the bound holds, and is off by one at most.
      const auto exact = blocks_while_growing(chunks(tokens), block, 4 * tokens + block);
      EXPECT(window_blocks(chunks(tokens), block, 1) >= exact);
      EXPECT(window_blocks(chunks(tokens), block, 1) <= exact + 1);
      if (tokens % block == 0) EXPECT(window_blocks(chunks(tokens), block, 1) == exact);
    }
});

BOTH_TIMES("a sequence keeps no more blocks than it has", [] {
  constexpr model m{
      .layers = 1, .hidden_size = 64, .attention = {.heads = 1, .kv_heads = 1, .head_dim = 64, .window = sliding(33)}};
  constexpr auto r = rates(m, tp{1}, {.block_size = 16});
  EXPECT(r.block == 0);
  EXPECT(r.windowed_block == 16 * 256);
  for (std::int64_t tokens = 1; tokens < 128; ++tokens)
    EXPECT(cache_of_sequence(r, tokens).windows == r.windowed_block * blocks_while_growing(sliding(33), 16, tokens));
});

// vLLM, github.com/vllm-project/vllm/issues/27508: gpt-oss-120b, --max-num-batched-tokens 1024: "To serve at least one request with the
// models's max seq len (131072), (4.54 GiB KV cache is needed".
BOTH_TIMES("gpt-oss-120b in vLLM, with a chunk of 1024 tokens", [] {
  constexpr count bytes = sequence_bytes(catalog::gpt_oss_120b, tp{1}, {.step_tokens = 1024}, 131'072);
  EXPECT((bytes * 100 + (1LL << 29)) / (1LL << 30) == 454);
  EXPECT(bytes == 18LL * 131'072 * 2048 + 18LL * 73 * 16 * 2048);
});

BOTH_TIMES("half of gpt-oss's layers keep 128 tokens, unless told otherwise", [] {
  constexpr auto c = cache_of_sequence(rates(catalog::gpt_oss_120b, tp{1}, {}), 131'072);
  EXPECT(c.keys_and_values == 18LL * 131'072 * 2048);
  EXPECT(c.windows == 18 * 9 * 16 * 2048);
  EXPECT(sequence_bytes(catalog::gpt_oss_120b, tp{1}, {.block_size = 1}, 131'072) == 18 * (131'072LL + 128) * 2048);
  EXPECT(sequence_bytes(catalog::gpt_oss_120b, tp{1}, {.windows = windowed_cache::all}, 131'072) == 9 * (1LL << 30));
});

// vLLM, github.com/vllm-project/vllm/issues/34076: a model of Qwen3-30B-A3B's shape: "max seq len (262144), (24.0 GiB KV cache is needed".
BOTH_TIMES("Qwen3-30B-A3B in vLLM", [] { EXPECT(sequence_bytes(catalog::qwen3_30b_a3b, tp{1}, {}, 262'144) == 24 * (1LL << 30)); });

BOTH_TIMES("Llama 4's chunks", [] {
  constexpr auto c = cache_of_sequence(rates(catalog::llama_4_scout, tp{8}, {}), 10'485'760);
  EXPECT(c.keys_and_values == 12LL * 10'485'760 * 512);
  EXPECT(c.windows == 36LL * 8192 * 512);
});

BOTH_TIMES("a stage keeps its own layers' cache", [] {
  constexpr model m = catalog::gpt_oss_120b;
  constexpr strategy s{tp{2}, pp{8}};
  constexpr serving v{};
  sequence_cache<> sum;
  for (std::int64_t stage = 0; stage < 8; ++stage) {
    const auto c = cache_of_sequence(cache_rates_of(m, rank_model(m, s), contents(m, s, layout::balanced(), stage), v), 1000);
    sum.keys_and_values += c.keys_and_values;
    sum.windows += c.windows;
  }
  EXPECT(sum == cache_of_sequence(rates(m, tp{2}, v), 1000));
});

BOTH_TIMES("multi-token prediction keeps keys and values where it drafts", [] {
  EXPECT(sequence_bytes(catalog::deepseek_v3, tp{1}, {.block_size = 64}, 64) == 64 * 70'272);
  EXPECT(sequence_bytes(catalog::deepseek_v3, tp{1}, {.block_size = 64, .drafts = true}, 64) == 64LL * 62 * 1152);
});

// vLLM FullAttentionSpec.max_memory_usage_bytes: cdiv(cdiv(max_model_len, dcp), block_size) blocks.
BOTH_TIMES("ranks of a decode context share a sequence", [] {
  constexpr serving v{.decode_context = 8, .block_size = 16};
  constexpr auto r = rates(catalog::deepseek_v3, tp{8}, v);
  EXPECT(cache_of_sequence(r, 1).total() == r.block);
  EXPECT(cache_of_sequence(r, 128).total() == r.block);
  EXPECT(cache_of_sequence(r, 129).total() == 2 * r.block);
  EXPECT(cache_of_sequence(r, 131'072).total() == 131'072LL / 8 * 70'272);
});

BOTH_TIMES("windows are on each rank of a decode context whole", [] {
  constexpr auto c = cache_of_sequence(rates(catalog::gpt_oss_120b, tp{8}, {.decode_context = 2}), 131'072);
  EXPECT(c.keys_and_values == 18LL * 131'072 / 2 * 256);
  EXPECT(c.windows == 18LL * 9 * 16 * 256);
});

BOTH_TIMES("an indexer looks at all tokens, in layers with a window too", [] {
  model m = catalog::deepseek_v3_2;
  m.attention.window = sliding(128);
  const auto c = cache_of_sequence(rates(m, tp{1}, {}), 1600);
  EXPECT(c.indexer_keys == 61LL * 1600 * 132);
  EXPECT(c.windows == 61LL * 9 * 16 * 1152);
  EXPECT(c.keys_and_values == 0);
});

constexpr cache_rates<> small{
    .block = 7, .indexer_block = 2, .windowed_block = 5, .window_blocks = 6, .state = 11, .block_size = 4};

BOTH_TIMES("the longest sequence, by hand", [] {
  // A block costs 7 + 2 + 5 until there are six, then 7 + 2; the state costs 11.
  EXPECT(longest_sequence(small, 1, 10).amount == 0);
  EXPECT(longest_sequence(small, 1, 11 + 13).amount == 0);
  EXPECT(longest_sequence(small, 1, 11 + 14).amount == 4);
  EXPECT(longest_sequence(small, 1, 11 + 6 * 14 - 1).amount == 20);
  EXPECT(longest_sequence(small, 1, 11 + 6 * 14).amount == 24);
  EXPECT(longest_sequence(small, 1, 11 + 6 * 14 + 9).amount == 28);
  EXPECT(longest_sequence(small, 3, 3 * (11 + 6 * 14 + 9) - 1).amount == 24);
});

BOTH_TIMES("as many sequences fit as fit", [] {
  for (std::int64_t tokens = 1; tokens < 40; ++tokens) {
    const count each = cache_of_sequence(small, tokens).total();
    const count fit = sequences_that_fit(small, tokens, 1000).amount;
    EXPECT(fit * each <= 1000);
    EXPECT((fit + 1) * each > 1000);
  }
});

BOTH_TIMES("what takes no more memory has no bound", [] {
  cache_rates<> states = {.state = 11, .block_size = 4};
  EXPECT(longest_sequence(states, 2, 22).unbounded);
  EXPECT(longest_sequence(states, 2, 21) == capacity<>{});
  cache_rates<> windows = {.windowed_block = 5, .window_blocks = 6, .block_size = 4};
  EXPECT(longest_sequence(windows, 1, 30).unbounded);
  EXPECT(longest_sequence(windows, 1, 29).amount == 20);
  EXPECT(sequences_that_fit(cache_rates<>{}, 100, 0).unbounded);
});

BOTH_TIMES("a longer sequence never takes less", [] {
  constexpr serving v{.decode_context = 2, .block_size = 32, .step_tokens = 100};
  for (const model* m : {&catalog::gpt_oss_20b, &catalog::llama_4_scout, &catalog::qwen3_next_80b_a3b, &catalog::deepseek_v3_2}) {
    const auto r = rates(*m, tp{2}, v);
    count before{0};
    for (std::int64_t tokens = 1; tokens < 100'000; tokens += 487) {
      const count now = cache_of_sequence(r, tokens).total();
      EXPECT(now >= before);
      before = now;
    }
  }
});

} // namespace

TEST_CASE("the longest sequence is the longest") {
  cache_rates<> shared = small;
  shared.sharing_ranks = 3;
  for (const cache_rates<>& r : {small, shared})
    for (const std::int64_t sequences : {1, 3})
      for (std::int64_t available = 0; available < 260; ++available) {
        std::int64_t longest = 0;
        for (std::int64_t tokens = 0; tokens < 300; ++tokens)
          if (sequences * cache_of_sequence(r, tokens).total() <= available) longest = tokens;
        CHECK(longest_sequence(r, sequences, available).amount == longest);
      }
}

TEST_CASE("an overflow says so and does not look like room") {
  cache_rates<> huge = small;
  huge.block = count::top - 1;
  CHECK(cache_of_sequence(huge, 1'000'000).total().overflowed());
  CHECK(sequences_that_fit(huge, 1'000'000, 1'000'000'000).amount == 0);
  CHECK(longest_sequence(huge, 1, 1'000'000'000).amount == 0);
}
