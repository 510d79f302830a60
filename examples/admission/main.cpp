// admission: a scheduler's gate. Reads a queue of deployments and the free GPUs of each node, and says which jobs start where.
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <moeplan/io/deployment_file.hpp>
#include <moeplan/io/nearest_name.hpp>

#include "nodes.hpp"
#include "queue.hpp"
#include "report.hpp"

namespace {

/// Exit statuses.
enum class status : int {
  all_admitted = 0,
  some_refused = 1, ///< at least one job breaks a rule
  unusable = 2,     ///< the input cannot be used
  some_queued = 3   ///< none is refused, at least one waits
};

struct command_line {
  std::vector<std::string> jobs;
  std::string free;
  std::string nodes;
  std::string policy = "first-fit";
  bool in_order = false;
  bool json = false;
};

constexpr const char* semantics = R"(The jobs are decided on one after the other; an admitted one takes its GPUs from the free ones.
  refused   the job breaks a rule on its own GPUs, whatever is free
  queued    the job is sound, but takes more GPUs than are free now
  admitted  the job gets its GPUs, ranks numbered along the nodes in their order
With DP a job takes exactly the GPUs of its strategy. Without DP it takes the largest legal DP that the free GPUs allow; the smallest
world is PP x lcm(TP x CP, ETP x EP). It never gets more than the cluster in its file, and is refused if it cannot do with as many.
Kinds of GPUs are not compared.
Each TP, ETP and EP group is kept on one node where the free GPUs allow it, else each TP and ETP group; which groups cross nodes all
the same is advice and makes no job wait.
  first-fit  the nodes in their order, all that each offers
  best-fit   the fewest nodes; the last part of a job on the fullest node that has room for it
Exit status: 0 all jobs are admitted; 1 at least one is refused; 2 the input cannot be used, and nothing is decided; 3 none is refused,
at least one is queued.)";

[[noreturn]] void refuse(const std::string& option, const std::string& found, const std::string& expected,
                         const std::string& nearest = {}) {
  throw moeplan::io::input_error{{.file = option, .found = found, .expected = expected, .nearest = nearest}};
}

admission::policy policy_of(const std::string& name) {
  if (name == "first-fit") return admission::policy::first_fit;
  if (name == "best-fit") return admission::policy::best_fit;
  const std::vector<std::string> known{"first-fit", "best-fit"};
  refuse("--policy", moeplan::io::in_quotes(name), "one of " + moeplan::io::listed(known), moeplan::io::nearest_name(name, known));
}

admission::node_list nodes_of(const command_line& line) {
  if (line.free.empty() == line.nodes.empty())
    refuse("admission", line.free.empty() ? "neither of the two" : "both", "either --free or --nodes");
  return line.free.empty() ? admission::read_nodes(line.nodes) : admission::parse_nodes(line.free);
}

/// All jobs; the names of all files that cannot be used go to `err`, and then there is no queue.
bool read_jobs(const std::vector<std::string>& paths, std::vector<admission::job>& queue, std::ostream& err) {
  bool usable = true;
  for (const std::string& path : paths) {
    try {
      queue.push_back({.name = path, .deployment = moeplan::io::read_deployment(path).deployment});
    } catch (const moeplan::io::input_error& error) {
      err << "admission: " << error.what() << '\n';
      usable = false;
    }
  }
  return usable;
}

status decide(const command_line& line) {
  const admission::policy policy = policy_of(line.policy);
  const admission::node_list nodes = nodes_of(line);
  std::vector<admission::job> queue;
  if (!read_jobs(line.jobs, queue, std::cerr)) return status::unusable;
  std::vector<std::int64_t> free = nodes.free;
  pass_through(queue, free, policy, line.in_order ? admission::passing::refused : admission::passing::allowed);
  const admission::report report{queue, nodes, free, policy};
  line.json ? write_json(std::cout, report) : print(std::cout, report);
  if (number_of(queue, admission::verdict::refused) != 0) return status::some_refused;
  return number_of(queue, admission::verdict::queued) != 0 ? status::some_queued : status::all_admitted;
}

status run(int argc, char** argv) {
  command_line line;
  CLI::App app{"admission: which jobs of a queue may start on the GPUs that are free, and on which nodes", "admission"};
  app.set_version_flag("--version", std::string{"admission of moeplan "} + MOEPLAN_VERSION);
  app.set_help_flag("--help,-h", "Print this and exit");
  app.footer(semantics);
  app.add_option("JOB", line.jobs, "Paths of deployment files, the first in the queue first")->required();
  app.add_option("--free", line.free, "Free GPUs of each node: 8,8,4,0; 32x8 are 32 nodes with 8 each")->type_name("LIST");
  app.add_option("--nodes", line.nodes, R"(The same as a file: {"nodes": [{"name": "a01", "free": 8}, ...]})")->type_name("FILE");
  app.add_option("--policy", line.policy, "first-fit (default) or best-fit");
  app.add_flag("--in-order", line.in_order, "A job that fits waits behind an earlier one that does not");
  app.add_flag("--json", line.json, "Answer as one JSON object");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) { return app.exit(error) == 0 ? status::all_admitted : status::unusable; }
  return decide(line);
}

} // namespace

int main(int argc, char** argv) {
  status result = status::unusable;
  try {
    result = run(argc, argv);
  } catch (const std::exception& error) { std::cerr << "admission: " << error.what() << '\n'; }
  if (!std::cout.flush()) {
    std::cerr << "admission: the answer cannot be written\n";
    result = status::unusable;
  }
  return static_cast<int>(result);
}
