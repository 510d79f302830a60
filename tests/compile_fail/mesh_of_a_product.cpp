// expect: only_a_folded_mapping_has_a_mesh
#include <moeplan/mesh/mesh.hpp>

using namespace moeplan;

constexpr mesh m{strategy{tp{2}, ep{4}, dp{4}, mapping::product}};
