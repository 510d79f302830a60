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

BOTH_TIMES("HCCS of an Ascend 910B", [] {
  // Over seven peers, both directions: github.com/ArthurChiao/arthurchiao.github.io, _posts/2023-10-25-gpu-data-sheets.md, 3.1.
  EXPECT(catalog::ascend_910b.nvlink_bandwidth * 2 == 392_GB);
  // Eight GPUs with 200 Gb/s each: there, _posts/2023-09-16-gpu-advanced-notes-2-zh.md, 3.
  EXPECT(catalog::ascend_910b.network_bandwidth * 8 == 200_GB);
  EXPECT(catalog::ascend_910b.bf16_flops == 0); // differs between variants
});

BOTH_TIMES("network: bits a second a GPU, or of eight", [] {
  // Four cards of 400 Gb/s for eight: lmsys.org/blog/2025-09-26-sglang-ant-group, table of H20 and H800.
  EXPECT(catalog::h20_sxm.network_bandwidth * 8 * 8 == 4 * 400_GB);
  EXPECT(catalog::h800_sxm.network_bandwidth * 8 * 8 == 8 * 400_GB);
  // github.com/MicrosoftDocs/azure-docs, articles/virtual-machines/sizes/gpu-accelerated/nd-mi300x-v5-series.md.
  EXPECT(catalog::mi300x.network_bandwidth * 8 == 400_GB);
  // rocm.docs.amd.com/en/latest/how-to/rocm-for-ai/inference/benchmark-docker/vllm-mori-distributed.html.
  EXPECT(catalog::mi325x.network_bandwidth * 8 == 400_GB);
  // rocm.docs.amd.com/en/latest/how-to/rocm-for-ai/inference/benchmark-docker/sglang-mori-distributed.html.
  EXPECT(catalog::mi355x.network_bandwidth * 8 == 400_GB);
  EXPECT(catalog::b300_sxm.network_bandwidth * 8 == 800_GB); // acecloud.ai/blog/nvidia-hgx-b300
});

BOTH_TIMES("bandwidth of memory: bits x rate, or a share of a node's or a rack's", [] {
  EXPECT(catalog::a100_40gb_sxm.memory_bandwidth == 1'555_GB);
  EXPECT(catalog::a100_80gb_sxm.memory_bandwidth == 2'039_GB);
  EXPECT(catalog::h100_sxm.memory_bandwidth == 3'350_GB);
  EXPECT(catalog::h800_sxm.memory_bandwidth == catalog::h100_sxm.memory_bandwidth);
  EXPECT(catalog::h100_pcie.memory_bandwidth < catalog::h100_sxm.memory_bandwidth); // HBM2e
  // 6,016 bits at twice 2,619 MHz: product brief PB-11773-001, tables 1 and 2, which rounds.
  EXPECT(catalog::h100_nvl.memory_bandwidth <= 6'016 / 8 * 2 * 2'619_MB);
  EXPECT(catalog::h100_nvl.memory_bandwidth + 1_GB > 6'016 / 8 * 2 * 2'619_MB);
  EXPECT(catalog::h20_sxm.memory_bandwidth == 4_TB); // lmsys.org/blog/2025-09-26-sglang-ant-group, table of H20 and H800
  EXPECT(catalog::h200_sxm.memory_bandwidth == 4'800_GB);
  EXPECT(8 * catalog::b200_sxm.memory_bandwidth == 64_TB); // DGX B200
  EXPECT(72 * catalog::gb200.memory_bandwidth == 576_TB);  // NVL72
  EXPECT(catalog::b300_sxm.memory_bandwidth == 8_TB);      // glennklockwood.com/garden/processors/B300
  EXPECT(catalog::mi300x.memory_bandwidth == 8'192 / 8 * 5'200_MB);
  EXPECT(catalog::mi325x.memory_bandwidth == 6_TB);
  EXPECT(catalog::mi355x.memory_bandwidth == 8_TB);
  EXPECT(2 * catalog::ascend_910c_die.memory_bandwidth == 3'200_GB); // techpowerup.com/335749
  EXPECT(catalog::ascend_910b.memory_bandwidth == bytes{});          // publications contradict each other
});

BOTH_TIMES("usable memory as it was reported", [] {
  EXPECT(catalog::a100_40gb_sxm.usable_memory == 40'339_MiB); // github.com/bottlerocket-os/bottlerocket/pull/3873
  EXPECT(catalog::a100_80gb_sxm.usable_memory == 81'039_MiB); // 79.14 GiB, github.com/lianqi1008/Control-GIC/issues/6
  EXPECT(catalog::h100_pcie.usable_memory == 81'008_MiB);     // total_memory=81008MB of PyTorch 2.0.1; no address
  EXPECT(catalog::h100_nvl.usable_memory == 95'232_MiB);      // 93.00 GiB, github.com/ali-vilab/VACE/issues/56
  EXPECT(catalog::h100_sxm.usable_memory == 80'998_MiB);      // 79.10 GiB, github.com/huggingface/trl/issues/2688
  EXPECT(catalog::h800_sxm.usable_memory == 80'998_MiB);      // the H100's memory
  // github.com/alipay/PainlessInferenceAcceleration, flood/flood/ops/seg_mla.py.
  EXPECT(catalog::h20_sxm.usable_memory == 97'285_MiB);
  // github.com/ai-bot-pro/achatbot, deploy/modal/src/llm/vllm/vlm/skywork_r1v.py.
  EXPECT(catalog::h200_sxm.usable_memory == 143'156_MiB);
  EXPECT(catalog::b200_sxm.usable_memory == 182'630_MiB); // 178.35 GiB, github.com/pytorch/ao/pull/4002
  EXPECT(catalog::gb200.usable_memory == 188'733_MiB);    // 184.31 GiB, github.com/vllm-project/vllm/issues/43951
  // Nine versions of a GEMM on Modal's B300 (in Chinese, 18 September 2026), section on the environment; no address.
  EXPECT(catalog::b300_sxm.usable_memory == 274'113_MiB); // of 287,428,771,840 bytes
  // "AMD Instinct MI300X VF Benchmark Report", table of the main memory.
  EXPECT(catalog::mi300x.usable_memory == bytes{205'822'885'888});
  EXPECT(catalog::mi325x.usable_memory == 262'123_MiB);         // 255.98 GiB, github.com/vllm-project/vllm/issues/41962
  EXPECT(catalog::mi355x.usable_memory == 294'891_MiB);         // 287.98 GiB, github.com/ROCm/TheRock/issues/2118
  EXPECT(catalog::ascend_910b.usable_memory == 62'423_MiB);     // 60.96 GiB, github.com/vllm-project/vllm-ascend/issues/1670
  EXPECT(catalog::ascend_910c_die.usable_memory == 62'740_MiB); // 61.27 GiB, github.com/sgl-project/sglang/issues/29838
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
    if (g.memory_bandwidth != bytes{}) CHECK(g.memory_bandwidth > g.nvlink_bandwidth);
  }
}
