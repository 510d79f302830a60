// A handful of strategies for every model of the catalog, as far as arithmetic allows them.
#pragma once

#include <moeplan/io/catalog_names.hpp>
#include <moeplan/mesh/gpus.hpp>
#include <moeplan/verify/check.hpp>

namespace moeplan_test {

/// Calls visit(name, deployment) for models and legal strategies with TP, EP and ETP up to 16, on a balanced layout of up to eight
/// virtual stages. Returns how many there were.
template <class Visit>
int for_legal_deployments(Visit visit) {
  using namespace moeplan;
  int found = 0;
  for (const auto& entry : io::catalog_models)
    for (const std::int64_t tensor : {1, 2, 4, 16})
      for (const std::int64_t experts : {1, 4, 16})
        for (const std::int64_t inside : {1, 2})
          for (const std::int64_t stages : {1, 3, 4})
            for (const std::int64_t chunks : {1, 2}) {
              deployment d{.model = *entry.value,
                           .strategy = {tp{tensor}, pp{stages}, vpp{chunks}, ep{experts}, etp{inside}, dp{16}},
                           .layout = layout::balanced(),
                           .workload = training{.sequence_length = 4096},
                           .profile = profile::universal};
              d.cluster.total = static_cast<std::int64_t>(gpus(d.strategy).value());
              if (!check(d).ok()) continue;
              visit(entry.name, d);
              ++found;
            }
  return found;
}

} // namespace moeplan_test
