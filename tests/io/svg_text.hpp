// What tests look for in a picture that was written.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace moeplan_test {

inline std::size_t times_in(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++found;
  return found;
}

/// Whether every element that begins ends, the inner ones first, and no mark stands outside of a tag: all that XML asks of what the
/// library writes.
inline bool is_well_formed(const std::string& xml) {
  std::vector<std::string> open;
  for (std::size_t at = xml.find('<'); at != std::string::npos; at = xml.find('<', at + 1)) {
    const std::size_t end = xml.find('>', at);
    if (end == std::string::npos) return false;
    const std::string tag = xml.substr(at + 1, end - at - 1);
    if (tag.empty() || tag.find('<') != std::string::npos) return false;
    if (tag.front() == '/') {
      if (open.empty() || open.back() != tag.substr(1)) return false;
      open.pop_back();
    } else if (tag.back() != '/') {
      open.push_back(tag.substr(0, tag.find(' ')));
    }
  }
  return open.empty() && std::count(xml.begin(), xml.end(), '<') == std::count(xml.begin(), xml.end(), '>');
}

} // namespace moeplan_test
