#include "cost_text.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "terminal.hpp"
#include "text_table.hpp"

using namespace moeplan;

namespace tool {

namespace {

/// Columns of the longest bar, beside one column of times or two.
constexpr std::size_t bar_width = 36;
constexpr std::size_t bar_width_with_estimate = 26;

/// "12.3" of 12.34.
std::string rounded(double x, int decimals) {
  char digits[512];
  const int length = std::snprintf(digits, sizeof digits, "%.*f", decimals, x);
  return {digits, static_cast<std::size_t>(length)};
}

/// Four digits or more, with commas: "1,234", "123.4", "12.34", "1.234".
std::string with_four_digits(double x) {
  const int decimals = x >= 1000 ? 0 : x >= 100 ? 1 : x >= 10 ? 2 : 3;
  const std::string number = rounded(x, decimals);
  const std::size_t point = std::min(number.find('.'), number.size());
  return grouped(number.substr(0, point)) + number.substr(point);
}

std::string time_of(double seconds) {
  if (seconds == 0) return "0 s";
  if (seconds >= 1) return with_four_digits(seconds) + " s";
  return seconds >= 1e-3 ? with_four_digits(seconds * 1e3) + " ms" : with_four_digits(seconds * 1e6) + " us";
}

/// "1 token", "2 tokens".
std::string number_of(saturating_count n, const std::string& singular) {
  return grouped(std::to_string(n.value())) + ' ' + singular + (n.value() == 1 ? "" : "s");
}

/// What does not fit into 64 bits has no hundredths of a GiB either.
std::string size_in_words(double bytes) {
  return bytes < 0x1p63 ? sized(static_cast<std::uint64_t>(bytes)) : with_four_digits(bytes / 0x1p30) + " GiB";
}

std::string percent(double share) { return rounded(share * 100, 1) + '%'; }

double ratio_of(const uint256& part, const uint256& whole) {
  return whole == uint256{0} ? 0 : part.to_double() / whole.to_double();
}

// --- The step ---

std::string step_in_words(const deployment& d, const cost_report& report) {
  const deployment_cost& c = report.cost;
  const std::string tokens = number_of(c.tokens, "token");
  if (c.trains) return "A training step of " + number_of(c.sequences, "sequence") + ", " + tokens;
  const serving& v = d.workload.serve;
  const std::string sequences = number_of(c.sequences, "sequence");
  const std::string length = counted(v.sequence_length, "token");
  if (v.step_tokens == 1) return "Decoding a token of each of " + sequences + ", which then have " + length;
  if (v.step_tokens >= v.sequence_length) return "Prefilling " + sequences + " of " + length;
  return "A step with " + counted(v.new_tokens(), "token") + " of each of " + sequences + ", which then have " + length;
}

/// Why the step takes as long as its limit says.
std::string limit_in_words(const step_time& bound) {
  switch (bound.limit()) {
    case step_resource::compute: return "limited by compute: the products of matrices take that long";
    case step_resource::memory: return "limited by memory: what has to be read and written takes that long";
    case step_resource::nvlink: return "limited by NVLink: what has to be sent over it takes that long";
    case step_resource::network: return "limited by the network: what has to be sent over it takes that long";
    case step_resource::pipeline: break;
  }
  return "limited by the pipeline: even the busiest rank waits " + percent(1 - bound.compute.seconds / bound.pipeline.seconds) +
         " of it";
}

void print_verdict(std::ostream& out, const deployment& d, const cost_report& report, std::size_t width) {
  const deployment_cost& c = report.cost;
  out << wrapped(step_in_words(d, report) + ", on " + number_of(c.gpus, "GPU"), width) << '\n';
  if (!c.bound.step().known) {
    out << "How long it takes at least is not known, since no rate of the GPU is: give the cluster a \"gpu\".\n\n";
    return;
  }
  const auto tokens = [&](double a_second) {
    return with_four_digits(a_second) + " tokens a second, " + with_four_digits(a_second / static_cast<double>(c.gpus.value())) +
           " a GPU";
  };
  text_table table{"ll"};
  const bool all_known = c.bound.memory.known && c.bound.nvlink.known && c.bound.network.known && c.bound.pipeline.known;
  table.row({"at least", time_of(c.bound.step().seconds) + (all_known ? ", " : " of what is known, ") + limit_in_words(c.bound)});
  table.row({"at most", tokens(c.tokens_per_second())});
  std::string rate = with_four_digits(c.flops_per_second() / 1e12) + " TFLOP/s a GPU";
  if (c.utilisation() > 0)
    rate += ", " + percent(c.utilisation()) + " of the peak of " + with_four_digits(static_cast<double>(c.peak_flops) / 1e12);
  table.row({"at most", rate});
  if (const known_seconds estimate = c.estimate.step(); report.estimates && estimate.known)
    table.row({"estimate", time_of(estimate.seconds) + ", " + tokens(static_cast<double>(c.tokens.value()) / estimate.seconds) +
                               ": as good as the efficiencies given"});
  table.print(out, 2);
  out << '\n';
}

// --- Resources ---

/// What a resource is busy with, or which rate is missing.
std::string load_in_words(const deployment& d, const deployment_cost& c, step_resource r) {
  const gpu& g = d.cluster.gpu;
  const auto moved = [&](const busiest_stage& most, bytes rate) {
    std::string words = size_in_words(most.bytes);
    if (d.strategy[axis::pp] > 1) words += " of stage " + std::to_string(most.stage);
    return words + " at " + with_four_digits(static_cast<double>(rate.value()) / 1e9) + " GB/s";
  };
  const bool known = c.bound[r].known;
  const bool nodes = d.cluster.gpus_per_node.given;
  switch (r) {
    case step_resource::compute: return known ? "the stage with most products" : "no peak rate is given";
    case step_resource::memory: return known ? moved(c.memory, g.memory_bandwidth) : "no memory bandwidth is given";
    case step_resource::nvlink:
      if (known && c.nvlink.bytes == 0) return "nothing is sent";
      return known ? moved(c.nvlink, g.nvlink_bandwidth) : nodes ? "no NVLink bandwidth is given" : "no nodes are given";
    case step_resource::network:
      if (known && c.network.bytes == 0) return "nothing is sent";
      return known ? moved(c.network, g.network_bandwidth) : nodes ? "no network bandwidth is given" : "no nodes are given";
    case step_resource::pipeline: break;
  }
  if (!known) return "no peak rate is given";
  return d.strategy[axis::pp] > 1 ? "compute, and waiting for other stages" : "compute: there is one stage";
}

std::string seconds_in_words(const known_seconds& s) { return s.known ? time_of(s.seconds) : "?"; }

void print_resources(std::ostream& out, const deployment& d, const cost_report& report) {
  const deployment_cost& c = report.cost;
  if (!c.bound.step().known) return;
  const double longest = c.bound.step().seconds;
  const std::size_t width = report.estimates ? bar_width_with_estimate : bar_width;
  out << "What each resource takes at least; at best all work at once\n";
  text_table table{report.estimates ? "lrrll" : "lrll"};
  if (report.estimates) table.row({"", "at least", "estimate"});
  for (std::int64_t i = 0; i < step_resources; ++i) {
    const auto r = static_cast<step_resource>(i);
    if (r == step_resource::pipeline && d.strategy[axis::pp] == 1 && c.limit() != r) continue; // It is compute again.
    const known_seconds& s = c.bound[r];
    const double share = s.known && longest > 0 ? s.seconds / longest : 0;
    std::string bar(static_cast<std::size_t>(std::lround(share * static_cast<double>(width))), '#');
    if (s.known && s.seconds > 0 && bar.empty()) bar = ".";
    bar.resize(width, ' ');
    std::vector<std::string> cells{name_of(r), seconds_in_words(s)};
    if (report.estimates) cells.push_back(seconds_in_words(c.estimate[r]));
    cells.push_back(std::move(bar));
    cells.push_back(load_in_words(d, c, r));
    table.row(std::move(cells));
  }
  table.print(out, 2);
  out << '\n';
}

// --- FLOPs ---

/// "routed experts" of "routed_experts".
std::string words_of(std::string name) {
  for (const auto& [letters, word] : {std::pair{"mlp", "MLP"}, std::pair{"mtp", "multi-token prediction"}})
    if (const std::size_t at = name.find(letters); at != std::string::npos) name.replace(at, 3, word);
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

/// To the nearest integer.
std::string each(const uint256& flops, saturating_count tokens) {
  const uint256 n{tokens.value()};
  return grouped(digits_of((uint256{2} * flops + n) / (uint256{2} * n)));
}

void print_flops(std::ostream& out, const cost_report& report) {
  const deployment_cost& c = report.cost;
  const uint256 model = c.model_flops();
  const bool recomputes = !(c.hardware_flops() == model);
  out << "FLOPs of a token" << (c.trains ? ", forward and backward" : "") << '\n';
  text_table table{"lrrr"};
  std::vector<std::string> heading{"", "FLOPs", "share"};
  if (recomputes) heading.emplace_back("recomputed");
  table.row(heading);
  uint256 recomputed;
  for (const flops_component& f : report.components) {
    if (f.model == uint256{0} && f.recomputed == uint256{0}) continue;
    recomputed += f.recomputed;
    std::vector<std::string> cells{words_of(f.name), each(f.model, c.tokens), percent(ratio_of(f.model, model))};
    if (recomputes) cells.push_back(f.recomputed == uint256{0} ? "" : each(f.recomputed, c.tokens));
    table.row(std::move(cells));
  }
  std::vector<std::string> total{"total", each(model, c.tokens), "100.0%"};
  if (recomputes) total.push_back(each(recomputed, c.tokens));
  table.row(std::move(total));
  table.print(out, 2);
  out << '\n';
}

// --- Traffic ---

/// The stage whose ranks send most.
std::int64_t busiest_of(const cost_report& report) {
  std::vector<double> sent;
  for (const traffic_entry& e : report.traffic)
    for (const std::int64_t stage : e.stages) {
      if (sent.size() <= static_cast<std::size_t>(stage)) sent.resize(static_cast<std::size_t>(stage) + 1);
      sent[static_cast<std::size_t>(stage)] += e.bytes_of_step();
    }
  return std::max_element(sent.begin(), sent.end()) - sent.begin();
}

/// Communications of one stage that are for the same, of all passes.
struct traffic_row {
  communication each{};
  std::uint64_t times = 0;
  double bytes = 0; ///< a step
  double network = 0;
  bool passes[4]{};
};

std::vector<traffic_row> rows_of(const cost_report& report, std::int64_t stage) {
  std::vector<traffic_row> rows;
  for (const traffic_entry& e : report.traffic) {
    if (std::find(e.stages.begin(), e.stages.end(), stage) == e.stages.end()) continue;
    auto row = std::find_if(rows.begin(), rows.end(), [&](const traffic_row& r) {
      return r.each.kind == e.each.kind && r.each.purpose == e.each.purpose && r.each.group == e.each.group &&
             r.each.ranks == e.each.ranks;
    });
    if (row == rows.end()) row = rows.insert(rows.end(), traffic_row{.each = e.each});
    row->times += e.times;
    row->bytes += e.bytes_of_step();
    if (e.tiers) row->network += static_cast<double>(e.tiers->network) * static_cast<double>(e.times);
    row->passes[static_cast<std::size_t>(e.each.pass)] = true;
  }
  std::stable_sort(rows.begin(), rows.end(), [](const traffic_row& a, const traffic_row& b) { return a.bytes > b.bytes; });
  return rows;
}

std::string purpose_of(const communication& c) {
  return c.purpose == communication_purpose::multi_token_input ? "input of MTP" : name_of(c.purpose);
}

void print_traffic(std::ostream& out, const deployment& d, const cost_report& report, std::size_t width) {
  if (report.traffic.empty()) {
    out << "Nothing is sent: each rank works alone.\n";
    return;
  }
  const std::int64_t stage = busiest_of(report);
  const std::vector<traffic_row> rows = rows_of(report, stage);
  const bool nodes = report.traffic.front().tiers.has_value();
  const double bytes = std::accumulate(rows.begin(), rows.end(), 0.0, [](double s, const traffic_row& r) { return s + r.bytes; });
  const double network =
      std::accumulate(rows.begin(), rows.end(), 0.0, [](double s, const traffic_row& r) { return s + r.network; });
  std::string who = "What a rank sends in a step";
  if (d.strategy[axis::pp] > 1)
    who = "What a rank of stage " + std::to_string(stage) + ", the one that sends most, sends in a step";
  out << wrapped(
      who + ": " + size_in_words(bytes) + (nodes ? ", " + percent(bytes > 0 ? network / bytes : 0) + " over the network" : ""),
      width);
  text_table table{"lllrrrr"};
  table.row({"for", "collective", "axes", "ranks", "times", "a step", nodes ? "over network" : ""});
  bool at_most = false;
  for (const traffic_row& r : rows) {
    at_most = at_most || r.each.copies > 0;
    table.row({purpose_of(r.each), name_of(r.each.kind), name_of(r.each.group), grouped(r.each.ranks),
               grouped(std::to_string(r.times)), (r.each.copies > 0 ? "<= " : "") + size_in_words(r.bytes),
               r.network > 0 ? percent(r.network / r.bytes) : ""});
  }
  table.print(out, 2);
  out << '\n';
  if (at_most) out << wrapped("<= A token goes once to each rank that has experts for it: to so many ranks at most.", width);
  out << wrapped(
      "This is what frameworks send. The bound counts what links have to carry whatever algorithm does it: no more than this.",
      width);
}

} // namespace

void print_cost(std::ostream& out, const deployment& d, const cost_report& report) {
  const std::size_t width = terminal_width();
  print_verdict(out, d, report, width);
  print_resources(out, d, report);
  print_flops(out, report);
  print_traffic(out, d, report, width);
}

} // namespace tool
