#include <moeplan/catalog/deepseek.hpp>

#include <moeplan/memory/parameters.hpp>

#include "support/both_times.hpp"

// The parameters of the published checkpoints, from the safetensors headers on the Hugging Face hub.

using namespace moeplan;

namespace {

BOTH_TIMES("DeepSeek-V2-Lite", [] {
  const auto p = parameters(catalog::deepseek_v2_lite);
  EXPECT(p.total() == 15'706'484'224);
  EXPECT(p.active() == 2'661'150'208);
});

BOTH_TIMES("DeepSeek-V2: 236B, 21B active", [] {
  const auto p = parameters(catalog::deepseek_v2);
  EXPECT(p.total() == 235'741'434'880);
  EXPECT(p.active() == 21'375'800'320);
});

BOTH_TIMES("DeepSeek-V3: 671B, 37B active", [] {
  const auto p = parameters(catalog::deepseek_v3);
  EXPECT(p.total() == 671'026'419'200);
  EXPECT(p.active() == 37'552'297'472);
  EXPECT(p.active() - p.embedding == 36'625'618'432);
  // The checkpoint holds the module for multi-token prediction as well, with copies of embedding and head.
  EXPECT(p.total() + p.mtp + p.embedding + p.lm_head == 684'489'845'504);
});

BOTH_TIMES("DeepSeek-V3.2", [] {
  const auto p = parameters(catalog::deepseek_v3_2);
  EXPECT(p.total() == 671'877'944'064);
  EXPECT(p.active() == 38'403'822'336);
  EXPECT(p.total() + p.mtp + p.embedding + p.lm_head == 685'355'329'792);
});

} // namespace
