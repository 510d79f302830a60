#include <moeplan/cost/alike_stages.hpp>

#include <cstdint>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/gpt_oss.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr deployment trained(const model& m, const strategy& s, const layout& l, const training& t = {.sequence_length = 4096}) {
  return {.model = m, .strategy = s, .layout = l, .workload = t};
}

// The first stage has three dense layers, the last one module for multi-token prediction.
BOTH_TIMES("DeepSeek-V3 on 16 stages", [] {
  const deployment d = trained(catalog::deepseek_v3, {pp{16}, dp{1}}, layout::stages({15, 4}, {1, 1}));
  EXPECT(alike_stages{d}(0) == 1 && alike_stages{d}(1) == 14 && alike_stages{d}(7) == 8 && alike_stages{d}(15) == 1);
});

// 24 layers, every other one with a window: stages of three layers have one or two.
BOTH_TIMES("windows that alternate", [] {
  const deployment two = trained(catalog::gpt_oss_20b, {pp{12}, dp{1}}, layout::even());
  EXPECT(alike_stages{two}(0) == 1 && alike_stages{two}(1) == 10);
  const deployment three = trained(catalog::gpt_oss_20b, {pp{8}, dp{1}}, layout::even());
  EXPECT(alike_stages{three}(1) == 1 && alike_stages{three}(2) == 1);
});

BOTH_TIMES("a V turns on the last rank", [] {
  const deployment d = trained(catalog::gpt_oss_20b, {pp{4}, vpp{2}, dp{1}}, layout::even(),
                               {.global_batch = 8, .sequence_length = 64, .schedule = schedule::v_half});
  EXPECT(alike_stages{d}(0) == 1 && alike_stages{d}(3) == 1);
});

// By block the first layers of each stage are computed again: of two layers the first, which has a window, or of four two.
BOTH_TIMES("what is computed again by block", [] {
  training t{.sequence_length = 64, .recompute = recompute::full};
  t.recompute_method = recompute_method::block;
  t.recompute_layers = 1;
  const deployment d = trained(catalog::gpt_oss_20b, {pp{12}, dp{1}}, layout::even(), t);
  EXPECT(alike_stages{d}(1) == 10);
  const deployment three = trained(catalog::gpt_oss_20b, {pp{8}, dp{1}}, layout::even(), t);
  EXPECT(alike_stages{three}(1) == 1);
});

} // namespace
