#include <moeplan/catalog/gpus.hpp>

#include <cstdlib>
#include <initializer_list>
#include <string>

#include <moeplan/io/catalog_names.hpp>

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

BOTH_TIMES("an eighth of eight GPUs, a 72nd of a rack: rates with sparsity are twice those here", [] {
  constexpr std::int64_t petaflops = 1'000'000'000'000'000;
  EXPECT(16LL * catalog::b200_sxm.bf16_flops == 36 * petaflops);
  EXPECT(16LL * catalog::b200_sxm.fp8_flops == 72 * petaflops);
  EXPECT(8 * catalog::b200_sxm.fp4_flops == 72 * petaflops);
  EXPECT(8 * catalog::b300_sxm.fp4_flops == 105 * petaflops);
  EXPECT(144LL * catalog::gb200.bf16_flops == 360 * petaflops);
  EXPECT(144LL * catalog::gb200.fp4_flops == 1440 * petaflops);
  EXPECT(2 * catalog::h100_pcie.fp8_flops == 3026 * petaflops / 1000);
  EXPECT(2 * catalog::h100_nvl.bf16_flops == 1671 * petaflops / 1000);
});

BOTH_TIMES("rates of AMD's GPUs are units x clock x operations", [] {
  EXPECT(catalog::mi300x.bf16_flops == 304LL * 2'100'000'000 * 2048);
  EXPECT(catalog::mi300x.fp8_flops == 2 * catalog::mi300x.bf16_flops);
  EXPECT(catalog::mi325x.fp8_flops == catalog::mi300x.fp8_flops);
  EXPECT(catalog::mi355x.fp4_flops == 256LL * 2'400'000'000 * 16384);
  EXPECT(catalog::mi300x.nvlink_bandwidth * 2 == 7 * 128_GB);
  EXPECT(catalog::mi355x.nvlink_bandwidth * 2 == 7 * 153'600_MB);
});

BOTH_TIMES("the two dies of an Ascend 910C", [] {
  EXPECT(2 * catalog::ascend_910c_die.bf16_flops == 752 * 1'000'000'000'000);
  EXPECT(catalog::ascend_910c_die.nvlink_bandwidth * 2 == 392_GB);
  EXPECT(catalog::ascend_910c_die.network_bandwidth * 2 * 8 == 400_GB);
});

BOTH_TIMES("not all memory can be used", [] {
  for (const gpu& g : {catalog::a100_80gb_sxm, catalog::h100_sxm, catalog::h800_sxm}) {
    EXPECT(g.memory == 80_GiB);
    EXPECT(g.usable_memory < g.memory);
    EXPECT(g.usable_memory > 79_GiB);
  }
});

} // namespace

TEST_CASE("whatever is known of a GPU is plausible") {
  for (const auto& entry : io::catalog_gpus) {
    const std::string name = entry.name;
    CAPTURE(name);
    const gpu& g = *entry.value;
    CHECK(g.memory > bytes{});
    CHECK(g.usable_memory < g.memory);
    if (g.usable_memory != bytes{}) CHECK(g.usable_memory * 20 > g.memory * 19); // 95%
    // Data sheets round.
    if (g.fp8_flops != 0) CHECK(std::abs(g.fp8_flops - 2 * g.bf16_flops) < g.bf16_flops / 1000);
    if (g.fp4_flops != 0) CHECK(g.fp4_flops >= 2 * g.fp8_flops);
  }
}
