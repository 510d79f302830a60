#pragma once

#include <moeplan/describe/cluster.hpp>

/// @file
/// GPUs. Peaks are those of dense matrices. Usable memory is what PyTorch reports as a device's total capacity, rounded down to
/// MiB, where nothing else is said; it differs between drivers, and the smallest that is common is here. What has no public source
/// is 0.

namespace moeplan::catalog {

using namespace moeplan::literals;

/// NVIDIA A100 40GB SXM. NVIDIA A100 data sheet (2021): 312 TFLOP/s, memory 1,555 GB/s, NVLink 600 GB/s in both directions; DGX
/// A100: 200 Gb/s a GPU. Usable: 42,298,834,944 bytes from deviceQuery (github.com/bottlerocket-os/bottlerocket/pull/3873).
inline constexpr gpu a100_40gb_sxm{
    .memory = 40_GiB,
    .usable_memory = 40'339_MiB,
    .bf16_flops = 312'000'000'000'000,
    .memory_bandwidth = 1'555_GB,
    .nvlink_bandwidth = 300_GB,
    .network_bandwidth = 25_GB,
};

/// NVIDIA A100 80GB SXM. NVIDIA A100 data sheet (2021): 312 TFLOP/s, memory 2,039 GB/s, NVLink 600 GB/s in both directions; DGX
/// A100: 200 Gb/s a GPU. Usable: 79.14 GiB in an out-of-memory report (github.com/lianqi1008/Control-GIC/issues/6); others have
/// 79.15 (github.com/vllm-project/vllm/issues/4408), 79.25 and, on an A800, 79.33 (github.com/hahnyuan/PB-LLM/issues/3).
inline constexpr gpu a100_80gb_sxm{
    .memory = 80_GiB,
    .usable_memory = 81'039_MiB,
    .bf16_flops = 312'000'000'000'000,
    .memory_bandwidth = 2'039_GB,
    .nvlink_bandwidth = 300_GB,
    .network_bandwidth = 25_GB,
};

/// NVIDIA H100 PCIe. NVIDIA H100 data sheet: 756.5 and 1,513 TFLOP/s (half of those with sparsity, see
/// github.com/qoofyk/LLM_Sizing_Guide/issues/3), memory 2 TB/s, an NVLink bridge of 600 GB/s in both directions
/// (archive-lib.hpctech.co.jp/gpuproduct/nvidia-h100.html). Usable: total_memory=81008MB, which PyTorch 2.0.1 printed for a card of
/// 114 multiprocessors, in one published script whose address is not known; an H100 SXM with 79.11 GiB has the same. The network of
/// its servers differs.
inline constexpr gpu h100_pcie{
    .memory = 80_GiB,
    .usable_memory = 81'008_MiB,
    .bf16_flops = 756'500'000'000'000,
    .fp8_flops = 1'513'000'000'000'000,
    .memory_bandwidth = 2_TB,
    .nvlink_bandwidth = 300_GB,
};

/// NVIDIA H100 NVL. NVIDIA H100 data sheet: 835.5 and 1,670.5 TFLOP/s (half of those with sparsity), an NVLink bridge of 600 GB/s
/// in both directions; memory 3,938 GB/s (product brief PB-11773-001). Usable: 93.00 GiB in an out-of-memory report
/// (github.com/ali-vilab/VACE/issues/56); others have 93.02 (github.com/vllm-project/vllm/issues/16712) to 93.10. The network of
/// its servers differs.
inline constexpr gpu h100_nvl{
    .memory = 94_GiB,
    .usable_memory = 95'232_MiB,
    .bf16_flops = 835'500'000'000'000,
    .fp8_flops = 1'670'500'000'000'000,
    .memory_bandwidth = 3'938_GB,
    .nvlink_bandwidth = 300_GB,
};

/// NVIDIA H100 SXM. NVIDIA H100 data sheet: 989.5 and 1,979 TFLOP/s, memory 3.35 TB/s, NVLink 900 GB/s in both directions; Eos:
/// 400 Gb/s a GPU (arXiv 2504.14960). Usable: 79.10 GiB (github.com/huggingface/trl/issues/2688); others have 79.11
/// (github.com/vllm-project/vllm/issues/27508) and 79.18.
inline constexpr gpu h100_sxm{
    .memory = 80_GiB,
    .usable_memory = 80'998_MiB,
    .bf16_flops = 989'500'000'000'000,
    .fp8_flops = 1'979'000'000'000'000,
    .memory_bandwidth = 3'350_GB,
    .nvlink_bandwidth = 450_GB,
    .network_bandwidth = 50_GB,
};

/// NVIDIA H800 SXM: an H100 with NVLink cut to 400 GB/s in both directions; 400 Gb/s a GPU (DeepSeek-V3, arXiv 2412.19437;
/// ISCA 2025, arXiv 2505.09343; lmsys.org/blog/2025-09-26-sglang-ant-group, table of H20 and H800). Memory as on the H100.
inline constexpr gpu h800_sxm{
    .memory = 80_GiB,
    .usable_memory = 80'998_MiB,
    .bf16_flops = 989'500'000'000'000,
    .fp8_flops = 1'979'000'000'000'000,
    .memory_bandwidth = 3'350_GB,
    .nvlink_bandwidth = 200_GB,
    .network_bandwidth = 50_GB,
};

/// NVIDIA H20 96GB SXM: 148 and 296 TFLOP/s, memory 4.0 TB/s, NVLink 900 GB/s in both directions, four network cards of 400 Gb/s
/// for eight GPUs. There is no public data sheet; the figures are those of lmsys.org/blog/2025-09-26-sglang-ant-group, table of H20
/// and H800. Usable: total_memory=97285MB (github.com/alipay/PainlessInferenceAcceleration, flood/flood/ops/seg_mla.py), 95.00 GiB;
/// others have 95.22.
inline constexpr gpu h20_sxm{
    .memory = 96_GiB,
    .usable_memory = 97'285_MiB,
    .bf16_flops = 148'000'000'000'000,
    .fp8_flops = 296'000'000'000'000,
    .memory_bandwidth = 4_TB,
    .nvlink_bandwidth = 450_GB,
    .network_bandwidth = 25_GB,
};

/// NVIDIA H200 SXM. NVIDIA H200 data sheet: the H100's rates (without sparsity: github.com/meta-pytorch/tritonbench/issues/78) and
/// NVLink, memory 4.8 TB/s; DGX H200: 400 Gb/s a GPU. Usable: total_memory=143156MB (github.com/ai-bot-pro/achatbot,
/// deploy/modal/src/llm/vllm/vlm/skywork_r1v.py), 139.80 GiB; others have 139.81.
inline constexpr gpu h200_sxm{
    .memory = 141_GiB,
    .usable_memory = 143'156_MiB,
    .bf16_flops = 989'500'000'000'000,
    .fp8_flops = 1'979'000'000'000'000,
    .memory_bandwidth = 4'800_GB,
    .nvlink_bandwidth = 450_GB,
    .network_bandwidth = 50_GB,
};

/// NVIDIA B200 SXM. NVIDIA HGX B200 (a GPU is an eighth, and dense half, of its 36 PFLOP/s in BF16 and 72 in FP8; FP4 72 dense),
/// 180 GB and 8 TB/s a GPU in DGX B200 (64 TB/s in all), NVLink 1.8 TB/s in both directions, 400 Gb/s a GPU. Usable: 178.35 GiB
/// from the driver (github.com/pytorch/ao/pull/4002, which has these rates too).
inline constexpr gpu b200_sxm{
    .memory = 180_GiB,
    .usable_memory = 182'630_MiB,
    .bf16_flops = 2'250'000'000'000'000,
    .fp8_flops = 4'500'000'000'000'000,
    .fp4_flops = 9'000'000'000'000'000,
    .memory_bandwidth = 8_TB,
    .nvlink_bandwidth = 900_GB,
    .network_bandwidth = 50_GB,
};

/// NVIDIA GB200, one of its GPUs. NVIDIA GB200 NVL72 (a GPU is a 72nd, and dense half, of its 360 PFLOP/s in BF16, 720 in FP8 and
/// 1,440 in FP4, of 576 TB/s of memory), 186 GB a GPU, NVLink 1.8 TB/s in both directions within the rack, 400 Gb/s a GPU. Usable:
/// 184.31 GiB in an out-of-memory report (github.com/vllm-project/vllm/issues/43951).
inline constexpr gpu gb200{
    .memory = 186_GiB,
    .usable_memory = 188'733_MiB,
    .bf16_flops = 2'500'000'000'000'000,
    .fp8_flops = 5'000'000'000'000'000,
    .fp4_flops = 10'000'000'000'000'000,
    .memory_bandwidth = 8_TB,
    .nvlink_bandwidth = 900_GB,
    .network_bandwidth = 50_GB,
};

/// NVIDIA B300 SXM. NVIDIA HGX B300: 288 GB and 8 TB/s a GPU, BF16 and FP8 as HGX B200, 105 PFLOP/s dense in FP4 over eight GPUs
/// (glennklockwood.com/garden/processors/B300), NVLink 1.8 TB/s in both directions, 800 Gb/s a GPU
/// (acecloud.ai/blog/nvidia-hgx-b300). Usable: 287,428,771,840 bytes, 267.69 GiB, from PyTorch (nine versions of a GEMM measured on
/// Modal's B300, in Chinese, 18 September 2026, section on the environment); 274,113 MiB from cudaGetDeviceProperties ("HBM Stack
/// Count - Independent Verification", 22 April 2026, method 2). Addresses of the two are not known.
inline constexpr gpu b300_sxm{
    .memory = 288_GB,
    .usable_memory = 274'113_MiB,
    .bf16_flops = 2'250'000'000'000'000,
    .fp8_flops = 4'500'000'000'000'000,
    .fp4_flops = 13'125'000'000'000'000,
    .memory_bandwidth = 8_TB,
    .nvlink_bandwidth = 900_GB,
    .network_bandwidth = 100_GB,
};

/// AMD Instinct MI300X. AMD data sheet: 1,307.4 and 2,614.9 TFLOP/s (304 units x 2.1 GHz x 2,048 and 4,096), memory 5.3 TB/s (8,192
/// bits at 5.2 Gb/s), seven Infinity Fabric links of 128 GB/s in both directions. 400 Gb/s a GPU: Azure ND MI300X v5
/// (github.com/MicrosoftDocs/azure-docs, articles/virtual-machines/sizes/gpu-accelerated/nd-mi300x-v5-series.md) and AMD's own
/// set-up (rocm.docs.amd.com/en/latest/how-to/rocm-for-ai/inference/benchmark-docker/vllm-mori-distributed.html). Usable:
/// 205,822,885,888 bytes, 191.69 GiB, which clouds' virtual functions have ("AMD Instinct MI300X VF Benchmark Report", table of the
/// main memory; github.com/vllm-project/vllm-omni, recipes/StabilityAI/Stable-Audio-Open.md); the whole card has 191.98
/// (rocm.blogs.amd.com/artificial-intelligence/gptq).
inline constexpr gpu mi300x{
    .memory = 192_GiB,
    .usable_memory = 196'288_MiB,
    .bf16_flops = 1'307'443'200'000'000,
    .fp8_flops = 2'614'886'400'000'000,
    .memory_bandwidth = 5'324'800_MB,
    .nvlink_bandwidth = 448_GB,
    .network_bandwidth = 50_GB,
};

/// AMD Instinct MI325X: an MI300X with more memory, 6 TB/s (AMD data sheet). 400 Gb/s a GPU
/// (rocm.docs.amd.com/en/latest/how-to/rocm-for-ai/inference/benchmark-docker/vllm-mori-distributed.html).
/// Usable: 255.98 GiB in an out-of-memory report (github.com/vllm-project/vllm/issues/41962; also
/// github.com/ROCm/TheRock/issues/2118).
inline constexpr gpu mi325x{
    .memory = 256_GiB,
    .usable_memory = 262'123_MiB,
    .bf16_flops = 1'307'443'200'000'000,
    .fp8_flops = 2'614'886'400'000'000,
    .memory_bandwidth = 6_TB,
    .nvlink_bandwidth = 448_GB,
    .network_bandwidth = 50_GB,
};

/// AMD Instinct MI355X. AMD data sheet: 2.5 PFLOP/s, 5 in FP8, 10 in MXFP4 (256 units x 2.4 GHz x 4,096, 8,192 and 16,384), memory
/// 8 TB/s, seven Infinity Fabric links of 153.6 GB/s in both directions. One network card of 400 Gb/s a GPU
/// (rocm.docs.amd.com/en/latest/how-to/rocm-for-ai/inference/benchmark-docker/sglang-mori-distributed.html).
/// Usable: 287.98 GiB (github.com/ROCm/TheRock/issues/2118).
inline constexpr gpu mi355x{
    .memory = 288_GiB,
    .usable_memory = 294'891_MiB,
    .bf16_flops = 2'516'582'400'000'000,
    .fp8_flops = 5'033'164'800'000'000,
    .fp4_flops = 10'066'329'600'000'000,
    .memory_bandwidth = 8_TB,
    .nvlink_bandwidth = 537'600_MB,
    .network_bandwidth = 50_GB,
};

/// Huawei Ascend 910B with 64 GB. Its variants differ in rates, and none is published. HCCS 392 GB/s to seven others in both
/// directions (github.com/ArthurChiao/arthurchiao.github.io, _posts/2023-10-25-gpu-data-sheets.md, 3.1), 200 Gb/s a GPU (there,
/// _posts/2023-09-16-gpu-advanced-notes-2-zh.md, 3). Usable: 60.96 GiB in an out-of-memory report
/// (github.com/vllm-project/vllm-ascend/issues/1670); others have 60.97.
inline constexpr gpu ascend_910b{
    .memory = 64_GiB,
    .usable_memory = 62'423_MiB,
    .nvlink_bandwidth = 196_GB,
    .network_bandwidth = 25_GB,
};

/// Huawei Ascend 910C, one of its two dies, which programs see as a device. CloudMatrix384 (arXiv 2506.12708): 752 TFLOP/s, 128 GB
/// and 3.2 TB/s (techpowerup.com/335749) a package, Unified Bus 392 GB/s and RDMA 400 Gb/s a package in one direction. Usable:
/// 61.27 GiB in an out-of-memory report (github.com/sgl-project/sglang/issues/29838).
inline constexpr gpu ascend_910c_die{
    .memory = 64_GiB,
    .usable_memory = 62'740_MiB,
    .bf16_flops = 376'000'000'000'000,
    .memory_bandwidth = 1'600_GB,
    .nvlink_bandwidth = 196_GB,
    .network_bandwidth = 25_GB,
};

} // namespace moeplan::catalog
