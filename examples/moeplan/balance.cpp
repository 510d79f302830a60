// moeplan balance: which slots hold which experts, so that GPUs are loaded evenly.
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include <moeplan/io/heat_map_svg.hpp>
#include <moeplan/io/json_writer.hpp>
#include <moeplan/io/loads_file.hpp>
#include <moeplan/io/placement_words.hpp>

#include "balance_report.hpp"
#include "balance_text.hpp"
#include "commands.hpp"
#include "output_files.hpp"
#include "text_table.hpp"

using namespace moeplan;

namespace tool {

namespace {

constexpr io::named<placement_algorithm> algorithms[] = {{"eplb", placement_algorithm::eplb}, {"best", placement_algorithm::best}};
constexpr io::named<placement_policy> policies[] = {{"hierarchical", placement_policy::hierarchical},
                                                    {"global", placement_policy::global}};

/// One of several words of the command line.
template <class T, std::size_t N>
T choice(const std::string& option, const std::string& word, const io::named<T> (&choices)[N]) {
  std::vector<std::string> names;
  for (const io::named<T>& c : choices) {
    if (word == c.name) return c.value;
    names.emplace_back(c.name);
  }
  throw io::input_error{{.file = option,
                         .found = io::in_quotes(word),
                         .expected = "one of " + io::listed(names),
                         .nearest = io::nearest_name(word, names)}};
}

template <class Number>
void write(io::json_writer& json, const char* key, const std::vector<Number>& numbers) {
  json.key(key).begin_array(io::json_lines::one);
  for (const Number n : numbers) json.value(n);
  json.end_array();
}

void write(io::json_writer& json, const char* key, const wide_ratio& exact) {
  const wide_ratio lowest = exact.lowest_terms();
  json.key(key);
  if (lowest.overflowed()) {
    json.null();
    return;
  }
  json.begin_object(io::json_lines::one);
  json.member("numerator", io::json_integer{digits_of(lowest.numerator)});
  json.member("denominator", io::json_integer{digits_of(lowest.denominator)}).end_object();
}

/// What is exact as fractions; null where the loads have no common denominator of 64 bits.
void write_exact(io::json_writer& json, const gpu_loads& loads) {
  json.key("exact");
  if (!loads.exact) {
    json.null();
    return;
  }
  json.begin_object();
  write(json, "max_over_mean", loads.exact->max_over_mean());
  write(json, "mean_gpu_load", loads.exact->mean());
  write(json, "efficiency", loads.exact->efficiency());
  write(json, "max_violation", loads.exact->max_violation());
  write(json, "variance", loads.exact->variance());
  write(json, "squared_coefficient_of_variation", loads.exact->squared_coefficient_of_variation());
  write(json, "gini", loads.exact_gini);
  json.end_object();
}

/// As an integer where it is one.
void write_load(io::json_writer& json, const wide_ratio& exact, double rounded) {
  if (!exact.overflowed() && exact.denominator == uint256{1})
    json.value(io::json_integer{digits_of(exact.numerator)});
  else
    json.value(rounded);
}

void write(io::json_writer& json, const gpu_loads& loads) {
  const placement_quality& q = loads.quality;
  json.key("gpu_load").begin_array(io::json_lines::one);
  for (std::size_t gpu = 0; gpu < loads.of_gpu.size(); ++gpu) write_load(json, loads.exact_of_gpu[gpu], loads.of_gpu[gpu]);
  json.end_array();
  json.member("max_over_mean", q.max_over_mean());
  json.key("max_gpu_load");
  write_load(json, loads.exact_of_gpu[static_cast<std::size_t>(q.busiest_gpu)], q.max_load);
  json.key("mean_gpu_load");
  write_load(json, loads.exact_mean, q.mean_load);
  json.member("busiest_gpu", q.busiest_gpu);
  json.member("efficiency", loads.metrics.efficiency()).member("max_violation", loads.metrics.max_violation());
  json.member("variance", loads.metrics.variance());
  json.member("squared_coefficient_of_variation", loads.metrics.squared_coefficient_of_variation());
  json.member("coefficient_of_variation", loads.metrics.coefficient_of_variation());
  json.member("gini", loads.gini).member("normalised_entropy", loads.normalised_entropy);
  json.member("gpus_with_an_expert_twice", q.gpus_with_an_expert_twice);
  write_exact(json, loads);
}

/// An exact product, of more than 64 bits too.
io::json_integer product(std::int64_t a, std::int64_t b) { return {digits_of(uint256{a} * uint256{b})}; }

void write_moves(io::json_writer& json, const balance_report& r, std::int64_t moves) {
  const bool known = r.before == placement_before::previous;
  json.key("moves");
  known ? json.value(moves) : json.null();
  if (!r.expert_bytes) return;
  json.key("moved_bytes");
  known ? json.value(product(moves, *r.expert_bytes)) : json.null();
}

void write(io::json_writer& json, const balance_report& r, const layer_report& layer) {
  json.begin_object();
  write(json, "physical_to_logical", layer.physical_to_logical);
  write(json, "logical_count", layer.logical_count);
  write(json, layer.after);
  json.member("lower_bound", layer.lower_bound()).member("bound_reason", name_of(layer.bounds.all.reason));
  json.key("lower_bound_without_an_expert_twice");
  const std::optional<double> apart = layer.lower_bound_apart();
  apart ? json.value(*apart) : json.null();
  write_moves(json, r, layer.moves);
  json.key("less_even_than_before");
  layer.before ? json.value(layer.is_less_even_than_before()) : json.null();
  json.key("before");
  if (layer.before) {
    json.begin_object();
    write(json, *layer.before);
    json.end_object();
  } else {
    json.null();
  }
  json.end_object();
}

void write(io::json_writer& json, const balance_report& r) {
  const placement_shape& s = r.shape;
  json.begin_object();
  json.member("algorithm", name_of(r.algorithm)).member("policy", name_of(r.policy));
  json.member("experts", s.experts).member("replicas", s.slots).member("groups", s.groups).member("nodes", s.nodes);
  json.member("gpus", s.gpus);
  json.member("worst_layer", r.worst()).member("max_over_mean", r.layers[r.worst()].after.quality.max_over_mean());
  write_moves(json, r, r.moves());
  json.key("layers").begin_array();
  for (const layer_report& layer : r.layers) write(json, r, layer);
  json.end_array();
  json.end_object();
}

void write(io::json_writer& json, const io::placement_finding& f) {
  json.begin_object();
  json.member("rule", f.rule).member("severity", "error").member("message", f.message);
  json.key("operands").begin_object(io::json_lines::one);
  for (const io::named_number& o : f.operands) json.member(o.name, o.value);
  json.end_object();
  if (!f.legal.empty()) {
    write(json, "legal", f.legal);
    json.member("changes", f.changes);
  }
  json.end_object();
}

/// More than anybody has, and about as many as are placed while one waits.
constexpr std::int64_t most_replicas(placement_algorithm algorithm) {
  return algorithm == placement_algorithm::eplb ? 1 << 20 : 1 << 16;
}

/// More replicas than are placed while one waits; absent: no more.
std::optional<io::placement_finding> too_many(const placement_shape& s, placement_algorithm algorithm) {
  const std::int64_t most = most_replicas(algorithm);
  if (s.slots <= most) return {};
  const bool search = algorithm == placement_algorithm::best;
  io::placement_finding f{.rule = "replicas_are_placed_in_time",
                          .message = "The number of replicas, " + std::to_string(s.slots) + ", is more than " +
                                     std::to_string(most) +
                                     (search ? ", the most for which a search takes seconds; --algorithm eplb places more."
                                             : ", the most that are placed in seconds."),
                          .operands = {{"replicas", s.slots}, {"most", most}}};
  const std::int64_t nearest = most / s.gpus * s.gpus;
  if (nearest < s.experts || nearest < 1) return f;
  f.changes = "replicas";
  f.legal = {nearest};
  return f;
}

status refuse(const io::placement_finding& f, const balance_options& options, std::ostream& out, std::ostream& err) {
  err << f.message << '\n';
  std::string values;
  for (const std::int64_t value : f.legal) values += (values.empty() ? "" : " or ") + std::to_string(value);
  if (!values.empty()) err << "Nearest legal: " << f.changes << ' ' << values << '\n';
  if (options.json) {
    io::json_writer json{out};
    json.begin_object();
    json.member("ok", false);
    json.key("findings").begin_array();
    write(json, f);
    json.end_array().end_object();
  }
  return status::wrong;
}

/// As multiples of the mean. Rows without any load are as even as can be.
std::vector<double> over_mean(const gpu_loads& loads) {
  std::vector<double> row = loads.of_gpu;
  for (double& x : row) x = loads.quality.mean_load > 0 ? x / loads.quality.mean_load : 1;
  return row;
}

void draw(std::ostream& out, const balance_report& r) {
  std::vector<io::heat_map> maps;
  if (r.before != placement_before::unknown) {
    io::heat_map map{
        .title = r.before == placement_before::previous ? "Before: the previous placement" : "Before: each expert once, in order",
        .rows = {}};
    for (const layer_report& layer : r.layers) map.rows.push_back(over_mean(*layer.before));
    maps.push_back(std::move(map));
  }
  io::heat_map map{.title = r.algorithm == placement_algorithm::eplb ? "After: EPLB" : "After: the most even placement found",
                   .rows = {}};
  for (const layer_report& layer : r.layers) map.rows.push_back(over_mean(layer.after));
  maps.push_back(std::move(map));
  io::write_heat_maps(out, maps);
}

balance_wish wish_of(const balance_options& options, const io::loads_file& file) {
  balance_wish wish;
  wish.algorithm = choice("--algorithm", options.algorithm, algorithms);
  wish.policy = options.policy.empty() ? eplb_policy(file.shape) : choice("--policy", options.policy, policies);
  wish.most_moves = options.most_moves;
  if (!options.most_moves.given) return wish;
  const auto refuse_moves = [](const char* problem) { throw io::input_error{{.file = "--most-moves", .problem = problem}}; };
  if (wish.algorithm != placement_algorithm::best) refuse_moves("EPLB places anew and knows no limit; --algorithm best does");
  if (file.previous.empty()) refuse_moves("the file gives no \"previous\" placement to move from");
  if (options.most_moves.number < 0) refuse_moves("the number of moves is negative");
  return wish;
}

} // namespace

status balance(const balance_options& options, std::ostream& out, std::ostream& err) {
  balance_answer answer;
  output_files files{options.input};
  files.add("--svg", options.svg, [&answer](std::ostream& picture) { draw(picture, *answer.report); });
  const io::loads_file file = io::read_loads(options.input);
  const balance_wish wish = wish_of(options, file);
  const std::size_t layers = file.loads.size();
  if (options.layer.given && (options.layer.number < 0 || static_cast<std::uint64_t>(options.layer.number) >= layers))
    throw io::input_error{{.file = "--layer",
                           .found = std::to_string(options.layer.number),
                           .expected = "a layer from 0 to " + std::to_string(layers - 1)}};
  if (check_shape(file.shape, wish.policy).ok())
    if (const auto f = too_many(file.shape, wish.algorithm)) return refuse(*f, options, out, err);
  answer = balance(file, wish);
  if (!answer.report) {
    io::placement_finding f = io::words_of(answer.problem.error, file.shape);
    if (answer.problem.layer >= 0) {
      f.message = "Layer " + std::to_string(answer.problem.layer) + ": " + f.message;
      f.operands.push_back({"layer", answer.problem.layer});
    }
    return refuse(f, options, out, err);
  }
  const balance_report& report = *answer.report;
  files.write();
  if (options.json) {
    io::json_writer json{out};
    write(json, report);
  } else {
    print_balance(out, report, options.layer.given ? static_cast<std::size_t>(options.layer.number) : report.worst());
  }
  return status::fine;
}

} // namespace tool
