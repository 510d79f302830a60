#include <moeplan/dialect/megatron_flags.hpp>

#include <moeplan/dialect/reading.hpp>

#include "support/both_times.hpp"

using namespace moeplan;
using namespace moeplan::dialect;

namespace {

constexpr auto read(text line) {
  flag_reader reader{megatron_grammar};
  reader.read(line);
  return reader;
}

} // namespace

BOTH_TIMES("what Megatron-LM takes without flags", [] {
  constexpr megatron_words w = read("torchrun pretrain_gpt.py").words;
  EXPECT(!w.tp.given && !w.etp.given && !w.vocabulary_multiple.given);
  EXPECT(!w.bf16 && !w.fp16 && !w.gradients_in_fp32);
  EXPECT(w.fused_gradient && !w.fused_loss && !w.flash_attention);
  EXPECT(w.attention_dropout == ratio{1, 10} && w.hidden_dropout == ratio{1, 10});
});

BOTH_TIMES("torchrun spells its flags in two ways", [] {
  const megatron_words dashes = read("torchrun --nproc-per-node 8 --nnodes=2 pretrain_gpt.py").words;
  const megatron_words underscores = read("torchrun --nproc_per_node=8 --nnodes 2 pretrain_gpt.py").words;
  EXPECT(dashes.gpus_per_node == optional_integer{8} && dashes.nodes == optional_integer{2});
  EXPECT(underscores.gpus_per_node == optional_integer{8} && underscores.nodes == optional_integer{2});
});

BOTH_TIMES("a field that is true by default is switched off", [] {
  EXPECT(!read("--no-gradient-accumulation-fusion").words.fused_gradient);
  EXPECT(!read("--no-gradient-accumulation-fusion=1").result.ok());
});

// transformer_config.py, recompute_modules: ["core_attn"] without the flag.
BOTH_TIMES("modules to compute again, and those that are without the flag", [] {
  EXPECT(read("--recompute-modules core_attn").words.recompute_modules == megatron_words{}.recompute_modules);
  EXPECT(read("--recompute-modules moe_act layernorm").words.recompute_modules != megatron_words{}.recompute_modules);
  EXPECT(read("--recompute-modules attention").result.error.found == "attention");
});

BOTH_TIMES("what says nothing about a deployment is understood and listed", [] {
  const auto r = read("--lr 1e-4 --swiglu --data-path a b --tensor-model-parallel-size 2");
  EXPECT(r.result.ok());
  EXPECT(r.words.tp == optional_integer{2});
  EXPECT(r.result.without_meaning == sequence<text, 64>{{"--lr", "--swiglu", "--data-path"}, 3});
});
