#include "cost_report.hpp"

using namespace moeplan;

namespace tool {

namespace {

using sequence_flops = flops<saturating_count>;

struct component {
  const char* name;
  saturating_count sequence_flops::*flops;
};

constexpr component all_components[] = {{"attention_projections", &sequence_flops::attention_projections},
                                        {"core_attention", &sequence_flops::core_attention},
                                        {"indexer_projections", &sequence_flops::indexer_projections},
                                        {"indexer_scores", &sequence_flops::indexer_scores},
                                        {"linear_projections", &sequence_flops::linear_projections},
                                        {"delta_rule", &sequence_flops::delta_rule},
                                        {"dense_mlp", &sequence_flops::dense_mlp},
                                        {"router", &sequence_flops::router},
                                        {"routed_experts", &sequence_flops::routed_experts},
                                        {"shared_experts", &sequence_flops::shared_experts},
                                        {"mtp_projections", &sequence_flops::mtp_projections},
                                        {"head", &sequence_flops::head}};

std::vector<flops_component> components_of(const deployment_cost& c) {
  const uint256 sequences{c.sequences.value()};
  const uint256 passes{c.trains ? 3 : 1}; // The backward pass takes two forward passes' worth.
  std::vector<flops_component> components;
  for (const component& k : all_components)
    components.push_back({k.name, passes * sequences * uint256{(c.of_sequence.forward.*k.flops).value()},
                          sequences * uint256{(c.of_sequence.recomputed.*k.flops).value()}});
  return components;
}

} // namespace

std::optional<cost_report> report_cost(const deployment& d, const std::optional<efficiencies>& reached) {
  cost_report report{
      .cost = reached ? cost(d, *reached) : cost(d), .components = {}, .traffic = {}, .estimates = reached.has_value()};
  const deployment_cost& c = report.cost;
  auto traffic = traffic_of(d);
  if (!traffic || c.tokens.overflowed() || c.of_sequence.hardware().overflowed()) return {};
  report.components = components_of(c);
  report.traffic = std::move(*traffic);
  return report;
}

} // namespace tool
