#include "memory_limits.hpp"

#include <moeplan/search/fit.hpp>

using namespace moeplan;

namespace tool {

namespace {

std::optional<std::int64_t> value_of(const fit_answer& answer) {
  if (!answer.found()) return {};
  return answer.value;
}

} // namespace

memory_limits limits_of(const deployment& d) {
  memory_limits limits;
  if (d.workload.is_training()) limits.micro_batch = value_of(largest_micro_batch(d));
  limits.sequence_length = value_of(longest_sequence_length(d));
  limits.gpus = value_of(fewest_gpus(d));
  return limits;
}

} // namespace tool
