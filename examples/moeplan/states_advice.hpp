// That all GPUs of a cluster together have too little memory for what belongs to the parameters, whatever the strategy.
#pragma once

#include <cstdint>
#include <string>

#include <moeplan/describe/deployment.hpp>

namespace tool {

/// On how few GPUs weights, gradients and the optimizer's states could lie at all, where the cluster has fewer; 0 where it has enough, or
/// either is not known, and of serving. Precondition: `check` finds no fault with the model.
std::int64_t fewest_gpus_where_too_few(const moeplan::deployment& d);

/// The same as a sentence and what helps. Precondition: fewest > available.
std::string too_few_gpus(std::int64_t fewest, std::int64_t available);

} // namespace tool
