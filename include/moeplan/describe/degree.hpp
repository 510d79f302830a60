#pragma once

#include <cstdint>

#include <moeplan/describe/axis.hpp>

/// @file
/// Degrees of parallelism: the axis in the type, the size in the value.

namespace moeplan {

/// How many ways one axis is split. Any 64-bit integer may stand here, so that `check` can judge it; legal are those from 1.
template <axis Axis>
struct degree {
  std::int64_t value = 1;
  friend constexpr bool operator==(degree, degree) noexcept = default;
};

using tp = degree<axis::tp>;   ///< tensor parallelism (Megatron-LM: --tensor-model-parallel-size)
using pp = degree<axis::pp>;   ///< pipeline parallelism (--pipeline-model-parallel-size)
using vpp = degree<axis::vpp>; ///< virtual stages a pipeline rank (--num-virtual-stages-per-pipeline-rank)
using ep = degree<axis::ep>;   ///< expert parallelism (--expert-model-parallel-size)
using etp =
    degree<axis::etp>;       ///< expert tensor parallelism (--expert-tensor-parallel-size); absent it is 1, in Megatron-LM it is TP
using dp = degree<axis::dp>; ///< data parallelism; absent it is derived from the number of GPUs, see resolve()
using cp = degree<axis::cp>; ///< context parallelism (--context-parallel-size); Ulysses is this with all-to-all communication
using sp = degree<axis::sp>; ///< Megatron's sequence parallelism (--sequence-parallel): 1 is off, else it is TP

} // namespace moeplan
