#include "balance_text.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "terminal.hpp"
#include "text_table.hpp"

using namespace moeplan;

namespace tool {

namespace {

constexpr std::size_t bar_width = 36;
constexpr std::size_t most_bars = 48;

std::string ratio_of(double x) {
  char digits[512];
  const int length = std::snprintf(digits, sizeof digits, "%.4f", x);
  return {digits, static_cast<std::size_t>(length)};
}

std::string percent_above(double x, double bound) {
  char digits[512];
  const int length = std::snprintf(digits, sizeof digits, "%.3f%%", 100 * (x / bound - 1));
  return {digits, static_cast<std::size_t>(length)};
}

/// A load as a double, and its digits where it is a whole number.
struct shown_load {
  double load = 0;
  std::string digits{};
};

shown_load load_of(const gpu_loads& loads, std::size_t gpu) {
  const ratio& exact = loads.exact_of_gpu[gpu];
  const bool whole = !exact.overflowed() && exact.denominator == 1;
  return {loads.of_gpu[gpu], whole ? std::to_string(exact.numerator.value()) : std::string{}};
}

shown_load mean_of(const gpu_loads& loads) {
  const bool whole = !loads.exact_mean.overflowed() && loads.exact_mean.denominator == uint256{1};
  return {loads.quality.mean_load, whole ? digits_of(loads.exact_mean.numerator) : std::string{}};
}

/// How the loads of a table are written: whole where all of them are, else with as many digits behind the point as tell different ones
/// apart.
class load_format {
public:
  explicit load_format(const std::vector<shown_load>& loads) {
    std::vector<double> sorted;
    for (const shown_load& l : loads) {
      sorted.push_back(l.load);
      whole_ = whole_ && !l.digits.empty();
    }
    std::sort(sorted.begin(), sorted.end());
    const double highest = sorted.empty() ? 0 : sorted.back();
    // Beyond 15 digits in all there is but rounding.
    while (decimals_ < most_decimals && highest * std::pow(10, decimals_ + 1) < 1e15 && !tells_apart(sorted)) ++decimals_;
  }

  [[nodiscard]] std::string text(const shown_load& l) const {
    if (whole_ && !l.digits.empty()) return grouped(l.digits);
    return l.load < 1e15 ? with_decimals(l.load, decimals_) : in_full(l.load);
  }

private:
  static constexpr int most_decimals = 12;

  /// All digits of a double that is too large for any behind the point.
  static std::string in_full(double x) {
    char digits[64];
    const int length = std::snprintf(digits, sizeof digits, "%.17g", x);
    return {digits, static_cast<std::size_t>(length)};
  }

  static std::string with_decimals(double x, int decimals) {
    char digits[64];
    const int length = std::snprintf(digits, sizeof digits, "%.*f", decimals, x);
    const std::string text{digits, static_cast<std::size_t>(length)};
    const std::size_t point = text.find('.');
    return grouped(text.substr(0, point)) + text.substr(point);
  }

  [[nodiscard]] bool tells_apart(const std::vector<double>& sorted) const {
    for (std::size_t i = 1; i < sorted.size(); ++i)
      if (sorted[i] > sorted[i - 1] * (1 + rounding) &&
          with_decimals(sorted[i], decimals_) == with_decimals(sorted[i - 1], decimals_))
        return false;
    return true;
  }

  bool whole_ = true;
  int decimals_ = 1;
};

const char* reason_of(bound_reason reason) {
  switch (reason) {
    case bound_reason::mean: return "a GPU carries the mean at least";
    case bound_reason::copies: return "some expert's copies carry that much each";
    case bound_reason::node: return "some node's groups carry too much";
    case bound_reason::pairs: return "heavy copies have too few light ones to go with";
    case bound_reason::search: break;
  }
  return "every placement was tried";
}

void print_heading(std::ostream& out, const balance_report& r) {
  const placement_shape& s = r.shape;
  const bool hierarchical = r.policy == placement_policy::hierarchical;
  out << (r.algorithm == placement_algorithm::eplb ? "DeepSeek's EPLB" : "The most even placement found") << ", policy "
      << name_of(r.policy) << ": " << counted(s.experts, "expert") << " in " << counted(s.slots, "slot") << ' '
      << (r.layers.size() == 1 ? "of one layer" : "of each of " + counted(static_cast<std::int64_t>(r.layers.size()), "layer"))
      << " on " << counted(s.gpus, "GPU");
  if (hierarchical)
    out << ", " << counted(s.groups, "group") << " of experts on " << counted(s.nodes, "node")
        << (s.groups > 1 ? ", each group whole on one" : "");
  out << ".\n";
  switch (r.before) {
    case placement_before::previous: out << "Before: the previous placement.\n\n"; break;
    case placement_before::in_order: out << "Before: each expert once, in order, as many on every GPU.\n\n"; break;
    case placement_before::unknown:
      out << "Before: not known, since no previous placement is given and " << counted(s.gpus, "GPU") << " do not divide "
          << counted(s.experts, "expert") << ".\n\n";
  }
}

void print_layers(std::ostream& out, const balance_report& r) {
  const bool before = r.before != placement_before::unknown;
  const bool moves = r.before == placement_before::previous;
  const bool twice = std::any_of(r.layers.begin(), r.layers.end(),
                                 [](const layer_report& layer) { return layer.after.quality.gpus_with_an_expert_twice > 0; });
  out << "The busiest GPU over the mean\n";
  std::string columns = "rrrr";
  for (const bool more : {before, moves, twice})
    if (more) columns += 'r';
  columns += 'l'; // what the bound rests on
  text_table table{columns};
  std::vector<std::string> heading{"layer"};
  if (before) heading.emplace_back("before");
  for (const char* name : {"after", "bound", "above it"}) heading.emplace_back(name);
  if (moves) heading.emplace_back("moves");
  if (twice) heading.emplace_back("GPUs with an expert twice");
  heading.emplace_back("the bound: no placement is below, since");
  table.row(heading);
  for (std::size_t i = 0; i < r.layers.size(); ++i) {
    const layer_report& layer = r.layers[i];
    const double after = layer.after.quality.max_over_mean();
    const double bound = layer.lower_bound();
    std::vector<std::string> cells{std::to_string(i)};
    if (before) cells.push_back(ratio_of(layer.before->quality.max_over_mean()));
    cells.push_back(ratio_of(after));
    cells.push_back(ratio_of(bound));
    cells.push_back(percent_above(after, bound));
    if (moves) cells.push_back(grouped(layer.moves));
    if (twice) cells.push_back(grouped(layer.after.quality.gpus_with_an_expert_twice));
    cells.emplace_back(reason_of(layer.bounds.all.reason));
    table.row(std::move(cells));
  }
  table.print(out, 2);
  out << '\n';
}

/// A bar with the mean marked on it.
std::string bar_of(double load, double mean, double scale) {
  const auto column = [scale](double x) {
    return static_cast<std::size_t>(std::lround(x / scale * static_cast<double>(bar_width)));
  };
  std::string bar(bar_width + 1, ' ');
  std::fill_n(bar.begin(), column(load), '#');
  bar[column(mean)] = '|';
  return bar;
}

/// Of GPUs that share a line, the busiest.
shown_load busiest(const gpu_loads& loads, std::size_t first, std::size_t count) {
  const auto begin = loads.of_gpu.begin() + static_cast<std::ptrdiff_t>(first);
  const auto end = begin + static_cast<std::ptrdiff_t>(std::min(count, loads.of_gpu.size() - first));
  return load_of(loads, static_cast<std::size_t>(std::max_element(begin, end) - loads.of_gpu.begin()));
}

/// A line of GPUs: their loads now and, where that is known, before.
struct gpu_line {
  std::string gpus;
  std::vector<shown_load> loads;
};

std::vector<gpu_line> lines_of(const layer_report& layer, std::size_t together) {
  std::vector<gpu_line> lines;
  const std::size_t gpus = layer.after.of_gpu.size();
  for (std::size_t first = 0; first < gpus; first += together) {
    const std::size_t last = std::min(first + together, gpus) - 1;
    gpu_line& line = lines.emplace_back();
    line.gpus = together > 1 ? std::to_string(first) + '-' + std::to_string(last) : std::to_string(first);
    if (layer.before) line.loads.push_back(busiest(*layer.before, first, together));
    line.loads.push_back(busiest(layer.after, first, together));
  }
  return lines;
}

void print_gpus(std::ostream& out, const balance_report& r, std::size_t shown) {
  const layer_report& layer = r.layers[shown];
  const std::size_t together = (layer.after.of_gpu.size() + most_bars - 1) / most_bars;
  const std::vector<gpu_line> lines = lines_of(layer, together);
  std::vector<shown_load> loads;
  for (const gpu_line& line : lines) loads.insert(loads.end(), line.loads.begin(), line.loads.end());
  const load_format format{loads};
  const shown_load mean = mean_of(layer.after);
  const double highest = std::max(layer.after.quality.max_load, layer.before ? layer.before->quality.max_load : 0);
  out << "Layer " << shown << ", GPU by GPU"
      << (together > 1 ? ", " + std::to_string(together) + " to a line: the busiest of them" : "") << "; | is the mean, "
      << format.text(mean) << '\n';
  if (highest == 0) {
    out << "  There is no load.\n\n";
    return;
  }
  text_table table{layer.before ? "rrlrl" : "rrl"};
  table.row(layer.before ? std::vector<std::string>{"GPU", "before", "", "after", ""}
                         : std::vector<std::string>{"GPU", "after", ""});
  for (const gpu_line& line : lines) {
    std::vector<std::string> cells{line.gpus};
    for (const shown_load& l : line.loads) {
      cells.push_back(format.text(l));
      cells.push_back(bar_of(l.load, mean.load, highest));
    }
    table.row(std::move(cells));
  }
  table.print(out, 2);
  out << '\n';
}

/// Where what was tried says more than the bound of all placements.
void print_bounds_apart(std::ostream& out, const balance_report& r) {
  bool printed = false;
  for (std::size_t i = 0; i < r.layers.size(); ++i) {
    const std::optional<double> apart = r.layers[i].lower_bound_apart();
    if (!apart || *apart <= r.layers[i].lower_bound()) continue;
    out << wrapped("Layer " + std::to_string(i) + ": " + ratio_of(*apart) +
                       " is the best without an expert twice on a GPU, all of which were tried. With one, it may be more even.",
                   terminal_width());
    printed = true;
  }
  if (printed) out << '\n';
}

const char* why_less_even(const balance_report& r, const layer_report& layer) {
  if (r.algorithm == placement_algorithm::eplb) return "EPLB does not look at it";
  if (!layer.before_obeys_policy) return "it does not keep groups on their nodes, as the policy wants";
  if (layer.before->quality.gpus_with_an_expert_twice > 0) return "it holds an expert twice on a GPU, which the search avoids";
  return "the search did not come as far";
}

/// Where moves are paid for less evenness.
void print_less_even(std::ostream& out, const balance_report& r) {
  bool printed = false;
  for (std::size_t i = 0; i < r.layers.size(); ++i) {
    const layer_report& layer = r.layers[i];
    if (!layer.is_less_even_than_before()) continue;
    out << wrapped("Layer " + std::to_string(i) + " is less even than before: " + ratio_of(layer.before->quality.max_over_mean()) +
                       " before, " + ratio_of(layer.after.quality.max_over_mean()) +
                       " after. Better keep the placement before: " + why_less_even(r, layer) + '.',
                   terminal_width());
    printed = true;
  }
  if (printed) out << '\n';
}

void print_moves(std::ostream& out, const balance_report& r) {
  if (r.before != placement_before::previous) return;
  const std::int64_t moves = r.moves();
  out << "Experts to copy to GPUs that do not hold them: " << grouped(moves);
  if (r.expert_bytes) {
    std::int64_t bytes = 0;
    if (__builtin_mul_overflow(moves, *r.expert_bytes, &bytes))
      out << ", in bytes more than 2^63";
    else
      out << ", " << sized(static_cast<std::uint64_t>(bytes));
  }
  out << ".\n";
}

} // namespace

void print_balance(std::ostream& out, const balance_report& report, std::size_t shown) {
  print_heading(out, report);
  print_layers(out, report);
  print_bounds_apart(out, report);
  print_less_even(out, report);
  print_gpus(out, report, shown);
  print_moves(out, report);
}

} // namespace tool
