// moeplan gpus: how many GPUs a deployment takes, and how they make up the two grids.
#include <optional>
#include <string>

#include <boost/multiprecision/integer.hpp>

#include <moeplan/multiprecision.hpp>

#include "checked.hpp"
#include "commands.hpp"
#include "deployment_input.hpp"
#include "findings_output.hpp"
#include "text_table.hpp"

using namespace moeplan;

namespace tool {

namespace {

/// What the command answers, exactly, however large.
struct answer {
  moeplan::strategy strategy;
  unbounded gpus;
  std::optional<unbounded> nodes;     ///< that the GPUs fill, the last one perhaps in part
  std::optional<unbounded> available; ///< in the cluster
  std::optional<unbounded> idle;
  std::optional<unbounded> edp; ///< absent where ETP x EP does not divide, and under a product mapping
  unbounded product;
  unbounded minimum;
};

/// Precondition: every degree is at least 1 and DP is known.
answer answer_for(const strategy& s, const cluster& c, const facts& f) {
  answer a{.strategy = s,
           .gpus = moeplan::gpus<unbounded>(s),
           .nodes = {},
           .available = {},
           .idle = {},
           .edp = {},
           .product = product_of_degrees<unbounded>(s),
           .minimum = minimum_gpus<unbounded>(s)};
  if (c.gpus_per_node.number > 0) a.nodes = (a.gpus + c.gpus_per_node.number - 1) / c.gpus_per_node.number;
  if (f.knows(known::cluster)) {
    a.available = f.available;
    a.idle = a.gpus < *a.available ? unbounded{*a.available - a.gpus} : unbounded{0};
  }
  const unbounded expert_ranks = unbounded{s[axis::etp]} * s[axis::ep];
  const auto stage = stage_gpus<unbounded>(s);
  if (s.mapping == mapping::folded && stage % expert_ranks == 0) a.edp = stage / expert_ranks;
  return a;
}

void write(io::json_writer& json, const answer& a) {
  const auto member = [&json](const char* name, const std::optional<unbounded>& n) {
    json.key(name);
    n ? json.value(io::json_integer{n->str()}) : json.null();
  };
  const auto degree = [&](axis x) { json.member(string_of(name_of(x)), a.strategy[x]); };
  json.begin_object();
  member("gpus", a.gpus);
  member("nodes", a.nodes);
  member("available", a.available);
  member("idle", a.idle);
  json.member("mapping", io::name_in(io::mapping_names, a.strategy.mapping));
  json.key("dense").begin_object(io::json_lines::one);
  for (const axis x : {axis::tp, axis::cp, axis::dp, axis::pp}) degree(x);
  json.end_object();
  json.key("expert").begin_object(io::json_lines::one);
  for (const axis x : {axis::etp, axis::ep}) degree(x);
  member("edp", a.edp);
  degree(axis::pp);
  json.end_object();
  member("product", a.product);
  member("minimum_gpus", a.minimum);
  json.end_object();
}

std::string factors(const strategy& s, std::initializer_list<axis> axes) {
  std::string text;
  for (const axis x : axes) {
    if (!text.empty()) text += " x ";
    for (const char c : name_of(x)) text += static_cast<char>(c - 'a' + 'A');
    text += ' ' + grouped(s[x]);
  }
  return text;
}

void print(std::ostream& out, const answer& a, const cluster& c) {
  const strategy& s = a.strategy;
  const bool folded = s.mapping == mapping::folded;
  const std::string product = factors(s, {axis::tp, axis::cp, axis::ep, axis::sp, axis::dp, axis::pp});
  const std::string dense = factors(s, {axis::tp, axis::cp, axis::dp, axis::pp});
  const std::string expert =
      factors(s, {axis::etp, axis::ep}) + " x EDP " + (a.edp ? grouped(a.edp->str()) : "?") + " x " + factors(s, {axis::pp});
  text_table table{"lrl"};
  table.row({"GPUs", grouped(a.gpus.str()), folded ? dense : product});
  if (a.nodes) table.row({"nodes", grouped(a.nodes->str()), "of " + counted(c.gpus_per_node.number, "GPU")});
  if (a.available) table.row({"available", grouped(a.available->str()), "in the cluster"});
  if (a.idle) table.row({"idle", grouped(a.idle->str())});
  table.row(
      {"smallest world", grouped(a.minimum.str()),
       folded ? "PP x lcm(TP x CP, ETP x EP): every possible number of GPUs is a multiple" : "all degrees but DP multiplied"});
  if (folded) table.row({"product", grouped(a.product.str()), "of all degrees, " + product + ": not the number of GPUs"});
  table.print(out);
  out << '\n';
  text_table grids{"ll"};
  grids.row({"mapping", io::name_in(io::mapping_names, s.mapping)});
  grids.row({"dense grid", folded ? dense : "none: only a folded mapping has grids"});
  if (folded) grids.row({"expert grid", expert});
  grids.print(out);
}

} // namespace

status gpus(const gpus_options& options, std::ostream& out, std::ostream& err) {
  const io::deployment_file file = deployment_from(options.input);
  const deployment& d = file.deployment;
  const findings all = checked(d);
  const finding_list about_world = list_of(all, is_about_world);
  const bool wrong = has_errors(about_world);
  if (!all.facts.knows(known::degrees)) { // then there is no number to give
    refuse(about_world, options.json, out, err);
    return status::wrong;
  }
  const answer a = answer_for(d.strategy.with(dp{all.facts.dp}), d.cluster, all.facts);
  if (options.json) {
    io::json_writer json{out};
    write(json, a);
  } else {
    print(out, a, d.cluster);
  }
  if (wrong) tool::print(err, about_world);
  return wrong ? status::wrong : status::fine;
}

} // namespace tool
