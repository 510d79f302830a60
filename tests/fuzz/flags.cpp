// Launch flags: any line of any framework is read or refused, and what flags say, flags can say again.
//
// The first two characters of an input choose the framework and the base, the rest is the line.
#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/llama.hpp>
#include <moeplan/catalog/mixtral.hpp>
#include <moeplan/dialect/dialect.hpp>

#include "judge.hpp"

namespace moeplan_fuzz {

namespace {

using moeplan::dialect::framework;

moeplan::deployment base_of(char choice) {
  moeplan::deployment base{.model = moeplan::catalog::mixtral_8x7b, .cluster = {.total = 64}};
  switch (static_cast<unsigned char>(choice) % 4) {
    case 1:
      base.model = moeplan::catalog::deepseek_v3;
      base.cluster = {.gpus_per_node = 8, .nodes = 256};
      base.workload = moeplan::training{.sequence_length = 4096};
      break;
    case 2:
      base.model = moeplan::catalog::llama_3_1_8b;
      base.workload = moeplan::serving{.batch = 8, .sequence_length = 4096};
      break;
    case 3: base.model = {}, base.cluster = {}; break;
    default: break;
  }
  return base;
}

/// Whether what one framework says in full, it says once more.
void expect_said_again(framework f, const moeplan::deployment& d) {
  const moeplan::dialect::writing w = moeplan::dialect::write(f, d);
  for (const auto& sentence : w.cannot_express) expect(sentence.size() != 0 && !sentence.truncated(), "a sentence is whole");
  if (!w.complete()) return;
  expect(!w.flags.truncated(), "flags that say all are not cut off");
  const moeplan::dialect::reading again =
      moeplan::dialect::read(f, moeplan::text{w.flags}, {.model = d.model, .cluster = d.cluster, .profile = d.profile});
  expect(again.ok(), "flags that were written can be read");
  expect(moeplan::dialect::same(d, again.deployment), "flags that say all are read as the same deployment");
}

} // namespace

void run(std::string_view input) {
  if (input.size() < 2) return;
  const auto f = moeplan::dialect::frameworks[static_cast<unsigned char>(input[0]) % 6U];
  const moeplan::deployment base = base_of(input[1]);
  const std::string_view line = input.substr(2);
  const moeplan::dialect::reading r = moeplan::dialect::read(f, moeplan::text{line}, base);
  if (!r.ok()) return expect(r.error.position <= line.size(), "an error stands in the line");
  moeplan::deployment d = r.deployment;
  judge(d);
  d.profile = moeplan::profile::universal;
  if (!moeplan::check(d).ok() || d.strategy.mapping != moeplan::mapping::folded) return;
  for (const framework each : moeplan::dialect::frameworks) expect_said_again(each, d);
}

} // namespace moeplan_fuzz
