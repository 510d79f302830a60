#include "explain.hpp"

#include <string>
#include <vector>

#include <moeplan/mesh/mesh.hpp>
#include <moeplan/mesh/stage_layers.hpp>

#include "findings_output.hpp"
#include "framework_words.hpp"
#include "grid_picture.hpp"
#include "text_table.hpp"

using namespace moeplan;

namespace tool {

namespace {

/// A deployment of which enough is known to speak of it; f says how much.
struct subject {
  const io::deployment_file& file;
  const deployment& d;
  const facts& f;
  strategy s; ///< with the DP that was given or derived

  [[nodiscard]] bool folded() const { return s.mapping == mapping::folded; }
  [[nodiscard]] std::int64_t operator[](axis a) const { return s[a]; }
};

void heading(std::ostream& out, const std::string& text) { out << text << '\n' << std::string(text.size(), '-') << '\n'; }

std::string upper(axis a) {
  std::string name = string_of(name_of(a));
  for (char& c : name) c = static_cast<char>(c - 'a' + 'A');
  return name;
}

/// "TP 1 x CP 1 x DP 128".
std::string factors(const strategy& s, std::initializer_list<axis> axes) {
  std::string text;
  for (const axis a : axes) text += (text.empty() ? "" : " x ") + upper(a) + ' ' + grouped(s[a]);
  return text;
}

std::string ways(std::int64_t n, const char* cut) { return n == 1 ? std::string{"not cut"} : "cut into " + grouped(n) + cut; }

void explain_cluster(std::ostream& out, const subject& x) {
  if (!x.f.knows(known::cluster)) return;
  const std::int64_t idle = x.f.available - x.f.gpus;
  out << "  The cluster has " << grouped(x.f.available) << " GPUs";
  if (x.d.cluster.gpus_per_node.given)
    out << " (" << counted(x.d.cluster.nodes.number, "node") << " of " << x.d.cluster.gpus_per_node.number << ')';
  if (idle == 0)
    out << ": all of them work.\n";
  else if (idle > 0)
    out << ": " << grouped(idle) << (idle == 1 ? " stays" : " stay") << " idle.\n";
  else
    out << ": " << grouped(-idle) << " too few.\n";
}

void explain_gpus(std::ostream& out, const subject& x) {
  heading(out, "Why " + counted(x.f.gpus, "GPU"));
  if (!x.folded()) {
    out << "  Under a product mapping every degree takes GPUs of its own:\n\n      "
        << factors(x.s, {axis::tp, axis::cp, axis::ep, axis::sp, axis::dp, axis::pp}) << " = " << grouped(x.f.gpus) << "\n\n";
    explain_cluster(out, x);
    out << "  No framework lays out ranks like this. With \"mapping\": \"folded\" the same degrees are\n      "
        << factors(x.s, {axis::tp, axis::cp, axis::dp, axis::pp}) << " = "
        << grouped(std::to_string(gpus(x.s.with(mapping::folded)).value())) << " GPUs, and the experts share them.\n\n";
    return;
  }
  out << "  The work is divided along four axes, and every combination of places on them is one GPU:\n\n      "
      << factors(x.s, {axis::tp, axis::cp, axis::dp, axis::pp}) << " = " << grouped(x.f.gpus) << "\n\n";
  text_table table{"lr"};
  table.row({"PP", grouped(x[axis::pp]), "pipeline: the layers are " + ways(x[axis::pp], " stages, one after the other")});
  table.row({"DP", grouped(x[axis::dp]),
             x[axis::dp] == 1 ? "data: one copy of the model" : "data: copies of the model, each reading other sequences"});
  table.row({"TP", grouped(x[axis::tp]), "tensor: the matrices of a layer are " + ways(x[axis::tp], " parts")});
  table.row({"CP", grouped(x[axis::cp]), "context: a sequence is " + ways(x[axis::cp], " parts")});
  table.print(out, 6);
  out << '\n';
  if (!x.f.dp_given)
    out << "  DP is not given; it is what the cluster leaves: " << grouped(x.f.available) << " / ("
        << factors(x.s, {axis::tp, axis::cp, axis::pp}) << ") = " << grouped(x[axis::dp]) << ".\n";
  explain_cluster(out, x);
  out << '\n';
}

std::string spelt(const rank_order& order) {
  std::string text;
  for (const axis a : order.axes) {
    if (!text.empty()) text += '-';
    text += string_of(name_of(a));
  }
  return text;
}

void explain_grids(std::ostream& out, const subject& x, const mesh& m) {
  const std::int64_t stage = x.f.stage_gpus;
  heading(out, "The two grids");
  out << "  A stage of the pipeline is " << counted(stage, "GPU")
      << ". Its layers consist of two kinds of weights, which are spread over\n"
      << "  these GPUs in two different ways. Below, the numbers are ranks (GPUs) of stage 0.\n\n"
      << "  What every token passes (attention, norms, router, dense MLP, shared expert) lies on the dense grid: columns are parts "
         "of\n"
      << "  a layer, rows are copies of it: " << factors(x.s, {axis::tp, axis::cp, axis::dp}) << " = " << grouped(stage) << ".\n\n";
  print_dense_grid(out, m);
  out << "\n  The routed experts lie on the expert grid: columns hold different experts, rows are copies:\n  "
      << factors(x.s, {axis::etp, axis::ep}) << " x EDP " << grouped(x.f.edp) << " = " << grouped(stage) << ".\n\n";
  print_expert_grid(out, m);
  const std::int64_t pipeline = x[axis::pp];
  if (pipeline == 1) {
    out << "\n  There is one stage, so these are all ranks.\n\n";
    return;
  }
  if (x.f.dense_before_pp != x.f.expert_before_pp) {
    out << "\n  On the next stage the two do not hold the same ranks, see below.\n\n";
    return;
  }
  out << "\n  The other " << grouped(pipeline - 1) << " stages are like this one, each " << counted(x.f.dense_before_pp, "rank")
      << " further on (order of ranks, fastest axis first: " << spelt(x.s.order) << ").\n\n";
}

/// Distinct nodes among the ranks of a group.
std::int64_t nodes_of(const rank_group& group, std::int64_t gpus_per_node) {
  std::int64_t nodes = 0;
  std::int64_t last = -1;
  for (const std::int64_t rank : group) { // ascending
    nodes += rank / gpus_per_node != last ? 1 : 0;
    last = rank / gpus_per_node;
  }
  return nodes;
}

/// Precondition: EP divides the experts.
void explain_experts_of_a_rank(std::ostream& out, const subject& x, const mesh& m) {
  const std::int64_t ep = x[axis::ep];
  const std::int64_t each = x.f.physical_experts / ep;
  out << "  In every layer that has experts, each rank holds " << grouped(x.f.physical_experts) << " / EP " << grouped(ep) << " = "
      << counted(each, "expert");
  if (x.f.physical_experts != x.f.experts)
    out << " (" << grouped(x.f.experts) << " and " << grouped(x.f.redundant_experts) << " redundant copies)";
  const std::int64_t rank = m.rank(expert_coordinates{.etp = 0, .ep = ep > 1 ? 1 : 0, .edp = x.f.edp - 1, .pp = 0});
  const expert_coordinates e = m.expert_at(rank);
  const dense_coordinates d = m.dense_at(rank);
  const auto place = [](const char* name, std::int64_t at, bool shown = true) {
    return shown ? std::string{" "} + name + ' ' + std::to_string(at) : std::string{};
  };
  out << ".\n  Rank " << rank << ", for instance, is" << place("DP", d.dp) << place("TP", d.tp, x[axis::tp] > 1)
      << place("CP", d.cp, x[axis::cp] > 1) << " to dense layers, and" << place("EDP", e.edp) << place("EP", e.ep)
      << place("ETP", e.etp, x[axis::etp] > 1) << " to experts: it holds expert" << (each > 1 ? "s " : " ") << e.ep * each
      << (each > 1 ? " to " + std::to_string((e.ep + 1) * each - 1) : "") << ".\n";
}

void explain_experts(std::ostream& out, const subject& x, const mesh& m) {
  const std::int64_t ep = x[axis::ep];
  heading(out, "Where EP sits");
  const std::string ranks = "ETP " + grouped(x[axis::etp]) + " x EP " + grouped(ep) + " = " + counted(x.f.expert_ranks, "rank");
  out << "  EP " << grouped(ep) << " is not a factor of the " << counted(x.f.gpus, "GPU")
      << ": experts use the GPUs that dense layers use for TP, CP and DP.\n  The " << grouped(x.f.stage_gpus)
      << " GPUs of a stage hold the experts' " << ranks << ' ' << (x.f.edp == 1 ? "exactly once" : grouped(x.f.edp) + " times over")
      << ".\n  That number is EDP, how many copies there are of each expert:\n\n      EDP = TP x CP x DP / (ETP x EP) = "
      << grouped(x.f.stage_gpus) << " / " << grouped(x.f.expert_ranks) << " = " << grouped(x.f.edp) << "\n\n";
  if (x.f.physical_experts % ep == 0) explain_experts_of_a_rank(out, x, m);
  const std::int64_t per_node = x.d.cluster.gpus_per_node.number;
  if (per_node > 0 && ep > 1 && x.f.stage_gpus <= (1 << 20)) {
    const std::int64_t nodes = nodes_of(m.group(groups::ep, 0), per_node);
    out << "  An EP group spans " << counted(nodes, "node") << ", so tokens reach their experts "
        << (nodes == 1 ? "without leaving the node" : "across the network between nodes") << ".\n";
  }
  out << '\n';
}

void explain_product(std::ostream& out, const subject& x) {
  const auto product = product_of_degrees<saturating_count>(x.s);
  heading(out, "The number that is often mistaken for it");
  if (!product.overflowed() && product == x.f.gpus) {
    out << "  Multiplying all degrees gives the same number here, since EP and SP are 1.\n\n";
    return;
  }
  out << "  Many documents multiply all degrees:\n\n      "
      << factors(x.s, {axis::tp, axis::cp, axis::ep, axis::sp, axis::dp, axis::pp}) << " = "
      << (product.overflowed() ? "more than 64 bits hold" : grouped(std::to_string(product.value()))) << "\n\n"
      << "  That counts the same GPUs several times: EP"
      << (x[axis::sp] > 1 ? " and SP (sequence parallelism, which uses the TP ranks) need no GPUs of their own.\n"
                          : " needs no GPUs of its own.\n");
  const auto smallest = minimum_gpus<saturating_count>(x.s);
  if (!smallest.overflowed())
    out << "  The fewest GPUs for these degrees, whatever DP, are PP x lcm(TP x CP, ETP x EP) = "
        << grouped(std::to_string(smallest.value())) << "; every possible number is a multiple.\n";
  out << '\n';
}

/// Stages that hold the same.
struct equal_stages {
  std::int64_t first = 0;
  std::int64_t last = 0;
  stage_contents contents;
  std::int64_t last_layer_end = 0;
};

std::vector<equal_stages> stages_of(const subject& x) {
  const std::int64_t stages = virtual_stages(x.s, x.d.layout);
  std::vector<equal_stages> runs;
  for (std::int64_t v = 0; v < stages; ++v) {
    const stage_contents c = contents(x.d.model, x.s, x.d.layout, v);
    const std::int64_t end = c.first_layer + c.decoder_layers;
    const bool same = !runs.empty() && runs.back().contents.decoder_layers == c.decoder_layers && !c.loss && c.mtp_layers == 0 &&
                      !runs.back().contents.embedding;
    if (same) {
      runs.back().last = v;
      runs.back().last_layer_end = end;
    } else {
      runs.push_back({v, v, c, end});
    }
  }
  return runs;
}

/// "decoder layer 60", "decoder layers 4 - 59". Precondition: begin < end.
std::string layers_between(std::int64_t begin, std::int64_t end) {
  if (begin + 1 == end) return "decoder layer " + std::to_string(begin);
  return "decoder layers " + std::to_string(begin) + " - " + std::to_string(end - 1);
}

void explain_stages(std::ostream& out, const subject& x) {
  if (!x.f.knows(known::layout | known::model | known::degrees) || virtual_stages(x.s, x.d.layout) > (1 << 20)) return;
  const std::int64_t vpp = x.f.vpp;
  heading(out, "Layers on each stage");
  if (vpp > 1)
    out << "  VPP " << vpp << ": each of the " << grouped(x[axis::pp]) << " pipeline ranks holds " << vpp
        << " virtual stages; stage v is on rank v % PP.\n\n";
  text_table table{"lrl"};
  table.row({"stage", "layers", "which"});
  for (const equal_stages& run : stages_of(x)) {
    const stage_contents& c = run.contents;
    const std::string range =
        run.first == run.last ? std::to_string(run.first) : std::to_string(run.first) + " - " + std::to_string(run.last);
    std::string which = c.embedding ? "embedding, " : "";
    if (c.decoder_layers > 0)
      which += layers_between(c.first_layer, run.last_layer_end);
    else
      which += "no decoder layer";
    if (c.mtp_layers > 0) which += ", " + counted(c.mtp_layers, "multi-token prediction layer");
    if (c.loss) which += ", final norm, head and loss";
    table.row({range, grouped(c.decoder_layers), which});
  }
  table.print(out, 6);
  out << '\n';
  const model& m = x.d.model;
  if (m.has_experts())
    out << "  Of the " << m.layers << " decoder layers " << m.moe_layers() << " hold experts and " << m.dense_layers()
        << (m.dense_layers() == 1 ? " is" : " are") << " dense.\n\n";
}

void explain_step(std::ostream& out, const subject& x) {
  if (!x.f.knows(known::batch | known::sequence | known::training) || x.f.batch_unit == 0) return;
  const std::int64_t global = x.f.global_batch_given ? x.f.global_batch : x.f.batch_unit;
  if (global % x.f.batch_unit != 0) return;
  const std::int64_t m = global / x.f.batch_unit;
  heading(out, "A training step");
  out << "  " << counted(global, "sequence") << " of " << counted(x.f.sequence_length, "token") << ", in micro-batches of "
      << x.f.micro_batch << ": each of the DP " << grouped(x[axis::dp])
      << " copies works through\n\n      global batch / (micro-batch x DP) = " << grouped(global) << " / (" << x.f.micro_batch
      << " x " << grouped(x[axis::dp]) << ") = " << grouped(m) << (m == 1 ? " micro-batch" : " micro-batches") << " a step\n\n";
  if (x[axis::pp] > 1 && m < x[axis::pp])
    out << "  That is fewer than the " << x[axis::pp] << " stages, so some stage is always waiting.\n\n";
}

void explain_serving(std::ostream& out, const subject& x) {
  if (!x.d.workload.is_serving() || x.f.batch < 1) return;
  heading(out, "Serving");
  out << "  Each of the DP " << grouped(x[axis::dp]) << " copies has " << counted(x.f.batch, "sequence") << " of up to "
      << counted(x.f.sequence_length, "token") << " in flight.\n\n";
}

void list_defaults(std::ostream& out, const subject& x) {
  heading(out, "Defaults in force");
  text_table table{"lll"};
  table.row({"not given", "taken as", "source"});
  for (const io::default_in_force& d : x.file.defaults) {
    const bool derived = d.key == "/strategy/dp" && x.f.knows(known::dp);
    table.row({d.key.substr(1), derived ? std::to_string(x.f.dp) + ", " + d.value : d.value, d.source});
  }
  table.print(out, 2);
  out << '\n';
}

} // namespace

void explain(std::ostream& out, const io::deployment_file& file, const findings& all) {
  const deployment& d = file.deployment;
  const facts& f = all.facts;
  const subject x{file, d, f, f.knows(known::dp) ? d.strategy.with(dp{f.dp}) : d.strategy};
  out << "Model " << file.model_name << (file.gpu_name.empty() ? "" : " on " + file.gpu_name) << "\n\n";
  if (f.knows(known::degrees | known::no_overflow))
    explain_gpus(out, x);
  else
    out << "The number of GPUs cannot be explained before the errors below are mended.\n\n";
  if (f.knows(known::grids)) {
    const mesh m{x.s};
    explain_grids(out, x, m);
    if (f.experts > 0) explain_experts(out, x, m);
    explain_product(out, x);
    explain_framework(out, d, f);
  } else if (f.knows(known::degrees | known::no_overflow | known::folded)) {
    out << "There are no two grids: ETP x EP does not divide the GPUs of a stage, see below.\n\n";
  }
  const finding_list list = list_of(all);
  if (!has_errors(list)) explain_stages(out, x);
  explain_step(out, x);
  explain_serving(out, x);
  list_defaults(out, x);
  heading(out, "Verdict");
}

} // namespace tool
