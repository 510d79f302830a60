// Oracles: arXiv 2502.07846, section 5, for DeepSeek-V3 on TP 2 with sequence parallelism, EP 8 and ETP 1, stages of 4 MoE layers.
#include <moeplan/memory/published/memory_analysis.hpp>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/number/ratio.hpp>

#include "support/both_times.hpp"

using namespace moeplan;
using namespace moeplan::published;

namespace {

constexpr memory_analysis::run of(std::int64_t micro_batch, bool full_recompute = false) {
  return {
      .micro_batch = micro_batch, .sequence_length = 4096, .tensor_ranks = 2, .expert_ranks = 8, .full_recompute = full_recompute};
}

constexpr const model& v3 = catalog::deepseek_v3;

constexpr count four_layers_of_attention(const memory_analysis::run& r) { return memory_analysis::bytes_of_attention(v3, r) * 4; }
constexpr count four_layers_of_moe(const memory_analysis::run& r) { return memory_analysis::bytes_of_moe(v3, r) * 4; }

// GiB with three digits after the point, to the nearest.
constexpr bool prints_as(count bytes, std::int64_t thousandths) {
  const ratio scaled{bytes * 2'000, std::int64_t{1} << 30};
  return scaled >= ratio{2 * thousandths - 1} && scaled < ratio{2 * thousandths + 1};
}

BOTH_TIMES("latent attention of a stage", [] {
  EXPECT(four_layers_of_attention(of(1)) == 23'177'723'904);
  EXPECT(four_layers_of_attention(of(2)) == 46'355'447'808);
  EXPECT(four_layers_of_attention(of(4)) == 92'710'895'616);
  EXPECT(prints_as(four_layers_of_attention(of(1)), 21'586));
  EXPECT(prints_as(four_layers_of_attention(of(2)), 43'172));
  EXPECT(prints_as(four_layers_of_attention(of(4)), 86'344));
});

BOTH_TIMES("MoE of a stage", [] {
  EXPECT(four_layers_of_moe(of(1)) == 1'493'434'368);
  EXPECT(four_layers_of_moe(of(2)) == 2'986'868'736);
  EXPECT(four_layers_of_moe(of(4)) == 5'973'737'472);
  EXPECT(prints_as(four_layers_of_moe(of(1)), 1'391));
  EXPECT(prints_as(four_layers_of_moe(of(2)), 2'782));
  EXPECT(prints_as(four_layers_of_moe(of(4)), 5'563));
});

BOTH_TIMES("both", [] {
  EXPECT(prints_as(memory_analysis::bytes_of_moe_layer(v3, of(1)) * 4, 22'977));
  EXPECT(prints_as(memory_analysis::bytes_of_moe_layer(v3, of(2)) * 4, 45'954));
  EXPECT(prints_as(memory_analysis::bytes_of_moe_layer(v3, of(4)) * 4, 91'907));
});

BOTH_TIMES("full recompute: 8bsh + 8bsN_r for a stage", [] {
  EXPECT(memory_analysis::bytes_of_moe_layer(v3, of(1, true)) * 4 == 235'143'168);
  EXPECT(memory_analysis::bytes_of_moe_layer(v3, of(2, true)) * 4 == 470'286'336);
  EXPECT(memory_analysis::bytes_of_moe_layer(v3, of(4, true)) * 4 == 940'572'672);
  const count tokens = of(1).tokens();
  EXPECT(four_layers_of_attention(of(1, true)) == tokens * 7'168 * 4);
  EXPECT(four_layers_of_moe(of(1, true)) == tokens * 7'168 * 4 + tokens * 8 * 8);
});

BOTH_TIMES("the formulas of the section", [] {
  const count bs = of(1).tokens();
  const count s = 4'096;
  const count h = 7'168;
  const count heads = 128;
  const count width = 128;
  // Attention alone, without parallelism.
  const memory_analysis::run alone{.micro_batch = 1, .sequence_length = 4'096};
  EXPECT(memory_analysis::bytes_of_attention(v3, alone) == bs * h * 4 + bs * (1'536 + 512) * 2 + bs * (width + 64) * heads * 4 +
                                                               bs * width * heads * 2 + heads * bs * s * 5 +
                                                               bs * width * heads * 2 + bs * h);
  // Four layers, TP 2: 10bsh + 8bs(d_cq + d_c) + 16bs d_h n_h + 8bs d_hr n_h + 10 b n_h s^2.
  EXPECT(four_layers_of_attention(of(1)) ==
         bs * h * 10 + bs * (1'536 + 512) * 8 + bs * width * heads * 16 + bs * 64 * heads * 8 + heads * bs * s * 10);
  // 20bsh + 16bsN + 8bsN_r + (4bsN_r / N)(96h + 256h_E) + 32bs h_E.
  EXPECT(four_layers_of_moe(of(1)) ==
         bs * h * 20 + bs * 256 * 16 + bs * 8 * 8 + bs * 8 * 4 / 256 * (h * 96 + count{2'048} * 256) + bs * 2'048 * 32);
});

BOTH_TIMES("without the scores, as flash attention has it: 1.586 GiB", [] {
  const count scores = count{128} * 4'096 * 4'096 * 10;
  EXPECT(prints_as(four_layers_of_attention(of(1)) - scores, 1'586));
});

BOTH_TIMES("an expert gets 128 tokens for each sequence", [] {
  // N / EP = 32 experts of 3 E_tok h + 8 E_tok h_E: twice the experts on a rank, twice the bytes.
  const count routed = count{32} * (count{128} * 7'168 * 3 + count{128} * 2'048 * 8);
  memory_analysis::run fewer = of(1);
  fewer.expert_ranks = 4;
  EXPECT(memory_analysis::bytes_of_moe(v3, fewer) == memory_analysis::bytes_of_moe(v3, of(1)) + routed);
});

} // namespace
