// moeplan check: which rules a deployment violates; with --explain also what it means.
#include "checked.hpp"
#include "commands.hpp"
#include "deployment_input.hpp"
#include "explain.hpp"
#include "findings_output.hpp"
#include "text_table.hpp"

using namespace moeplan;

namespace tool {

namespace {

void write_defaults(io::json_writer& json, const io::deployment_file& file) {
  json.key("defaults").begin_array();
  for (const io::default_in_force& d : file.defaults) {
    json.begin_object(io::json_lines::one);
    json.member("key", d.key).member("value", d.value).member("source", d.source);
    json.end_object();
  }
  json.end_array();
}

void print_verdict(std::ostream& out, const finding_list& findings, profile p) {
  out << (has_errors(findings) ? "Not OK" : "OK");
  if (findings.empty()) {
    out << ": none of the rules of profile " << io::name_in(io::profile_names, p) << " is violated\n";
    return;
  }
  out << ": " << summary(findings) << "\n\n";
  print(out, findings);
}

} // namespace

status check(const check_options& options, std::ostream& out, std::ostream& /*err*/) {
  const io::deployment_file file = deployment_from(options.input);
  const findings all = checked(file.deployment);
  const finding_list list = list_of(all);
  if (options.json) {
    io::json_writer json{out};
    json.begin_object();
    write(json, list);
    if (options.explain) write_defaults(json, file);
    json.end_object();
  } else {
    if (options.explain) explain(out, file, all);
    print_verdict(out, list, file.deployment.profile);
  }
  return all.ok() ? status::fine : status::wrong;
}

} // namespace tool
