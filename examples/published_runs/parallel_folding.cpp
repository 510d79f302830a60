// arXiv 2504.14960. Llama3-8x70B is printed without its top k; 2 is taken, as in Mixtral.
#include <moeplan/catalog/gpus.hpp>
#include <moeplan/catalog/mixtral.hpp>
#include <moeplan/catalog/qwen.hpp>
#include <moeplan/cost/deployment_cost.hpp>

#include "published_run.hpp"

using namespace moeplan;

namespace published_runs {

namespace {

/// Whatever positions a model was made for: it is trained from nothing.
constexpr model any_length(model m) {
  m.max_positions = {};
  return m;
}

constexpr model mixtral_8x22b = any_length(catalog::mixtral_8x22b);
constexpr model qwen2_57b = any_length(catalog::qwen2_57b_a14b);

/// Mixtral with eight times as many experts of an eighth of the size, of which a token chooses eight.
constexpr model mixtral_g8t8 = [] {
  model m = mixtral_8x22b;
  m.experts = {.routed = 64, .top_k = 8, .intermediate_size = 2048};
  return m;
}();

constexpr model llama3_8x70b{.layers = 80,
                             .hidden_size = 8192,
                             .vocabulary_size = 128256,
                             .attention = attention::grouped_query(64, 8, 128),
                             .experts = {.routed = 8, .top_k = 2, .intermediate_size = 28672}};

struct named_model {
  const char* name;
  const model* value;
};

constexpr named_model mixtral{"Mixtral 8x22B", &mixtral_8x22b};
constexpr named_model qwen2{"Qwen2 57B-A14B", &qwen2_57b};
constexpr named_model g8t8{"Mixtral 8x22B G8T8", &mixtral_g8t8};
constexpr named_model llama3{"Llama3 8x70B", &llama3_8x70b};

enum class method : std::uint16_t { fsdp, fsdp_ep, tp_ep_dp, mcore, folding };

constexpr const char* name_of(method m) {
  switch (m) {
    case method::fsdp: return "FSDP";
    case method::fsdp_ep: return "FSDP + EP";
    case method::tp_ep_dp: return "TP + EP + DP";
    case method::mcore: return "MCore";
    case method::folding: break;
  }
  return "MCore, folding";
}

/// As the tables print them. ETP is TP but with folding, where it is 1.
struct degrees {
  std::int64_t cp = 1, tp = 1, ep = 1, pp = 1;
};

constexpr strategy strategy_of(const degrees& n, method how, std::int64_t gpus) {
  const std::int64_t dp_ranks = gpus / (n.tp * n.cp * n.pp);
  const std::int64_t etp_ranks = how == method::folding || n.ep == 1 ? 1 : n.tp;
  strategy s{tp{n.tp}, cp{n.cp}, ep{n.ep}, pp{n.pp}, etp{etp_ranks}, dp{dp_ranks}};
  if (n.tp > 1) s = s.with(sp{n.tp});
  return s;
}

struct batch {
  std::int64_t sequences = 256;
  std::int64_t length = 4096;
};

deployment deployment_of(const named_model& m, method how, std::int64_t gpus, const degrees& n, const batch& b) {
  const bool fully_sharded = how == method::fsdp || how == method::fsdp_ep;
  deployment d;
  d.model = *m.value;
  d.cluster = {.gpu = catalog::h100_sxm, .gpus_per_node = 8, .nodes = gpus / 8};
  d.strategy = strategy_of(n, how, gpus);
  d.workload = training{.global_batch = b.sequences,
                        .micro_batch = 1,
                        .sequence_length = b.length,
                        .dispatcher = token_dispatcher::all_to_all,
                        .sharding = fully_sharded ? sharding::parameters : sharding::optimizer};
  d.profile = profile::universal;
  return d;
}

/// Calls visit(deployment) for every micro-batch and number of virtual stages that are possible, which are not printed.
template <class Visit>
void visit_choices(const deployment& d, Visit visit) {
  const std::int64_t sequences = d.workload.train.global_batch.number / d.strategy[axis::dp];
  const std::int64_t ranks = d.strategy[axis::pp];
  const std::int64_t layers = ranks > 1 ? d.model.layers / ranks : 1;
  for (std::int64_t micro_batch = 1; micro_batch <= sequences; ++micro_batch) {
    if (sequences % micro_batch != 0) continue;
    for (std::int64_t chunks = 1; chunks <= layers; ++chunks) {
      // Interleaved micro-batches come in groups of as many as there are ranks.
      if (layers % chunks != 0 || (chunks > 1 && sequences / micro_batch % ranks != 0)) continue;
      deployment choice = d;
      choice.workload.train.micro_batch = micro_batch;
      if (chunks > 1) choice.strategy.set(axis::vpp, chunks);
      visit(choice);
    }
  }
}

/// The choice that can be fastest.
deployment weakest_bound(const deployment& d) {
  deployment best;
  double least = 0;
  visit_choices(d, [&](const deployment& choice) {
    const double seconds = cost(choice).bound.step().seconds;
    if (least > 0 && seconds >= least) return;
    least = seconds;
    best = choice;
  });
  return best;
}

constexpr std::int64_t out_of_memory = -1;

run run_of(const named_model& m, method how, std::int64_t gpus, const degrees& n, std::int64_t tenths, const batch& b = {}) {
  run r{.model = m.name, .method = name_of(how), .deployment = weakest_bound(deployment_of(m, how, gpus, n, b))};
  r.claimed = {.what = tenths == out_of_memory ? claim::kind::out_of_memory : claim::kind::utilisation,
               .tenths = tenths == out_of_memory ? 0 : tenths};
  return r;
}

table precisions() {
  const auto run_in = [](method how, const degrees& n, fp8_recipe fp8, std::int64_t tenths) {
    run r = run_of(mixtral, how, 128, n, tenths);
    r.method += fp8 == fp8_recipe::none ? ", bf16" : ", FP8";
    r.claimed.what = claim::kind::rate;
    r.deployment.workload.train.precision.fp8 = fp8;
    r.deployment = weakest_bound(r.deployment);
    return r;
  };
  constexpr degrees without{.tp = 2, .ep = 4, .pp = 8};
  constexpr degrees with{.tp = 2, .ep = 8, .pp = 8};
  return {.title = "arXiv 2504.14960, table 2: bf16 and FP8",
          .about = "The degrees are those of table 3.",
          .runs = {run_in(method::mcore, without, fp8_recipe::none, 4583), run_in(method::folding, with, fp8_recipe::none, 4877),
                   run_in(method::mcore, without, fp8_recipe::delayed, 5751),
                   run_in(method::folding, with, fp8_recipe::delayed, 6317)}};
}

table best() {
  return {.title = "arXiv 2504.14960, table 3: the best degrees of each method",
          .runs = {run_of(mixtral, method::fsdp, 128, {.tp = 8}, 43),
                   run_of(mixtral, method::fsdp_ep, 128, {.tp = 2, .ep = 8}, 234),
                   run_of(mixtral, method::tp_ep_dp, 128, {.tp = 4, .ep = 8}, 366),
                   run_of(mixtral, method::mcore, 128, {.tp = 2, .ep = 4, .pp = 8}, 463),
                   run_of(mixtral, method::folding, 128, {.tp = 2, .ep = 8, .pp = 8}, 493),
                   run_of(qwen2, method::fsdp, 64, {.tp = 2}, 99),
                   run_of(qwen2, method::fsdp_ep, 64, {.ep = 8}, 254),
                   run_of(qwen2, method::tp_ep_dp, 64, {.tp = 4, .ep = 4}, 231),
                   run_of(qwen2, method::mcore, 64, {.tp = 2, .ep = 4, .pp = 4}, 353),
                   run_of(qwen2, method::folding, 64, {.tp = 2, .ep = 4, .pp = 4}, 390),
                   run_of(g8t8, method::fsdp, 128, {.tp = 8}, 22),
                   run_of(g8t8, method::fsdp_ep, 128, {.tp = 4, .ep = 8}, 90),
                   run_of(g8t8, method::tp_ep_dp, 128, {.tp = 8, .ep = 8}, 87),
                   run_of(g8t8, method::mcore, 128, {.tp = 2, .ep = 8, .pp = 8}, 171),
                   run_of(g8t8, method::folding, 128, {.tp = 4, .ep = 8, .pp = 8}, 288),
                   run_of(llama3, method::fsdp, 256, {.cp = 8, .tp = 8}, out_of_memory),
                   run_of(llama3, method::fsdp_ep, 256, {.tp = 8, .ep = 8}, 196),
                   run_of(llama3, method::tp_ep_dp, 256, {.tp = 8, .ep = 8}, out_of_memory),
                   run_of(llama3, method::mcore, 256, {.tp = 8, .ep = 4, .pp = 8}, 388),
                   run_of(llama3, method::folding, 256, {.tp = 8, .ep = 8, .pp = 16}, 416)}};
}

/// One model and method on more and more GPUs; 0: not printed.
struct scaling {
  named_model model;
  method how;
  degrees n;
  std::int64_t tenths[5]; ///< on 64, 128, 256, 512 and 1024 GPUs
};

table strong_scaling() {
  constexpr scaling all[] = {
      {mixtral, method::mcore, {.tp = 2, .ep = 4, .pp = 8}, {0, 494, 480, 455, 423}},
      {mixtral, method::folding, {.tp = 2, .ep = 8, .pp = 8}, {0, 522, 507, 489, 449}},
      {mixtral, method::fsdp_ep, {.tp = 2, .ep = 8}, {0, 239, 255, 244, 238}},
      {mixtral, method::tp_ep_dp, {.tp = 4, .ep = 8}, {0, 404, 391, 360, 362}},
      {qwen2, method::mcore, {.tp = 2, .ep = 4, .pp = 4}, {362, 360, 348, 325, 298}},
      {qwen2, method::folding, {.tp = 2, .ep = 4, .pp = 4}, {399, 397, 381, 366, 334}},
      {qwen2, method::fsdp_ep, {.ep = 8}, {263, 256, 234, 228, 216}},
      {qwen2, method::tp_ep_dp, {.tp = 4, .ep = 4}, {224, 209, 198, 197, 179}},
      {g8t8, method::mcore, {.tp = 2, .ep = 8, .pp = 8}, {0, 198, 184, 163, 134}},
      {g8t8, method::folding, {.tp = 4, .ep = 8, .pp = 8}, {0, 300, 293, 267, 255}},
      {g8t8, method::fsdp_ep, {.tp = 4, .ep = 8}, {0, 90, 85, 89, 86}},
      {g8t8, method::tp_ep_dp, {.tp = 8, .ep = 8}, {0, 86, 85, 85, 81}},
      {llama3, method::mcore, {.tp = 8, .ep = 4, .pp = 8}, {0, 0, 401, 395, 391}},
      {llama3, method::folding, {.tp = 8, .ep = 8, .pp = 16}, {0, 0, 437, 427, 415}},
  };
  table t{.title = "arXiv 2504.14960, table 4: 1,024 sequences a step on more and more GPUs",
          .about = "The degrees are not printed; those of table 3 are taken, with more DP.",
          .runs = {}};
  for (const scaling& s : all)
    for (std::int64_t i = 0; i < 5; ++i)
      if (s.tenths[i] != 0) t.runs.push_back(run_of(s.model, s.how, 64LL << i, s.n, s.tenths[i], {.sequences = 1024}));
  return t;
}

table context_scaling() {
  table t{.title = "arXiv 2504.14960, table 5: as many tokens a step in longer and longer sequences",
          .about = "Without the rows of Qwen2, which repeat those of Mixtral and contradict the text.",
          .runs = {}};
  const auto add = [&t](method how, std::int64_t gpus, std::int64_t length, const degrees& n, std::int64_t sequences,
                        std::int64_t tenths) {
    t.runs.push_back(run_of(mixtral, how, gpus, n, tenths, {.sequences = sequences, .length = length}));
  };
  add(method::mcore, 128, 16384, {.cp = 4, .tp = 2, .ep = 4, .pp = 8}, 1024, 453);
  add(method::mcore, 256, 32768, {.cp = 8, .tp = 2, .ep = 4, .pp = 8}, 512, 432);
  add(method::mcore, 512, 65536, {.cp = 16, .tp = 2, .ep = 4, .pp = 8}, 256, 426);
  add(method::mcore, 1024, 131072, {.cp = 16, .tp = 4, .ep = 8, .pp = 8}, 128, 382);
  add(method::folding, 128, 16384, {.cp = 4, .tp = 2, .ep = 8, .pp = 8}, 1024, 476);
  add(method::folding, 256, 32768, {.cp = 8, .tp = 2, .ep = 8, .pp = 8}, 512, 451);
  add(method::folding, 512, 65536, {.cp = 8, .tp = 4, .ep = 8, .pp = 8}, 256, 445);
  add(method::folding, 1024, 131072, {.cp = 8, .tp = 8, .ep = 8, .pp = 8}, 128, 429);
  return t;
}

} // namespace

std::vector<table> parallel_folding() { return {precisions(), best(), strong_scaling(), context_scaling()}; }

} // namespace published_runs
