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
  const serving s = serving_of(base, {});
  EXPECT(s.sequence_length == catalog::mixtral_8x7b.max_positions.number);
  EXPECT(s.batch == 1);
  EXPECT(!words_for(s, base.model).sequence_length.given);
  const serving all{.batch = 4,
                    .sequence_length = 100,
                    .redundant_experts = 2,
                    .decode_context = 8,
                    .data_parallelism = data_parallelism::replicas,
                    .elastic_ep = true};
  EXPECT(serving_of(base, words_for(all, base.model)) == all);
  const deployment other{.model = base.model, .workload = all};
  EXPECT(serving_of(other, {}) == serving{.batch = 4, .sequence_length = 100}); // What there are flags for, an empty line says too.
});

BOTH_TIMES("what a framework's words come down to when it serves", [] {
  deployment d{.model = catalog::mixtral_8x7b, .strategy = {sp{2}}};
  serve_with(d, strategy{pp{3}, dp{2}}, sglang_split, {.batch = 4});
  EXPECT(d.strategy == strategy(tp{1}, pp{3}, vpp{1}, ep{1}, etp{1}, dp{2}, cp{1}, sp{1}));
  EXPECT(d.layout == layout::stages({1, 10}, {2, 11})); // 32 layers, the last stages one more
  EXPECT(d.workload.serve.batch == 4);
});

BOTH_TIMES("the training of a base", [] {
  EXPECT(training_of({.workload = training{.micro_batch = 3}}).micro_batch == 3);
  EXPECT(training_of({.workload = serving{.batch = 3}}) == training{});
});

BOTH_TIMES("notes of what serving loses", [] {
  writing out;
  const deployment d{.model = catalog::mixtral_8x7b,
                     .strategy = {tp{4}, dp{2}},
                     .workload = serving{.decode_context = 3, .data_parallelism = data_parallelism::replicas}};
  EXPECT(has_replicas(d));
  EXPECT(!has_replicas({.strategy = {dp{1}}, .workload = serving{.data_parallelism = data_parallelism::replicas}}));
  EXPECT(!has_replicas({.strategy = {dp{2}}, .workload = serving{}}));
  note_replicas(out, d, "why");
  note_uneven_decode_context(out, d, "why, TP is ");
  EXPECT(text{out.cannot_express[0]} == "data_parallelism replicas: why; these flags start one of 2");
  EXPECT(text{out.cannot_express[1]} == "decode_context 3: why, TP is 4");
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
