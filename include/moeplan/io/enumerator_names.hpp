#pragma once

#include <string_view>

#include <moeplan/describe/deployment.hpp>
#include <moeplan/io/json_reader.hpp>

/// @file
/// How deployment files spell enumerators: as in C++.

namespace moeplan::io {

inline constexpr named<mapping> mapping_names[] = {{"folded", mapping::folded}, {"product", mapping::product}};

inline constexpr named<profile> profile_names[] = {{"universal", profile::universal},   {"megatron", profile::megatron},
                                                   {"torchtitan", profile::torchtitan}, {"vllm", profile::vllm},
                                                   {"sglang", profile::sglang},         {"trtllm", profile::trtllm},
                                                   {"deepspeed", profile::deepspeed}};

inline constexpr named<data_parallelism> data_parallelism_names[] = {{"attention", data_parallelism::attention},
                                                                     {"replicas", data_parallelism::replicas}};

inline constexpr named<recompute> recompute_names[] = {
    {"none", recompute::none}, {"selective", recompute::selective}, {"full", recompute::full}};

inline constexpr named<context_exchange> context_names[] = {
    {"ring", context_exchange::ring}, {"all_gather", context_exchange::all_gather}, {"all_to_all", context_exchange::all_to_all}};

inline constexpr named<token_dispatcher> dispatcher_names[] = {{"all_gather", token_dispatcher::all_gather},
                                                               {"all_to_all", token_dispatcher::all_to_all},
                                                               {"flex", token_dispatcher::flex},
                                                               {"deepep", token_dispatcher::deepep}};

inline constexpr named<load_balancing> balancing_names[] = {{"none", load_balancing::none},
                                                            {"auxiliary_loss", load_balancing::auxiliary_loss},
                                                            {"sequence_auxiliary_loss", load_balancing::sequence_auxiliary_loss},
                                                            {"global_auxiliary_loss", load_balancing::global_auxiliary_loss},
                                                            {"sinkhorn", load_balancing::sinkhorn}};

/// The name of a value. Precondition: it is in the table, as every enumerator is in its own.
template <class T, std::size_t N>
[[nodiscard]] constexpr const char* name_in(const named<T> (&names)[N], T value) noexcept {
  for (const named<T>& n : names)
    if (n.value == value) return n.name;
  return "";
}

} // namespace moeplan::io
