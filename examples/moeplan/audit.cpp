// moeplan audit: of every number in a deployment report, whether it holds.
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <moeplan/io/deployment_writer.hpp>
#include <moeplan/io/json_writer.hpp>
#include <moeplan/io/report_file.hpp>

#include "audit_report.hpp"
#include "audit_text.hpp"
#include "commands.hpp"
#include "findings_output.hpp"
#include "repair_json.hpp"
#include "text_table.hpp"

using namespace moeplan;

namespace tool {

namespace {

/// Exact where it is whole; else the nearest double.
void write_end(io::json_writer& json, const char* key, const std::optional<io::computed_end>& end) {
  json.key(key);
  if (!end) return void(json.null());
  const wide_ratio size = end->size.lowest_terms();
  const bool is_negative = end->is_negative && !(size == wide_ratio{});
  if (size.denominator == uint256{1})
    return void(json.value(io::json_integer{(is_negative ? "-" : "") + digits_of(size.numerator)}));
  json.value(is_negative ? -size.to_double() : size.to_double());
}

void write(io::json_writer& json, const io::report_claim& c, const io::report_verdict& v) {
  json.begin_object();
  json.member("id", c.id);
  json.key("lines").begin_array(io::json_lines::one);
  for (const std::int64_t line : c.lines) json.value(line);
  json.end_array();
  json.member("quantity", c.quantity);
  json.member("relation", string_of(name_of(c.stated.relation)));
  json.member("claimed", c.claimed);
  json.key("computed");
  v.computed.empty() ? json.null() : json.value(std::string_view{v.computed});
  write_end(json, "computed_low", v.low);
  write_end(json, "computed_high", v.high);
  json.key("missing").begin_array(io::json_lines::one);
  for (const std::string& name : v.missing) json.value(std::string_view{name});
  json.end_array();
  json.member("verdict", string_of(name_of(v.outcome))).member("because", v.because);
  json.end_object();
}

void write_mapping(io::json_writer& json, const char* key, const findings& found) {
  json.key(key).begin_object();
  const bool known_number = found.facts.knows(known::degrees | known::no_overflow);
  json.key("gpus");
  known_number ? json.value(found.facts.gpus) : json.null();
  tool::write(json, list_of(found));
  json.end_object();
}

void write(io::json_writer& json, const audited_strategy& s) {
  json.begin_object();
  json.member("name", s.name);
  io::detail::deployment_writer{json}.write_strategy(s.deployment.strategy);
  write_mapping(json, "product", s.product);
  write_mapping(json, "folded", s.folded);
  json.key("groups").begin_array();
  for (const std::string& complaint : s.groups) json.value(std::string_view{complaint});
  json.end_array();
  json.key("memory");
  s.memory.empty() ? json.null() : json.value(std::string_view{s.memory});
  json.key("repairs").begin_array();
  for (const repair_entry& e : s.repairs.entries) write_entry(json, e);
  json.end_array();
  json.end_object();
}

void write(io::json_writer& json, const audit_report& report) {
  json.begin_object();
  json.member("ok", report.ok()).member("title", report.file.title);
  json.key("claims").begin_array();
  for (std::size_t i = 0; i < report.verdicts.size(); ++i) write(json, report.file.claims[i], report.verdicts[i]);
  json.end_array();
  json.key("strategies").begin_array();
  for (const audited_strategy& s : report.strategies) write(json, s);
  json.end_array();
  json.end_object();
}

} // namespace

status audit(const audit_options& options, std::ostream& out, std::ostream& /*err*/) {
  if (options.quantities) {
    print_quantities(out);
    return status::fine;
  }
  const audit_report report = report_audit(io::read_report(options.input));
  if (options.json) {
    io::json_writer json{out};
    write(json, report);
  } else if (options.markdown) {
    print_audit_as_markdown(out, report, options.all_reasons);
  } else {
    print_audit(out, report, options.all_reasons);
  }
  return report.ok() ? status::fine : status::wrong;
}

} // namespace tool
