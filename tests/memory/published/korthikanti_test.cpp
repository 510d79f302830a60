// Oracles: arXiv 2205.05198. Figure 1 and figure 7 as calculon, which profiled them, has their values (calculon/llm/validation.py);
// sizes of the four models from table 3.
#include <moeplan/memory/published/korthikanti.hpp>

#include <moeplan/number/ratio.hpp>

#include "support/both_times.hpp"

using namespace moeplan;
using namespace moeplan::published;
using namespace moeplan::published::korthikanti;

namespace {

constexpr korthikanti::transformer of_22b{48, 6144, 64, 2048, 4};
constexpr korthikanti::transformer of_175b{96, 12288, 96, 2048, 1};
constexpr korthikanti::transformer of_530b{105, 20480, 128, 2048, 1};
constexpr korthikanti::transformer of_1t{128, 25600, 160, 2048, 1};

constexpr run tensor_parallel(moeplan::recompute recompute = recompute::none) {
  return {.tensor_ranks = 8, .recompute = recompute};
}
constexpr run sequence_parallel(moeplan::recompute recompute = recompute::none) {
  return {.tensor_ranks = 8, .sequence_parallel = true, .recompute = recompute};
}

constexpr bool layer_is(const korthikanti::transformer& m, std::int64_t none, std::int64_t tp, std::int64_t tp_sp,
                        std::int64_t tp_selective, std::int64_t sp_selective, std::int64_t full) {
  return bytes_of_layer(m, {}) == none && bytes_of_layer(m, tensor_parallel()) == tp &&
         bytes_of_layer(m, sequence_parallel()) == tp_sp &&
         bytes_of_layer(m, tensor_parallel(recompute::selective)) == tp_selective &&
         bytes_of_layer(m, sequence_parallel(recompute::selective)) == sp_selective &&
         bytes_of_layer(m, tensor_parallel(recompute::full)) == full;
}

BOTH_TIMES("table 2 in numbers", [] {
  EXPECT(layer_is(of_22b, 7'079'985'152, 1'325'400'064, 884'998'144, 654'311'424, 213'909'504, 100'663'296));
  EXPECT(layer_is(of_175b, 2'868'903'936, 578'813'952, 358'612'992, 327'155'712, 106'954'752, 50'331'648));
  EXPECT(layer_is(of_530b, 4'110'417'920, 880'803'840, 513'802'240, 545'259'520, 178'257'920, 83'886'080));
  EXPECT(layer_is(of_1t, 5'138'022'400, 1'101'004'800, 642'252'800, 681'574'400, 222'822'400, 104'857'600));
});

BOTH_TIMES("table 2 in letters", [] {
  const korthikanti::transformer& m = of_22b;
  const count sbh = m.tokens() * m.hidden_size;
  const count as2b = m.tokens() * m.sequence_length * m.heads;
  const count t = 8;
  EXPECT(bytes_of_layer(m, {}) == sbh * 34 + as2b * 5);
  EXPECT(bytes_of_layer(m, tensor_parallel()) == sbh * 10 + sbh * 24 / t + as2b * 5 / t);
  EXPECT(bytes_of_layer(m, sequence_parallel()) == (sbh * 34 + as2b * 5) / t);
  EXPECT(bytes_of_layer(m, tensor_parallel(recompute::selective)) == sbh * 10 + sbh * 24 / t);
  EXPECT(bytes_of_layer(m, sequence_parallel(recompute::selective)) == sbh * 34 / t);
  EXPECT(bytes_of_layer(m, sequence_parallel(recompute::full)) == sbh * 2);
});

BOTH_TIMES("section 4.1: attention 11sbh + 5as^2b, MLP 19sbh, norms 4sbh", [] {
  const korthikanti::transformer& m = of_175b;
  const count sbh = m.tokens() * m.hidden_size;
  bytes_of_rank attention;
  visit_attention_tensors(m, recompute::none, attention);
  EXPECT(attention.bytes == sbh * 11 + m.tokens() * m.sequence_length * m.heads * 5);
  bytes_of_rank dropped;
  visit_attention_tensors(m, recompute::selective, dropped);
  EXPECT(dropped.bytes == sbh * 11);
  bytes_of_rank mlp;
  visit_mlp_tensors(m, mlp);
  EXPECT(mlp.bytes == sbh * 19);
  bytes_of_rank norms;
  visit_norm_tensors(m, norms);
  EXPECT(norms.bytes == sbh * 4);
});

struct whole_run {
  korthikanti::transformer model{};
  std::int64_t pipeline_ranks = 1;
  std::int64_t chunks = 1;
  std::int64_t micro_batches = 1;

  [[nodiscard]] constexpr korthikanti::run with(korthikanti::run r) const noexcept {
    r.pipeline_ranks = pipeline_ranks;
    r.chunks = chunks;
    r.micro_batches = micro_batches;
    return r;
  }
};

// Global batches of 4, 64, 280 and 512 sequences.
constexpr whole_run run_22b{of_22b, 1, 1, 1};
constexpr whole_run run_175b{of_175b, 8, 3, 64};
constexpr whole_run run_530b{of_530b, 35, 3, 280};
constexpr whole_run run_1t{of_1t, 64, 1, 512};

// GiB with nine digits after the point.
constexpr bool is_gib(count bytes, std::int64_t billionths) {
  return ratio{bytes, std::int64_t{1} << 30} == ratio{billionths, 1'000'000'000};
}

BOTH_TIMES("figure 1: parameters and optimizer states", [] {
  EXPECT(is_gib(bytes_of_states(of_22b, run_22b.with(tensor_parallel())), 45'562'500'000));
  EXPECT(is_gib(bytes_of_states(of_175b, run_175b.with(tensor_parallel())), 45'562'500'000));
  EXPECT(is_gib(bytes_of_states(of_530b, run_530b.with(tensor_parallel())), 31'640'625'000));
  EXPECT(is_gib(bytes_of_states(of_1t, run_1t.with(tensor_parallel())), 32'958'984'375));
});

BOTH_TIMES("figure 1: activations of the baseline", [] {
  EXPECT(is_gib(bytes_of_first_stage(of_22b, run_22b.with(tensor_parallel())), 59'250'000'000));
  EXPECT(is_gib(bytes_of_first_stage(of_175b, run_175b.with(tensor_parallel())), 66'843'750'000));
  EXPECT(is_gib(bytes_of_first_stage(of_530b, run_530b.with(tensor_parallel())), 114'023'437'500));
  EXPECT(is_gib(bytes_of_first_stage(of_1t, run_1t.with(tensor_parallel())), 131'250'000'000));
});

BOTH_TIMES("figure 1: activations of the present work", [] {
  const run present = sequence_parallel(recompute::selective);
  EXPECT(is_gib(bytes_of_first_stage(of_22b, run_22b.with(present)), 9'562'500'000));
  EXPECT(is_gib(bytes_of_first_stage(of_175b, run_175b.with(present)), 12'351'562'500));
  EXPECT(is_gib(bytes_of_first_stage(of_530b, run_530b.with(present)), 23'076'171'875));
  EXPECT(is_gib(bytes_of_first_stage(of_1t, run_1t.with(present)), 26'562'500'000));
});

BOTH_TIMES("fewer micro-batches than the pipeline is long: all of them", [] {
  run r = run_1t.with(tensor_parallel());
  r.micro_batches = 5;
  EXPECT(bytes_of_first_stage(of_1t, r) == bytes_of_layer(of_1t, r) * 2 * 5);
});

// Hundredths of a percent of the baseline, read off the figure: within 0.15 percentage points.
constexpr bool is_read_off(const korthikanti::transformer& m, const korthikanti::run& r, std::int64_t hundredths) {
  const ratio share{bytes_of_layer(m, r) * 10'000, bytes_of_layer(m, tensor_parallel())};
  return share <= ratio{hundredths + 15} && share >= ratio{hundredths - 15};
}

constexpr bool figure_7(const korthikanti::transformer& m, std::int64_t sequence, std::int64_t selective, std::int64_t both,
                        std::int64_t full) {
  return is_read_off(m, sequence_parallel(), sequence) && is_read_off(m, tensor_parallel(recompute::selective), selective) &&
         is_read_off(m, sequence_parallel(recompute::selective), both) && is_read_off(m, tensor_parallel(recompute::full), full);
}

BOTH_TIMES("figure 7", [] {
  EXPECT(figure_7(of_22b, 6'684, 4'942, 1'618, 764));
  EXPECT(figure_7(of_175b, 6'204, 5'653, 1'849, 871));
  EXPECT(figure_7(of_530b, 5'831, 6'204, 2'027, 942));
  EXPECT(figure_7(of_1t, 5'831, 6'204, 2'027, 942));
});

} // namespace
