#include "schema_validator.hpp"

#include <regex>

namespace moeplan_test {

bool contains_match(const std::string& text, const std::string& pattern) { return std::regex_search(text, std::regex{pattern}); }

} // namespace moeplan_test
