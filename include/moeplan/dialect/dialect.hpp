#pragma once

#include <moeplan/dialect/deepspeed.hpp>
#include <moeplan/dialect/framework.hpp>
#include <moeplan/dialect/megatron.hpp>
#include <moeplan/dialect/sglang.hpp>
#include <moeplan/dialect/torchtitan.hpp>
#include <moeplan/dialect/trtllm.hpp>
#include <moeplan/dialect/vllm.hpp>

/// @file
/// Frameworks' own words for a deployment: launch flags in, launch flags out. Not in <moeplan/moeplan.hpp>: a program that does not
/// translate need not pay for the tables.

namespace moeplan::dialect {

/// Reads the launch flags of a framework: what its degrees mean there, in our two grids. Every degree of the result is given.
///
/// The base brings the model, the cluster and what the framework has no flags for; what it has flags for, and the line does not say, is
/// as in the framework, not as in the base. The result need not be legal: `check` judges it.
[[nodiscard]] constexpr reading read(framework f, text flags, const deployment& base) noexcept {
  switch (f) {
    case framework::megatron: return read_megatron(flags, base);
    case framework::torchtitan: return read_torchtitan(flags, base);
    case framework::vllm: return read_vllm(flags, base);
    case framework::sglang: return read_sglang(flags, base);
    case framework::trtllm: return read_trtllm(flags, base);
    case framework::deepspeed: break;
  }
  return read_deepspeed(flags, base);
}

/// Writes the launch flags with which a framework realises a deployment, as far as it can. Where nothing stands in `cannot_express`,
/// reading them with the same model and cluster gives the same deployment. Precondition: one that `check` accepts under the universal
/// profile.
[[nodiscard]] constexpr writing write(framework f, const deployment& d) noexcept {
  switch (f) {
    case framework::megatron: return write_megatron(d);
    case framework::torchtitan: return write_torchtitan(d);
    case framework::vllm: return write_vllm(d);
    case framework::sglang: return write_sglang(d);
    case framework::trtllm: return write_trtllm(d);
    case framework::deepspeed: break;
  }
  return write_deepspeed(d);
}

} // namespace moeplan::dialect
