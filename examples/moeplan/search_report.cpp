#include "search_report.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>

#include <moeplan/io/input_error.hpp>
#include <moeplan/io/nearest_name.hpp>

#include "states_advice.hpp"

using namespace moeplan;

namespace tool {

namespace {

constexpr std::int64_t largest_weight = 1'000'000;

[[noreturn]] void refuse(const std::string& text, const std::string& problem) {
  throw io::input_error{
      {.file = "--by",
       .problem = problem,
       .found = io::in_quotes(text),
       .expected = "criteria in order such as throughput,headroom, or weights from 1 to 1000000 such as bubble=3,headroom=1"}};
}

criterion read_criterion(const std::string& name) {
  std::vector<std::string> known;
  for (const auto& c : criterion_names) {
    if (name == c.name) return c.value;
    known.emplace_back(c.name);
  }
  throw io::input_error{{.file = "--by",
                         .problem = "no criterion",
                         .found = io::in_quotes(name),
                         .expected = "one of " + io::listed(known),
                         .nearest = io::nearest_name(name, known)}};
}

std::int64_t read_weight(const std::string& all, const std::string& digits) {
  std::int64_t weight = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, weight);
  if (error != std::errc{} || stop != end || weight < 1 || weight > largest_weight) refuse(all, "no weight: \"" + digits + '"');
  return weight;
}

} // namespace

ranking read_ranking(const std::string& text) {
  ranking by;
  std::size_t weights = 0;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t comma = std::min(text.find(',', start), text.size());
    const std::string part = text.substr(start, comma - start);
    const std::size_t equals = std::min(part.find('='), part.size());
    ranking::entry e{.by = read_criterion(part.substr(0, equals))};
    if (equals < part.size()) {
      e.weight = read_weight(text, part.substr(equals + 1));
      ++weights;
    }
    for (const ranking::entry& other : by.criteria)
      if (other.by == e.by) refuse(text, "a criterion is given twice");
    by.criteria.push_back(e);
    start = comma + 1;
  }
  if (weights != 0 && weights != by.criteria.size()) refuse(text, "some criteria have a weight, some have none");
  if (weights != 0 && by.compares(criterion::network_traffic))
    refuse(text, "network has no weight: there is nothing that it is a share of. It can stand in an order");
  by.weighted = weights != 0;
  return by;
}

namespace {

/// Keeps the best and the front, and tells of progress: also while nothing is legal.
struct watched_search {
  best_strategies& best;
  strategy_front& front;
  search_progress& progress;

  bool operator()(const search_candidate& c, const search_counts& counts) const {
    progress.tell(counts);
    (void)best(c);
    return front(c);
  }
  void decided(const search_counts& counts) const { progress.tell(counts); }
};

} // namespace

search_report report_on(const search_space& space, const ranking& by, std::int64_t top, search_progress& progress) {
  std::vector<search_candidate> best_storage(static_cast<std::size_t>(top));
  std::vector<search_candidate> front_storage(static_cast<std::size_t>(most_candidates));
  best_strategies best{best_storage, by};
  strategy_front front{front_storage, by};
  search_report report;
  report.counts = visit_strategies(space, by, watched_search{best, front, progress});
  progress.clear();
  // Memory is judged last, of a model that no rule finds fault with.
  if (report.counts.legal == 0 && report.counts.rejected_by(rule::stage_fits_memory) > saturating_count{0})
    report.fewest_gpus = fewest_gpus_where_too_few(space.base);
  report.candidates.assign(best.found().begin(), best.found().end());
  report.best = report.candidates.size();
  report.front_is_complete = front.complete();
  const auto number_is = [](std::uint64_t number) { return [number](const search_candidate& c) { return c.number == number; }; };
  for (const search_candidate& c : front.found())
    if (std::none_of(report.candidates.begin(), report.candidates.end(), number_is(c.number))) report.candidates.push_back(c);
  std::sort(report.candidates.begin(), report.candidates.end(), [&by](const auto& a, const auto& b) { return by.before(a, b); });
  for (std::size_t i = 0; i < report.candidates.size(); ++i)
    if (std::any_of(front.found().begin(), front.found().end(), number_is(report.candidates[i].number))) report.front.push_back(i);
  for (std::size_t i = 0; i < rule_count; ++i)
    if (report.counts.rejected[i] > saturating_count{0})
      report.rejected.emplace_back(static_cast<rule>(i), report.counts.rejected[i]);
  std::stable_sort(report.rejected.begin(), report.rejected.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  return report;
}

} // namespace tool
