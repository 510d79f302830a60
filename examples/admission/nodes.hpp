// The nodes of a cluster and their free GPUs, as the command line or a JSON file gives them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace admission {

struct node_list {
  std::vector<std::string> names;
  std::vector<std::int64_t> free; ///< GPUs, one number a node
};

/// Reads "8,8,4,0"; "32x8" are 32 nodes with 8 free GPUs each. Throws moeplan::io::input_error.
node_list parse_nodes(const std::string& text);

/// Reads a file such as {"nodes": [{"name": "a01", "free": 8}, {"name": "a02", "free": 4}]}; a number stands for a node without a
/// name. Throws moeplan::io::input_error.
node_list read_nodes(const std::string& path);

} // namespace admission
