// `check`, compiled once for all commands.
#pragma once

#include <moeplan/verify/findings.hpp>

namespace tool {

/// What moeplan::check finds.
moeplan::findings checked(const moeplan::deployment& d);

} // namespace tool
