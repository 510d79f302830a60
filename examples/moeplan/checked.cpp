#include "checked.hpp"

#include <moeplan/verify/check.hpp>

namespace tool {

moeplan::findings checked(const moeplan::deployment& d) { return moeplan::check(d); }

} // namespace tool
