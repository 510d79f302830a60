#include <moeplan/describe/attention.hpp>

#include "support/as_template_argument.hpp"
#include "support/both_times.hpp"

using namespace moeplan;

namespace {

BOTH_TIMES("grouped-query attention and its two ends", [] {
  EXPECT(attention::multi_head(32, 128) == attention::grouped_query(32, 32, 128));
  EXPECT(attention::multi_query(32, 128) == attention::grouped_query(32, 1, 128));
  EXPECT(attention::grouped_query(32, 8, 128) == attention{.heads = 32, .kv_heads = 8, .head_dim = 128});
  EXPECT(attention{}.kind == attention_kind::grouped_query);
});

BOTH_TIMES("latent attention has keys and values for every head", [] {
  constexpr auto a = attention::latent(
      128, {.q_lora_rank = 1536, .kv_lora_rank = 512, .qk_nope_head_dim = 128, .qk_rope_head_dim = 64, .v_head_dim = 128});
  EXPECT(a.kind == attention_kind::latent);
  EXPECT(a.heads == 128);
  EXPECT(a.kv_heads == 128);
  EXPECT(a.q_lora_rank == 1536);
  EXPECT(a.kv_lora_rank == 512);
  EXPECT(a.qk_nope_head_dim == 128);
  EXPECT(a.qk_rope_head_dim == 64);
  EXPECT(a.v_head_dim == 128);
  EXPECT(a != attention::multi_head(128, 128));
});

BOTH_TIMES("nothing unusual unless described", [] {
  EXPECT(!attention{}.output_gate);
  EXPECT(!attention{}.sinks);
  EXPECT(attention{}.indexer == sparse_indexer{});
  EXPECT(attention{}.window == attention_window{});
  EXPECT(attention{.sinks = true} != attention{});
});

using moeplan_test::name_the_same_type;
static_assert(name_the_same_type<attention::multi_query(8, 64), attention::grouped_query(8, 1, 64)>);
static_assert(!name_the_same_type<attention::multi_query(8, 64), attention::multi_head(8, 64)>);

} // namespace
