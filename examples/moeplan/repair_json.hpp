// A repair as JSON.
#pragma once

#include <moeplan/io/json_writer.hpp>

#include "repair_report.hpp"

namespace tool {

/// What of the deployment differs, as in a deployment file: strategy and layout stand in place of the file's, and what training holds in
/// place of its members of the same names. The strategy is there whether it differs or not.
void write_differences(moeplan::io::json_writer& json, const repair_entry& e);

/// A candidate: that, what has changed, and what it costs.
void write_entry(moeplan::io::json_writer& json, const repair_entry& e);

} // namespace tool
