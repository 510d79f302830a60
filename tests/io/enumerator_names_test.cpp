#include <doctest/doctest.h>

#include <moeplan/io/enumerator_names.hpp>

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
}
