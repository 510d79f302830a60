#include <moeplan/cost/attention_inputs.hpp>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/llama.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

BOTH_TIMES("latents where they are less than the hidden state", [] {
  EXPECT(detail::attention_inputs(catalog::llama_3_1_8b, true) == 4096);
  EXPECT(detail::attention_inputs(catalog::deepseek_v3, true) == 1536 + 512 + 64);
  EXPECT(detail::attention_inputs(catalog::deepseek_v3, false) == 1536 + 512);
  EXPECT(detail::attention_inputs(catalog::deepseek_v2_lite, true) == 2048); // Its queries have none.
  model narrow = catalog::deepseek_v3;
  narrow.hidden_size = 1024;
  EXPECT(detail::attention_inputs(narrow, true) == 1024);
});

} // namespace
