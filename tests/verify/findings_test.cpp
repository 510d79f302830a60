#include <moeplan/verify/findings.hpp>

#include "support/as_template_argument.hpp"
#include "support/both_times.hpp"
#include "verify/examples.hpp"

#include <moeplan/verify/check.hpp>

using namespace moeplan;
using namespace moeplan_test;

namespace {

/// EP 3 divides neither 16 experts nor the 16 GPUs of a stage; TP 2 with EP 3 has no SP.
constexpr findings wrong = check(trained_with(ep{3}, sp{1}));

BOTH_TIMES("findings come in the order of the rules", [] {
  constexpr rule expected[] = {rule::stage_divides_by_expert_ranks, rule::sp_accompanies_tp_and_ep, rule::experts_divide_by_ep};
  std::size_t next = 0;
  for (const finding f : wrong) EXPECT(f.id() == expected[next++]);
  EXPECT(next == 3);
  EXPECT(wrong.size() == 3);
  EXPECT(!wrong.empty());
  EXPECT(wrong.contains(rule::experts_divide_by_ep));
  EXPECT(!wrong.contains(rule::overflow));
});

BOTH_TIMES("they are counted by severity", [] {
  EXPECT(wrong.count(severity::error) == 2);
  EXPECT(wrong.count(severity::warning) == 1);
  EXPECT(wrong.count(severity::advice) == 0);
  EXPECT(!wrong.ok());
  EXPECT(findings{}.ok());
  EXPECT(findings{}.empty());
  EXPECT(findings{}.size() == 0);
  EXPECT(findings{}.begin() == findings{}.end());
});

BOTH_TIMES("every rule can be added, the first and the last too", [] {
  findings all;
  for (std::size_t i = 0; i < rule_count; ++i) {
    EXPECT(!all.contains(static_cast<rule>(i)));
    all.add(static_cast<rule>(i));
    EXPECT(all.contains(static_cast<rule>(i)));
    EXPECT(all.size() == i + 1);
  }
  std::size_t next = 0;
  for (const finding f : all) EXPECT(f.id() == static_cast<rule>(next++));
  EXPECT(next == rule_count);
  all.add(rule::overflow);
  EXPECT(all.size() == rule_count);
});

BOTH_TIMES("one GPU is no GPUs", [] {
  const findings alone = check({.cluster = {.total = 16}, .strategy = {ep{16}, dp{1}}, .profile = profile::universal});
  bool said = false;
  for (const finding f : alone) {
    if (f.id() != rule::stage_divides_by_expert_ranks) continue;
    said = true;
    EXPECT(text{f.message()} == "the experts' ETP 1 x EP 16 = 16 ranks do not divide the 1 GPU of a stage (TP x CP x DP)");
  }
  EXPECT(said);
});

BOTH_TIMES("an iterator steps from one finding to the next", [] {
  findings::iterator at = wrong.begin();
  EXPECT((*at).id() == rule::stage_divides_by_expert_ranks);
  EXPECT((*at++).id() == rule::stage_divides_by_expert_ranks);
  EXPECT((*at).id() == rule::sp_accompanies_tp_and_ep);
  EXPECT((*++at).id() == rule::experts_divide_by_ep);
  EXPECT(++at == wrong.end());
});

BOTH_TIMES("a finding shows the rule, its operands and what would be legal", [] {
  const finding f = *wrong.begin();
  EXPECT(f.name() == "stage_divides_by_expert_ranks");
  EXPECT(f.level() == severity::error);
  EXPECT(f.source() == "Megatron-LM parallel_state.py:881; arXiv 2504.14960; DeepSpeed auto_ep_folding.py:117");
  const operand_values operands = f.operands();
  EXPECT(operands.size() == 4);
  EXPECT(operands[0].name == "etp" && operands[0].value == 1);
  EXPECT(operands[1].name == "ep" && operands[1].value == 3);
  EXPECT(operands[2].name == "expert_ranks" && operands[2].value == 3);
  EXPECT(operands[3].name == "stage_gpus" && operands[3].value == 16);
  EXPECT(f.changes() == "ep");
  const legal_values legal = f.legal();
  EXPECT(legal.size() == 2);
  EXPECT(legal[0] == 2 && legal[1] == 4);
});

BOTH_TIMES("a finding is a sentence", [] {
  message_text sentence = (*wrong.begin()).message();
  EXPECT(text{sentence} == "the experts' ETP 1 x EP 3 = 3 ranks do not divide the 16 GPUs of a stage (TP x CP x DP)");
  append_legal(sentence, *wrong.begin());
  EXPECT(text{sentence} ==
         "the experts' ETP 1 x EP 3 = 3 ranks do not divide the 16 GPUs of a stage (TP x CP x DP); nearest legal ep: 2 or 4");
});

BOTH_TIMES("suggestions are one value, two or none", [] {
  const findings one = check(trained_with(ep{0}));
  text_buffer<80> said;
  append_legal(said, *one.begin());
  EXPECT(text{said} == "; nearest legal ep: 1");

  const findings none = check(changed(trained, [](auto& d) { d.model.layers = 0; }));
  text_buffer<80> nothing;
  append_legal(nothing, *none.begin());
  EXPECT(text{nothing} == "");
  EXPECT((*none.begin()).changes() == "");
  EXPECT((*none.begin()).legal().empty());
});

BOTH_TIMES("negative operands are written as such", [] {
  const findings found = check(trained_with(ep{INT64_MIN}, sp{1}));
  EXPECT(text{(*found.begin()).message()} == "EP is -9223372036854775808; a degree is at least 1");
});

// Findings are a value.
static_assert(name_the_same_type<check(trained), check(trained)>);

} // namespace
