// expect: etp_x_ep_does_not_divide_the_gpus_of_a_stage
#include <moeplan/mesh/mesh.hpp>

using namespace moeplan;

constexpr mesh m{strategy{tp{2}, ep{3}, dp{4}}};
