// The memory of every pipeline stage, said a second time: slow, plain, on integers that cannot overflow, and without a call into the library
// but for what slow_training_memory.hpp names.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "slow_serving_memory.hpp"
#include "slow_training_memory.hpp"

namespace moeplan_test {

/// Peaks of all pipeline ranks.
class slow_memory {
public:
  /// `dp` is that of the deployment, given or derived. Precondition: nothing is wrong with it otherwise.
  slow_memory(const moeplan::deployment& d, const integer& dp) {
    if (d.workload.what == moeplan::workload::kind::training) {
      const slow::training_memory all{d, dp};
      beyond = all.beyond;
      if (!beyond) take(all.peaks);
      return;
    }
    take(slow::serving_memory{d, d.workload.serve.batch}.peaks);
    const std::vector<integer> one = slow::serving_memory{d, 1}.peaks;
    one_request = *std::max_element(one.begin(), one.end());
  }

  integer peak;
  std::int64_t fullest_stage = 0; ///< the first that has it
  integer one_request;            ///< serving: the largest with a batch of one
  bool beyond = false;            ///< some tensor needs more than 64 bits: nothing else is known

private:
  void take(const std::vector<integer>& peaks) {
    const auto highest = std::max_element(peaks.begin(), peaks.end());
    peak = *highest;
    fullest_stage = highest - peaks.begin();
  }
};

} // namespace moeplan_test
