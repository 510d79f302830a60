// The command-line tool: reads the command line, runs a command, turns errors into exit statuses.
#include <algorithm>
#include <charconv>
#include <exception>
#include <functional>
#include <iostream>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <moeplan/describe/strategy.hpp>
#include <moeplan/io/input_error.hpp>
#include <moeplan/io/nearest_name.hpp>
#include <moeplan/text/parsed.hpp>

#include "commands.hpp"

namespace {

using tool::status;

/// A number as the command line gives it. CLI11 itself would take "010" for 8 and 2^63 for 2^63 - 1.
std::int64_t read_integer(const std::string& option, const std::string& text) {
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error == std::errc::result_out_of_range && stop == end)
    throw moeplan::io::input_error{
        {.file = option, .problem = "a number out of range", .found = text, .expected = "an integer from -2^63 to 2^63 - 1"}};
  if (error != std::errc{} || stop != end)
    throw moeplan::io::input_error{{.file = option, .found = '"' + text + '"', .expected = "an integer"}};
  return number;
}

/// Everything that command lines give, as text where the tool itself reads it.
struct command_line {
  tool::params_options params;
  tool::gpus_options gpus;
  tool::check_options check;
  tool::memory_options memory;
  tool::balance_options balance;
  tool::pipeline_options pipeline;
  tool::cost_options cost;
  std::optional<std::string> efficiency;
  tool::ranks_options ranks;
  tool::translate_options translate;
  tool::search_options search;
  tool::audit_options audit;
  std::string top;
  tool::repair_options repair;
  std::string world, rank, order;
  std::string gpus_to_have, gpus_per_node;
  std::string most_moves, layer;
  std::string times;
  std::string repairs_to_show, repairs_to_consider;
  std::string help_topic;
  std::string degrees[moeplan::axis_count];
};

std::string option_of(moeplan::axis a) {
  const moeplan::text name = moeplan::name_of(a);
  return "--" + std::string(name.data(), name.size());
}

constexpr const char* framework_names = "megatron, torchtitan, vllm, sglang, trtllm or deepspeed";

constexpr moeplan::axis world_axes[] = {moeplan::axis::tp, moeplan::axis::cp, moeplan::axis::pp, moeplan::axis::ep,
                                        moeplan::axis::etp};

std::string& text_of(command_line& line, moeplan::axis a) { return line.degrees[static_cast<std::size_t>(a)]; }

/// A command line that cannot be understood.
[[noreturn]] void refuse(const std::string& where, const std::string& problem) {
  throw moeplan::io::input_error{{.file = where, .problem = problem, .expected = "what moeplan help " + where + " says"}};
}

/// Which options of `ranks` belong together.
void verify_ranks(const command_line& line) {
  const bool deployment = !line.ranks.input.empty();
  const bool world = !line.world.empty();
  bool degrees = !line.order.empty();
  for (const std::string& degree : line.degrees) degrees = degrees || !degree.empty();
  if (deployment && (world || degrees)) refuse("ranks", "both a deployment and --world or degrees are given");
  if (!deployment && !world) refuse("ranks", "neither a deployment nor --world is given");
  if (line.ranks.group.empty() && line.rank.empty()) refuse("ranks", "neither --group nor --rank is given");
}

/// Turns the texts of `ranks` into numbers.
void finish_ranks(command_line& line) {
  verify_ranks(line);
  if (!line.rank.empty()) line.ranks.rank = read_integer("--rank", line.rank);
  if (!line.world.empty()) line.ranks.world = read_integer("--world", line.world);
  for (const moeplan::axis a : world_axes)
    if (const std::string& text = text_of(line, a); !text.empty()) line.ranks.strategy.set(a, read_integer(option_of(a), text));
  if (line.order.empty()) return;
  const auto order = moeplan::rank_order::parse(line.order);
  if (!order) {
    const auto string = [](moeplan::text t) { return std::string(t.data(), t.size()); };
    throw moeplan::io::input_error{{.file = "--order",
                                    .problem = string(order.error.problem),
                                    .found = '"' + string(order.error.found) + '"',
                                    .expected = string(order.error.expected)}};
  }
  line.ranks.strategy.order = order.value;
}

CLI::App* add_params(CLI::App& app, command_line& line) {
  CLI::App* command = app.add_subcommand("params", "How many parameters a model has: total, active, and by component");
  command->add_option("MODEL", line.params.input, "Path of a config.json, or a name of the catalog such as deepseek-v3")
      ->required();
  command->add_flag("--json", line.params.json, "Answer as one JSON object");
  return command;
}

CLI::App* add_gpus(CLI::App& app, command_line& line) {
  CLI::App* command = app.add_subcommand("gpus", "How many GPUs a deployment takes, and the sizes of its two grids");
  command->add_option("DEPLOYMENT", line.gpus.input, "Path of a deployment.json")->required();
  command->add_flag("--json", line.gpus.json, "Answer as one JSON object");
  return command;
}

CLI::App* add_ranks(CLI::App& app, command_line& line) {
  CLI::App* command = app.add_subcommand("ranks", "Which ranks communicate with each other, and where a rank is on the two grids");
  command->add_option("DEPLOYMENT", line.ranks.input, "Path of a deployment.json; without one, --world and the degrees hold");
  command->add_option("--world", line.world, "Number of GPUs, in place of a deployment")->type_name("N");
  for (const moeplan::axis a : world_axes)
    command->add_option(option_of(a), text_of(line, a), "Degree, with --world; 1 if absent")->type_name("N");
  command->add_option("--order", line.order, "Order of ranks, with --world: fastest axis first; tp-cp-ep-dp-pp if absent");
  command->add_option("--group", line.ranks.group,
                      "tp, cp, dp, pp or a join such as dp-cp (dense grid); etp, ep, edp or a join such as etp-ep (expert grid)");
  command->add_option("--rank", line.rank, "Only this rank, with its coordinates; without --group, all its groups")->type_name("N");
  command->add_flag("--json", line.ranks.json, "Answer as one JSON object");
  return command;
}

CLI::App* add_check(CLI::App& app, command_line& line) {
  CLI::App* command = app.add_subcommand("check", "Which rules a deployment violates, and what would be legal");
  command->add_option("DEPLOYMENT", line.check.input, "Path of a deployment.json")->required();
  command->add_flag("--explain", line.check.explain, "Explain the deployment and list every default in force");
  command->add_flag("--json", line.check.json, "Answer as one JSON object");
  return command;
}

CLI::App* add_memory(CLI::App& app, command_line& line) {
  CLI::App* command =
      app.add_subcommand("memory", "How much memory each stage's ranks need at their peak, for what, and whether a GPU has it");
  command->add_option("DEPLOYMENT", line.memory.input, "Path of a deployment.json")->required();
  command->add_flag("--terms", line.memory.terms, "List every tensor and buffer that is alive at the peak, with shape and source");
  command->add_flag("--json", line.memory.json, "Answer as one JSON object");
  command->footer(
      "Exit status 1 where it does not fit. Where the GPU's memory is not known, capacity_bytes and fits are null, and the exit "
      "status is 0.");
  return command;
}

CLI::App* add_balance(CLI::App& app, command_line& line) {
  CLI::App* command = app.add_subcommand(
      "balance", "Which slots hold which experts, so that GPUs are loaded evenly, and how even it can be at best");
  command->add_option("LOADS", line.balance.input, "Path of a file with the loads of every layer's experts, and sizes")->required();
  command->add_option("--algorithm", line.balance.algorithm,
                      "best: as even as a search finds it (default); eplb: where DeepSeek's EPLB puts them, bit for bit");
  command->add_option("--policy", line.balance.policy,
                      "hierarchical: each group of experts whole on one node; global: any slot; if absent, hierarchical where the "
                      "nodes divide the groups, as EPLB has it");
  command
      ->add_option("--most-moves", line.most_moves,
                   "Of each layer, copy no more experts than that to GPUs that do not hold them in the file's previous placement")
      ->type_name("N");
  command->add_option("--layer", line.layer, "Show this layer GPU by GPU; if absent, the least even one")->type_name("N");
  command->add_option("--svg", line.balance.svg, "Write a picture of all loads, before and after")->type_name("FILE");
  command->add_flag("--json", line.balance.json, "Answer as one JSON object");
  return command;
}

/// Turns the texts of `balance` into numbers.
void finish_balance(command_line& line) {
  if (!line.most_moves.empty()) line.balance.most_moves = read_integer("--most-moves", line.most_moves);
  if (!line.layer.empty()) line.balance.layer = read_integer("--layer", line.layer);
}

CLI::App* add_pipeline(CLI::App& app, command_line& line) {
  CLI::App* command = app.add_subcommand(
      "pipeline", "What the ranks of a pipeline do in a training step, when, how long they wait and what they hold");
  command->add_option("DEPLOYMENT", line.pipeline.input, "Path of a deployment.json")->required();
  command
      ->add_option(
          "--times", line.times,
          "How long passes of one micro-batch through one virtual stage take, in whole units: forward, backward, the part of "
          "backward for the weights, and forward and backward of two at once, from max(F,B) to F+B; 1,2,1 if absent, and F+B for "
          "the last")
      ->type_name("F,B,W[,FB]");
  command->add_flag("--order", line.pipeline.order, "List every operation of every rank");
  command->add_option("--svg", line.pipeline.svg, "Write the picture that papers draw of a schedule")->type_name("FILE");
  command->add_option("--trace", line.pipeline.trace, "Write a trace for chrome://tracing or Perfetto")->type_name("FILE");
  command->add_option("--dot", line.pipeline.dot, "Write the graph of tasks and what each waits for, for Graphviz")
      ->type_name("FILE");
  command->add_flag("--json", line.pipeline.json, "Answer as one JSON object");
  command->footer("DualPipe's micro-batches are counted from the first rank first, then from the last.");
  return command;
}

/// The numbers between commas.
std::vector<std::int64_t> read_integers(const std::string& option, const std::string& text) {
  std::vector<std::int64_t> numbers;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t comma = std::min(text.find(',', start), text.size());
    numbers.push_back(read_integer(option, text.substr(start, comma - start)));
    start = comma + 1;
  }
  return numbers;
}

/// Two passes at once take as long as the longer one at least, and as long as one after the other at most.
void verify_pair_time(std::int64_t forward, std::int64_t backward, std::int64_t both) {
  const std::int64_t least = std::max(forward, backward);
  const std::int64_t most = forward + backward;
  if (least <= both && both <= most) return;
  throw moeplan::io::input_error{
      {.file = "--times",
       .problem = "the fourth time, FB",
       .found = std::to_string(both),
       .expected = "an integer from " + std::to_string(least) + ", the longer of F and B, to " + std::to_string(most) + ", F + B",
       .nearest = std::to_string(std::clamp(both, least, most))}};
}

/// Turns the text of --times into times.
void finish_pipeline(command_line& line) {
  if (line.times.empty()) return;
  const std::vector<std::int64_t> n = read_integers("--times", line.times);
  constexpr std::int64_t most = std::int64_t{1} << 61; // F + B fits
  const bool in_range = std::all_of(n.begin(), n.end(), [](std::int64_t time) { return 0 <= time && time <= most; });
  const bool usable = (n.size() == 3 || n.size() == 4) && in_range && n[0] > 0 && n[1] > 0 && n[2] <= n[1];
  if (!usable || (n.size() == 4 && n[3] == 0))
    throw moeplan::io::input_error{{.file = "--times",
                                    .found = '"' + line.times + '"',
                                    .expected = "F,B,W or F,B,W,FB: integers from 0 to 2^61, F, B and FB at least 1, W at most B"}};
  if (n.size() == 4) verify_pair_time(n[0], n[1], n[3]);
  line.pipeline.times = {.forward = n[0],
                         .backward = n[1],
                         .input_gradient = n[1] - n[2],
                         .weight_gradient = n[2],
                         .forward_and_backward = n.size() == 4 ? n[3] : n[0] + n[1]};
}

CLI::App* add_cost(CLI::App& app, command_line& line) {
  CLI::App* command = app.add_subcommand(
      "cost", "FLOPs and traffic of a training step, or of a step that serves, how long it takes at least, and what limits it");
  command->add_option("DEPLOYMENT", line.cost.input, "Path of a deployment.json")->required();
  command
      ->add_option("--efficiency", line.efficiency,
                   "Estimate too: which part of its peak each resource reaches, from 0.000001 to 1, as compute=0.6,network=0.8; "
                   "there are compute, memory, nvlink and network, and those that are absent reach their peaks")
      ->type_name("SHARES");
  command->add_flag("--json", line.cost.json, "Answer as one JSON object");
  command->footer(
      "The step takes at least as long as the slowest of its resources alone, since nothing forbids the others to work meanwhile. "
      "Where the GPU's description lacks a rate, what needs it is null, and the others bound the step.");
  return command;
}

/// What --efficiency names.
struct efficiency_name {
  const char* name;
  double moeplan::efficiencies::*of;
};

constexpr efficiency_name efficiency_names[] = {{"compute", &moeplan::efficiencies::compute},
                                                {"memory", &moeplan::efficiencies::memory},
                                                {"nvlink", &moeplan::efficiencies::nvlink},
                                                {"network", &moeplan::efficiencies::network}};

const efficiency_name& efficiency_named(const std::string& name) {
  std::vector<std::string> known;
  for (const efficiency_name& e : efficiency_names) {
    if (name == e.name) return e;
    known.emplace_back(e.name);
  }
  throw moeplan::io::input_error{{.file = "--efficiency",
                                  .problem = "no resource that has an efficiency",
                                  .found = '"' + name + '"',
                                  .expected = "one of " + moeplan::io::listed(known),
                                  .nearest = moeplan::io::nearest_name(name, known)}};
}

/// "0.6" of "compute=0.6".
double read_efficiency(const std::string& text, std::size_t sign) {
  double share = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + std::min(sign + 1, text.size()), end, share);
  if (error == std::errc{} && stop == end && share >= moeplan::efficiencies::smallest && share <= 1) return share;
  throw moeplan::io::input_error{{.file = "--efficiency",
                                  .found = '"' + text + '"',
                                  .expected = "a number from 0.000001 to 1: " + text.substr(0, sign) + "=0.6"}};
}

/// Turns the text of --efficiency into shares.
void finish_cost(command_line& line) {
  if (!line.efficiency) return;
  const std::string& all = *line.efficiency;
  moeplan::efficiencies& reached = line.cost.reached.emplace();
  std::vector<const efficiency_name*> given;
  for (std::size_t start = 0; start <= all.size();) {
    const std::size_t comma = std::min(all.find(',', start), all.size());
    const std::string text = all.substr(start, comma - start);
    const std::size_t sign = std::min(text.find('='), text.size());
    const efficiency_name& e = efficiency_named(text.substr(0, sign));
    if (std::find(given.begin(), given.end(), &e) != given.end())
      throw moeplan::io::input_error{{.file = "--efficiency",
                                      .problem = "a resource that stands there twice",
                                      .found = '"' + text + '"',
                                      .expected = "each resource once"}};
    given.push_back(&e);
    reached.*e.of = read_efficiency(text, sign);
    start = comma + 1;
  }
}

CLI::App* add_repair(CLI::App& app, command_line& line) {
  CLI::App* command = app.add_subcommand("repair", "The legal deployments nearest to one that violates rules");
  command->add_option("DEPLOYMENT", line.repair.input, "Path of a deployment.json")->required();
  command
      ->add_option("--keep", line.repair.keep,
                   "What stays as it is: some of tp, cp, pp, vpp, ep, etp, sp, dp, micro_batch, layout and order, with commas; "
                   "idle_gpus: no GPU becomes or stays idle")
      ->type_name("PARTS");
  command->add_option("--top", line.repairs_to_show, "Show no more than so many, up to 64; 8 if absent")->type_name("N");
  command->add_option("--considered", line.repairs_to_consider, "Look at no more than so many deployments; 200000 if absent")
      ->type_name("N");
  command->add_flag("--json", line.repair.json, "Answer as one JSON object");
  command->footer(
      "Nearest: the fewest changes, then the smallest product of how many times larger or smaller numbers become. DP follows from "
      "the GPUs and is no change, GPUs left idle are one. Each repair changes another set of parts, of which none is superfluous. "
      "Exit status 1 where there is none.");
  return command;
}

/// A number of `repair` that has a least and a highest value.
moeplan::optional_integer read_within(const std::string& option, const std::string& text, std::int64_t highest) {
  if (text.empty()) return {};
  const std::int64_t number = read_integer(option, text);
  if (number >= 1 && number <= highest) return number;
  throw moeplan::io::input_error{{.file = option,
                                  .problem = "a number out of range",
                                  .found = text,
                                  .expected = "an integer from 1 to " + std::to_string(highest)}};
}

/// Turns the texts of `repair` into numbers.
void finish_repair(command_line& line) {
  line.repair.most = read_within("--top", line.repairs_to_show, 64);
  line.repair.most_considered = read_within("--considered", line.repairs_to_consider, 1'000'000'000);
}

CLI::App* add_search(CLI::App& app, command_line& line) {
  CLI::App* command = app.add_subcommand("search", "Every legal strategy of a model on a cluster, and the best of them");
  command
      ->add_option("DEPLOYMENT", line.search.input,
                   "Path of a deployment.json in which degrees that are absent are free, and values may be lists")
      ->required();
  command
      ->add_option(
          "--by", line.search.by,
          std::string{"What is better: criteria in order, "} + tool::default_criteria +
              " if absent; or with weights, bubble=3,headroom=1. There are gpus, idle_gpus, peak, headroom, bubble, layer_balance, "
              "network (bytes that a GPU sends over it in a step, which has no weight), step_time (at least, everything else "
              "hidden "
              "behind what takes longest) and throughput (tokens a second, communication hidden behind nothing)")
      ->type_name("CRITERIA");
  command->add_option("--top", line.top, "Show so many of the best, up to 1000; 10 if absent")->type_name("N");
  command->add_flag("--json", line.search.json, "Answer as one JSON object");
  command->footer("Exit status 1 where no strategy is legal; how many were rejected by which rule stands there then.");
  return command;
}

/// Turns the text of --top into a number.
void finish_search(command_line& line) {
  if (line.top.empty()) return;
  line.search.top = read_integer("--top", line.top);
  if (line.search.top < 1 || line.search.top > 1000)
    throw moeplan::io::input_error{
        {.file = "--top", .problem = "a number out of range", .found = line.top, .expected = "an integer from 1 to 1000"}};
}

CLI::App* add_audit(CLI::App& app, command_line& line) {
  CLI::App* command = app.add_subcommand("audit", "Of every number in a deployment report, whether it holds");
  CLI::Option* report = command->add_option("REPORT", line.audit.input,
                                            "Path of a report.json: a deployment, its strategies, and what is claimed of them");
  CLI::Option* markdown = command->add_flag("--markdown", line.audit.markdown, "Answer as a document in Markdown");
  CLI::Option* json = command->add_flag("--json", line.audit.json, "Answer as one JSON object")->excludes(markdown);
  CLI::Option* reasons = command->add_flag("--reasons", line.audit.all_reasons, "Say why of claims that hold, too")->excludes(json);
  command->add_flag("--quantities", line.audit.quantities, "List what a claim can be about, and what it is computed from")
      ->excludes(report)
      ->excludes(markdown)
      ->excludes(reasons)
      ->excludes(json);
  command->footer(
      "A number holds if some choice within the precision of what it is computed from gives what is printed. Exit status 1 where a "
      "claim "
      "fails, or a strategy violates rules, or has weights that its GPUs cannot hold, and no claim of the report says so.");
  return command;
}

/// A report, or the list of quantities.
void finish_audit(const command_line& line) {
  if (line.audit.input.empty() && !line.audit.quantities) refuse("audit", "neither a report nor --quantities is given");
}

CLI::App* add_translate(CLI::App& app, command_line& line) {
  CLI::App* command =
      app.add_subcommand("translate", "A deployment as a framework's launch flags, and launch flags as a deployment");
  command->add_option("DEPLOYMENT", line.translate.input, "Path of a deployment.json; without one, --from and FLAGS hold");
  command->add_option("--from", line.translate.from, "Framework whose flags are read: " + std::string{framework_names})
      ->type_name("F");
  command->add_option("--flags", line.translate.flags, "Its launch line, in one piece; may also stand alone, after --from F")
      ->type_name("FLAGS");
  command->add_option("--to", line.translate.to, "Framework to write flags for; with --from, that one if absent")->type_name("F");
  command->add_option("--model", line.translate.model,
                      "With --from: a name of the catalog or the path of a config.json; if absent, what the flags name");
  command
      ->add_option("--profile", line.translate.profile,
                   "With --from: whose rules apply; if absent, those of F; \"universal\" are those that bind everybody")
      ->type_name("P");
  command->add_option("--gpus", line.gpus_to_have, "With --from: how many GPUs there are")->type_name("N");
  command->add_option("--gpus-per-node", line.gpus_per_node, "With --from: how many of them a node has")->type_name("N");
  command->add_flag("--json", line.translate.json, "Answer as one JSON object");
  return command;
}

/// A launch line looks like an option, so CLI11 gets it as the value of one: `--from F '--tp-size 8'` becomes `--from F --flags='--tp-size 8'`.
std::vector<std::string> with_flags_named(int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.empty() || arguments.front() != "translate") return arguments;
  constexpr const char* with_value[] = {"--from", "--flags", "--to", "--model", "--profile", "--gpus", "--gpus-per-node"};
  bool from = false;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    std::string& argument = arguments[i];
    const std::string name = argument.substr(0, argument.find('='));
    from = from || name == "--from";
    if (std::find(std::begin(with_value), std::end(with_value), name) != std::end(with_value)) {
      // The value of --flags looks like an option itself.
      if (argument == "--flags" && i + 1 < arguments.size()) {
        argument += '=' + arguments[i + 1];
        arguments.erase(arguments.begin() + static_cast<std::ptrdiff_t>(i) + 1);
      } else if (name.size() == argument.size()) {
        ++i;
      }
      continue;
    }
    const bool known = argument == "--json" || argument == "--help" || argument == "-h";
    if (from && !known) argument = "--flags=" + argument;
  }
  return arguments;
}

/// Which options of `translate` belong together, and numbers from texts.
void finish_translate(command_line& line) {
  tool::translate_options& t = line.translate;
  const bool only_with_from =
      !t.flags.empty() || !t.model.empty() || !t.profile.empty() || !line.gpus_to_have.empty() || !line.gpus_per_node.empty();
  if (!t.input.empty() && !t.from.empty()) refuse("translate", "both a deployment and --from are given");
  if (t.input.empty() && t.from.empty()) refuse("translate", "neither a deployment nor --from is given");
  if (!t.from.empty() && t.flags.empty()) refuse("translate", "--from is given, but no flags");
  if (t.from.empty() && t.to.empty()) refuse("translate", "--to is not given");
  if (t.from.empty() && only_with_from)
    refuse("translate", "--flags, --model, --profile, --gpus and --gpus-per-node belong to --from");
  if (!line.gpus_to_have.empty()) t.gpus = read_integer("--gpus", line.gpus_to_have);
  if (!line.gpus_per_node.empty()) t.gpus_per_node = read_integer("--gpus-per-node", line.gpus_per_node);
}

CLI::App* add_help(CLI::App& app, command_line& line) {
  CLI::App* command = app.add_subcommand("help", "Print help, also on one command");
  command->add_option("COMMAND", line.help_topic, "A command");
  return command;
}

bool has_command(const CLI::App& app, const std::string& name) {
  return !app.get_subcommands([&name](const CLI::App* command) { return command->get_name() == name; }).empty();
}

[[noreturn]] void refuse_command(const CLI::App& app, const std::string& name) {
  std::vector<std::string> known;
  for (const CLI::App* command : app.get_subcommands(std::function<bool(const CLI::App*)>{})) known.push_back(command->get_name());
  throw moeplan::io::input_error{{.problem = "unknown command",
                                  .found = '"' + name + '"',
                                  .expected = "one of " + moeplan::io::listed(known),
                                  .nearest = moeplan::io::nearest_name(name, known)}};
}

/// One command, or, with an empty topic, all of them.
status print_help(const CLI::App& app, const std::string& topic) {
  const CLI::App* about = &app;
  for (const CLI::App* command : app.get_subcommands(std::function<bool(const CLI::App*)>{}))
    if (command->get_name() == topic) about = command;
  if (about == &app && !topic.empty()) refuse_command(app, topic);
  // Not app.help(), which describes the command that is running: help.
  const std::string name = about == &app ? "moeplan" : "moeplan " + topic;
  std::cout << about->get_formatter()->make_help(about, name, CLI::AppFormatMode::Normal);
  return status::fine;
}

int exit_with(status s) { return static_cast<int>(s); }

int run(int argc, char** argv) {
  CLI::App app{"moeplan: the arithmetic of Mixture-of-Experts parallelism", "moeplan"};
  app.set_version_flag("--version", std::string{"moeplan "} + MOEPLAN_VERSION);
  app.set_help_flag("--help,-h", "Print this and exit");
  app.footer("Exit status: 0 done and fine; 1 the input was understood and something in it is wrong; 2 the input cannot be used.");
  app.require_subcommand(1);

  command_line line;
  const std::pair<CLI::App*, std::function<status()>> commands[] = {
      {add_params(app, line), [&] { return tool::params(line.params, std::cout, std::cerr); }},
      {add_gpus(app, line), [&] { return tool::gpus(line.gpus, std::cout, std::cerr); }},
      {add_ranks(app, line), [&] { return finish_ranks(line), tool::ranks(line.ranks, std::cout, std::cerr); }},
      {add_check(app, line), [&] { return tool::check(line.check, std::cout, std::cerr); }},
      {add_memory(app, line), [&] { return tool::memory(line.memory, std::cout, std::cerr); }},
      {add_balance(app, line), [&] { return finish_balance(line), tool::balance(line.balance, std::cout, std::cerr); }},
      {add_pipeline(app, line), [&] { return finish_pipeline(line), tool::pipeline(line.pipeline, std::cout, std::cerr); }},
      {add_cost(app, line), [&] { return finish_cost(line), tool::cost(line.cost, std::cout, std::cerr); }},
      {add_repair(app, line), [&] { return finish_repair(line), tool::repair(line.repair, std::cout, std::cerr); }},
      {add_translate(app, line), [&] { return finish_translate(line), tool::translate(line.translate, std::cout, std::cerr); }},
      {add_search(app, line), [&] { return finish_search(line), tool::search(line.search, std::cout, std::cerr); }},
      {add_audit(app, line), [&] { return finish_audit(line), tool::audit(line.audit, std::cout, std::cerr); }},
      {add_help(app, line), [&] { return print_help(app, line.help_topic); }},
  };
  if (argc > 1 && argv[1][0] != '-' && !has_command(app, argv[1])) refuse_command(app, argv[1]);
  try {
    std::vector<std::string> arguments = with_flags_named(argc, argv);
    std::reverse(arguments.begin(), arguments.end()); // which is how CLI11 wants them
    app.parse(std::move(arguments));
  } catch (const CLI::ParseError& error) { return app.exit(error) == 0 ? exit_with(status::fine) : exit_with(status::unusable); }

  for (const auto& [command, answer] : commands)
    if (command->parsed()) return exit_with(answer());
  return exit_with(status::unusable); // not reached: one command is required
}

} // namespace

int main(int argc, char** argv) {
  int result = exit_with(status::unusable);
  try {
    result = run(argc, argv);
  } catch (const std::exception& error) { std::cerr << "moeplan: " << error.what() << '\n'; }
  if (!std::cout.flush()) {
    std::cerr << "moeplan: the answer cannot be written\n";
    return exit_with(status::unusable);
  }
  return result;
}
