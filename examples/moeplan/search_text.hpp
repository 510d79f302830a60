// A search's answer as a table, with the reason for the first place.
#pragma once

#include <ostream>

#include "search_report.hpp"

namespace tool {

void print_search(std::ostream& out, const moeplan::io::search_file& file, const search_report& report, const moeplan::ranking& by);

/// "all 312 candidates: 200 by memory, 112 by experts_divide_by_ep".
std::string rejected_in_words(const search_report& report);

} // namespace tool
