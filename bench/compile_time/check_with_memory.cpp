#include "deepseek_v3.hpp"

// On a GPU whose memory is known, `check` computes the memory of every stage itself.
static_assert(check(run).ok());
