#pragma once

#include <moeplan/describe/cluster.hpp>

/// @file
/// GPUs. Peaks are those of dense matrices. Usable memory is what PyTorch reports as a device's total capacity, rounded down to MiB.

namespace moeplan::catalog {

using namespace moeplan::literals;

/// NVIDIA A100 80GB SXM. NVIDIA A100 data sheet (2021): 312 TFLOP/s, NVLink 600 GB/s in both directions; DGX A100: 200 Gb/s a GPU.
/// Usable: 79.33 GiB in an out-of-memory report (github.com/hahnyuan/PB-LLM/issues/3, A800, the same memory).
inline constexpr gpu a100_80gb_sxm{
    .memory = 80_GiB,
    .usable_memory = 81'233_MiB,
    .bf16_flops = 312'000'000'000'000,
    .nvlink_bandwidth = 300_GB,
    .network_bandwidth = 25_GB,
};

/// NVIDIA H100 SXM. NVIDIA H100 data sheet: 989.5 and 1,979 TFLOP/s, NVLink 900 GB/s in both directions; Eos: 400 Gb/s a GPU
/// (arXiv 2504.14960). Usable: 79.11 GiB in an out-of-memory report (github.com/vllm-project/vllm/issues/27508).
inline constexpr gpu h100_sxm{
    .memory = 80_GiB,
    .usable_memory = 81'008_MiB,
    .bf16_flops = 989'500'000'000'000,
    .fp8_flops = 1'979'000'000'000'000,
    .nvlink_bandwidth = 450_GB,
    .network_bandwidth = 50_GB,
};

/// NVIDIA H800 SXM: an H100 with NVLink cut to 400 GB/s in both directions; 400 Gb/s a GPU (DeepSeek-V3, arXiv 2412.19437;
/// ISCA 2025, arXiv 2505.09343). Usable memory as on the H100, whose memory it has.
inline constexpr gpu h800_sxm{
    .memory = 80_GiB,
    .usable_memory = 81'008_MiB,
    .bf16_flops = 989'500'000'000'000,
    .fp8_flops = 1'979'000'000'000'000,
    .nvlink_bandwidth = 200_GB,
    .network_bandwidth = 50_GB,
};

} // namespace moeplan::catalog
