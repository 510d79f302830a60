// The two grids of one pipeline stage as tables of rank numbers.
#pragma once

#include <ostream>

#include <moeplan/mesh/mesh.hpp>

namespace tool {

/// Rows are data parallel (DP), columns what a layer is cut into (TP, CP). Large tables show their beginning and end.
void print_dense_grid(std::ostream& out, const moeplan::mesh& m);

/// Rows are copies of the experts (EDP), columns what they are cut into (ETP, EP).
void print_expert_grid(std::ostream& out, const moeplan::mesh& m);

} // namespace tool
