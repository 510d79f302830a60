// check() itself, on deployments with any values.
#include "bytes.hpp"
#include "judge.hpp"

namespace moeplan_fuzz {

void run(std::string_view input) { judge(deployment_of(input)); }

} // namespace moeplan_fuzz
