// Training runs as publications describe them, each with the speed that it is said to have had.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <moeplan/describe/deployment.hpp>

namespace published_runs {

/// What a publication says of a run's speed, as far as it prints it.
struct claim {
  enum class kind : std::uint16_t {
    utilisation,  ///< MFU: model FLOPs over the peak in bf16
    rate,         ///< model TFLOP/s of a GPU
    out_of_memory ///< there was none
  };

  kind what = kind::utilisation;
  std::int64_t tenths = 0;            ///< of a percent, or of a TFLOP/s
  std::int64_t tokens_per_second = 0; ///< of a GPU, where that is said too

  friend constexpr bool operator==(const claim&, const claim&) noexcept = default;
};

struct run {
  std::string model;
  std::string method; ///< framework, GPU or precision: what tells it from the others of its table
  moeplan::deployment deployment{};
  claim claimed{};
  std::string remark{}; ///< what is open about this run alone
};

/// The runs of one table.
struct table {
  std::string title;
  std::string about{}; ///< what is left open there, and what was taken for it
  std::vector<run> runs{};
};

/// arXiv 2504.14960, tables 2 to 5: parallel folding, on H100 of the Eos cluster.
std::vector<table> parallel_folding();

/// Megatron-Bridge's performance summaries, and the report on MoE training with Megatron Core, arXiv 2603.07685.
std::vector<table> megatron_core();

/// arXiv 2412.19437 and 2505.09343: DeepSeek-V3's own training.
std::vector<table> deepseek();

/// All of them.
std::vector<table> all_tables();

} // namespace published_runs
