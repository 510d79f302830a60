#include "deployment_input.hpp"

namespace tool {

moeplan::io::deployment_file deployment_from(const std::string& path) { return moeplan::io::read_deployment(path); }

} // namespace tool
