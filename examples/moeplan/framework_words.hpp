// The same layout in a framework's own words and numbers.
#pragma once

#include <ostream>

#include <moeplan/describe/deployment.hpp>
#include <moeplan/verify/facts.hpp>

namespace tool {

/// What the degrees of a deployment mean to the framework of its profile; nothing for universal and megatron, whose words the degrees are.
/// Precondition: f are the facts of d, and know the grids.
void explain_framework(std::ostream& out, const moeplan::deployment& d, const moeplan::facts& f);

} // namespace tool
