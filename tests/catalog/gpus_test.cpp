#include <moeplan/catalog/gpus.hpp>

#include <initializer_list>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

BOTH_TIMES("dense peaks of the data sheets", [] {
  EXPECT(catalog::a100_80gb_sxm.bf16_flops == 312 * 1'000'000'000'000);
  EXPECT(catalog::a100_80gb_sxm.fp8_flops == 0); // has none
  EXPECT(catalog::h100_sxm.bf16_flops == 989'500'000'000'000);
  EXPECT(catalog::h800_sxm.bf16_flops == catalog::h100_sxm.bf16_flops);
});

BOTH_TIMES("an H800 has less than half an H100's NVLink and the same network", [] {
  EXPECT(catalog::h100_sxm.nvlink_bandwidth == 450_GB);
  EXPECT(catalog::h800_sxm.nvlink_bandwidth == 200_GB);
  EXPECT(catalog::h800_sxm.network_bandwidth == catalog::h100_sxm.network_bandwidth);
  EXPECT(catalog::h100_sxm.network_bandwidth * 8 == 400_GB); // 400 Gb/s a GPU
});

BOTH_TIMES("not all memory can be used", [] {
  for (const gpu& g : {catalog::a100_80gb_sxm, catalog::h100_sxm, catalog::h800_sxm}) {
    EXPECT(g.memory == 80_GiB);
    EXPECT(g.usable_memory < g.memory);
    EXPECT(g.usable_memory > 79_GiB);
  }
});

} // namespace
