#include "include_graph.hpp"

#include <algorithm>
#include <filesystem>
#include <regex>
#include <sstream>

namespace architecture {
namespace {

// Comments become blanks; lines stay where they are. Good enough for headers, where no string holds the start of a comment.
std::string without_comments(const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < text.size();) {
    if (text.compare(i, 2, "//") == 0) {
      i = std::min(text.find('\n', i), text.size());
    } else if (text.compare(i, 2, "/*") == 0) {
      const std::size_t end = std::min(text.find("*/", i + 2), text.size());
      result.append(static_cast<std::size_t>(std::count(text.begin() + static_cast<std::ptrdiff_t>(i),
                                                        text.begin() + static_cast<std::ptrdiff_t>(end), '\n')),
                    '\n');
      i = std::min(end + 2, text.size());
    } else {
      result += text[i++];
    }
  }
  return result;
}

// The moeplan header that an include means: relative to the including file or from include/; empty when it is none of ours.
std::string resolve(const std::string& includer, const std::string& target, const texts& headers) {
  const auto relative = (std::filesystem::path(includer).parent_path() / target).lexically_normal().generic_string();
  return headers.contains(relative) || !target.starts_with("moeplan/") ? relative : target;
}

using graph = std::map<std::string, std::set<std::string>>;

graph graph_of(const texts& headers) {
  graph result;
  for (const auto& [header, text] : headers) {
    for (const auto& [target, line] : includes_of(text)) {
      if (const auto resolved = resolve(header, target, headers); headers.contains(resolved)) { result[header].insert(resolved); }
    }
  }
  return result;
}

struct walk {
  const graph& edges;
  std::vector<std::string> path;
  std::set<std::string> done;
  complaints circles;

  void visit(const std::string& header) {
    if (done.contains(header)) { return; }
    if (const auto start = std::find(path.begin(), path.end(), header); start != path.end()) {
      std::string circle = "a circle of includes: ";
      for (auto it = start; it != path.end(); ++it) { circle += *it + " -> "; }
      circles.push_back(circle + header);
      return;
    }
    path.push_back(header);
    if (const auto found = edges.find(header); found != edges.end()) {
      for (const auto& next : found->second) { visit(next); }
    }
    path.pop_back();
    done.insert(header);
  }
};

} // namespace

std::vector<include_line> includes_of(const std::string& text) {
  static const std::regex pattern(R"re(^\s*#\s*include\s*[<"]([^>"]+)[>"].*$)re");
  std::vector<include_line> result;
  std::istringstream lines(without_comments(text));
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    if (!line.empty() && line.back() == '\r') { line.pop_back(); }
    if (std::smatch match; std::regex_match(line, match, pattern)) { result.push_back({match[1], number}); }
  }
  return result;
}

std::string topic_of(const std::string& header) {
  const std::string below = header.substr(std::string("moeplan/").size());
  return below.substr(0, below.find('/'));
}

complaints floor_complaints(const texts& headers, const floors& table) {
  complaints result;
  std::set<std::string> unknown;
  for (const auto& [header, text] : headers) {
    if (!table.contains(topic_of(header))) { unknown.insert(topic_of(header)); }
  }
  for (const auto& topic : unknown) {
    result.push_back("moeplan/" + topic + " has no floor: add the folder to the table in tests/architecture/floors_test.cpp");
  }
  for (const auto& [header, text] : headers) {
    for (const auto& [target, line] : includes_of(text)) {
      const auto resolved = resolve(header, target, headers);
      const auto where = header + ":" + std::to_string(line) + " includes " + target;
      if (!headers.contains(resolved)) {
        // Others have a folder of their own (boost/), and standard headers have no ending.
        if (target.starts_with("moeplan/") || target.starts_with("..") ||
            (target.ends_with(".hpp") && target.find('/') == std::string::npos)) {
          result.push_back(where + ", which does not exist");
        }
        continue;
      }
      const auto from = topic_of(header);
      const auto to = topic_of(resolved);
      if (from == to || !table.contains(from) || !table.contains(to)) { continue; }
      if (table.at(to) > table.at(from)) { result.push_back(where + " on a higher floor"); }
      if (table.at(to) == table.at(from)) { result.push_back(where + " in another folder of the same floor"); }
    }
  }
  return result;
}

complaints cycle_complaints(const texts& headers) {
  const graph edges = graph_of(headers);
  walk all{edges, {}, {}, {}};
  for (const auto& [header, text] : headers) { all.visit(header); }
  return all.circles;
}

complaints forbidden_complaints(const texts& headers, const std::set<std::string>& forbidden, const std::set<std::string>& exempt) {
  complaints result;
  for (const auto& [header, text] : headers) {
    if (exempt.contains(topic_of(header))) { continue; }
    for (const auto& [target, line] : includes_of(text)) {
      const auto folder = target.substr(0, target.find('/') + 1); // empty without a slash
      if (forbidden.contains(target) || forbidden.contains(folder)) {
        result.push_back(header + ":" + std::to_string(line) + " includes " + target + ", which is too dear for the core");
      }
    }
  }
  return result;
}

complaints unreached_complaints(const texts& headers, const std::set<std::string>& roots, const std::set<std::string>& exempt) {
  const graph edges = graph_of(headers);
  walk reached{edges, {}, {}, {}};
  for (const std::string& root : roots) reached.visit(root);
  complaints result;
  for (const auto& [header, text] : headers)
    if (!exempt.contains(topic_of(header)) && !exempt.contains(header) && !reached.done.contains(header))
      result.push_back("no umbrella includes " + header);
  return result;
}

} // namespace architecture
