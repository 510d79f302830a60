#include "audit_report.hpp"

#include <algorithm>
#include <utility>

#include <moeplan/io/report_groups.hpp>
#include <moeplan/verify/claim_deployment.hpp>
#include <moeplan/verify/claim_reason.hpp>

#include "checked.hpp"
#include "findings_output.hpp"

using namespace moeplan;

namespace tool {

namespace {

constexpr std::size_t most_repairs_shown = 4;
constexpr std::size_t most_repairs_looked_at = 16; // some are on too few GPUs for the weights

std::vector<std::string> complaints_about_groups(const io::report_strategy& s, const deployment& d, const facts& f) {
  std::vector<std::string> all;
  for (const io::report_groups& groups : s.groups) {
    if (groups.of == axis::dp && !f.knows(known::dp)) continue; // Other findings say so.
    const std::int64_t degree = groups.of == axis::dp ? f.dp : d.strategy[groups.of];
    const std::vector<std::string> some = io::group_complaints(groups, degree, d.cluster.total);
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

/// That the weights alone are more than the memory of so many GPUs, whichever way its unit is read; empty where they may fit.
std::string complaint_about_memory(const claim_inputs& given, std::int64_t gpus) {
  if (gpus < 1 || !weights_outgrow(given, gpus, byte_reading::binary)) return {};
  return string_of(weights_in_words(given, gpus, byte_reading::decimal));
}

/// The nearest repairs that are legal whatever is not given: how a sequence is cut, for instance, stays open without its length.
repair_report repairs_of(const deployment& d, const claim_inputs& given) {
  repair_options options;
  if (!given.gives(claim_input::sequence_length)) options.pinned.add(repair_part::cp_size);
  repair_report report = report_repairs(d, options, most_repairs_looked_at);
  // How large the bubble is depends on the micro-batches.
  for (repair_entry& e : report.entries)
    if (!given.gives(claim_input::micro_batch)) e.bubble.reset();
  std::erase_if(report.entries, [&given](const repair_entry& e) { return !complaint_about_memory(given, e.repair.gpus).empty(); });
  if (report.entries.size() > most_repairs_shown)
    report.entries.erase(report.entries.begin() + most_repairs_shown, report.entries.end());
  return report;
}

/// A legal strategy whose weights outgrow its GPUs is repaired by more of them: DP is free then. As it is where that does not help.
repair_report repairs_on_more_gpus(const audited_strategy& s, const claim_inputs& given) {
  if (!s.deployment.strategy.resolved()) return s.repairs;
  claim_inputs open;
  for (const claim_inputs::item& i : given.items)
    if (i.name != claim_input::dp_size) open.set(i.name, i.value);
  repair_report report = repairs_of(deployment_described_by(open), given);
  if (report.entries.empty()) return s.repairs;
  report.outcome = repair_outcome::found;
  const std::int64_t before = s.deployment.strategy[axis::dp];
  for (repair_entry& e : report.entries) {
    e.repair.strategy.set(axis::dp, e.dp);
    e.deployment.strategy.set(axis::dp, e.dp);
    if (e.dp != before) e.derived.push_back({"dp", std::to_string(before), std::to_string(e.dp), before, e.dp});
  }
  return report;
}

audited_strategy audited(const io::report_file& file, const io::report_strategy& s) {
  const claim_inputs numbers = io::numbers_of(file, s);
  audited_strategy result{.name = s.name, .deployment = deployment_described_by(numbers)};
  deployment multiplied = result.deployment;
  multiplied.strategy.mapping = mapping::product;
  result.product = checked(multiplied);
  result.folded = checked(result.deployment);
  result.groups = complaints_about_groups(s, result.deployment, result.folded.facts);
  const facts& f = result.folded.facts;
  result.memory = complaint_about_memory(numbers, result.folded.ok() ? f.gpus : f.available);
  result.repairs = repairs_of(result.deployment, numbers);
  if (result.folded.ok() && !result.memory.empty()) result.repairs = repairs_on_more_gpus(result, numbers);
  return result;
}

/// Whether a claim says that the strategy cannot be deployed, and is right.
bool says_undeployable(const io::report_claim& c, const io::report_verdict& v, const std::string& strategy) {
  const char* const no = c.stated.relation == claim_relation::differs ? "yes" : "no";
  return c.strategy == strategy && c.stated.quantity == claim_quantity::deployable && c.claimed == no &&
         v.outcome == claim_outcome::holds;
}

} // namespace

std::size_t audit_report::number_of(claim_outcome outcome) const {
  return static_cast<std::size_t>(
      std::count_if(verdicts.begin(), verdicts.end(), [outcome](const io::report_verdict& v) { return v.outcome == outcome; }));
}

bool audit_report::ok() const {
  return number_of(claim_outcome::fails) == 0 && std::all_of(strategies.begin(), strategies.end(), [](const audited_strategy& s) {
           return s.is_sound() || s.said_to_be_undeployable;
         });
}

audit_report report_audit(io::report_file file) {
  audit_report report{.file = std::move(file), .verdicts = {}, .strategies = {}};
  report.verdicts = io::audit_report(report.file);
  for (const io::report_strategy& s : report.file.strategies) {
    report.strategies.push_back(audited(report.file, s));
    for (std::size_t i = 0; i < report.verdicts.size(); ++i)
      report.strategies.back().said_to_be_undeployable |= says_undeployable(report.file.claims[i], report.verdicts[i], s.name);
  }
  return report;
}

} // namespace tool
