#include "nodes.hpp"

#include <charconv>
#include <string_view>
#include <unordered_set>

#include <moeplan/io/json_reader.hpp>

#include "gate.hpp"

using moeplan::io::input_error;

namespace admission {

namespace {

constexpr std::size_t most_nodes = std::size_t{1} << 20;
constexpr const char* range = "at most 2^20 nodes with at most 2^24 free GPUs in all";

/// Adds a node; false if that is more than the gate takes.
bool add(node_list& nodes, std::int64_t& total, std::int64_t free, std::string name = {}) {
  if (nodes.free.size() == most_nodes || free > most_free_gpus - total) return false;
  total += free;
  nodes.names.push_back(name.empty() ? "node" + std::to_string(nodes.free.size()) : std::move(name));
  nodes.free.push_back(free);
  return true;
}

/// A number of digits alone; negative if it is none, or too large.
std::int64_t read_number(std::string_view digits) {
  std::int64_t number = -1;
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, number);
  return error == std::errc{} && stop == end ? number : -1;
}

[[noreturn]] void refuse_list(const std::string& problem, std::string_view found, const std::string& expected) {
  throw input_error{{.file = "--free", .problem = problem, .found = moeplan::io::in_quotes(found), .expected = expected}};
}

/// "8" or "32x8".
void add_part(node_list& nodes, std::int64_t& total, std::string_view part) {
  const std::size_t times = part.find('x');
  const std::int64_t number = times == std::string_view::npos ? 1 : read_number(part.substr(0, times));
  const std::int64_t free = read_number(times == std::string_view::npos ? part : part.substr(times + 1));
  if (number < 1 || free < 0) refuse_list({}, part, "free GPUs of each node such as 8,8,4,0 or 32x8");
  for (std::int64_t i = 0; i < number; ++i)
    if (!add(nodes, total, free)) refuse_list("a number out of range", part, range);
}

} // namespace

node_list parse_nodes(const std::string& text) {
  node_list nodes;
  std::int64_t total = 0;
  std::size_t start = 0;
  while (start <= text.size()) {
    const std::size_t comma = text.find(',', start);
    const std::size_t stop = comma == std::string::npos ? text.size() : comma;
    add_part(nodes, total, std::string_view{text}.substr(start, stop - start));
    start = stop + 1;
  }
  return nodes;
}

node_list read_nodes(const std::string& path) {
  const moeplan::io::json_document document = moeplan::io::read_json(path);
  moeplan::io::json_object top{moeplan::io::json_place{document}, "an object with nodes"};
  const moeplan::io::json_place list = top.need("nodes");
  top.refuse_unknown_keys();
  if (!list.is(moeplan::io::json_kind::array)) list.refuse("an array of nodes");
  node_list nodes;
  std::int64_t total = 0;
  std::unordered_set<std::string> taken;
  for (const moeplan::io::json_value& item : list.value().items) {
    const moeplan::io::json_place place{list, std::to_string(nodes.free.size()), item};
    std::string name;
    moeplan::io::json_place free = place;
    if (!place.is(moeplan::io::json_kind::integer) && !place.is(moeplan::io::json_kind::large_integer)) {
      moeplan::io::json_object object{place, "free GPUs, or an object with name and free"};
      const auto named = object.find("name");
      free = object.need("free");
      object.refuse_unknown_keys();
      if (named) name = named->string();
      if (named && !taken.insert(name).second) named->refuse("a name of its own for each node", "a name given twice");
    }
    if (!add(nodes, total, free.non_negative(), std::move(name))) free.refuse(range, "a number out of range");
  }
  if (nodes.free.empty()) list.refuse("at least one node", "no node");
  return nodes;
}

} // namespace admission
