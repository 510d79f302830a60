#include <moeplan/verify/memory_facts.hpp>

#include "support/both_times.hpp"
#include "verify/examples.hpp"

#include <moeplan/verify/check.hpp>

using namespace moeplan;
using namespace moeplan_test;

namespace {

constexpr deployment with_memory(deployment d) {
  d.cluster.gpu.memory = bytes{std::uint64_t{1} << 40};
  return d;
}

/// Two tokens a step and one layer: small enough for every bound to be tried in constant evaluation.
constexpr deployment small{
    .model =
        {.layers = 1, .hidden_size = 8, .vocabulary_size = 8, .intermediate_size = 8, .attention = attention::multi_head(1, 8)},
    .cluster = {.gpu = {.memory = bytes{std::uint64_t{1} << 40}}},
    .strategy = {dp{1}},
    .workload = serving{.sequence_length = 2, .vocabulary_multiple = 0},
    .profile = profile::universal,
};

constexpr bool judges_memory(const deployment& d) { return check(d).facts.knows(known::memory); }

BOTH_TIMES("memory is known where nothing else is wrong and the GPU's memory is", [] {
  EXPECT(judges_memory(with_memory(trained)) && judges_memory(with_memory(served)));
  EXPECT(!judges_memory(trained) && !judges_memory(served));
  EXPECT(!judges_memory(with_memory(trained_with(ep{3}))));
  EXPECT(!judges_memory(with_memory(trained_with(tp{0}))));
  EXPECT(judges_memory(with_memory(without(axis::dp))));
});

BOTH_TIMES("usable memory alone is enough", [] {
  deployment d = small;
  d.cluster.gpu = {.usable_memory = bytes{1000}};
  EXPECT(judges_memory(d) && check(d).facts.capacity_bytes == 1000);
});

// Queries, keys, values and output 4 x 8 x 8, MLP 3 x 8 x 8, embedding and head 2 x 8 x 8, three norms of 8: 600 numbers of two bytes. Keys
// and values of two tokens lie in one block of sixteen with 2 x 8 numbers a token.
BOTH_TIMES("weights and cache of a model that serves", [] {
  const facts f = check(small).facts;
  EXPECT(f.peak_bytes == 2 * 600 + 16 * 2 * 8 * 2 && f.fullest_stage == 0 && f.missing_bytes == 0);
  EXPECT(f.one_request_bytes == f.peak_bytes && f.request_missing_bytes == 0);
  EXPECT(f.capacity_bytes == std::int64_t{1} << 40);
  const facts two = check(changed(small, [](auto& d) { d.workload.serve.batch = 2; })).facts;
  EXPECT(two.peak_bytes == f.peak_bytes + 512 && two.one_request_bytes == f.peak_bytes);
});

BOTH_TIMES("more than 63 bits are as many as there are", [] {
  deployment d = small;
  d.workload.serve.batch = INT64_MAX;
  EXPECT(check(d).facts.peak_bytes == INT64_MAX && check(d).facts.one_request_bytes == 1712);
  EXPECT(check(d).contains(rule::stage_fits_memory) && !check(d).contains(rule::one_request_fits_memory));
  EXPECT(check(d).facts.missing_bytes == INT64_MAX - (std::int64_t{1} << 40));
  d.cluster.gpu.memory = bytes{std::uint64_t{1} << 63};
  EXPECT(check(d).facts.capacity_bytes == INT64_MAX);
});

BOTH_TIMES("what no layer has does not count, however large it is", [] {
  deployment d = small;
  d.model.experts = {.routed = 1,
                     .top_k = 1,
                     .intermediate_size = INT64_MAX,
                     .shared_intermediate_size = INT64_MAX,
                     .layers = layer_set::after_first(1)};
  EXPECT(check(d).facts.peak_bytes == 1712);
  d.workload = training{.sequence_length = 2, .vocabulary_multiple = 0};
  EXPECT(check(d).facts.peak_bytes < 1'000'000);
});

BOTH_TIMES("a convolution of no width looks back at nothing", [] {
  deployment d = small;
  d.model.linear_attention = {.key_heads = 1,
                              .value_heads = 1,
                              .key_head_dim = 8,
                              .value_head_dim = 8,
                              .convolution = 0,
                              .softmax_layers = layer_set::after_first(1)};
  // In place of attention: projections of 4 x 8 + 2 columns and one back, two scalars, a norm of 8; the state 8 x 8; no cache.
  const std::int64_t numbers = 600 - 4 * 64 + 34 * 8 + 64 + 2 + 8;
  EXPECT(check(d).facts.peak_bytes == 2 * numbers + 2LL * 64);
});

BOTH_TIMES("a stage without decoder layers may be the fullest", [] {
  detail::highest_stage highest;
  saturating_stage_memory s;
  s.weights = 7;
  highest(s);
  s.stage = 1, s.layers = 3, s.weights = 5;
  highest(s);
  EXPECT(highest.stage.stage == 0 && highest.stage.peak() == saturating_count{7});
  s.stage = 2, s.weights = 7; // Of several the first.
  highest(s);
  EXPECT(highest.stage.stage == 0);
  s.stage = 3, s.weights = 8;
  highest(s);
  EXPECT(highest.stage.stage == 3);
});

BOTH_TIMES("beyond all bounds memory is not judged", [] {
  const auto with_layers = [](std::int64_t layers, std::int64_t mtp) {
    return facts_of(changed(small, [&](auto& d) { d.model.layers = layers, d.model.mtp_layers = mtp; }));
  };
  EXPECT(detail::knows_memory(with_layers(detail::most_layers_judged, detail::most_layers_judged)));
  EXPECT(!detail::knows_memory(with_layers(detail::most_layers_judged + 1, 0)));
  EXPECT(!detail::knows_memory(with_layers(1, detail::most_layers_judged + 1)));
  EXPECT(!detail::knows_memory(with_layers(1, INT64_MAX)));
  const auto with_stages = [](std::int64_t pipeline, std::int64_t chunks) {
    return facts_of(changed(small, [&](auto& d) {
      d.model.layers = 65536;
      d.strategy = d.strategy.with(pp{pipeline}).with(vpp{chunks});
      d.workload = training{.sequence_length = 2};
    }));
  };
  EXPECT(detail::knows_memory(with_stages(4096, 1)) && detail::knows_memory(with_stages(64, 64)));
  EXPECT(!detail::knows_memory(with_stages(4097, 1)) && !detail::knows_memory(with_stages(2049, 2)));
  EXPECT(!detail::knows_memory(with_stages(INT64_MAX / 64, 64)));
});

constexpr deployment with_chunks(std::int64_t chunks, workload w) {
  return changed(small, [&](auto& d) {
    d.model.layers = 2 * chunks;
    d.strategy = d.strategy.with(pp{2}).with(vpp{chunks});
    d.workload = w;
  });
}
constexpr training trains{.sequence_length = 2, .vocabulary_multiple = 0};

BOTH_TIMES("nor with more virtual stages than training may have", [] {
  EXPECT(!judges_memory(with_chunks(65, trains)) && check(with_chunks(65, trains)).contains(rule::virtual_stages_are_at_most_64));
});

// Too many steps for constant evaluation.
TEST_CASE("as many as training may have, and more where a model serves") {
  CHECK(check(with_chunks(64, trains)).ok());
  CHECK(judges_memory(with_chunks(64, trains)));
  CHECK(check(with_chunks(65, small.workload)).ok());
  CHECK(judges_memory(with_chunks(65, small.workload)));
}

BOTH_TIMES("what is set aside is not there for it", [] {
  const facts f = check(changed(small, [](auto& d) { d.workload.serve.reserve = bytes{1000}; })).facts;
  EXPECT(f.reserve_bytes == 1000 && f.capacity_bytes == (std::int64_t{1} << 40) - 1000);
  EXPECT(check(small).facts.reserve_bytes == 0);
  const facts all = check(changed(small, [](auto& d) { d.workload.serve.reserve = bytes{std::uint64_t{1} << 63}; })).facts;
  EXPECT(all.reserve_bytes == INT64_MAX && all.capacity_bytes == 0);
});

BOTH_TIMES("nor with a window whose layers are not well-formed", [] {
  const auto with_window = [](layer_set full) {
    return changed(small, [&](auto& d) { d.model.attention.window = {.tokens = 4, .full_layers = full}; });
  };
  EXPECT(judges_memory(with_window(attention_window::no_layers())));
  EXPECT(judges_memory(with_window(layer_set::every_nth(2, 1))));
  EXPECT(!judges_memory(with_window(layer_set::every_nth(0, 0))));
  EXPECT(!judges_memory(with_window(layer_set::every_nth(2, 2))));
  EXPECT(!judges_memory(with_window(layer_set::after_first(-1))));
});

} // namespace
