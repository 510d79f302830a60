// What a search has found: the best strategies, the front, and why others were rejected.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <moeplan/io/json_reader.hpp>
#include <moeplan/io/search_file.hpp>
#include <moeplan/search/search.hpp>

#include "search_progress.hpp"

namespace tool {

inline constexpr moeplan::io::named<moeplan::criterion> criterion_names[] = {{"gpus", moeplan::criterion::gpus},
                                                                             {"idle_gpus", moeplan::criterion::idle_gpus},
                                                                             {"peak", moeplan::criterion::peak_memory},
                                                                             {"headroom", moeplan::criterion::headroom},
                                                                             {"bubble", moeplan::criterion::bubble},
                                                                             {"layer_balance", moeplan::criterion::layer_balance},
                                                                             {"network", moeplan::criterion::network_traffic},
                                                                             {"step_time", moeplan::criterion::step_time},
                                                                             {"throughput", moeplan::criterion::throughput}};

/// Of the best strategies and the front at most so many are kept.
inline constexpr std::int64_t most_candidates = 1000;

struct search_report {
  std::vector<moeplan::search_candidate> candidates; ///< the best, and the front where it is not among them; the best first
  std::size_t best = 0;                              ///< how many of them are the best of all
  std::vector<std::size_t> front;                    ///< indices of those that are on it
  bool front_is_complete = true;
  moeplan::search_counts counts{};
  std::int64_t fewest_gpus = 0; ///< where nothing is legal: see fewest_gpus_where_too_few(); 0: that is not what is wrong
  std::vector<std::pair<moeplan::rule, moeplan::saturating_count>> rejected; ///< the most first
};

/// "idle_gpus,bubble" is an order, "bubble=3,headroom=1" are weights. Throws input_error.
moeplan::ranking read_ranking(const std::string& text);

/// `progress` is told how far it has come. Precondition: top is from 1 to most_candidates.
search_report report_on(const moeplan::search_space& space, const moeplan::ranking& by, std::int64_t top,
                        search_progress& progress);

} // namespace tool
