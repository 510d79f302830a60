#include "repair_report.hpp"

#include <algorithm>
#include <utility>

#include <moeplan/describe/layout_text.hpp>
#include <moeplan/pipeline/bubble.hpp>
#include <moeplan/pipeline/pipeline_shape.hpp>
#include <moeplan/verify/check.hpp>

#include "findings_output.hpp"
#include "states_advice.hpp"

using namespace moeplan;

namespace tool {

namespace {

repair_change number_change(const std::string& part, std::int64_t from, std::int64_t to) {
  return {part, std::to_string(from), std::to_string(to), from, to};
}

std::string words_of(const layout& l) {
  switch (l.kind) {
    case layout_kind::balanced: return "balanced";
    case layout_kind::first_last: return "uneven at the ends";
    case layout_kind::listed: return "listed";
    case layout_kind::even: break;
  }
  if (l.embedding_is_a_layer && l.loss_is_a_layer) return "even with embedding and loss";
  if (l.embedding_is_a_layer) return "even with embedding";
  return l.loss_is_a_layer ? "even with loss" : "even";
}

std::string words_of(const rank_order& order) {
  std::string result;
  for (const axis a : order.axes) result += (result.empty() ? "" : "-") + string_of(name_of(a));
  return result;
}

/// GPUs of the cluster that the deployment leaves idle: none where it wants more than there are; empty where it is not known how many
/// it takes.
std::optional<std::int64_t> idle_gpus_of(const deployment& d) {
  const facts f = facts_of(d);
  if (!f.knows(known::cluster | known::tp | known::cp | known::pp | known::dp)) return std::nullopt;
  const saturating_count used = saturating_count{f.tp} * f.cp * f.pp * f.dp;
  const saturating_count available = f.available;
  return used < available ? f.available - static_cast<std::int64_t>(used.value()) : 0;
}

repair_change idle_change(const deployment& given, std::int64_t idle) {
  const std::optional<std::int64_t> before = idle_gpus_of(given);
  return {"idle_gpus", before ? std::to_string(*before) : "", std::to_string(idle), before, idle};
}

constexpr std::pair<repair_part, axis> degrees[] = {{repair_part::tp_size, axis::tp},   {repair_part::cp_size, axis::cp},
                                                    {repair_part::pp_size, axis::pp},   {repair_part::ep_size, axis::ep},
                                                    {repair_part::etp_size, axis::etp}, {repair_part::vpp_size, axis::vpp},
                                                    {repair_part::sp_size, axis::sp}};

void list_changes(repair_entry& e, const deployment& given) {
  const repair& r = e.repair;
  for (const auto& [part, axis] : degrees) {
    if (given.strategy[axis] == r.strategy[axis]) continue;
    (r.changed.contains(part) ? e.changes : e.derived)
        .push_back(number_change(string_of(name_of(part)), given.strategy[axis], r.strategy[axis]));
  }
  if (r.micro_batch.given)
    e.changes.push_back(number_change("micro_batch", given.workload.train.micro_batch, r.micro_batch.number));
  if (r.changed.contains(repair_part::layout))
    e.changes.push_back({"layout", words_of(given.layout), words_of(e.deployment.layout)});
  if (r.changed.contains(repair_part::order))
    e.changes.push_back({"order", words_of(given.strategy.order), words_of(r.strategy.order)});
  if (r.changed.contains(repair_part::idle_gpus)) e.changes.push_back(idle_change(given, r.idle_gpus));
  if (given.strategy.resolved() && given.strategy[axis::dp] != e.dp)
    e.derived.push_back(number_change("dp", given.strategy[axis::dp], e.dp));
  if (given.strategy.mapping != r.strategy.mapping) e.derived.push_back({"mapping", "product", "folded"});
}

/// The idle share of a step in equally long passes, where it has a closed form.
std::optional<ratio> bubble_fraction(const deployment& d, std::int64_t dp_size) {
  if (!d.workload.is_training()) return std::nullopt;
  const bubble b = bubble_of(pipeline_shape_of(d, dp_size), {});
  const count step = b.makespan();
  if (!b.known || step.overflowed() || step == count{0}) return std::nullopt;
  return ratio{b.idle, step};
}

/// Whether a is no worse than b in memory and bubble. What is not known is the worst.
bool no_worse(const repair_entry& a, const repair_entry& b) {
  const bool less_memory = !b.repair.memory_is_known || (a.repair.memory_is_known && a.repair.peak.amount <= b.repair.peak.amount);
  return less_memory && (!b.bubble || (a.bubble && *a.bubble <= *b.bubble));
}

/// No repair is looked for where all GPUs have too little memory for the parameters, and memory then stands there as the one reason.
bool memory_is_hopeless(const repairs<most_repairs>& found) {
  return found.outcome == repair_outcome::none && found.considered == 1 &&
         found.rejected[static_cast<std::size_t>(rule::stage_fits_memory)] == 1;
}

} // namespace

repair_report report_repairs(const deployment& given, const repair_options& options, std::size_t most) {
  const auto found = nearest_repairs<most_repairs>(given, options);
  repair_report report{.outcome = found.outcome, .considered = found.considered, .exhausted = found.exhausted};
  const auto& all = found.nearest;
  if (memory_is_hopeless(found)) report.fewest_gpus = fewest_gpus_where_too_few(given);
  report.first_is_alone = all.size() == 1 || (all.size() > 1 && all[0].changed.size() < all[1].changed.size());
  for (const repair& r : all) {
    if (report.entries.size() == most) break;
    repair_entry e{.repair = r, .deployment = r.on(given)};
    e.dp = facts_of(e.deployment).dp;
    list_changes(e, given);
    e.bubble = bubble_fraction(e.deployment, e.dp);
    e.in_front =
        std::none_of(report.entries.begin(), report.entries.end(), [&](const repair_entry& nearer) { return no_worse(nearer, e); });
    report.entries.push_back(std::move(e));
  }
  for (std::size_t i = 0; i < rule_count; ++i)
    if (found.rejected[i] != 0) report.rejected.emplace_back(rules::entry(static_cast<rule>(i)).name, found.rejected[i]);
  std::stable_sort(report.rejected.begin(), report.rejected.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  return report;
}

} // namespace tool
