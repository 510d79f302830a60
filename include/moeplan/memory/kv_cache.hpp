#pragma once

#include <cstdint>

#include <moeplan/describe/model.hpp>
#include <moeplan/describe/serving.hpp>
#include <moeplan/describe/strategy.hpp>
#include <moeplan/memory/rank_model.hpp>
#include <moeplan/mesh/stage_layers.hpp>
#include <moeplan/number/count.hpp>

/// @file
/// What one rank keeps of the sequences that are served: keys and values, keys of indexers, states of linear attention.

namespace moeplan {

/// Keys and values of one token in one layer with softmax attention. Of a model as one rank sees it (rank_model): what that rank keeps.
/// Latent attention keeps the compressed vector and the rotary part of the keys, on each TP rank (DeepSeek-V2, arXiv 2405.04434,
/// section 2.1).
template <class Integer = count>
[[nodiscard]] constexpr Integer key_value_bytes(const model& m, cache_format format) noexcept(noexcept(Integer{} * Integer{})) {
  const attention& a = m.attention;
  const Integer number(format == cache_format::bf16 ? 2 : 1);
  if (a.kind == attention_kind::grouped_query) return number * Integer(2) * Integer(a.kv_heads) * Integer(m.head_dim());
  const Integer latent(a.kv_lora_rank);
  const Integer rotary(a.qk_rope_head_dim);
  if (format != cache_format::fp8_ds_mla) return number * (latent + rotary);
  return latent + (latent + Integer(127)) / Integer(128) * Integer(4) + rotary * Integer(2);
}

/// The indexer's key of one token in one layer, in fp8 with a scale of fp32 for 128 numbers whatever the format of the rest, on each
/// TP rank (vLLM deepseek_v2.py, Indexer, k_cache).
template <class Integer = count>
[[nodiscard]] constexpr Integer indexer_key_bytes(const model& m) noexcept(noexcept(Integer{} * Integer{})) {
  const Integer head_dim(m.attention.indexer.head_dim);
  return head_dim + head_dim / Integer(128) * Integer(4);
}

/// What one layer with linear attention keeps of a sequence, however long it is: the inputs that the convolution looks back at, in
/// bf16, and the recurrent state (vLLM mamba_utils.py, gated_delta_net_state_shape).
template <class Integer = count>
[[nodiscard]] constexpr Integer linear_state_bytes(const model& m, number_type state) noexcept(noexcept(Integer{} * Integer{})) {
  const linear_attention& l = m.linear_attention;
  if (l.value_heads == 0) return Integer(0);
  const Integer values = Integer(l.value_heads) * Integer(l.value_head_dim);
  const Integer channels = Integer(2) * Integer(l.key_heads) * Integer(l.key_head_dim) + values;
  const Integer looked_back_at(l.convolution > 0 ? l.convolution - 1 : 0);
  return channels * looked_back_at * Integer(2) + values * Integer(l.key_head_dim) * Integer(bits(state)) / Integer(8);
}

/// Bytes that the whole model keeps of each token while it has seen no more than its windows hold: keys and values of every layer,
/// without parallelism.
template <class Integer = count>
[[nodiscard]] constexpr Integer cache_bytes_per_token(const model& m,
                                                      cache_format format) noexcept(noexcept(Integer{} * Integer{})) {
  return Integer(m.softmax_layers()) * (key_value_bytes<Integer>(m, format) + indexer_key_bytes<Integer>(m));
}

/// Layers by what they keep of a sequence.
struct cached_layers {
  std::int64_t full = 0;     ///< attend to all tokens
  std::int64_t windowed = 0; ///< keep no more than a window
  std::int64_t linear = 0;   ///< keep a state

  friend constexpr bool operator==(const cached_layers&, const cached_layers&) noexcept = default;
};

/// Layers of a stage. Multi-token prediction modules keep keys and values only where they draft tokens.
[[nodiscard]] constexpr cached_layers cached_layers_of(const model& m, const stage_contents& stage, const serving& v) noexcept {
  const std::int64_t first = stage.first_layer;
  const std::int64_t end = first + stage.decoder_layers;
  const std::int64_t softmax = m.softmax_layers_below(end) - m.softmax_layers_below(first);
  cached_layers n;
  if (v.windows == windowed_cache::window) n.windowed = m.windowed_layers(first, end);
  n.full = softmax - n.windowed + (v.drafts ? stage.mtp_layers : 0);
  n.linear = stage.decoder_layers - softmax;
  return n;
}

/// The most blocks that a window touches, wherever its tokens lie, while a step adds so many. vLLM sets aside as many or one more
/// (SlidingWindowSpec and ChunkedLocalAttentionSpec, max_memory_usage_bytes). Precondition: a window, a block size and steps of at
/// least 1.
template <class Integer = count>
[[nodiscard]] constexpr Integer window_blocks(const attention_window& w, std::int64_t block_size,
                                              std::int64_t step_tokens) noexcept(noexcept(Integer{} * Integer{})) {
  const Integer held = Integer(w.tokens) + Integer(step_tokens) - Integer(1);
  const Integer block(block_size);
  if (w.kind == window_kind::chunked && w.tokens % block_size == 0) return (held + block - Integer(1)) / block;
  return (held + block - Integer(2)) / block + Integer(1);
}

namespace detail {

/// A type that a template argument is not deduced from.
template <class T>
struct itself {
  using type = T;
};
template <class T>
using itself_t = typename itself<T>::type;

} // namespace detail

/// What sequences take on one rank: bytes of a block of each kind, and how many blocks a sequence has.
template <class Integer = count>
struct cache_rates {
  Integer block{0};          ///< keys and values, in the layers that attend to all tokens
  Integer indexer_block{0};  ///< keys of indexers
  Integer windowed_block{0}; ///< keys and values, in the layers with a window
  Integer window_blocks{0};  ///< the most that a sequence has of these
  Integer state{0};          ///< of linear attention, a sequence
  std::int64_t block_size = 1;
  std::int64_t sharing_ranks = 1; ///< that share the blocks of layers that attend to all tokens, block by block

  /// Of two stages on one rank, of the same model.
  constexpr cache_rates& operator+=(const cache_rates& b) noexcept(noexcept(Integer{} + Integer{})) {
    block = block + b.block;
    indexer_block = indexer_block + b.indexer_block;
    windowed_block = windowed_block + b.windowed_block;
    state = state + b.state;
    return *this;
  }

  friend constexpr bool operator==(const cache_rates&, const cache_rates&) noexcept = default;
};

/// Bytes on one rank.
template <class Integer = count>
struct sequence_cache {
  Integer keys_and_values{0}; ///< of layers that attend to all tokens
  Integer windows{0};         ///< keys and values of layers with a window
  Integer indexer_keys{0};
  Integer states{0};

  [[nodiscard]] constexpr Integer total() const noexcept(noexcept(Integer{} + Integer{})) {
    return keys_and_values + windows + indexer_keys + states;
  }
  friend constexpr sequence_cache operator*(const Integer& n, const sequence_cache& c) noexcept(noexcept(Integer{} * Integer{})) {
    return {n * c.keys_and_values, n * c.windows, n * c.indexer_keys, n * c.states};
  }
  friend constexpr bool operator==(const sequence_cache&, const sequence_cache&) noexcept = default;
};

/// How many there is room for.
template <class Integer = count>
struct capacity {
  Integer amount{0};
  bool unbounded = false; ///< more take no more memory

  friend constexpr bool operator==(const capacity&, const capacity&) noexcept = default;
};

/// On a rank of a stage. The ranks of a decode context share the tokens of a sequence in layers that attend to all of them (vLLM
/// FullAttentionSpec.max_memory_usage_bytes); windows and states are on each of them. CP ranks that are no decode context each keep
/// all tokens. With data-parallel attention a sequence is on one DP rank. Precondition: a deployment that `check` accepts, a block size
/// and steps of at least 1; `rank` is rank_model() of model and strategy.
template <class Integer = count>
[[nodiscard]] constexpr cache_rates<Integer> cache_rates_of(const model& m, const model& rank, const stage_contents& stage,
                                                            const serving& v) noexcept(noexcept(Integer{} * Integer{})) {
  const cached_layers layers = cached_layers_of(m, stage, v);
  const Integer block = Integer(v.block_size) * key_value_bytes<Integer>(rank, v.cache);
  cache_rates<Integer> r;
  // What no layer has does not count, however large one would be.
  if (layers.full > 0) r.block = Integer(layers.full) * block;
  if (layers.full + layers.windowed > 0)
    r.indexer_block = Integer(layers.full + layers.windowed) * Integer(v.block_size) * indexer_key_bytes<Integer>(rank);
  if (layers.windowed > 0) r.windowed_block = Integer(layers.windowed) * block;
  if (layers.windowed > 0) r.window_blocks = window_blocks<Integer>(m.attention.window, v.block_size, v.step_tokens);
  if (layers.linear > 0) r.state = Integer(layers.linear) * linear_state_bytes<Integer>(rank, v.linear_state);
  r.block_size = v.block_size;
  r.sharing_ranks = v.decode_context;
  return r;
}

namespace detail {

template <class Integer>
[[nodiscard]] constexpr Integer whole_blocks(const Integer& n, const Integer& size) noexcept(noexcept(Integer{} * Integer{})) {
  return (n + size - Integer(1)) / size;
}

/// A sequence of so many blocks, those of other ranks counted too.
template <class Integer>
[[nodiscard]] constexpr sequence_cache<Integer> cache_of_blocks(const cache_rates<Integer>& r,
                                                                const Integer& blocks) noexcept(noexcept(Integer{} * Integer{})) {
  const auto own = whole_blocks<Integer>(blocks, Integer(r.sharing_ranks));
  const Integer in_window = blocks < r.window_blocks ? blocks : r.window_blocks;
  return {own * r.block, in_window * r.windowed_block, own * r.indexer_block, r.state};
}

} // namespace detail

/// A sequence of so many tokens, while it has grown to them token by token.
template <class Integer = count>
[[nodiscard]] constexpr sequence_cache<Integer> cache_of_sequence(
    const cache_rates<Integer>& r, const detail::itself_t<Integer>& tokens) noexcept(noexcept(Integer{} * Integer{})) {
  return detail::cache_of_blocks<Integer>(r, detail::whole_blocks<Integer>(tokens, Integer(r.block_size)));
}

/// How many sequences of so many tokens fit into so many bytes.
template <class Integer = count>
[[nodiscard]] constexpr capacity<Integer> sequences_that_fit(
    const cache_rates<Integer>& r, const detail::itself_t<Integer>& tokens,
    const detail::itself_t<Integer>& available) noexcept(noexcept(Integer{} * Integer{})) {
  const Integer each = cache_of_sequence<Integer>(r, tokens).total();
  if (each == Integer(0)) return {.unbounded = true};
  if (available < each) return {}; // One that overflows too.
  return {.amount = available / each};
}

/// The longest that each of so many sequences of one length can grow within so many bytes; a multiple of the block size. Precondition:
/// at least one sequence.
template <class Integer = count>
[[nodiscard]] constexpr capacity<Integer> longest_sequence(
    const cache_rates<Integer>& r, const detail::itself_t<Integer>& sequences,
    const detail::itself_t<Integer>& available) noexcept(noexcept(Integer{} * Integer{})) {
  const Integer each = available / sequences;
  const Integer block(r.block_size);
  const sequence_cache<Integer> grown = detail::cache_of_blocks<Integer>(r, r.window_blocks);
  if (grown.total() <= each) { // Windows are full: from here on only the other layers grow.
    const Integer growing = r.block + r.indexer_block;
    if (growing == Integer(0)) return {.unbounded = true};
    return {.amount = (each - grown.windows - grown.states) / growing * Integer(r.sharing_ranks) * block};
  }
  Integer fits(0);
  Integer too_long = r.window_blocks;
  while (fits + Integer(1) < too_long) {
    const Integer middle = (fits + too_long) / Integer(2);
    (detail::cache_of_blocks<Integer>(r, middle).total() <= each ? fits : too_long) = middle;
  }
  return {.amount = fits * block};
}

} // namespace moeplan
