// Reads the #include lines of headers and judges them by the house's floors. Works on texts, so that it can be tested itself.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

namespace architecture {

struct include_line {
  std::string target; // what stands between the quotation marks or brackets
  int line = 0;

  friend bool operator==(const include_line&, const include_line&) = default;
};

// Headers by their path under include/, such as "moeplan/mesh/grid.hpp".
using texts = std::map<std::string, std::string>;
using floors = std::map<std::string, int>;
using complaints = std::vector<std::string>;

std::vector<include_line> includes_of(const std::string& text);

// "mesh" of "moeplan/mesh/grid.hpp"; a header directly under moeplan/ stands for itself: "moeplan.hpp".
std::string topic_of(const std::string& header);

// Unknown folders, includes of a higher floor or of another folder on the same floor, moeplan headers that do not exist.
complaints floor_complaints(const texts& headers, const floors& table);

// Each circle of includes, named once.
complaints cycle_complaints(const texts& headers);

// Includes of `forbidden` headers (full name, or a folder with a slash at its end) by headers whose topic is not in `exempt`.
complaints forbidden_complaints(const texts& headers, const std::set<std::string>& forbidden, const std::set<std::string>& exempt);

// Headers that `exempt` names neither themselves nor by their topic, and that none of `roots` reaches.
complaints unreached_complaints(const texts& headers, const std::set<std::string>& roots, const std::set<std::string>& exempt);

} // namespace architecture
