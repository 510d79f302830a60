// What a deployment means, for people who have not met the two grids before.
#pragma once

#include <ostream>

#include <moeplan/io/deployment_file.hpp>
#include <moeplan/verify/check.hpp>

namespace tool {

/// Explains whatever the findings leave to explain. Precondition: `all` is the check of the file's deployment.
void explain(std::ostream& out, const moeplan::io::deployment_file& file, const moeplan::findings& all);

} // namespace tool
