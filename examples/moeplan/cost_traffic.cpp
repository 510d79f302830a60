#include "cost_traffic.hpp"

#include <algorithm>
#include <cmath>

#include <moeplan/cost/topology.hpp>
#include <moeplan/cost/traffic.hpp>

using namespace moeplan;

namespace tool {

namespace {

/// Without how often, and without the numbers of stages.
communication kind_of(communication c) {
  c.times = 0;
  c.from_stage = c.to_stage = 0;
  if (std::isnan(c.expected_size)) c.expected_size = -1; // Not known is as good as itself.
  return c;
}

bool alike(const traffic_entry& a, const traffic_entry& b) { return kind_of(a.each) == kind_of(b.each) && a.tiers == b.tiers; }

/// Collects the communications that it visits, stage after stage.
class traffic_collector {
public:
  explicit traffic_collector(const topology* nodes) : nodes_{nodes} {}

  void operator()(const communication& c) {
    if (!of_stage_.empty() && of_stage_.front().stages.front() != c.from_stage) finish_stage();
    const traffic_entry entry = entry_of(c);
    // Several virtual stages of a rank do the same.
    const auto same = std::find_if(of_stage_.begin(), of_stage_.end(), [&](const traffic_entry& e) { return alike(e, entry); });
    if (same == of_stage_.end())
      of_stage_.push_back(entry);
    else
      same->times += entry.times;
  }

  [[nodiscard]] std::optional<std::vector<traffic_entry>> finished() && {
    finish_stage();
    if (overflowed_) return {};
    return std::move(entries_);
  }

private:
  void finish_stage() {
    for (traffic_entry& entry : of_stage_) {
      const auto same = std::find_if(entries_.begin(), entries_.end(),
                                     [&](const traffic_entry& e) { return e.times == entry.times && alike(e, entry); });
      if (same == entries_.end())
        entries_.push_back(std::move(entry));
      else
        same->stages.push_back(entry.stages.front());
    }
    of_stage_.clear();
  }

  [[nodiscard]] traffic_entry entry_of(const communication& c) {
    const auto group_bytes = bytes_of_group<saturating_count>(c.kind, c.size, c.ranks);
    traffic_entry entry{.each = c, .stages = {c.from_stage}};
    overflowed_ = overflowed_ || group_bytes.overflowed() || c.times.overflowed();
    if (overflowed_) return entry;
    const auto senders = static_cast<std::uint64_t>(c.senders());
    entry.group_bytes = group_bytes.value();
    entry.bytes_per_rank = entry.group_bytes / senders + (entry.group_bytes % senders == 0 ? 0 : 1);
    entry.times = c.times.value();
    if (nodes_ != nullptr) entry.tiers = tiers_of(c, entry.bytes_per_rank);
    return entry;
  }

  [[nodiscard]] tier_bytes tiers_of(const communication& c, std::uint64_t bytes) const {
    const std::uint64_t network = part_of(bytes, nodes_->domain_share_of(c));
    return {.nvlink = bytes - network, .network = network, .on_rail = part_of(bytes, nodes_->rail_share_of(c))};
  }

  static std::uint64_t part_of(std::uint64_t bytes, const node_share& share) {
    const uint256 all{share.all.value()};
    return ((uint256{bytes} * uint256{share.between.value()} * uint256{2} + all) / (uint256{2} * all)).to_count().value();
  }

  const topology* nodes_;
  std::vector<traffic_entry> of_stage_;
  std::vector<traffic_entry> entries_;
  bool overflowed_ = false;
};

} // namespace

std::optional<std::vector<traffic_entry>> traffic_of(const deployment& d) {
  std::optional<topology> nodes;
  if (d.cluster.gpus_per_node.given) nodes.emplace(d);
  traffic_collector all{nodes ? &*nodes : nullptr};
  visit_traffic(d, all);
  return std::move(all).finished();
}

std::string name_of(const group_axes& along) {
  constexpr std::size_t orders[2][4] = {{0, 2, 1, 3}, {0, 1, 2, 3}}; // "tp-dp-cp", as Megatron-LM has it; "etp-ep"
  const auto grid = static_cast<std::size_t>(along.grid);
  std::string name;
  for (const std::size_t place : orders[grid]) {
    if (!along.spans(place)) continue;
    const text axis_name = moeplan::name_of(detail::grid_places[grid][place]);
    name += (name.empty() ? "" : "-") + std::string{axis_name.data(), axis_name.size()};
  }
  return name;
}

} // namespace tool
