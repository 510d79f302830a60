#include "findings_output.hpp"

#include <algorithm>
#include <iterator>

#include "text_table.hpp"

using namespace moeplan;

namespace tool {

namespace {

struct severity_words {
  severity level;
  const char* key;      ///< in JSON
  const char* singular; ///< in a summary
  const char* heading;
};

constexpr severity_words words[] = {{severity::error, "error", "error", "Errors: this cannot run, or runs wrongly"},
                                    {severity::warning, "warning", "warning", "Warnings: worth a second look before it runs"},
                                    {severity::advice, "advice", "piece of advice", "Advice: this runs, and it is worth knowing"}};

const severity_words& words_of(severity level) { return words[static_cast<std::size_t>(level)]; }

std::size_t number_of(const finding_list& findings, severity level) {
  return static_cast<std::size_t>(
      std::count_if(findings.begin(), findings.end(), [&](const finding& f) { return f.level() == level; }));
}

std::string written(const finding& f, std::int64_t legal) {
  text_buffer<24> value;
  append_value(value, f.changes(), legal);
  return string_of(value);
}

void print_one(std::ostream& out, const finding& f) {
  out << "  " << string_of(f.name()) << '\n' << "      " << message_of(f) << '\n';
  std::string values;
  for (const std::int64_t value : f.legal()) values += (values.empty() ? "" : " or ") + written(f, value);
  if (!values.empty()) out << "      nearest legal: " << string_of(f.changes()) << ' ' << values << '\n';
  out << "      source: " << string_of(f.source()) << '\n';
}

void write_one(io::json_writer& json, const finding& f) {
  json.begin_object();
  json.member("rule", string_of(f.name()));
  json.member("severity", words_of(f.level()).key);
  json.member("message", string_of(f.message()));
  json.key("operands").begin_object(io::json_lines::one);
  for (const operand_value& o : f.operands()) json.member(string_of(o.name), o.value);
  json.end_object();
  const legal_values legal = f.legal();
  if (!legal.empty()) {
    json.key("legal").begin_array(io::json_lines::one);
    for (const std::int64_t value : legal) {
      if (f.changes() == text{"order"})
        json.value(written(f, value));
      else
        json.value(value);
    }
    json.end_array();
    json.member("changes", string_of(f.changes()));
  }
  json.member("source", string_of(f.source()));
  json.end_object();
}

void write_all(io::json_writer& json, const finding_list& findings) {
  json.key("findings").begin_array();
  for (const finding& f : findings) write_one(json, f);
  json.end_array();
}

} // namespace

std::string message_of(const finding& f) {
  std::string sentence = string_of(f.message());
  for (const operand_value& o : f.operands()) {
    const std::string name = string_of(o.name);
    if (!name.ends_with("_bytes") || o.value < 1 << 20) continue;
    std::string number = std::to_string(o.value);
    const std::size_t at = sentence.find(number);
    if (at == std::string::npos) continue;
    if (sentence.compare(at + number.size(), 6, " bytes") == 0) number += " bytes";
    sentence.replace(at, number.size(), sized(static_cast<std::uint64_t>(o.value)));
  }
  return sentence;
}

finding_list list_of(const findings& all, bool (*wanted)(rule)) {
  finding_list list;
  for (const finding f : all)
    if (wanted == nullptr || wanted(f.id())) list.push_back(f);
  return list;
}

bool is_about_world(rule id) { return static_cast<std::size_t>(id) < std::size(rules::world); }

bool is_about_model(rule id) {
  const auto& table = rules::model;
  return std::any_of(std::begin(table), std::end(table), [id](const rule_entry& entry) { return entry.id == id; });
}

bool has_errors(const finding_list& findings) { return number_of(findings, severity::error) != 0; }

void print(std::ostream& out, const finding_list& findings) {
  bool first = true;
  for (const severity_words& w : words) {
    if (number_of(findings, w.level) == 0) continue;
    out << (first ? "" : "\n") << w.heading << '\n';
    first = false;
    for (const finding& f : findings)
      if (f.level() == w.level) print_one(out, f);
  }
}

std::string summary(const finding_list& findings) {
  std::string result;
  for (const severity_words& w : words) {
    const auto number = static_cast<std::int64_t>(number_of(findings, w.level));
    if (number == 0) continue;
    if (!result.empty()) result += ", ";
    result += w.level == severity::advice && number > 1 ? grouped(number) + " pieces of advice" : counted(number, w.singular);
  }
  return result;
}

void write(io::json_writer& json, const finding_list& findings) {
  json.member("ok", !has_errors(findings));
  write_all(json, findings);
}

void refuse(const finding_list& findings, bool json, std::ostream& out, std::ostream& err, const std::string& problem) {
  if (!problem.empty()) err << problem << "\n\n";
  print(err, findings);
  if (!json) return;
  io::json_writer writer{out};
  writer.begin_object();
  writer.member("ok", false);
  if (!problem.empty()) writer.member("problem", problem);
  write_all(writer, findings);
  writer.end_object();
}

} // namespace tool
