// arXiv 2412.19437, section 3.2: degrees. arXiv 2505.09343, table 4: 272.80 billion tokens a day with 15,360 sequences a step, and its
// utilisation with masked pairs of tokens left out (38.94%).
#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/gpus.hpp>

#include "published_run.hpp"

using namespace moeplan;

namespace published_runs {

std::vector<table> deepseek() {
  deployment d;
  d.model = catalog::deepseek_v3;
  d.model.mtp_layers = 0; // The table counts the main model alone.
  d.cluster = {.gpu = catalog::h800_sxm, .gpus_per_node = 8, .nodes = 256};
  d.strategy = {pp{16}, ep{64}, dp{128}};
  d.layout = layout::stages({15, 4}, {1, 1});
  d.workload = training{.global_batch = 15360,
                        .micro_batch = 1,
                        .sequence_length = 4096,
                        .dispatcher = token_dispatcher::deepep,
                        .precision = {.gradients = number_type::fp32, .fp8 = fp8_recipe::blockwise},
                        .sharding = sharding::optimizer,
                        .schedule = schedule::dualpipe};
  d.profile = profile::universal;
  run r{.model = "DeepSeek-V3", .method = "H800, FP8 in blocks", .deployment = d};
  r.claimed = {.what = claim::kind::utilisation, .tenths = 389};
  return {{.title = "arXiv 2505.09343, table 4", .runs = {r}}};
}

} // namespace published_runs
