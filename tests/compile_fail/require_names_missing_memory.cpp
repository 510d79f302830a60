// One layer, nearly all of it experts, whose 201,425,088 parameters Megatron-LM has twice at its start, in bf16: 805,700,352 bytes on a GPU
// that has one byte less.
// expect-gcc: incomplete type 'moeplan::violated<moeplan::rule::stage_fits_memory, 0, 805700352, 805700351, 1, 0>'
// expect-clang: undefined template 'moeplan::violated<moeplan::rule::stage_fits_memory, 0, 805700352, 805700351, 1, 0>'
#include <moeplan/verify/require.hpp>

using namespace moeplan;

constexpr deployment run{
    .model = {.layers = 1,
              .hidden_size = 64,
              .vocabulary_size = 128,
              .attention = attention::multi_head(1, 64),
              .experts = {.routed = 1024, .top_k = 2, .intermediate_size = 1024}},
    .cluster = {.gpu = {.memory = bytes{805'700'351}}, .total = 1},
    .strategy = {dp{1}},
    .workload = training{.sequence_length = 8,
                         .precision = {.gradients = number_type::none},
                         .optimizer = optimizer::none,
                         .vocabulary_multiple = 0},
};

MOEPLAN_REQUIRE(run);
