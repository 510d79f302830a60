// The reader of deployment files, compiled once for all commands.
#pragma once

#include <string>

#include <moeplan/io/deployment_file.hpp>

namespace tool {

/// What io::read_deployment reads, or the input_error that it throws.
moeplan::io::deployment_file deployment_from(const std::string& path);

} // namespace tool
