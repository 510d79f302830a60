// moeplan repair: the nearest legal deployments to one that violates rules.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <moeplan/io/input_error.hpp>
#include <moeplan/io/json_writer.hpp>
#include <moeplan/io/nearest_name.hpp>

#include "commands.hpp"
#include "deployment_input.hpp"
#include "findings_output.hpp"
#include "repair_json.hpp"
#include "repair_report.hpp"
#include "repair_text.hpp"

using namespace moeplan;

namespace tool {

namespace {

/// The parts of "tp,micro_batch".
repair_parts read_parts(const std::string& list) {
  std::vector<std::string> known;
  for (std::size_t i = 0; i < repair_part_count; ++i) known.push_back(string_of(name_of(static_cast<repair_part>(i))));
  repair_parts parts;
  for (std::size_t start = 0; !list.empty() && start <= list.size();) {
    const std::size_t comma = std::min(list.find(',', start), list.size());
    const std::string name = list.substr(start, comma - start);
    start = comma + 1;
    std::size_t i = 0;
    while (i < known.size() && known[i] != name) ++i;
    if (i == known.size())
      throw io::input_error{{.file = "--keep",
                             .problem = "an unknown part",
                             .found = '"' + name + '"',
                             .expected = "some of " + io::listed(known) + ", with commas between them",
                             .nearest = io::nearest_name(name, known)}};
    parts.add(static_cast<repair_part>(i));
  }
  return parts;
}

void write_report(io::json_writer& json, const repair_report& report, const finding_list& findings) {
  json.begin_object();
  write(json, findings);
  json.key("candidates").begin_array();
  for (const repair_entry& e : report.entries) write_entry(json, e);
  json.end_array();
  json.member("complete", report.outcome != repair_outcome::too_many).member("considered", report.considered);
  json.key("rejected").begin_object();
  for (const auto& [rule, number] : report.rejected) json.member(rule, number);
  json.end_object();
  if (report.fewest_gpus != 0) json.member("fewest_gpus", report.fewest_gpus);
  json.key("front").begin_array(io::json_lines::one);
  for (std::size_t i = 0; i < report.entries.size(); ++i)
    if (report.entries[i].in_front) json.value(i);
  json.end_array();
  json.end_object();
}

} // namespace

status repair(const repair_options& options, std::ostream& out, std::ostream& /*err*/) {
  const io::deployment_file file = deployment_from(options.input);
  moeplan::repair_options how{.pinned = read_parts(options.keep)};
  if (options.most_considered.given) how.most_considered = options.most_considered.number;
  const auto most = static_cast<std::size_t>(options.most.value_or(8));
  const repair_report report = report_repairs(file.deployment, how, most);
  deployment folded = file.deployment;
  folded.strategy.mapping = mapping::folded; // which is what is repaired, whatever the file says
  const findings found = moeplan::check(folded);
  if (options.json) {
    io::json_writer json{out};
    write_report(json, report, list_of(found));
  } else {
    print_repairs(out, report, found);
  }
  return report.entries.empty() ? status::wrong : status::fine;
}

} // namespace tool
