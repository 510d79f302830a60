// moeplan translate: a deployment to a framework's launch flags, and back.
#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <moeplan/dialect/dialect.hpp>
#include <moeplan/io/deployment_writer.hpp>

#include "checked.hpp"
#include "commands.hpp"
#include "deployment_input.hpp"
#include "findings_output.hpp"
#include "text_table.hpp"

using namespace moeplan;

namespace tool {

namespace {

/// What is to be written, and what it comes from.
struct subject {
  moeplan::deployment deployment;
  io::json_value model; ///< as a deployment file gives it; null where no model is known
  dialect::framework to{};
  std::vector<std::string> without_meaning;
};

dialect::framework framework_of(const std::string& option, const std::string& name) {
  const auto f = dialect::parse_framework(name);
  if (f) return f.value;
  std::vector<std::string> known;
  for (const dialect::framework each : dialect::frameworks) known.push_back(string_of(name_of(each)));
  throw io::input_error{{.file = option,
                         .problem = "not a framework",
                         .found = '"' + name + '"',
                         .expected = "one of " + io::listed(known),
                         .nearest = io::nearest_name(name, known)}};
}

/// The entry of the catalog of that name, which may be the one under which the model is published; a null pointer if there is none.
const io::catalog_entry<model>* catalog_entry_of(const std::string& name) {
  for (const io::catalog_entry<model>& entry : io::catalog_models)
    if (name == entry.name || name == entry.published) return &entry;
  return nullptr;
}

/// The model of --model, or else the one that the flags name, if it is known; otherwise none.
void find_model(subject& s, const std::string& given, const std::string& named_by_flags) {
  const std::string name = given.empty() ? named_by_flags : given;
  if (const auto* entry = catalog_entry_of(name)) {
    s.deployment.model = *entry->value;
    s.model = io::model_named(entry->name);
    return;
  }
  if (given.empty()) return;
  std::error_code ignored;
  if (!std::filesystem::exists(given, ignored)) {
    const std::vector<std::string> known = io::names_of(io::catalog_models);
    throw io::input_error{{.file = "--model",
                           .problem = "neither a model of the catalog nor a file",
                           .found = '"' + given + '"',
                           .expected = "the path of a config.json or one of " + io::listed(known),
                           .nearest = io::nearest_name(given, known)}};
  }
  s.deployment.model = io::read_hugging_face(given);
  s.model = io::model_at(given);
}

void describe_cluster(cluster& c, const translate_options& options) {
  if (options.gpus_per_node.given) {
    c.gpus_per_node = options.gpus_per_node;
    c.nodes = 1;
    const std::int64_t per_node = options.gpus_per_node.number;
    const std::int64_t all = options.gpus.value_or(per_node);
    if (per_node < 1 || all % per_node != 0)
      throw io::input_error{{.file = "--gpus-per-node",
                             .problem = "no whole number of nodes",
                             .found = std::to_string(per_node),
                             .expected = "a divisor of --gpus"}};
    c.nodes = all / per_node;
  } else if (options.gpus.given) {
    c.total = options.gpus;
  }
}

/// Whose rules apply to what a framework's flags describe: its own, unless it is said.
profile profile_of(dialect::framework f, const std::string& said) {
  const std::string name = said.empty() ? string_of(name_of(f)) : said;
  for (const auto& p : io::profile_names)
    if (name == p.name) return p.value;
  std::vector<std::string> known;
  for (const auto& p : io::profile_names) known.emplace_back(p.name);
  throw io::input_error{{.file = "--profile",
                         .problem = "not a profile",
                         .found = '"' + name + '"',
                         .expected = "one of " + io::listed(known),
                         .nearest = io::nearest_name(name, known)}};
}

io::text_place place_in(const std::string& text, std::size_t position) {
  const auto end = text.begin() + static_cast<std::ptrdiff_t>(std::min(position, text.size()));
  const auto line = std::count(text.begin(), end, '\n');
  const std::size_t start = position == 0 ? std::string::npos : text.rfind('\n', position - 1);
  return {static_cast<std::size_t>(line) + 1, position - (start == std::string::npos ? 0 : start + 1) + 1};
}

subject read_flags(const translate_options& options) {
  const dialect::framework from = framework_of("--from", options.from);
  subject s{.deployment = {}, .model = {}, .to = from, .without_meaning = {}};
  describe_cluster(s.deployment.cluster, options);
  s.deployment.profile = profile_of(from, options.profile);
  // The first reading is only for the model's name: how a framework cuts a pipeline depends on the model's layers.
  const std::string named = string_of(dialect::read(from, text{options.flags}, s.deployment).model_name);
  find_model(s, options.model, named);
  const dialect::reading r = dialect::read(from, text{options.flags}, s.deployment);
  if (!r) {
    const dialect::flag_error& e = r.error;
    throw io::input_error{{.file = "flags of " + string_of(title_of(from)),
                           .place = place_in(options.flags, e.position),
                           .problem = string_of(e.problem),
                           .found = e.found.empty() ? std::string{} : io::in_quotes(string_of(e.found)),
                           .expected = string_of(e.expected),
                           .nearest = string_of(e.nearest)}};
  }
  s.deployment = r.deployment;
  for (const text& name : r.without_meaning) s.without_meaning.push_back(string_of(name));
  return s;
}

/// The model as the file gives it, its path turned from relative to the file to relative to where the tool runs.
io::json_value model_in(const std::string& path) {
  const io::json_document document = io::read_json(path);
  io::json_value model = *document.root.find("model"); // A file without one has been refused.
  for (io::json_member& member : model.members)
    if (member.key == "config" && model.find("model_type") == nullptr)
      member.value.text = (std::filesystem::path{path}.parent_path() / member.value.text).string();
  return model;
}

subject read_file(const translate_options& options) {
  const io::deployment_file file = deployment_from(options.input);
  return {.deployment = file.deployment, .model = model_in(options.input), .to = {}, .without_meaning = {}};
}

/// What is wrong with the deployment, as far as enough is known of it: without a model only what concerns the GPUs. What a launch line
/// leaves open is no mistake in it.
finding_list judge(const findings& all, const subject& s, bool from_flags) {
  finding_list list = list_of(all, s.model.kind == io::json_kind::null ? is_about_world : nullptr);
  if (!from_flags) return list;
  std::erase_if(list, [&](const finding& f) {
    const bool gpus_open = f.id() == rule::dp_can_be_derived && !s.deployment.cluster.described();
    const bool length_open = f.id() == rule::sequence_length_is_at_least_1 && s.deployment.workload.sequence_length() == 0;
    return gpus_open || length_open;
  });
  return list;
}

void write_json(std::ostream& out, const subject& s, const dialect::writing& w, const finding_list& findings) {
  io::json_writer json{out};
  json.begin_object();
  json.key("deployment");
  io::write_deployment(json, s.deployment, s.model);
  json.member("flags", string_of(w.flags));
  json.key("cannot_express").begin_array();
  for (const auto& sentence : w.cannot_express) json.value(string_of(sentence));
  json.end_array();
  json.key("without_meaning").begin_array();
  for (const std::string& name : s.without_meaning) json.value(name);
  json.end_array();
  write(json, findings);
  json.end_object();
}

std::string factors(const strategy& s, std::initializer_list<axis> axes) {
  std::string result;
  for (const axis a : axes) {
    if (!result.empty()) result += " x ";
    for (const char c : name_of(a)) result += static_cast<char>(c - 'a' + 'A');
    result += ' ' + grouped(s[a]);
  }
  return result;
}

void print_grids(std::ostream& out, const findings& all, const strategy& s) {
  if (!all.facts.knows(known::grids)) return;
  text_table table{"ll"};
  table.row({"GPUs", grouped(all.facts.gpus)});
  table.row({"dense grid", factors(s, {axis::tp, axis::cp, axis::dp, axis::pp})});
  table.row(
      {"expert grid", factors(s, {axis::etp, axis::ep}) + " x EDP " + grouped(all.facts.edp) + " x " + factors(s, {axis::pp})});
  table.print(out);
  out << '\n';
}

void print_text(std::ostream& out, const subject& s, const dialect::writing& w, const findings& all, bool from_flags) {
  print_grids(out, all, dialect::spelled_out(s.deployment).strategy);
  if (from_flags) {
    out << "As a deployment file:\n";
    io::json_writer json{out};
    io::write_deployment(json, s.deployment, s.model);
    out << '\n';
  }
  const std::string title = string_of(title_of(s.to));
  out << (s.to == dialect::framework::deepspeed ? "Configuration of " : "Flags of ") << title << ":\n  " << string_of(w.flags)
      << '\n';
  if (!w.complete()) out << "\nWhat " << title << " cannot express:\n";
  for (const auto& sentence : w.cannot_express) out << "  " << string_of(sentence) << '\n';
  if (!s.without_meaning.empty()) out << "\nUnderstood, and without meaning for a deployment:\n ";
  for (const std::string& name : s.without_meaning) out << ' ' << name;
  if (!s.without_meaning.empty()) out << '\n';
}

} // namespace

status translate(const translate_options& options, std::ostream& out, std::ostream& err) {
  const bool from_flags = !options.from.empty();
  subject s = from_flags ? read_flags(options) : read_file(options);
  if (!options.to.empty()) s.to = framework_of("--to", options.to);
  const findings all = checked(s.deployment);
  const finding_list findings = judge(all, s, from_flags);
  const dialect::writing w = dialect::write(s.to, s.deployment);
  if (options.json)
    write_json(out, s, w, findings);
  else
    print_text(out, s, w, all, from_flags);
  if (!has_errors(findings)) return status::fine;
  print(err, findings);
  return status::wrong;
}

} // namespace tool
