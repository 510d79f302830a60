#pragma once

#include <moeplan/describe/precision.hpp>
#include <moeplan/io/enumerator_names.hpp>

/// @file
/// The object "precision" of a training run in a deployment file.

namespace moeplan::io {

template <template <class> class Object>
void list_members(Object<precision>& object) {
  object.member("weights", &precision::weights, number_type_names,
                "Megatron-LM --bf16, as every published launch script says: without it, fp32");
  object.member("gradients", &precision::gradients, number_type_names, "Megatron-LM --bf16, which adds up and reduces in fp32");
  object.member("master_weights", &precision::master_weights, number_type_names, "Megatron-LM --main-params-dtype");
  object.member("first_moment", &precision::first_moment, number_type_names, "Megatron-LM --exp-avg-dtype");
  object.member("second_moment", &precision::second_moment, number_type_names, "Megatron-LM --exp-avg-sq-dtype");
  object.member("fp8", &precision::fp8, fp8_recipe_names, "Megatron-LM --fp8-recipe, which needs --fp8-format");
  object.member("fp8_weights", &precision::fp8_weights, "Megatron-LM --fp8-param-gather");
}

} // namespace moeplan::io
