#include "report.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <moeplan/io/json_writer.hpp>

#include "../moeplan/findings_output.hpp"
#include "../moeplan/repair_json.hpp"
#include "../moeplan/repair_text.hpp"
#include "../moeplan/text_table.hpp"

using tool::counted;
using tool::grouped;

namespace admission {

namespace {

const char* name_of(verdict v) {
  constexpr const char* names[] = {"admitted", "queued", "refused"};
  return names[static_cast<std::size_t>(v)];
}

const char* name_of(policy p) { return p == policy::first_fit ? "first-fit" : "best-fit"; }

/// Why a job is queued or refused, in one line.
std::string because(const job& j) {
  const decision& d = j.decision;
  if (j.waits_behind != nullptr) return "fits, and waits behind " + j.waits_behind->name;
  if (d.verdict == verdict::queued)
    return "waits for " + counted(d.missing, "more GPU") + ": takes " + grouped(d.world.gpus) + ", " + grouped(j.free) +
           (j.free == 1 ? " is free" : " are free");
  if (d.verdict == verdict::admitted) return {};
  if (d.findings.ok()) return "a product mapping: no framework lays out ranks like that";
  return "breaks " + counted(static_cast<std::int64_t>(d.findings.count(moeplan::severity::error)), "rule");
}

// --- Text ------------------------------------------------------------------------------------------------------------------------

void print_summary(std::ostream& out, const report& r) {
  tool::text_table table{"rlrrrl"};
  table.row({"", "verdict", "GPUs", "nodes", "DP", "job"});
  std::int64_t number = 0;
  for (const job& j : r.queue) {
    const decision& d = j.decision;
    const bool admitted = d.verdict == verdict::admitted;
    const bool sized = d.world.gpus != 0;
    table.row({grouped(++number), name_of(d.verdict), sized ? grouped(d.world.gpus) : "-",
               admitted ? grouped(d.where.placement.nodes) : "-", sized ? grouped(d.world.dp) : "-", j.name});
  }
  table.print(out);
}

std::string from_to(const std::string& first, const std::string& last) { return first == last ? first : first + " - " + last; }

/// One line for neighbouring nodes that give equally many.
void print_nodes(std::ostream& out, const job& j, const node_list& nodes) {
  tool::text_table table{"lrl"};
  table.row({"node", "GPUs", "ranks"});
  for (std::size_t i = 0; i < j.shares.size();) {
    std::size_t last = i;
    while (last + 1 < j.shares.size() && j.shares[last + 1].gpus == j.shares[i].gpus &&
           j.shares[last + 1].node == j.shares[last].node + 1)
      ++last;
    const share& from = j.shares[i];
    const share& to = j.shares[last];
    table.row({from_to(nodes.names[from.node], nodes.names[to.node]), grouped(from.gpus) + (last == i ? "" : " each"),
               from_to(grouped(from.first_rank), grouped(to.first_rank + to.gpus - 1))});
    i = last + 1;
  }
  table.print(out, 4);
}

std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  return text;
}

/// What the placement divides, as advice.
void print_crossings(std::ostream& out, const decision& d) {
  bool none = true;
  for (std::size_t i = 0; i < kept_together_count; ++i) {
    const crossing& c = d.where.crossings[i];
    if (c.across_nodes == 0) continue;
    none = false;
    out << "    advice: " << grouped(c.across_nodes) << " of " << counted(c.groups, upper(kept_together_names[i]) + " group")
        << (c.across_nodes == 1 ? " is" : " are") << " on more than one node and communicate" << (c.across_nodes == 1 ? "s" : "")
        << " over the network\n";
  }
  if (none) out << "    each TP, ETP and EP group is on one node\n";
}

void print_grids(std::ostream& out, const decision& d) {
  const moeplan::facts& f = d.findings.facts;
  out << "    TP " << grouped(f.tp) << " x CP " << grouped(f.cp) << " x DP " << grouped(f.dp) << " x PP " << grouped(f.pp)
      << ", experts ETP " << grouped(f.etp) << " x EP " << grouped(f.ep) << " x EDP " << grouped(f.edp) << " x PP " << grouped(f.pp)
      << '\n';
}

/// Findings that do not keep a job from running.
void print_notes(std::ostream& out, const decision& d) {
  for (const moeplan::finding f : d.findings)
    out << "    " << (f.level() == moeplan::severity::warning ? "warning: " : "advice: ") << tool::string_of(f.message()) << '\n';
}

/// With what changed a refused job would get its GPUs. Those of its GPUs that it does not take then are free for others, not idle.
void print_way_out(std::ostream& out, const way_out& way) {
  std::vector<tool::repair_change> changes = way.repair.changes;
  changes.insert(changes.end(), way.repair.derived.begin(), way.repair.derived.end());
  std::erase_if(changes, [](const tool::repair_change& c) { return c.part == "idle_gpus"; });
  out << "    with " << tool::in_words(changes) << " it would ";
  const std::int64_t gpus = way.decision.world.gpus;
  if (way.decision.verdict == verdict::admitted)
    out << "be admitted now, on " << counted(gpus, "GPU") << '\n';
  else
    out << "wait for " << counted(way.decision.missing, "more GPU") << ": takes " << grouped(gpus) << '\n';
}

void print_details(std::ostream& out, const job& j, const node_list& nodes) {
  const decision& d = j.decision;
  const std::string why = because(j);
  out << name_of(d.verdict) << (why.empty() ? "" : ": " + why) << '\n';
  if (d.verdict == verdict::refused) {
    if (j.way_out) print_way_out(out, *j.way_out);
    return tool::print(out, tool::list_of(d.findings));
  }
  if (d.fits_now.gpus != 0)
    out << "    with DP " << grouped(d.fits_now.dp) << " it would be admitted now, on " << counted(d.fits_now.gpus, "GPU") << '\n';
  print_grids(out, d);
  print_notes(out, d);
  if (d.verdict != verdict::admitted) return;
  print_crossings(out, d);
  print_nodes(out, j, nodes);
}

std::int64_t nodes_with_free(free_gpus free) {
  return std::count_if(free.begin(), free.end(), [](std::int64_t gpus) { return gpus > 0; });
}

std::string free_in_words(free_gpus free) { return counted(sum(free), "GPU") + " on " + counted(nodes_with_free(free), "node"); }

// --- JSON ------------------------------------------------------------------------------------------------------------------------

void write_shares(moeplan::io::json_writer& json, const job& j, const node_list& nodes) {
  json.key("placement").begin_array();
  for (const share& s : j.shares) {
    json.begin_object(moeplan::io::json_lines::one);
    json.member("node", nodes.names[s.node]).member("gpus", s.gpus).member("first_rank", s.first_rank);
    json.end_object();
  }
  json.end_array();
}

void write_crossings(moeplan::io::json_writer& json, const decision& d) {
  json.key("groups").begin_object();
  for (std::size_t i = 0; i < kept_together_count; ++i) {
    const crossing& c = d.where.crossings[i];
    json.key(kept_together_names[i]).begin_object(moeplan::io::json_lines::one);
    json.member("groups", c.groups).member("across_nodes", c.across_nodes);
    json.end_object();
  }
  json.end_object();
}

void write_world(moeplan::io::json_writer& json, const world_size& world) {
  json.begin_object(moeplan::io::json_lines::one);
  json.member("dp", world.dp).member("gpus", world.gpus);
  json.end_object();
}

/// As a candidate of moeplan repair, without what it costs.
void write_way_out(moeplan::io::json_writer& json, const way_out& way) {
  json.key("way_out").begin_object();
  tool::write_differences(json, way.repair);
  json.member("verdict", name_of(way.decision.verdict)).member("gpus", way.decision.world.gpus);
  if (way.decision.verdict == verdict::queued) json.member("missing", way.decision.missing);
  json.end_object();
}

void write_one(moeplan::io::json_writer& json, const job& j, const node_list& nodes) {
  const decision& d = j.decision;
  json.begin_object();
  json.member("job", j.name).member("verdict", name_of(d.verdict));
  if (const std::string why = because(j); !why.empty()) json.member("because", why);
  if (d.verdict != verdict::refused) json.member("gpus", d.world.gpus).member("dp", d.world.dp);
  if (d.verdict == verdict::queued) {
    json.member("missing", d.missing);
    if (j.waits_behind != nullptr) json.member("waits_behind", j.waits_behind->name);
    if (d.fits_now.gpus != 0) write_world(json.key("fits_now"), d.fits_now);
  }
  if (d.verdict == verdict::admitted) {
    write_shares(json, j, nodes);
    write_crossings(json, d);
  }
  if (j.way_out) write_way_out(json, *j.way_out);
  tool::write(json, tool::list_of(d.findings));
  json.end_object();
}

} // namespace

std::size_t number_of(const std::vector<job>& queue, verdict v) {
  return static_cast<std::size_t>(std::count_if(queue.begin(), queue.end(), [v](const job& j) { return j.decision.verdict == v; }));
}

void print(std::ostream& out, const report& r) {
  out << counted(static_cast<std::int64_t>(r.queue.size()), "job") << ", " << name_of(r.policy) << ": "
      << free_in_words(r.before.free) << " free before, " << free_in_words(r.left) << " after\n\n";
  print_summary(out, r);
  std::int64_t number = 0;
  for (const job& j : r.queue) {
    out << '\n' << ++number << "  " << j.name << ' ';
    print_details(out, j, r.before);
  }
}

void write_json(std::ostream& out, const report& r) {
  moeplan::io::json_writer json{out};
  json.begin_object();
  json.member("policy", name_of(r.policy));
  for (const verdict v : {verdict::admitted, verdict::queued, verdict::refused}) json.member(name_of(v), number_of(r.queue, v));
  json.key("jobs").begin_array();
  for (const job& j : r.queue) write_one(json, j, r.before);
  json.end_array();
  json.key("nodes").begin_array();
  for (std::size_t i = 0; i < r.left.size(); ++i) {
    json.begin_object(moeplan::io::json_lines::one);
    json.member("name", r.before.names[i]).member("free_before", r.before.free[i]).member("free", r.left[i]);
    json.end_object();
  }
  json.end_array();
  json.end_object();
}

} // namespace admission
