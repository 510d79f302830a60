#include <doctest/doctest.h>

#include <moeplan/io/enumerator_names.hpp>

#include <iterator>
#include <set>
#include <string>

using namespace moeplan;
using namespace moeplan::io;

namespace {

/// Every name once, and every value from 0 to the last enumerator once.
template <class T, std::size_t N>
void check_complete(const named<T> (&names)[N], T last) {
  std::set<std::string> seen;
  CHECK(N == static_cast<std::size_t>(last) + 1);
  for (std::size_t i = 0; i < N; ++i) {
    CHECK(static_cast<std::size_t>(names[i].value) == i);
    CHECK(seen.insert(names[i].name).second);
    CHECK(name_in(names, names[i].value) == names[i].name);
  }
}

} // namespace

TEST_CASE("every enumerator has a name") {
  check_complete(mapping_names, mapping::product);
  check_complete(profile_names, profile::deepspeed);
  check_complete(data_parallelism_names, data_parallelism::replicas);
  check_complete(recompute_names, recompute::full);
  check_complete(context_names, context_exchange::all_to_all);
  check_complete(dispatcher_names, token_dispatcher::deepep);
  check_complete(balancing_names, load_balancing::sinkhorn);
  check_complete(recompute_method_names, recompute_method::block);
  check_complete(number_type_names, number_type::int4);
  check_complete(fp8_recipe_names, fp8_recipe::mxfp8);
  check_complete(optimizer_names, optimizer::none);
  check_complete(sharding_names, sharding::parameters);
  check_complete(schedule_names, schedule::dualpipe_v);
  check_complete(routing_load_names, routing_load::worst);
  check_complete(weight_format_names, weight_format::nvfp4);
  check_complete(quantised_parts_names, quantised_parts::routed_experts);
  check_complete(cache_format_names, cache_format::fp8_ds_mla);
  check_complete(windowed_cache_names, windowed_cache::all);
  check_complete(held_names, held::replicated);
  check_complete(state_group_names, state_group::experts);
  check_complete(dense_shards_names, dense_shards::dp_ranks);
}

TEST_CASE("types of tensors, and those of them that no member of a deployment may be") {
  for (const auto& n : number_type_names) CHECK(std::string{name_of_type(n.value)} == n.name);
  for (const auto& n : index_type_names) {
    CHECK(std::string{name_of_type(n.value)} == n.name);
    CHECK(std::string{name_in(number_type_names, n.value)}.empty());
  }
  CHECK(std::string{name_of_type(number_type::int64)} == "int64");
  CHECK(std::size(number_type_names) + std::size(index_type_names) == static_cast<std::size_t>(number_type::int64) + 1);
}

TEST_CASE("every module that can be computed again has a name") {
  std::set<std::string> seen;
  recompute_modules all{.core_attention = false};
  for (const auto& n : recompute_module_names) {
    CHECK(seen.insert(n.name).second);
    CHECK_FALSE(all.*n.value);
    all.*n.value = true;
  }
  CHECK(seen.size() == sizeof(recompute_modules)); // a byte each
}

TEST_CASE("a set of assumptions has one name") {
  for (const auto& one : assumption_sets)
    for (const auto& other : assumption_sets) CHECK((one.value == other.value) == (std::string{one.name} == other.name));
}
