#include "laid_out.hpp"

#include <moeplan/verify/memory_facts.hpp>

#include "findings_output.hpp"
#include "memory_report.hpp"
#include "text_table.hpp"

using namespace moeplan;

namespace tool {

namespace {

/// Why there is no answer though no finding says so: a product mapping, or more than `check` computes with.
std::string problem_of(const deployment& d, const std::string& what) {
  if (d.strategy.mapping == mapping::product)
    return "No " + what +
           " of a product mapping: it takes each degree for a factor of the GPUs, and no framework lays out a model " +
           "like that. For the " + what +
           " of these degrees say \"mapping\": \"folded\" in the strategy, or leave \"mapping\" out.";
  return "The " + what + " of this deployment is not computed. It is for at most " + grouped(detail::most_stages_judged) +
         " virtual stages, " + grouped(detail::most_layers_judged) + " decoder layers and as many of multi-token prediction.";
}

} // namespace

std::optional<deployment> laid_out(const deployment& d, const std::string& what, bool json, std::ostream& out, std::ostream& err) {
  const findings all = check_without_capacity(d);
  if (!all.ok() || !all.facts.knows(known::memory)) {
    refuse(list_of(all), json, out, err, all.ok() ? problem_of(d, what) : std::string{});
    return {};
  }
  deployment resolved = d;
  resolved.strategy = d.strategy.with(dp{all.facts.dp});
  return resolved;
}

} // namespace tool
