#include <moeplan/describe/model.hpp>

#include "support/as_template_argument.hpp"
#include "support/both_times.hpp"

using namespace moeplan;

namespace {

BOTH_TIMES("a dense model", [] {
  constexpr model m{.layers = 32, .hidden_size = 4096};
  EXPECT(!m.has_experts());
  EXPECT(!m.has_experts(0));
  EXPECT(m.moe_layers() == 0);
  EXPECT(m.dense_layers() == 32);
});

BOTH_TIMES("first layers dense", [] {
  constexpr model m{.layers = 61, .experts = {.routed = 256, .layers = layer_set::after_first(3)}};
  EXPECT(m.has_experts());
  EXPECT(!m.has_experts(2));
  EXPECT(m.has_experts(3));
  EXPECT(m.moe_layers() == 58);
  EXPECT(m.dense_layers() == 3);
  EXPECT(m.moe_layers_below(4) == 1);
});

BOTH_TIMES("every other layer dense", [] {
  constexpr model m{.layers = 5, .experts = {.routed = 8, .layers = layer_set::every_nth(2, 1)}};
  EXPECT(m.moe_layers() == 2);
  EXPECT(m.dense_layers() == 3);
});

BOTH_TIMES("every fourth layer has softmax attention, the others linear", [] {
  constexpr model m{.layers = 10, .linear_attention = {.value_heads = 2, .softmax_layers = layer_set::every_nth(4, 3)}};
  EXPECT(m.has_linear_attention());
  EXPECT(m.has_linear_attention(2));
  EXPECT(!m.has_linear_attention(3));
  EXPECT(m.softmax_layers_below(4) == 1);
  EXPECT(m.softmax_layers() == 2);
});

BOTH_TIMES("every other layer has a window, the first among them", [] {
  constexpr model m{.layers = 5, .attention = {.window = {.tokens = 128, .full_layers = layer_set::every_nth(2, 1)}}};
  EXPECT(m.has_window());
  EXPECT(m.has_window(0));
  EXPECT(!m.has_window(1));
  EXPECT(m.windowed_layers_below(0) == 0);
  EXPECT(m.windowed_layers_below(2) == 1);
  EXPECT(m.windowed_layers(1, 4) == 1);
  EXPECT(m.windowed_layers(4, 5) == 1);
  EXPECT(m.windowed_layers() == 3);
});

BOTH_TIMES("every layer has a window, or none", [] {
  constexpr model all{.layers = 5, .attention = {.window = {.tokens = 128, .full_layers = attention_window::no_layers()}}};
  EXPECT(all.has_window(4));
  EXPECT(all.windowed_layers() == 5);
  EXPECT(!model{.layers = 5}.has_window());
  EXPECT(!model{.layers = 5}.has_window(0));
  EXPECT(model{.layers = 5}.windowed_layers() == 0);
});

BOTH_TIMES("a layer with linear attention has no window", [] {
  constexpr model m{.layers = 12,
                    .attention = {.window = {.tokens = 128, .full_layers = layer_set::after_first(8)}},
                    .linear_attention = {.value_heads = 2, .softmax_layers = layer_set::every_nth(4, 3)}};
  EXPECT(!m.has_window(0));
  EXPECT(m.has_window(3));
  EXPECT(!m.has_window(11));
  EXPECT(m.windowed_layers() == 2);
  EXPECT(m.windowed_layers(0, 3) == 0);
  EXPECT(m.windowed_layers(3, 8) == 2);
  EXPECT(m.windowed_layers(8, 12) == 0);
});

BOTH_TIMES("softmax attention in every layer, two norms without biases, unless described", [] {
  constexpr model m{.layers = 10};
  EXPECT(!m.has_linear_attention());
  EXPECT(!m.has_linear_attention(0));
  EXPECT(m.softmax_layers_below(4) == 4);
  EXPECT(m.softmax_layers() == 10);
  EXPECT(m.norms_per_layer == 2);
  EXPECT(!m.norm_bias);
  EXPECT(!m.lm_head_bias);
});

BOTH_TIMES("the width of a head is hidden size / heads unless given", [] {
  EXPECT(model{.hidden_size = 4096, .attention = {.heads = 32}}.head_dim() == 128);
  EXPECT(model{.hidden_size = 2048, .attention = {.heads = 32, .head_dim = 128}}.head_dim() == 128);
});

BOTH_TIMES("models are values", [] {
  EXPECT(model{} == model{});
  EXPECT(model{.layers = 1} != model{.layers = 2});
  EXPECT(model{.max_positions = 0} != model{}); // absent is not zero
});

using moeplan_test::name_the_same_type;
static_assert(name_the_same_type<model{.layers = 61}, model{.layers = 61}>);
static_assert(!name_the_same_type<model{.layers = 61}, model{.layers = 61, .tied_embeddings = true}>);

} // namespace
