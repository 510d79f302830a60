// A cost report as JSON.
#pragma once

#include <moeplan/io/json_writer.hpp>

#include "cost_report.hpp"

namespace tool {

void write(moeplan::io::json_writer& json, const cost_report& report);

} // namespace tool
