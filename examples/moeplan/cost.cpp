// moeplan cost: FLOPs and traffic of a step, how long it takes at least, and what limits it.
#include <moeplan/io/json_writer.hpp>

#include "commands.hpp"
#include "cost_json.hpp"
#include "cost_report.hpp"
#include "cost_text.hpp"
#include "deployment_input.hpp"
#include "findings_output.hpp"
#include "laid_out.hpp"

using namespace moeplan;

namespace tool {

status cost(const cost_options& options, std::ostream& out, std::ostream& err) {
  const std::optional<deployment> d = laid_out(deployment_from(options.input).deployment, "cost", options.json, out, err);
  if (!d) return status::wrong;
  const std::optional<cost_report> report = report_cost(*d, options.reached);
  if (!report) {
    refuse({}, options.json, out, err,
           "The step of this deployment needs more than 64 bits to count its bytes or a sequence's FLOPs.");
    return status::wrong;
  }
  if (options.json) {
    io::json_writer json{out};
    write(json, *report);
  } else {
    print_cost(out, *d, *report);
  }
  return status::fine;
}

} // namespace tool
