// expect: a_rank_order_lists_each_of_tp_cp_ep_dp_pp_at_most_once
#include <moeplan/describe/rank_order.hpp>

constexpr moeplan::rank_order order{"tp-cp-ep-dp-tp"};
