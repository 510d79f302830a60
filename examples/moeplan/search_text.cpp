#include "search_text.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <moeplan/io/enumerator_names.hpp>

#include "findings_output.hpp"
#include "text_table.hpp"

using namespace moeplan;

namespace tool {

namespace {

/// "2^64 or more" where it needs more than 64 bits.
std::string number_of(saturating_count n) { return n.overflowed() ? "2^64 or more" : grouped(std::to_string(n.bits)); }

/// Tenths of a per cent, rounded to nearest.
std::string percent(count part, count whole) {
  const double tenths = static_cast<double>(part.value()) / static_cast<double>(whole.value()) * 1000;
  const auto rounded = std::llround(tenths);
  return std::to_string(rounded / 10) + '.' + std::to_string(rounded % 10) + '%';
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

std::string shown(criterion by, const search_candidate& c) {
  switch (by) {
    case criterion::gpus: return counted(c.gpus, "GPU");
    case criterion::idle_gpus: return counted(c.cluster_gpus - c.gpus, "idle GPU");
    case criterion::peak_memory:
      return c.memory_known ? "a peak of " + sized(static_cast<std::uint64_t>(c.peak_bytes)) : "an unknown peak";
    case criterion::headroom:
      return c.memory_known ? sized(static_cast<std::uint64_t>(c.headroom_bytes())) + " of headroom" : "unknown headroom";
    case criterion::bubble: return c.bubble.known ? "a bubble of " + bubble_of(c) : "a bubble without closed form";
    case criterion::layer_balance: break;
  }
  return "fullest stage " + balance_of(c) + " times the mean";
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

void print_table(std::ostream& out, const io::search_file& file, const search_report& report) {
  const bool trains = file.space.base.workload.is_training();
  const search_space& s = file.space;
  const bool micro_batch = trains && s.micro_batch.what != search_values::kind::described;
  const bool recomputes = trains && (!s.recomputes.empty() || s.smallest_recompute);
  const bool shardings = trains && !s.shardings.empty();
  const bool schedules = trains && !s.schedules.empty();
  std::vector<std::string> titles{"", "", "GPUs", "peak GiB", "free GiB"};
  std::string alignment = "rlrrr";
  const auto add = [&](bool wanted, const char* title, char side) {
    if (!wanted) return;
    titles.emplace_back(title);
    alignment += side;
  };
  add(trains, "bubble", 'r');
  add(true, "layers", 'r');
  for (const char* degree : {"TP", "CP", "EP", "ETP", "PP", "VPP", "DP", "SP"}) add(true, degree, 'r');
  add(micro_batch, "micro-batch", 'r');
  add(!s.layouts.empty(), "layout", 'l');
  add(schedules, "schedule", 'l');
  add(shardings, "sharding", 'l');
  add(recomputes, "recompute", 'l');
  text_table table{alignment};
  table.row(titles);
  std::size_t shown_rows = 0;
  for (std::size_t i = 0; i < report.candidates.size() && shown_rows < report.best; ++i, ++shown_rows) {
    const search_candidate& c = report.candidates[i];
    const bool on_front = std::find(report.front.begin(), report.front.end(), i) != report.front.end();
    std::vector<std::string> cells{std::to_string(i + 1), on_front ? "*" : "", grouped(c.gpus),
                                   c.memory_known ? gibibytes(static_cast<std::uint64_t>(c.peak_bytes)) : "-",
                                   c.memory_known ? gibibytes(static_cast<std::uint64_t>(c.headroom_bytes())) : "-"};
    if (trains) cells.push_back(bubble_of(c));
    cells.push_back(balance_of(c));
    for (const axis a : {axis::tp, axis::cp, axis::ep, axis::etp, axis::pp, axis::vpp, axis::dp, axis::sp})
      cells.push_back(std::to_string(c.strategy[a]));
    if (micro_batch) cells.push_back(std::to_string(c.micro_batch));
    if (!s.layouts.empty()) cells.push_back(layout_in_words(c.layout));
    if (schedules) cells.emplace_back(io::name_in(io::schedule_names, c.schedule));
    if (shardings) cells.emplace_back(io::name_in(io::sharding_names, c.sharding));
    if (recomputes) cells.push_back(recompute_in_words(c.recompute));
    table.row(cells);
  }
  table.print(out);
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
    out << "No legal strategy. Rejected were all " << number_of(counts.considered) << " candidates: " << rejected_in_words(report)
        << '\n';
    return;
  }
  out << grouped(std::to_string(counts.legal)) << " of " << number_of(counts.considered) << " candidates are legal";
  if (!report.rejected.empty()) out << "; rejected: " << rejected_in_words(report);
  out << "\n\n";
  print_table(out, file, report);
  out << "\nFirst: " << reason(report, by)
      << "\n* No legal strategy is better by one of the criteria and worse by none; of such strategies there are "
      << grouped(static_cast<std::int64_t>(report.front.size())) << (report.front_is_complete ? "" : " or more") << '\n';
}

} // namespace tool
