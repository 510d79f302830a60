// moeplan params: how many parameters a model has, by component.
#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include <moeplan/io/catalog_names.hpp>
#include <moeplan/io/hugging_face.hpp>
#include <moeplan/memory/parameters.hpp>
#include <moeplan/multiprecision.hpp>

#include "checked.hpp"
#include "commands.hpp"
#include "findings_output.hpp"
#include "text_table.hpp"

using namespace moeplan;

namespace tool {

namespace {

using counts = parameter_counts<unbounded>;

struct component {
  const char* name;
  unbounded parameters;
};

/// All components; they add up to the total.
std::vector<component> components_of(const counts& p) {
  return {{"embedding", p.embedding},
          {"attention", p.attention},
          {"attention_bias", p.attention_bias},
          {"qk_norm", p.qk_norm},
          {"sinks", p.sinks},
          {"indexer", p.indexer},
          {"linear_attention", p.linear_attention},
          {"router", p.router},
          {"router_bias", p.router_bias},
          {"routed_experts", p.routed_experts},
          {"routed_expert_bias", p.routed_expert_bias},
          {"shared_experts", p.shared_experts},
          {"shared_expert_gate", p.shared_expert_gate},
          {"dense_mlp", p.dense_mlp},
          {"layer_norms", p.layer_norms},
          {"final_norm", p.final_norm},
          {"lm_head", p.lm_head},
          {"lm_head_bias", p.lm_head_bias}};
}

/// A file if there is one, else a name of the catalog.
model read_model(const std::string& input) {
  std::error_code ignored;
  if (std::filesystem::exists(input, ignored)) return io::read_hugging_face(input);
  if (const model* m = io::find_in(io::catalog_models, input)) return *m;
  const std::vector<std::string> known = io::names_of(io::catalog_models);
  throw io::input_error{{.file = input,
                         .problem = "no such file, and no model of the catalog",
                         .expected = "the path of a config.json or one of " + io::listed(known),
                         .nearest = io::nearest_name(input, known)}};
}

/// The rules on a model alone.
findings check_alone(const model& m) {
  return checked({.model = m, .strategy = dp{1}, .workload = training{.sequence_length = 1}, .profile = profile::universal});
}

void write(io::json_writer& json, const counts& p) {
  const auto member = [&json](const char* name, const unbounded& n) { json.member(name, io::json_integer{n.str()}); };
  json.begin_object();
  member("total", p.total());
  member("active", p.active());
  member("mtp", p.mtp);
  json.key("components").begin_object();
  for (const component& c : components_of(p)) member(c.name, c.parameters);
  json.end_object();
  json.end_object();
}

/// "97.5%" of the whole, rounded to nearest.
std::string share(const unbounded& part, const unbounded& whole) {
  const unbounded thousandths = (2 * 1000 * part + whole) / (2 * whole);
  return unbounded{thousandths / 10}.str() + '.' + unbounded{thousandths % 10}.str() + '%';
}

void print(std::ostream& out, const counts& p) {
  const unbounded total = p.total();
  text_table table{"lrrl"};
  table.row({"component", "parameters", "share"});
  for (const component& c : components_of(p))
    if (c.parameters != 0) table.row({c.name, grouped(c.parameters.str()), share(c.parameters, total)});
  table.row({"total", grouped(total.str()), share(total, total), "the main model"});
  table.row({"active", grouped(p.active().str()), share(p.active(), total), "for each token, embedding and head included"});
  if (p.mtp != 0)
    table.row({"mtp", grouped(p.mtp.str()), share(p.mtp, total),
               "multi-token prediction, beside the total; without the copies of embedding and head that a checkpoint stores"});
  table.print(out);
}

} // namespace

status params(const params_options& options, std::ostream& out, std::ostream& err) {
  const model m = read_model(options.input);
  const findings all = check_alone(m);
  const finding_list wrong = list_of(all, is_about_model);
  if (has_errors(wrong)) {
    refuse(wrong, options.json, out, err);
    return status::wrong;
  }
  const counts p = parameters<unbounded>(m);
  if (options.json) {
    io::json_writer json{out};
    write(json, p);
  } else {
    print(out, p);
  }
  return status::fine;
}

} // namespace tool
