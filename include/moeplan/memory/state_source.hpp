#pragma once

#include <moeplan/describe/training.hpp>
#include <moeplan/memory/states.hpp>

/// @file
/// What tensors of parameters' states are called, and which code allocates them.

namespace moeplan {

[[nodiscard]] constexpr const char* name_of(state_kind kind) noexcept {
  switch (kind) {
    case state_kind::none: break;
    case state_kind::weights: return "weights";
    case state_kind::router_biases: return "correction biases of routers";
    case state_kind::quantised_weights: return "FP8 weights, in rows and in columns";
    case state_kind::weight_scales: return "scales of FP8 weights";
    case state_kind::gradients: return "gradients";
    case state_kind::master_weights: return "master weights";
    case state_kind::first_moments: return "first moments";
    case state_kind::second_moments: return "second moments";
  }
  return "";
}

/// File and symbol: PyTorch's fully_shard where parameters are sharded, Megatron-LM core_r0.14 with Transformer Engine 2.11 otherwise.
/// Empty for none.
[[nodiscard]] constexpr const char* source_of(state_kind kind, const training& t) noexcept {
  const bool by_pytorch = t.sharding >= sharding::parameters;
  const bool buffers = t.sharding >= sharding::optimizer;
  switch (kind) {
    case state_kind::none: break;
    case state_kind::weights:
      if (by_pytorch) return "fully_shard, _fsdp_param.py _init_sharded_param";
      return buffers ? "param_and_grad_buffer.py _ParamAndGradBuffer.param_data"
                     : "tensor_parallel/layers.py, module/base.py weight";
    case state_kind::router_biases: return "moe/router.py TopKRouter.expert_bias";
    case state_kind::quantised_weights: return "module/base.py weight, tensor/ rowwise_data, columnwise_data";
    case state_kind::weight_scales: return "module/base.py weight, tensor/ rowwise_scale_inv, columnwise_scale_inv";
    case state_kind::gradients:
      return by_pytorch ? "fully_shard, _fsdp_collectives.py foreach_reduce"
                        : "param_and_grad_buffer.py _ParamAndGradBuffer.grad_data";
    case state_kind::master_weights:
      if (by_pytorch) return "fully_shard, _fsdp_param.py _init_sharded_param";
      return buffers ? "distrib_optimizer.py _build_model_and_main_param_groups" : "optimizer.py Float16OptimizerWithFloat16Params";
    case state_kind::first_moments:
      switch (t.optimizer) {
        case optimizer::none: break;
        case optimizer::adam: return by_pytorch ? "optim/adam.py exp_avg" : "optimizers/fused_adam.py exp_avg";
        case optimizer::sgd_momentum:
          return by_pytorch ? "optim/sgd.py momentum_buffer" : "optimizers/fused_sgd.py momentum_buffer";
        case optimizer::muon:
          return by_pytorch ? "optim/_muon.py momentum_buffer, optim/adam.py exp_avg"
                            : "emerging_optimizers momentum_buffer, optimizers/fused_adam.py exp_avg";
      }
      return "";
    case state_kind::second_moments: return by_pytorch ? "optim/adam.py exp_avg_sq" : "optimizers/fused_adam.py exp_avg_sq";
  }
  return "";
}

} // namespace moeplan
