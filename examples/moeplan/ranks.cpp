// moeplan ranks: the groups of ranks that communicate, and where a rank is.
#include <string>

#include <moeplan/mesh/mesh.hpp>
#include <moeplan/verify/resolve.hpp>

#include "checked.hpp"
#include "commands.hpp"
#include "deployment_input.hpp"
#include "findings_output.hpp"
#include "text_table.hpp"

using namespace moeplan;

namespace tool {

namespace {

struct group_name {
  const char* name;
  group_axes axes;
};

/// The groups that Megatron-LM makes, of the dense grid and of the expert grid.
constexpr group_name usual_groups[] = {{"tp", groups::tp},
                                       {"cp", groups::cp},
                                       {"dp", groups::dp},
                                       {"pp", groups::pp},
                                       {"tp-cp", groups::tp_cp},
                                       {"dp-cp", groups::dp_cp},
                                       {"tp-dp-cp", groups::tp_dp_cp},
                                       {"etp", groups::etp},
                                       {"ep", groups::ep},
                                       {"edp", groups::edp},
                                       {"etp-ep", groups::etp_ep},
                                       {"etp-ep-pp", groups::etp_ep_pp}};

group_axes read_group(const std::string& name) {
  const parsed<group_axes> result = group_axes::parse(name);
  if (result) return result.value;
  std::vector<std::string> known;
  for (const group_name& g : usual_groups) known.emplace_back(g.name);
  throw io::input_error{{.file = "--group",
                         .problem = string_of(result.error.problem),
                         .found = io::in_quotes(string_of(result.error.found)) + " in " + io::in_quotes(name),
                         .expected = string_of(result.error.expected),
                         .nearest = io::nearest_name(name, known)}};
}

void write_group(io::json_writer& json, const rank_group& group) {
  json.begin_array(io::json_lines::one);
  for (const std::int64_t rank : group) json.value(rank);
  json.end_array();
}

void write_coordinates(io::json_writer& json, const mesh& m, std::int64_t rank) {
  const dense_coordinates d = m.dense_at(rank);
  const expert_coordinates e = m.expert_at(rank);
  json.member("rank", rank);
  json.key("coordinates").begin_object();
  json.key("dense").begin_object(io::json_lines::one);
  json.member("tp", d.tp).member("cp", d.cp).member("dp", d.dp).member("pp", d.pp).end_object();
  json.key("expert").begin_object(io::json_lines::one);
  json.member("etp", e.etp).member("ep", e.ep).member("edp", e.edp).member("pp", e.pp).end_object();
  json.end_object();
}

/// All groups along the axes, or the one that holds a rank.
void write_groups(io::json_writer& json, const mesh& m, const group_axes& along, const optional_integer& rank) {
  json.key("groups").begin_array();
  if (rank.given) {
    write_group(json, m.group(along, rank.number));
  } else {
    const rank_groups all = m.groups(along);
    for (const rank_group group : all) write_group(json, group);
  }
  json.end_array();
}

void write(io::json_writer& json, const mesh& m, const ranks_options& options) {
  json.begin_object();
  json.member("world", m.world());
  if (options.rank.given) write_coordinates(json, m, options.rank.number);
  if (!options.group.empty()) {
    json.member("group", options.group);
    write_groups(json, m, read_group(options.group), options.rank);
  } else {
    json.key("groups").begin_object();
    for (const group_name& g : usual_groups) {
      json.key(g.name);
      write_group(json, m.group(g.axes, options.rank.number));
    }
    json.end_object();
  }
  json.end_object();
}

/// All ranks of a short group; of a long one its beginning and its end.
std::string listed(const rank_group& group) {
  constexpr std::int64_t longest = 16;
  constexpr std::int64_t shown = 6;
  std::string list;
  for (std::int64_t i = 0; i < group.size(); ++i) {
    if (group.size() > longest && i == shown) {
      list += " ...";
      i = group.size() - 1;
    }
    if (!list.empty()) list += ' ';
    list += std::to_string(group[i]);
  }
  return list;
}

void print_coordinates(std::ostream& out, const mesh& m, std::int64_t rank) {
  const dense_coordinates d = m.dense_at(rank);
  const expert_coordinates e = m.expert_at(rank);
  const auto cell = [](const char* name, std::int64_t n) { return std::string{name} + ' ' + std::to_string(n); };
  out << "Rank " << rank << " of " << grouped(m.world()) << ", coordinates from 0\n";
  text_table table{"l"};
  table.row({"dense grid", cell("TP", d.tp), cell("CP", d.cp), cell("DP", d.dp), cell("PP", d.pp)});
  table.row({"expert grid", cell("ETP", e.etp), cell("EP", e.ep), cell("EDP", e.edp), cell("PP", e.pp)});
  table.print(out, 2);
  out << '\n';
}

/// Groups of one rank, by name.
void print_groups_of(std::ostream& out, const mesh& m, const ranks_options& options) {
  text_table table{"lrl"};
  table.row({"group", "ranks", "which"});
  const auto row = [&](const std::string& name, const group_axes& axes) {
    const rank_group group = m.group(axes, options.rank.number);
    table.row({name, grouped(group.size()), listed(group)});
  };
  if (!options.group.empty()) {
    row(options.group, read_group(options.group));
  } else {
    for (const group_name& g : usual_groups) row(g.name, g.axes);
  }
  table.print(out, 2);
}

void print_groups(std::ostream& out, const mesh& m, const std::string& name) {
  constexpr std::int64_t most = 32;
  const group_axes along = read_group(name);
  const rank_groups all = m.groups(along);
  out << counted(all.size(), "group") << " of " << counted(all.group_size(), "rank") << " along " << name << ", on the "
      << (along.grid == grid_kind::dense ? "dense" : "expert") << " grid of " << grouped(m.world()) << " ranks\n";
  text_table table{"r"};
  for (std::int64_t i = 0; i < all.size() && i < most; ++i) table.row({std::to_string(i), listed(all[i])});
  table.print(out, 2);
  if (all.size() > most) out << "  and " << grouped(all.size() - most) << " more; --json lists all\n";
}

/// What the options describe: a deployment's strategy and findings, or those of --world and the degrees.
struct described {
  strategy s{};
  findings all{};
};

described describe(const ranks_options& options) {
  if (options.input.empty()) {
    const resolution r = resolve(options.strategy, options.world);
    return {r.strategy, r.findings};
  }
  const deployment d = deployment_from(options.input).deployment;
  const findings all = checked(d);
  return {all.facts.knows(known::dp) ? d.strategy.with(dp{all.facts.dp}) : d.strategy, all};
}

/// Why a product mapping has no groups, and what has. Precondition: the degrees are legal.
std::string without_groups(const strategy& product) {
  std::string problem =
      "No groups of ranks: a product mapping takes each degree for a factor of the GPUs, and no framework numbers ranks like that. "
      "For the groups of these degrees say \"mapping\": \"folded\" in the strategy, or leave \"mapping\" out: experts then lie on "
      "the GPUs of the dense layers";
  if (product.resolved()) {
    const auto all = static_cast<std::int64_t>(moeplan::gpus(product.with(mapping::folded)).value());
    problem += ", and there are " + grouped(all) + " of these, TP x CP x DP x PP";
  }
  return problem + ". For how many GPUs the product takes ask moeplan gpus.";
}

} // namespace

status ranks(const ranks_options& options, std::ostream& out, std::ostream& err) {
  if (!options.group.empty()) (void)read_group(options.group); // complains before anything is answered
  const described what = describe(options);
  const finding_list about_world = list_of(what.all, is_about_world);
  const bool wrong = has_errors(about_world);
  if (wrong || what.s.mapping == mapping::product) {
    refuse(about_world, options.json, out, err, wrong ? std::string{} : without_groups(what.s));
    return status::wrong;
  }
  const mesh m{what.s};
  if (options.rank.given && (options.rank.number < 0 || options.rank.number >= m.world()))
    throw io::input_error{{.file = "--rank",
                           .problem = "a number out of range",
                           .found = std::to_string(options.rank.number),
                           .expected = "a rank from 0 to " + std::to_string(m.world() - 1)}};
  if (options.json) {
    io::json_writer json{out};
    write(json, m, options);
  } else if (options.rank.given) {
    print_coordinates(out, m, options.rank.number);
    print_groups_of(out, m, options);
  } else {
    print_groups(out, m, options.group);
  }
  return status::fine;
}

} // namespace tool
