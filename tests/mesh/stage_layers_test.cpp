#include <moeplan/mesh/stage_layers.hpp>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/llama.hpp>
#include <moeplan/describe/layout_text.hpp>

#include <initializer_list>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr model layers(std::int64_t decoder, std::int64_t mtp = 0) { return {.layers = decoder, .mtp_layers = mtp}; }

/// Whether the virtual stages hold these numbers of decoder layers, one after the other without a gap.
constexpr bool holds(const model& m, const strategy& s, const layout& l, std::initializer_list<std::int64_t> expected) {
  if (virtual_stages(s, l) != static_cast<std::int64_t>(expected.size())) return false;
  std::int64_t stage = 0;
  std::int64_t first = 0;
  for (const std::int64_t decoder_layers : expected) {
    const stage_contents c = contents(m, s, l, stage);
    if (c.decoder_layers != decoder_layers || c.first_layer != first) return false;
    if (c.embedding != (stage == 0) || c.loss != (stage + 1 == static_cast<std::int64_t>(expected.size()))) return false;
    first += decoder_layers;
    ++stage;
  }
  return first == m.layers;
}

BOTH_TIMES("even", [] {
  EXPECT(holds(layers(24), {pp{4}}, layout::even(), {6, 6, 6, 6}));
  EXPECT(holds(layers(24), {pp{4}, vpp{2}}, layout::even(), {3, 3, 3, 3, 3, 3, 3, 3}));
  EXPECT(holds(layers(7), strategy{}, layout::even(), {7}));
});

BOTH_TIMES("even with embedding and loss counted as layers", [] {
  // Llama 3.1 405B's 126 layers: one fewer on the first and on the last of 16 stages (arXiv 2407.21783, section 3.3.2).
  EXPECT(holds(layers(126), {pp{16}}, layout::even_with(true, true), {7, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 7}));
  EXPECT(holds(layers(15), {pp{4}}, layout::even_with(true, false), {3, 4, 4, 4}));
  EXPECT(holds(layers(15), {pp{4}}, layout::even_with(false, true), {4, 4, 4, 3}));
  EXPECT(holds(layers(14), {pp{2}, vpp{2}}, layout::even_with(true, true), {3, 4, 4, 3}));
  EXPECT(holds(layers(6), strategy{}, layout::even_with(true, true), {6}));
});

BOTH_TIMES("balanced puts the longer stages first", [] {
  EXPECT(holds(layers(61), {pp{16}}, layout::balanced(), {4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 3, 3, 3}));
  EXPECT(holds(layers(10), {pp{4}}, layout::balanced(), {3, 3, 2, 2}));
  EXPECT(holds(layers(8), {pp{4}}, layout::balanced(), {2, 2, 2, 2}));
  EXPECT(holds(layers(2), {pp{3}}, layout::balanced(), {1, 1, 0}));
  EXPECT(holds(layers(5), {pp{2}, vpp{2}}, layout::balanced(), {2, 1, 1, 1}));
});

BOTH_TIMES("first and last given", [] {
  // Megatron-MoE-ModelZoo, DeepSeek-V3.
  EXPECT(holds(catalog::deepseek_v3, {pp{8}}, layout::first_last(8, 5), {8, 8, 8, 8, 8, 8, 8, 5}));
  EXPECT(holds(catalog::deepseek_v3, {pp{4}}, layout::first_last(16, 13), {16, 16, 16, 13}));
  EXPECT(holds(layers(10), {pp{3}}, layout::first_last(2, {}), {2, 4, 4}));
  // One stage is the first and the last.
  EXPECT(holds(layers(10), {pp{1}}, layout::first_last({}, 10), {10}));
  EXPECT(holds(layers(10), {pp{1}}, layout::first_last(10, {}), {10}));
  EXPECT(holds(layers(10), {pp{3}}, layout::first_last({}, 2), {4, 4, 2}));
  EXPECT(holds(layers(5), {pp{2}}, layout::first_last(3, 2), {3, 2}));
});

BOTH_TIMES("first and last are of a pipeline rank, over all its virtual stages", [] {
  EXPECT(holds(layers(14), {pp{4}, vpp{2}}, layout::first_last(2, 4), {1, 2, 2, 2, 1, 2, 2, 2}));
  EXPECT(holds(layers(18), {pp{3}, vpp{2}}, layout::first_last(2, {}), {1, 4, 4, 1, 4, 4}));
});

BOTH_TIMES("a number for each stage", [] {
  // arXiv 2502.07846: four layers on each of fifteen stages, one on the last.
  const auto fifteen_and_one = layout::stages({15, 4}, {1, 1});
  EXPECT(holds(catalog::deepseek_v3, {pp{16}}, fifteen_and_one, {4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 1}));
  EXPECT(contents(catalog::deepseek_v3, {pp{16}}, fifteen_and_one, 15) ==
         stage_contents{.first_layer = 60, .decoder_layers = 1, .mtp_layers = 1, .embedding = false, .loss = true});
});

BOTH_TIMES("Megatron-LM's string places multi-token prediction itself", [] {
  const layout l = parse_layout("Et*3|(tt|)*29,m|L").value;
  const strategy s{pp{16}, vpp{2}};
  EXPECT(virtual_stages(s, l) == 32);
  EXPECT(contents(catalog::deepseek_v3, s, l, 0) ==
         stage_contents{.first_layer = 0, .decoder_layers = 3, .mtp_layers = 0, .embedding = true, .loss = false});
  EXPECT(contents(catalog::deepseek_v3, s, l, 1) ==
         stage_contents{.first_layer = 3, .decoder_layers = 2, .mtp_layers = 0, .embedding = false, .loss = false});
  EXPECT(contents(catalog::deepseek_v3, s, l, 29) ==
         stage_contents{.first_layer = 59, .decoder_layers = 2, .mtp_layers = 0, .embedding = false, .loss = false});
  EXPECT(contents(catalog::deepseek_v3, s, l, 30) ==
         stage_contents{.first_layer = 61, .decoder_layers = 0, .mtp_layers = 1, .embedding = false, .loss = false});
  EXPECT(contents(catalog::deepseek_v3, s, l, 31) ==
         stage_contents{.first_layer = 61, .decoder_layers = 0, .mtp_layers = 0, .embedding = false, .loss = true});
});

BOTH_TIMES("otherwise it is on the last virtual stage", [] {
  for (const layout& l : {layout::even(), layout::balanced(), layout::first_last(3, 3), layout::stages({4, 3})})
    for (std::int64_t stage = 0; stage < 4; ++stage)
      EXPECT(contents(layers(12, 2), {pp{4}}, l, stage).mtp_layers == (stage == 3 ? 2 : 0));
});

/// Whatever the layout, the stages hold every layer once, in order.
constexpr bool tiles(const model& m, const strategy& s, const layout& l) {
  std::int64_t next = 0;
  for (std::int64_t stage = 0; stage < virtual_stages(s, l); ++stage) {
    const stage_contents c = contents(m, s, l, stage);
    if (c.first_layer != next || c.decoder_layers < 0) return false;
    next += c.decoder_layers;
  }
  return next == m.layers;
}

BOTH_TIMES("every legal first and last leaves no layer out", [] {
  for (std::int64_t pipeline = 2; pipeline <= 5; ++pipeline)
    for (std::int64_t chunks = 1; chunks <= 3; ++chunks)
      for (std::int64_t first = 1; first <= 3; ++first)
        for (std::int64_t last = 1; last <= 3; ++last) {
          const strategy s{pp{pipeline}, vpp{chunks}};
          const std::int64_t middle = 2 * (pipeline - 2);
          EXPECT(tiles(layers(chunks * (first + middle + last)), s, layout::first_last(chunks * first, chunks * last)));
          EXPECT(tiles(layers(chunks * (first + middle + 2)), s, layout::first_last(chunks * first, {})));
          EXPECT(tiles(layers(chunks * (last + middle + 2)), s, layout::first_last({}, chunks * last)));
        }
});

BOTH_TIMES("only a list places multi-token prediction", [] {
  layout l = layout::balanced();
  l.places_mtp = true;
  EXPECT(contents(layers(3, 2), pp{1}, l, 0).mtp_layers == 2);
});

} // namespace
