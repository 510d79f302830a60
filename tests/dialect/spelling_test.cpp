#include <moeplan/dialect/spelling.hpp>

#include <moeplan/catalog/llama.hpp>
#include <moeplan/catalog/mixtral.hpp>

#include "support/both_times.hpp"

using namespace moeplan;
using namespace moeplan::dialect;

BOTH_TIMES("products of degrees", [] {
  EXPECT(ranks(2, 3, 4) == 24);
  EXPECT(ranks(2, 0) == 0);
  EXPECT(ranks(std::int64_t{1} << 62, 2) == 0);
  EXPECT(divided(12, 4) == 3);
  EXPECT(divided(12, 5) == 0);
  EXPECT(divided(12, 0) == 0);
  EXPECT(!unless(3, 3).given);
  EXPECT(unless(3, 1) == optional_integer{3});
});

BOTH_TIMES("enumerators in a framework's words", [] {
  constexpr spelling<recompute> spellings[] = {{recompute::full, "all"}};
  EXPECT(word_for(spellings, recompute::full) == "all");
  EXPECT(word_for(spellings, recompute::none).empty());
  EXPECT(value_for(spellings, "all", recompute::none) == recompute::full);
  EXPECT(value_for(spellings, "", recompute::selective) == recompute::selective);
});

BOTH_TIMES("a launcher's flags are the cluster", [] {
  cluster c{.total = 7};
  read_launcher(c, {}, {});
  EXPECT(c == cluster{.total = 7});
  read_launcher(c, {}, 8);
  EXPECT(c == cluster{.gpus_per_node = 8, .nodes = 1});
  read_launcher(c, 4, {});
  EXPECT(c.gpus() == 32);
});

BOTH_TIMES("what a serving framework takes by itself", [] {
  const deployment base{.model = catalog::mixtral_8x7b};
  const serving s = serving_of(base, {}, {}, {});
  EXPECT(s.sequence_length == catalog::mixtral_8x7b.max_positions.number);
  EXPECT(s.batch == 1);
  EXPECT(!words_for(s, base.model).sequence_length.given);
  EXPECT(serving_of(base, 4, 100, 2) == serving{.batch = 4, .sequence_length = 100, .redundant_experts = 2});
});

BOTH_TIMES("notes of what is lost", [] {
  writing out;
  const deployment d{.model = catalog::llama_3_1_8b, .strategy = {ep{2}, mapping::product}, .workload = serving{}};
  note_what_no_flag_says(out, d, framework::megatron);
  note_experts_of_a_dense_model(out, d);
  note_order(out, d, rank_order{"pp-tp-cp-ep-dp"}, "why");
  EXPECT(out.cannot_express.size() == 4);
  EXPECT(text{out.cannot_express[0]} ==
         "mapping product: the degrees of a framework make up two grids, and are never all multiplied");
  EXPECT(text{out.cannot_express[1]} == "serving: Megatron-LM trains");
  EXPECT(text{out.cannot_express[2]} == "ep 2: the model has no experts");
  EXPECT(text{out.cannot_express[3]} == "order tp-cp-ep-dp-pp: why");
});
