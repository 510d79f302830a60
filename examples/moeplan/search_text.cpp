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
#include "states_advice.hpp"
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

std::string tokens_of(const search_candidate& c) {
  return c.tokens_in_turn > 0 ? grouped(std::to_string(std::llround(c.tokens_in_turn))) : "not known";
}

bool is_known(criterion by, const search_candidate& c) {
  switch (by) {
    case criterion::gpus:
    case criterion::layer_balance: break;
    case criterion::idle_gpus: return c.cluster_gpus != 0;
    case criterion::peak_memory:
    case criterion::headroom: return c.memory_known;
    case criterion::bubble: return c.bubble.known;
    case criterion::network_traffic: return c.network_bytes.given;
    case criterion::step_time: return c.step_bound.known;
    case criterion::throughput: return c.tokens_in_turn > 0;
  }
  return true;
}

/// Precondition: it is known.
std::string value_of(criterion by, const search_candidate& c) {
  switch (by) {
    case criterion::gpus: return grouped(c.gpus);
    case criterion::idle_gpus: return grouped(c.cluster_gpus - c.gpus);
    case criterion::peak_memory: return sized(static_cast<std::uint64_t>(c.peak_bytes));
    case criterion::headroom: return sized(static_cast<std::uint64_t>(c.headroom_bytes()));
    case criterion::bubble: return bubble_of(c);
    case criterion::layer_balance: return "the fullest has " + balance_of(c) + " times the mean";
    case criterion::network_traffic: return network_of(c);
    case criterion::step_time: return step_of(c);
    case criterion::throughput: break;
  }
  return tokens_of(c);
}

const char* superlative(criterion by) {
  switch (by) {
    case criterion::gpus: return "the fewest GPUs";
    case criterion::idle_gpus: return "the fewest idle GPUs";
    case criterion::peak_memory: return "the lowest peak";
    case criterion::headroom: return "the most headroom";
    case criterion::bubble: return "the smallest bubble";
    case criterion::layer_balance: return "the most even stages";
    case criterion::network_traffic: return "the least traffic over the network";
    case criterion::step_time: return "the shortest possible step";
    case criterion::throughput: break;
  }
  return "the most tokens a second";
}

/// "the fewest idle GPUs (0)"; empty where it is not known.
std::string best_value(criterion by, const search_candidate& first) {
  if (!is_known(by, first)) return {};
  return std::string{superlative(by)} + " (" + value_of(by, first) + ')';
}

/// "the most headroom: 35.59 GiB against 35.22 GiB of the second".
std::string against(criterion by, const search_candidate& first, const search_candidate& second) {
  const std::string mine = value_of(by, first);
  const std::string other = is_known(by, second) ? value_of(by, second) : "nothing that is known";
  const std::string all = std::string{superlative(by)} + ": " + mine;
  return mine == other ? all + ", before it is rounded" : all + " against " + other + " of the second";
}

void append(std::string& list, const char* between, const std::string& words) {
  if (words.empty()) return;
  if (!list.empty()) list += between;
  list += words;
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

std::string order_in_words(const rank_order& order) {
  std::string words;
  for (const axis a : order.axes) words += (words.empty() ? "" : "-") + string_of(name_of(a));
  return words;
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
  if (by.compares(criterion::throughput)) all.push_back({"tokens/s", 'r', tokens_of});
  if (!by.compares(criterion::step_time)) return all;
  all.push_back({"least step", 'r', step_of});
  all.push_back({"most MFU", 'r', utilisation_of});
  return all;
}

/// In the order in which the search decides them.
std::vector<column> chosen_columns(const search_space& s) {
  std::vector<column> all;
  const auto add = [&all](bool wanted, const char* title, char side, auto cell) {
    if (wanted) all.push_back({title, side, cell, true});
  };
  const auto add_degree = [&add](const char* title, axis a) {
    add(true, title, 'r', [a](const search_candidate& c) { return std::to_string(c.strategy[a]); });
  };
  const bool trains = s.base.workload.is_training();
  add_degree("TP", axis::tp);
  add_degree("CP", axis::cp);
  add_degree("SP", axis::sp);
  add_degree("EP", axis::ep);
  add_degree("ETP", axis::etp);
  add(!s.layouts.empty(), "layout", 'l', [](const search_candidate& c) { return layout_in_words(c.layout); });
  add_degree("PP", axis::pp);
  add(trains && !s.schedules.empty(), "schedule", 'l',
      [](const search_candidate& c) { return std::string{io::name_in(io::schedule_names, c.schedule)}; });
  add_degree("VPP", axis::vpp);
  add_degree("DP", axis::dp);
  add(trains && !s.shardings.empty(), "sharding", 'l',
      [](const search_candidate& c) { return std::string{io::name_in(io::sharding_names, c.sharding)}; });
  add(trains && s.micro_batch.what != search_values::kind::described, "micro-batch", 'r',
      [](const search_candidate& c) { return std::to_string(c.micro_batch); });
  add(trains && (!s.recomputes.empty() || s.smallest_recompute), "recompute", 'l',
      [](const search_candidate& c) { return recompute_in_words(c.recompute); });
  add(!s.orders.empty() || s.nearest_order, "order", 'l',
      [](const search_candidate& c) { return order_in_words(c.strategy.order); });
  return all;
}

/// What the search has decided differently, and so met the first before the second.
std::string found_before(const search_space& s, const search_candidate& first, const search_candidate& second) {
  for (const column& c : chosen_columns(s)) {
    const std::string mine = c.cell(first);
    const std::string other = c.cell(second);
    if (mine != other) return c.title + ' ' + mine + " is tried before " + c.title + ' ' + other;
  }
  return "it is found before it";
}

/// Why the first is the first.
std::string reason(const search_space& s, const search_report& report, const ranking& by) {
  const search_candidate& first = report.candidates[0];
  if (report.counts.legal == 1) return "the only legal strategy";
  std::string all;
  if (by.weighted || report.best < 2) {
    for (const ranking::entry& e : by.criteria)
      append(all, by.weighted ? ", " : ", then ",
             by.weighted && is_known(e.by, first) ? std::string{io::name_in(criterion_names, e.by)} + ' ' + value_of(e.by, first)
                                                  : best_value(e.by, first));
    return (by.weighted ? "the smallest weighted sum: " : "") + all;
  }
  const search_candidate& second = report.candidates[1];
  for (const ranking::entry& e : by.criteria) {
    if (better_by(e.by, first, second))
      return (all.empty() ? "" : all + ", as the second has; of such strategies ") + against(e.by, first, second);
    append(all, " and ", best_value(e.by, first));
  }
  return all + ", as the second has, and " + found_before(s, first, second);
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
    if (report.fewest_gpus != 0)
      out << wrapped(too_few_gpus(report.fewest_gpus, facts_of(file.space.base).available), terminal_width(), 4);
    return;
  }
  std::string summary = grouped(std::to_string(counts.legal)) + " of " + number_of(counts.considered) + " candidates are legal";
  if (!report.rejected.empty()) summary += "; rejected: " + rejected_in_words(report);
  out << wrapped(summary, terminal_width(), 4) << '\n';
  print_table(out, file, report, by);
  out << '\n'
      << wrapped("First: " + reason(file.space, report, by), terminal_width(), 4)
      << wrapped("* No legal strategy is better by one of the criteria and worse by none; of such strategies there are " +
                     grouped(static_cast<std::int64_t>(report.front.size())) + (report.front_is_complete ? "" : " or more"),
                 terminal_width(), 4);
  if (by.compares(criterion::throughput))
    out << wrapped(
        "tokens/s: at the peaks of GPUs and links, with communication that hides behind nothing: to rank by, no forecast",
        terminal_width(), 4);
}

} // namespace tool
