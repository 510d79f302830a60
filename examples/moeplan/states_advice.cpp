#include "states_advice.hpp"

#include <moeplan/search/least_states.hpp>
#include <moeplan/verify/facts.hpp>

#include "text_table.hpp"

using namespace moeplan;

namespace tool {

std::int64_t fewest_gpus_where_too_few(const deployment& d) {
  const facts f = facts_of(d);
  if (!d.workload.is_training() || !f.knows(known::cluster)) return 0;
  const saturating_count fewest = detail::fewest_gpus_for_states(d);
  return fewest > saturating_count{f.available} && fewest.bits >> 63 == 0 ? static_cast<std::int64_t>(fewest.value()) : 0;
}

std::string too_few_gpus(std::int64_t fewest, std::int64_t available) {
  return "Weights, gradients and the optimizer's states alone, each number kept once, take all the memory of " +
         counted(fewest, "GPU") + "; the cluster has " + grouped(available) +
         ". What helps is more GPUs, more memory in each, smaller types of numbers, or a share of the states in the host's memory "
         "(optimizer_offload).";
}

} // namespace tool
