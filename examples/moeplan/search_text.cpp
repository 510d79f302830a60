#include "search_text.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <moeplan/io/enumerator_names.hpp>

#include "findings_output.hpp"
#include "terminal.hpp"
#include "text_table.hpp"

using namespace moeplan;

namespace tool {

namespace {

/// "2^64 or more" where it needs more than 64 bits.
std::string number_of(saturating_count n) { return n.overflowed() ? "2^64 or more" : grouped(std::to_string(n.bits)); }

/// "12.3%" of 123 tenths of a per cent.
std::string in_tenths(long long tenths) { return std::to_string(tenths / 10) + '.' + std::to_string(tenths % 10) + '%'; }

/// Rounded to nearest.
std::string percent(count part, count whole) {
  return in_tenths(std::llround(static_cast<double>(part.value()) / static_cast<double>(whole.value()) * 1000));
}

std::string bubble_of(const search_candidate& c) {
  return c.bubble.known ? percent(c.bubble.idle, c.bubble.makespan()) : "not known";
}

std::string balance_of(const search_candidate& c) {
  const ratio r = c.layer_balance;
  const auto thousandths = std::llround(r.to_double() * 1000);
  const std::string rest = std::to_string(1000 + thousandths % 1000);
  return std::to_string(thousandths / 1000) + '.' + rest.substr(1);
}

std::string network_of(const search_candidate& c) {
  return c.network_bytes.given ? sized(static_cast<std::uint64_t>(c.network_bytes.number)) : "not known";
}

std::string step_of(const search_candidate& c) {
  if (!c.step_bound.known) return "not known";
  std::array<char, 32> words{};
  const double s = c.step_bound.seconds;
  const int length = s < 1 ? std::snprintf(words.data(), words.size(), "%.4g ms", s * 1e3)
                           : std::snprintf(words.data(), words.size(), "%.4g s", s);
  return {words.data(), static_cast<std::size_t>(length)};
}

std::string utilisation_of(const search_candidate& c) {
  return c.most_utilisation > 0 ? in_tenths(std::llround(c.most_utilisation * 1000)) : "-";
}

std::string shown(criterion by, const search_candidate& c) {
  switch (by) {
    case criterion::gpus: return counted(c.gpus, "GPU");
    case criterion::idle_gpus:
      if (c.cluster_gpus == 0) return "an unknown number of idle GPUs";
      return counted(c.cluster_gpus - c.gpus, "idle GPU");
    case criterion::peak_memory:
      return c.memory_known ? "a peak of " + sized(static_cast<std::uint64_t>(c.peak_bytes)) : "an unknown peak";
    case criterion::headroom:
      return c.memory_known ? sized(static_cast<std::uint64_t>(c.headroom_bytes())) + " of headroom" : "unknown headroom";
    case criterion::bubble: return c.bubble.known ? "a bubble of " + bubble_of(c) : "a bubble without closed form";
    case criterion::layer_balance: return "fullest stage " + balance_of(c) + " times the mean";
    case criterion::network_traffic:
      return c.network_bytes.given ? network_of(c) + " over the network" : "unknown traffic over the network";
    case criterion::step_time: break;
  }
  return c.step_bound.known ? "a step of at least " + step_of(c) : "a step of unknown length";
}

/// What the first has that the second has not.
std::string reason(const search_report& report, const ranking& by) {
  const search_candidate& first = report.candidates[0];
  if (report.counts.legal == 1) return "the only legal strategy";
  std::string all;
  for (const ranking::entry& e : by.criteria) all += (all.empty() ? "" : ", ") + shown(e.by, first);
  if (by.weighted) return "the least weighted sum: " + all;
  if (report.best < 2) return "first by " + std::string{io::name_in(criterion_names, by.criteria[0].by)} + ": " + all;
  const search_candidate& second = report.candidates[1];
  std::string equal;
  for (const ranking::entry& e : by.criteria) {
    if (better_by(e.by, first, second))
      return (equal.empty() ? "" : "like the second " + equal + "; then ") + shown(e.by, first) + " against " + shown(e.by, second);
    equal += (equal.empty() ? "" : ", ") + shown(e.by, first);
  }
  return "equal to the second (" + equal + ") and found before it";
}

std::string recompute_in_words(const recompute_choice& r) {
  std::string kind = io::name_in(io::recompute_names, r.recompute);
  if (r.recompute == recompute::none) return kind;
  if (r.recompute == recompute::full)
    return kind + ' ' + io::name_in(io::recompute_method_names, r.method) + ' ' + std::to_string(r.layers);
  std::string modules;
  for (const auto& m : io::recompute_module_names)
    if (r.modules.*m.value) modules += (modules.empty() ? "" : "+") + std::string{m.name};
  return modules.empty() ? kind : modules;
}

std::string layout_in_words(search_layout l) {
  return l == search_layout::described ? "as described" : io::name_in(io::search_layout_names, l);
}

/// A column of the table: of what came out, or of what was chosen.
struct column {
  std::string title;
  char side = 'r';
  std::function<std::string(const search_candidate&)> cell;
  bool chosen = false;
};

std::vector<column> result_columns(bool trains, const ranking& by) {
  const auto in_gib = [](const search_candidate& c, std::int64_t amount) {
    return c.memory_known ? gibibytes(static_cast<std::uint64_t>(amount)) : "-";
  };
  std::vector<column> all{
      {"GPUs", 'r', [](const search_candidate& c) { return grouped(c.gpus); }},
      {"peak GiB", 'r', [in_gib](const search_candidate& c) { return in_gib(c, c.peak_bytes); }},
      {"free GiB", 'r', [in_gib](const search_candidate& c) { return in_gib(c, c.headroom_bytes()); }},
  };
  if (trains) all.push_back({"bubble", 'r', bubble_of});
  if (by.compares(criterion::network_traffic)) all.push_back({"network", 'r', network_of});
  if (!by.compares(criterion::step_time)) return all;
  all.push_back({"least step", 'r', step_of});
  all.push_back({"most MFU", 'r', utilisation_of});
  return all;
}

std::vector<column> chosen_columns(const search_space& s) {
  std::vector<column> all;
  const std::pair<const char*, axis> degrees[] = {{"TP", axis::tp}, {"CP", axis::cp},   {"EP", axis::ep}, {"ETP", axis::etp},
                                                  {"PP", axis::pp}, {"VPP", axis::vpp}, {"DP", axis::dp}, {"SP", axis::sp}};
  for (const auto& [title, a] : degrees)
    all.push_back({title, 'r', [a = a](const search_candidate& c) { return std::to_string(c.strategy[a]); }, true});
  const auto add = [&all](bool wanted, const char* title, char side, auto cell) {
    if (wanted) all.push_back({title, side, cell, true});
  };
  const bool trains = s.base.workload.is_training();
  add(trains && s.micro_batch.what != search_values::kind::described, "micro-batch", 'r',
      [](const search_candidate& c) { return std::to_string(c.micro_batch); });
  add(!s.layouts.empty(), "layout", 'l', [](const search_candidate& c) { return layout_in_words(c.layout); });
  add(trains && !s.schedules.empty(), "schedule", 'l',
      [](const search_candidate& c) { return std::string{io::name_in(io::schedule_names, c.schedule)}; });
  add(trains && !s.shardings.empty(), "sharding", 'l',
      [](const search_candidate& c) { return std::string{io::name_in(io::sharding_names, c.sharding)}; });
  add(trains && (!s.recomputes.empty() || s.smallest_recompute), "recompute", 'l',
      [](const search_candidate& c) { return recompute_in_words(c.recompute); });
  return all;
}

/// What all strategies of the table have in common stands below it.
void print_table(std::ostream& out, const io::search_file& file, const search_report& report, const ranking& by) {
  const std::vector<search_candidate> best(report.candidates.begin(),
                                           report.candidates.begin() + static_cast<std::ptrdiff_t>(report.best));
  std::vector<column> columns = result_columns(file.space.base.workload.is_training(), by);
  const bool even = std::all_of(best.begin(), best.end(), [](const auto& c) { return c.layer_balance == ratio{1}; });
  if (!even) columns.push_back({"layers, most/mean", 'r', balance_of});
  std::string common;
  for (const column& c : chosen_columns(file.space)) {
    const std::string first = c.cell(best.front());
    if (best.size() > 1 && std::all_of(best.begin(), best.end(), [&](const auto& b) { return c.cell(b) == first; }))
      common += (common.empty() ? "" : ", ") + c.title + ' ' + first;
    else
      columns.push_back(c);
  }
  std::string alignment = "rl";
  std::vector<std::string> titles{"", ""};
  for (const column& c : columns) alignment += c.side, titles.push_back(c.title);
  text_table table{alignment};
  table.row(titles);
  for (std::size_t i = 0; i < best.size(); ++i) {
    const bool on_front = std::find(report.front.begin(), report.front.end(), i) != report.front.end();
    std::vector<std::string> cells{std::to_string(i + 1), on_front ? "*" : ""};
    for (const column& c : columns) cells.push_back(c.cell(best[i]));
    table.row(cells);
  }
  table.print(out);
  if (!common.empty()) out << wrapped("All have " + common + '.', terminal_width(), 2);
}

} // namespace

std::string rejected_in_words(const search_report& report) {
  std::string words;
  for (const auto& [id, n] : report.rejected)
    words += (words.empty() ? "" : ", ") + number_of(n) + " by " + string_of(text{rules::entry(id).name});
  return words;
}

void print_search(std::ostream& out, const io::search_file& file, const search_report& report, const ranking& by) {
  const search_counts& counts = report.counts;
  if (counts.legal == 0) {
    out << wrapped(
        "No legal strategy. Rejected were all " + number_of(counts.considered) + " candidates: " + rejected_in_words(report),
        terminal_width(), 4);
    return;
  }
  std::string summary = grouped(std::to_string(counts.legal)) + " of " + number_of(counts.considered) + " candidates are legal";
  if (!report.rejected.empty()) summary += "; rejected: " + rejected_in_words(report);
  out << wrapped(summary, terminal_width(), 4) << '\n';
  print_table(out, file, report, by);
  out << '\n'
      << wrapped("First: " + reason(report, by), terminal_width(), 4)
      << wrapped("* No legal strategy is better by one of the criteria and worse by none; of such strategies there are " +
                     grouped(static_cast<std::int64_t>(report.front.size())) + (report.front_is_complete ? "" : " or more"),
                 terminal_width(), 4);
}

} // namespace tool
