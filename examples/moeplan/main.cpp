// The command-line tool: reads the command line, runs a command, turns errors into exit statuses.
#include <charconv>
#include <exception>
#include <functional>
#include <iostream>
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
  tool::ranks_options ranks;
  std::string world, rank, order;
  std::string help_topic;
  std::string degrees[moeplan::axis_count];
};

std::string option_of(moeplan::axis a) {
  const moeplan::text name = moeplan::name_of(a);
  return "--" + std::string(name.data(), name.size());
}

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
      {add_help(app, line), [&] { return print_help(app, line.help_topic); }},
  };
  if (argc > 1 && argv[1][0] != '-' && !has_command(app, argv[1])) refuse_command(app, argv[1]);
  try {
    app.parse(argc, argv);
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
