// A pipeline's step as text: what it takes, and a timeline that fits a terminal.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>

#include <moeplan/io/pipeline_timeline.hpp>

namespace tool {

/// "1 micro-batch", "2 micro-batches".
std::string micro_batches_in_words(std::int64_t number);

/// Precondition: a timeline that was replayed to the end and takes some time.
void print_pipeline(std::ostream& out, const moeplan::io::pipeline_timeline& timeline, bool order);

} // namespace tool
