// The commands of the tool. Each writes its answer to `out` and returns the exit status; findings go to `err` where they are not the
// answer itself. Input that cannot be used leaves a command as moeplan::io::input_error.
#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>

#include <moeplan/cost/step_time.hpp>
#include <moeplan/describe/strategy.hpp>
#include <moeplan/number/optional_integer.hpp>
#include <moeplan/pipeline/pass_times.hpp>

#include "output_files.hpp"

namespace tool {

/// Exit statuses.
enum class status : int {
  fine = 0,    ///< done, and nothing is wrong
  wrong = 1,   ///< the input was understood, and something in it is wrong
  unusable = 2 ///< the input cannot be used
};

struct params_options {
  std::string input; ///< path of a config.json or a name of the catalog
  bool json = false;
};
status params(const params_options& options, std::ostream& out, std::ostream& err);

struct gpus_options {
  std::string input;
  bool json = false;
};
status gpus(const gpus_options& options, std::ostream& out, std::ostream& err);

struct ranks_options {
  std::string input;            ///< path of a deployment; empty: `world` and `strategy` hold
  std::int64_t world = 0;       ///< GPUs
  moeplan::strategy strategy{}; ///< without DP, which follows from `world`
  std::string group;            ///< empty: all groups of one rank
  moeplan::optional_integer rank{};
  bool json = false;
};
status ranks(const ranks_options& options, std::ostream& out, std::ostream& err);

struct check_options {
  std::string input;
  bool explain = false;
  bool json = false;
};
status check(const check_options& options, std::ostream& out, std::ostream& err);

struct memory_options {
  std::string input;
  bool terms = false; ///< every tensor and buffer too
  bool json = false;
};
status memory(const memory_options& options, std::ostream& out, std::ostream& err);

struct balance_options {
  std::string input;
  std::string algorithm = "best";
  std::string policy; ///< empty: the one that EPLB takes
  moeplan::optional_integer most_moves{};
  moeplan::optional_integer layer{}; ///< to show GPU by GPU; absent: the least even one
  output_path svg;                   ///< of a picture to write
  bool json = false;
};
status balance(const balance_options& options, std::ostream& out, std::ostream& err);

struct pipeline_options {
  std::string input;
  moeplan::pass_times times{};
  output_path svg;    ///< of a picture to write
  output_path trace;  ///< of a trace
  output_path dot;    ///< of a task graph
  bool order = false; ///< every operation too
  bool json = false;
};
status pipeline(const pipeline_options& options, std::ostream& out, std::ostream& err);

struct cost_options {
  std::string input;
  std::optional<moeplan::efficiencies> reached; ///< of each resource's peak, for an estimate
  bool json = false;
};
status cost(const cost_options& options, std::ostream& out, std::ostream& err);

struct repair_options {
  std::string input;
  std::string keep;                            ///< names of parts that stay as they are, with commas between them
  moeplan::optional_integer most{};            ///< repairs to show, from 1 to 64; absent: 8
  moeplan::optional_integer most_considered{}; ///< deployments to look at, at least 1
  bool json = false;
};
status repair(const repair_options& options, std::ostream& out, std::ostream& err);

struct translate_options {
  std::string input;   ///< path of a deployment; empty: `from` and `flags` hold
  std::string from;    ///< name of the framework that `flags` belong to
  std::string flags;   ///< its launch line
  std::string to;      ///< name of the framework to write for; empty: `from`
  std::string model;   ///< name of the catalog or path of a config.json; empty: what the flags name
  std::string profile; ///< whose rules apply to what `flags` describe; empty: those of `from`
  moeplan::optional_integer gpus{};
  moeplan::optional_integer gpus_per_node{};
  bool json = false;
};
status translate(const translate_options& options, std::ostream& out, std::ostream& err);

/// What search ranks by if nothing is said. Tokens a second count all that is computed and sent. Bubble and headroom alone put first what
/// nobody would run, tensor parallelism over all GPUs; so they decide between strategies that are equally fast, or of unknown speed.
inline constexpr const char* default_criteria = "throughput,idle_gpus,bubble,headroom";

struct search_options {
  std::string input;
  std::string by = default_criteria; ///< criteria in order, or with weights
  std::int64_t top = 10;             ///< how many of the best are shown
  bool json = false;
};
status search(const search_options& options, std::ostream& out, std::ostream& err);

struct audit_options {
  std::string input;        ///< path of a report; empty: `quantities` holds
  bool quantities = false;  ///< list what claims can be about
  bool all_reasons = false; ///< of claims that hold too
  bool markdown = false;    ///< a document in place of text
  bool json = false;
};
status audit(const audit_options& options, std::ostream& out, std::ostream& err);

} // namespace tool
