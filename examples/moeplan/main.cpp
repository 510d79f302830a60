// The command-line tool: reads the command line, runs a command, turns errors into exit statuses.
#include <algorithm>
#include <charconv>
#include <exception>
#include <functional>
#include <iostream>
#include <iterator>
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
  tool::ranks_options ranks;
  tool::translate_options translate;
  std::string world, rank, order;
  std::string gpus_to_have, gpus_per_node;
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
      {add_translate(app, line), [&] { return finish_translate(line), tool::translate(line.translate, std::cout, std::cerr); }},
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
