#include "deepseek_v3.hpp"

static_assert(check(run).ok() && memory(run).peak() <= run.cluster.gpu.usable_memory);
