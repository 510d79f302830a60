// What commands refuse that compute with the stages of a deployment.
#pragma once

#include <optional>
#include <ostream>
#include <string>

#include <moeplan/describe/deployment.hpp>

namespace tool {

/// The deployment with DP given, if it is legal apart from what its GPUs have room for, and its ranks are laid out in stages. If not,
/// answers as refuse() does, and is absent. `what` was asked for: "memory", "cost".
std::optional<moeplan::deployment> laid_out(const moeplan::deployment& d, const std::string& what, bool json, std::ostream& out,
                                            std::ostream& err);

} // namespace tool
