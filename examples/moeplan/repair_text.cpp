#include "repair_text.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>
#include <vector>

#include "findings_output.hpp"
#include "states_advice.hpp"
#include "terminal.hpp"
#include "text_table.hpp"

using namespace moeplan;

namespace tool {

namespace {

std::string in_words(const repair_change& c) {
  if (c.part == "idle_gpus") {
    const std::string idle = c.to + (c.to_number == 1 ? " GPU idle" : " GPUs idle");
    if (c.from_number == c.to_number) return "still " + idle;
    return c.from_number.value_or(0) == 0 ? idle : idle + " in place of " + c.from;
  }
  std::string part = c.part == "micro_batch" ? "micro-batch" : c.part;
  const bool is_degree = c.to_number && part.size() <= 3;
  if (is_degree) std::transform(part.begin(), part.end(), part.begin(), [](char l) { return static_cast<char>(l - 'a' + 'A'); });
  return part + ' ' + c.from + " to " + c.to;
}

/// "43.6%", rounded down; "-" where it is not known.
std::string percent(const std::optional<ratio>& share) {
  if (!share || share->overflowed()) return "-";
  const auto tenths = (count{1000} * share->numerator / share->denominator).value();
  return std::to_string(tenths / 10) + '.' + std::to_string(tenths % 10) + '%';
}

/// "TP 2 PP 4 EP 32 DP 16", of what is not 1.
std::string degrees_in_words(const repair_entry& e) {
  std::string all;
  for (const axis a : {axis::tp, axis::cp, axis::dp, axis::pp, axis::vpp, axis::etp, axis::ep, axis::sp}) {
    const std::int64_t size = a == axis::dp ? e.dp : e.repair.strategy[a];
    if (size == 1 && a != axis::dp) continue;
    std::string name = string_of(name_of(a));
    std::transform(name.begin(), name.end(), name.begin(), [](char l) { return static_cast<char>(l - 'a' + 'A'); });
    all += (all.empty() ? "" : " ") + name + ' ' + grouped(size);
  }
  return all;
}

/// A factor to two decimals.
std::string factor(const wide_ratio& distance) {
  std::array<char, 64> digits{};
  const int length = std::snprintf(digits.data(), digits.size(), "%.3g", distance.to_double());
  return {digits.data(), static_cast<std::size_t>(length)};
}

/// Why the first repair is the first.
std::string because(const repair_report& report) {
  const repair& first = report.entries[0].repair;
  const auto changes = static_cast<std::int64_t>(first.changed.size());
  if (changes == 0) return "nothing changes but what follows from the cluster's GPUs";
  std::string reason = counted(changes, "change");
  if (first.distance == wide_ratio{1})
    reason += " that make" + std::string{changes == 1 ? "s" : ""} + " no number larger or smaller";
  else
    reason += (changes == 1 ? ", by a factor of " : ", by factors whose product is ") + factor(first.distance);
  if (report.outcome == repair_outcome::too_many) return reason;
  return reason + (report.first_is_alone ? ": no other repair has as few" : ": the smallest of those with as few");
}

void print_table(std::ostream& out, const repair_report& report) {
  text_table table{"rlrrrl"};
  table.row({"", "what to change", "GPUs", "peak, GiB", "bubble", "strategy"});
  std::int64_t number = 0;
  for (const repair_entry& e : report.entries)
    table.row({grouped(++number), e.changes.empty() ? "nothing" : tool::in_words(e.changes), grouped(e.repair.gpus),
               e.repair.memory_is_known ? gibibytes(e.repair.peak.value()) : "-", percent(e.bubble), degrees_in_words(e)});
  table.print(out);
}

void print_rejected(std::ostream& out, const repair_report& report) {
  if (report.considered == 1) return; // Its reason is told.
  std::string words = "Looked at " + grouped(report.considered) + ", alone or several at once that share what is wrong";
  for (std::size_t i = 0; i < report.rejected.size() && i < 4; ++i)
    words +=
        (i == 0 ? "; most were rejected by " : ", ") + report.rejected[i].first + " (" + grouped(report.rejected[i].second) + ')';
  out << wrapped(words + '.', terminal_width(), 4);
}

void print_none(std::ostream& out, const repair_report& report, std::int64_t available) {
  const bool none = report.outcome == repair_outcome::none;
  std::string why = "No repair found: the search was stopped.";
  if (report.fewest_gpus != 0)
    why = "No repair. " + too_few_gpus(report.fewest_gpus, available);
  else if (none && report.considered == 1 && report.rejected.size() == 1)
    why = "No repair: " + report.rejected[0].first +
          " has to do with no degree, micro-batch, layout or order of ranks. What it names has to change: the model, the cluster, "
          "the "
          "batch or the sequence.";
  else if (none)
    why = "No repair: whatever degrees, micro-batch, layout and order of ranks are, rules stay violated.";
  out << wrapped(why, terminal_width(), 4);
  if (!none && report.exhausted != 0)
    out << "None has fewer than " << counted(static_cast<std::int64_t>(report.exhausted), "change") << ".\n";
  print_rejected(out, report);
}

} // namespace

std::string in_words(const std::vector<repair_change>& changes) {
  std::string all;
  for (const repair_change& c : changes) all += (all.empty() ? "" : ", ") + in_words(c);
  return all;
}

void print_repairs(std::ostream& out, const repair_report& report, const findings& found) {
  const finding_list list = list_of(found);
  if (report.outcome == repair_outcome::legal) {
    out << "Nothing to repair: no rule is violated that keeps it from running\n\n";
    print_table(out, report);
    if (!list.empty()) out << '\n';
    return print(out, list);
  }
  for (const finding& f : list)
    if (f.level() == severity::error) out << string_of(f.name()) << ": " << message_of(f) << '\n';
  out << '\n';
  if (report.entries.empty()) return print_none(out, report, found.facts.available);
  const repair_entry& first = report.entries[0];
  out << "Nearest: " << (first.changes.empty() ? "no change" : in_words(first.changes));
  if (!first.derived.empty()) out << "; " << in_words(first.derived) << (first.derived.size() == 1 ? " follows" : " follow");
  out << "\n    " << because(report) << "\n\n";
  print_table(out, report);
  out << '\n';
  if (report.outcome == repair_outcome::too_many) out << "The search was stopped: there may be nearer ones.\n";
  print_rejected(out, report);
}

} // namespace tool
