#include <moeplan/multiprecision.hpp>

#include <moeplan/io/catalog_names.hpp>
#include <moeplan/memory/serving_memory.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <random>

// Serving memory in every integer type, and what does not fit into 64 bits.

using namespace moeplan;

namespace {

template <class T, std::size_t N>
T one_of(std::mt19937_64& random, const T (&values)[N]) {
  return values[random() % N];
}

deployment random_serving(std::mt19937_64& random) {
  constexpr weight_format formats[] = {weight_format::bf16,          weight_format::fp8_tensor, weight_format::fp8_channel,
                                       weight_format::fp8_block,     weight_format::mxfp8,      weight_format::int8_channel,
                                       weight_format::int4_group128, weight_format::mxfp4,      weight_format::nvfp4};
  constexpr quantised_parts parts[] = {quantised_parts::linear_layers, quantised_parts::mlps, quantised_parts::routed_experts};
  constexpr cache_format caches[] = {cache_format::bf16, cache_format::fp8, cache_format::fp8_ds_mla};
  constexpr std::int64_t blocks[] = {1, 16, 32, 64, 100};
  constexpr std::int64_t powers[] = {1, 2, 4};
  constexpr std::int64_t lengths[] = {1, 1000, 8192, 131'072, 1'000'000};
  constexpr number_type states[] = {number_type::bf16, number_type::fp32};
  deployment d;
  d.model = *io::catalog_models[random() % std::size(io::catalog_models)].value;
  d.strategy = strategy{tp{one_of(random, powers)}, pp{one_of(random, powers)}, ep{one_of(random, powers)}, dp{1}};
  d.layout = layout::balanced();
  d.cluster.gpu.usable_memory = bytes{static_cast<std::int64_t>(random() % 200'000'000'000)};
  d.workload = serving{.batch = 1 + static_cast<std::int64_t>(random() % 300),
                       .sequence_length = one_of(random, lengths),
                       .redundant_experts = one_of(random, powers) * 4,
                       .decode_context = one_of(random, powers),
                       .weights = one_of(random, formats),
                       .quantised = one_of(random, parts),
                       .cache = one_of(random, caches),
                       .block_size = one_of(random, blocks),
                       .windows = random() % 2 == 0 ? windowed_cache::window : windowed_cache::all,
                       .step_tokens = one_of(random, powers) * 100 - 99,
                       .linear_state = one_of(random, states),
                       .drafts = random() % 2 == 0,
                       .absorbed_projections = random() % 2 == 0};
  return d;
}

template <class Wide>
bool agrees(const capacity<>& narrow, const capacity<Wide>& wider) {
  return narrow.unbounded == wider.unbounded && wider.amount == narrow.amount.value();
}

constexpr deployment gigantic{.model = {.layers = 1 << 20,
                                        .hidden_size = 1 << 20,
                                        .vocabulary_size = 1 << 20,
                                        .attention = attention::grouped_query(1 << 10, 1 << 10, 1 << 10),
                                        .experts = {.routed = 1 << 16, .top_k = 1, .intermediate_size = 1 << 24}},
                              .strategy = {tp{1}, dp{1}},
                              .workload = serving{.batch = 1 << 20, .sequence_length = 1 << 20}};

static_assert(noexcept(serving_capacity_of(gigantic)));
static_assert(!noexcept(serving_capacity_of<unbounded>(gigantic)));

} // namespace

TEST_CASE("every integer type gives the same numbers") {
  std::mt19937_64 random{20251121};
  for (int i = 0; i < 400; ++i) {
    CAPTURE(i);
    const deployment d = random_serving(random);
    const auto narrow = serving_capacity_of(d);
    const auto saturating = serving_capacity_of<saturating_count>(d);
    const auto wider = serving_capacity_of<unbounded>(d);
    CHECK(wider.peak == narrow.peak.value());
    CHECK(saturating.peak.value() == narrow.peak.value());
    CHECK(wider.fullest_stage == narrow.fullest_stage);
    CHECK(wider.weights_fit == narrow.weights_fit);
    CHECK(wider.fits == narrow.fits);
    CHECK(agrees(narrow.sequences, wider.sequences));
    CHECK(agrees(narrow.longest, wider.longest));
  }
}

TEST_CASE("what there is room for fits, and more does not") {
  std::mt19937_64 random{7};
  int with_room = 0;
  for (int i = 0; i < 2000; ++i) {
    CAPTURE(i);
    deployment d = random_serving(random);
    const auto c = serving_capacity_of(d);
    CHECK(c.fits == (c.weights_fit && (c.sequences.unbounded || c.sequences.amount >= d.workload.serve.batch)));
    if (!c.weights_fit) continue;
    ++with_room;
    CHECK(c.fits == (c.longest.unbounded || c.longest.amount >= d.workload.serve.sequence_length));
    if (!c.longest.unbounded && c.longest.amount > 0) {
      d.workload.serve.sequence_length = static_cast<std::int64_t>(c.longest.amount.value());
      CHECK(serving_capacity_of(d).fits);
      d.workload.serve.sequence_length += 1;
      CHECK_FALSE(serving_capacity_of(d).fits);
    }
  }
  CHECK(with_room > 500);
}

TEST_CASE("memory beyond 64 bits overflows a count and fits the unbounded integer") {
  const auto narrow = serving_memory_of(gigantic, serving_parts_of(gigantic), 0);
  const auto wider = serving_memory_of(gigantic, serving_parts_of<unbounded>(gigantic), 0);
  CHECK(narrow.weights.total().overflowed());
  CHECK(narrow.cache.total().overflowed());
  // Sequences, tokens, layers, heads, their width; keys and values, two bytes each.
  CHECK(wider.cache.total() == unbounded{1} << (20 + 20 + 20 + 10 + 10 + 2));
  CHECK(wider.weights.routed_experts.total() == unbounded{3} << (20 + 16 + 20 + 24 + 1));
  CHECK_FALSE(serving_capacity_of<unbounded>(gigantic).weights_fit);
  CHECK_FALSE(serving_capacity_of<saturating_count>(gigantic).weights_fit);
  CHECK(serving_capacity_of<saturating_count>(gigantic).peak.overflowed());
}
